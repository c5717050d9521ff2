/** The last resort: a place that differs from the edit in commas and semicolons at line ends, and in nothing else. */

import { type Alignment, isBlank } from './edit-align.ts';
import type { FlatFile, Region } from './edit-region.ts';
import { keyOf, sameTokens } from './fold.ts';
import { diffLines } from './line-diff.ts';
import { depthOf, keepsStructure } from './reindent.ts';

/** Fewer lines say too little of the place. */
const MIN_LINES = 3;
/** Share of lines that may have slips. */
const MAX_SLIPS = 0.25;
/** Lines as frequent as this say nothing of the place. */
const COMMON = 50;

/** The same but for a comma or semicolon at the end. */
const sameBarSlip = (written: string, there: string): boolean =>
  keyOf(written).replace(/[,;]$/, '') === keyOf(there).replace(/[,;]$/, '') &&
  sameTokens(bare(written), bare(there));

const bare = (line: string): string => line.trim().replace(/[,;]$/, '');

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
 * Places whose lines are those of `old`, but for the last character of lines that the edit leaves alone. Words are never
 * forgiven, not even in comments: whether somebody misspelt one or changed it cannot be told.
 */
export function similarPlaces(
  file: FlatFile,
  old: string[],
  now: string[],
): { region: Region; alignment: Alignment }[] {
  const wanted = old.flatMap((line, i) => (isBlank(line) ? [] : [{ line, i }]));
  if (wanted.length < MIN_LINES) return [];
  const full = file.lines.flatMap((line, i) => (isBlank(line.text) ? [] : [i]));
  const keys = full.map(i => file.keys.slice(file.starts[i], file.starts[i + 1]));
  const wantedKeys = wanted.map(({ line }) => keyOf(line));
  const kept = new Set(diffLines(old, now).flatMap(step => (step.same ? [step.old] : [])));
  return startsOf(keys, wantedKeys).flatMap(start => {
    const there = wanted.map((_, k) => full[start + k]);
    if (there.some(line => line === undefined)) return [];
    const slips = wanted.filter((_, k) => wantedKeys[k] !== keys[start + k]);
    if (slips.length === 0 || slips.length > Math.max(1, wanted.length * MAX_SLIPS)) return [];
    const sound = wanted.every(({ line, i }, k) => {
      if (wantedKeys[k] === keys[start + k]) return true;
      return kept.has(i) && sameBarSlip(line, file.lines[there[k]!]!.text);
    });
    const indents = wanted.map(({ line }, k): [string, string] => [
      depthOf(line),
      depthOf(file.lines[there[k]!]!.text),
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
    splits: false,
    texts: lines.map(line => line.text),
  };
  const alignment: Alignment = { partner, wrapped: [], level: 'similar', bareFirst: false, flattened: false };
  return { region, alignment };
}
