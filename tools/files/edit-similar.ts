/** The last resort: a place that differs from the edit in slips of the pen, and in nothing that means anything. */

import distance from 'damerau-levenshtein';
import { type Alignment, isBlank } from './edit-align.ts';
import type { FlatFile, Region } from './edit-region.ts';
import { keyOf, plain } from './fold.ts';
import { diffLines } from './line-diff.ts';
import { indentOf, keepsStructure } from './reindent.ts';

/** Fewer lines say too little of the place. */
const MIN_LINES = 3;
/** Share of lines that may have slips. */
const MAX_SLIPS = 0.25;
/** Lines as frequent as this say nothing of the place. */
const COMMON = 50;
const MAX_WORDS = 2;

const NEGATION =
  /^(no|not|non|none|never|without|nor|neither|cannot|unless|except|false|null|nil|undefined)$|n't$/i;
const WORD = /\p{L}[\p{L}\p{N}_']*/gu;
const COMMENT = /^(#(?!include|define|if|endif|!)|\/\/|\/\*|\*(\s|$)|--\s|<!--|;;)/;
const PROSE = /\.(md|markdown|mdx|txt|rst|adoc)$/i;

/** A word with one slip in it (two when it is long) is the same word, unless the file knows the other one too. */
function isSlip(written: string, there: string, text: string): boolean {
  if (Math.min(written.length, there.length) < 5 || written[0] !== there[0]) return false;
  if (NEGATION.test(written) || NEGATION.test(there)) return false;
  const allowed = Math.min(written.length, there.length) >= 9 ? 2 : 1;
  return distance(written, there).steps <= allowed && !new RegExp(`\\b${written}\\b`, 'u').test(text);
}

/** Whole-line comments and prose may have slips; a missing comma or semicolon at the end may be anywhere. */
function sameBarSlips(written: string, there: string, text: string, prose: boolean): boolean {
  const [a, b] = [written, there].map(line => plain(line.trim()));
  const bare = (line: string) => keyOf(line).replace(/[,;]$/, '');
  if (bare(a!) === bare(b!)) return true;
  if (!prose && !(COMMENT.test(a!) && COMMENT.test(b!))) return false;
  const rest = (line: string) =>
    line
      .replace(WORD, 'w')
      .replace(/\s+/g, ' ')
      .replace(/[.,;]$/, '');
  if (rest(a!) !== rest(b!)) return false;
  const [words, others] = [a!.match(WORD) ?? [], b!.match(WORD) ?? []];
  const differ = words.map((word, i) => [word, others[i]!] as const).filter(([one, other]) => one !== other);
  return differ.length <= MAX_WORDS && differ.every(([one, other]) => isSlip(one, other, text));
}

/** Where lines of the edit that occur rarely say that its first line is, by position among the lines that are not blank. */
function startsOf(keys: string[], wanted: string[]): number[] {
  const at = new Map<string, number[]>(wanted.map(key => [key, []]));
  for (const [i, key] of keys.entries()) at.get(key)?.push(i);
  const votes = new Map<number, number>();
  for (const [i, key] of wanted.entries()) {
    const places = at.get(key)!;
    if (places.length <= COMMON)
      for (const place of places) votes.set(place - i, (votes.get(place - i) ?? 0) + 1);
  }
  const enough = wanted.length * (1 - MAX_SLIPS) - 1;
  return [...votes].filter(([start, count]) => start >= 0 && count >= enough).map(([start]) => start);
}

/**
 * Places whose lines are those of `old` bar slips in lines that the edit leaves alone. Numbers, negations, operators,
 * identifiers and what stands in strings are the same.
 */
export function similarPlaces(
  file: FlatFile,
  old: string[],
  now: string[],
  path: string,
): { region: Region; alignment: Alignment }[] {
  const wanted = old.flatMap((line, i) => (isBlank(line) ? [] : [{ line, i }]));
  if (wanted.length < MIN_LINES) return [];
  const full = file.lines.flatMap((line, i) => (isBlank(line.text) ? [] : [i]));
  const keys = full.map(i => keyOf(file.lines[i]!.text));
  const wantedKeys = wanted.map(({ line }) => keyOf(line));
  const kept = new Set(diffLines(old, now).flatMap(step => (step.same ? [step.old] : [])));
  return startsOf(keys, wantedKeys).flatMap(start => {
    const there = wanted.map((_, k) => full[start + k]);
    if (there.some(line => line === undefined)) return [];
    const slips = wanted.filter((_, k) => wantedKeys[k] !== keys[start + k]);
    if (slips.length === 0 || slips.length > Math.max(1, wanted.length * MAX_SLIPS)) return [];
    const sound = wanted.every(({ line, i }, k) => {
      if (wantedKeys[k] === keys[start + k]) return true;
      return kept.has(i) && sameBarSlips(line, file.lines[there[k]!]!.text, file.text, PROSE.test(path));
    });
    const indents = wanted.map(({ line }, k): [string, string] => [
      indentOf(line),
      indentOf(file.lines[there[k]!]!.text),
    ]);
    return sound && keepsStructure(indents)
      ? [
          placeOf(
            file,
            old,
            wanted.map(({ i }) => i),
            there as number[],
          ),
        ]
      : [];
  });
}

function placeOf(file: FlatFile, old: string[], wanted: number[], there: number[]) {
  const [first, last] = [there[0]!, there.at(-1)!];
  const lines = file.lines.slice(first, last + 1);
  const bottom = file.lines[last]!;
  const partner: (number | null)[] = old.map(() => null);
  for (const [k, i] of wanted.entries()) {
    partner[i] = there[k]! - first;
    const [from, at] = [wanted[k - 1], there[k - 1]];
    if (from === undefined || at === undefined) continue;
    for (let n = 1; n < Math.min(i - from, there[k]! - at); n++) partner[from + n] = at - first + n;
  }
  const region: Region = {
    first,
    last,
    start: lines[0]!.start,
    end: bottom.end - bottom.eol.length,
    cutsFirst: false,
    cutsLast: false,
    texts: lines.map(line => line.text),
  };
  const alignment: Alignment = { partner, wrapped: [], level: 'similar', bareFirst: false, flattened: false };
  return { region, alignment };
}
