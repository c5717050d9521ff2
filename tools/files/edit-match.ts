/** Where an edit belongs, in stages from "as written" to "says the same", and what the file becomes. */

import { refusal } from '../result.ts';
import { type Alignment, align, LEVELS, type MatchKind, trimBlankEnds } from './edit-align.ts';
import { eolNear, exactReplacement, occurrences, type Replacement } from './edit-exact.ts';
import { ambiguous, notFound, unclear } from './edit-refusals.ts';
import { type FlatFile, flatten, type Region, regionsOf } from './edit-region.ts';
import { similarPlaces } from './edit-similar.ts';
import { transferred, Unclear } from './edit-transfer.ts';
import { bareNew, type Edit, variantsOf } from './edit-variants.ts';
import { likeness } from './line-diff.ts';
import { lineAt, linesOf, lineTable } from './lines.ts';
import { unitOf } from './reindent.ts';

export type { Edit } from './edit-variants.ts';

export interface Applied {
  text: string;
  match: MatchKind;
  /** How alike old_str and the text it stood for are, 0 to 1. */
  ratio: number;
}

interface Candidate {
  edit: Edit;
  old: string[];
  now: string[];
  region: Region;
  alignment: Alignment;
  level: MatchKind;
}

/** Trailing spaces are line breaks there, or belong to a patch. */
const KEEPS_TRAILING = /\.(md|markdown|mdx|diff|patch)$/i;

const unix = (text: string): string => text.replace(/\r\n?/g, '\n');

/** A BOM is no part of the text; line ends count as one kind. */
const plainEdit = ({ old_str, new_str }: Edit): Edit => ({
  old_str: unix(old_str.replace(/^\ufeff/, '')),
  new_str: unix(new_str.replace(/^\ufeff/, '')),
});

/**
 * Applies one edit to the text of `path`.
 * @throws LoomError `ambiguous` with every place · `not_found` with the nearest region · `unclear_edit` when the place
 * is found but what it is to become has two readings · `invalid_edit`.
 */
export function applyEdit(path: string, text: string, asked: Edit): Applied {
  refuseEmpty(path, asked);
  const edit = bareNew(path, asked);
  if (!edit)
    throw refusal(
      'unclear_edit',
      `new_str is in a code fence and old_str is not: it is not clear whether ${path} is to hold the fence. Leave it out, or put it into old_str, too.`,
    );
  const lines = lineTable(text);
  const exact = occurrences(text, edit.old_str);
  if (exact.length > 1) throw ambiguousAt(path, text, edit.old_str, exact);
  if (exact.length === 1) {
    refuseOtherEnds(path, text, edit.old_str);
    const replacement = exactReplacement(path, text, lines, edit, exact[0]!);
    return {
      text: spliced(path, text, replacement, edit),
      match: edit === asked ? 'exact' : 'escape',
      ratio: 1,
    };
  }
  const file = flatten(text, lines);
  const plain = plainEdit(edit);
  const candidate = lowest(path, file, plain);
  if (!candidate) throw notFound(path, lines, linesOf(plain.old_str));
  const { region, level } = candidate;
  const there = text.slice(region.start, region.end);
  const ratio = level === 'eol' ? 1 : Math.min(0.999, likeness(plain.old_str.trim(), unix(there).trim()));
  return {
    text: spliced(path, text, replacementFor(path, file, candidate), edit),
    match: level,
    ratio: Math.round(ratio * 1000) / 1000,
  };
}

function ambiguousAt(path: string, text: string, old: string, found: number[]) {
  const lines = lineTable(text);
  const places = found.map((at): [number, number] => [lineAt(lines, at), lineAt(lines, at + old.length - 1)]);
  return ambiguous(path, places, found.length, lines);
}

/** Nobody sees line ends: where they are mixed, the same lines with other ends are another place. */
function refuseOtherEnds(path: string, text: string, old: string): void {
  if (!old.includes('\n') || !/\r\n/.test(text) || !/(?<!\r)\n/.test(text)) return;
  const places = occurrences(unix(text), unix(old));
  if (places.length > 1) throw ambiguousAt(path, unix(text), unix(old), places);
}

function refuseEmpty(path: string, edit: Edit): void {
  if (edit.old_str === '')
    throw refusal(
      'invalid_edit',
      `old_str is empty; name the text to replace in ${path}, or use write_file.`,
    );
  if (edit.old_str === edit.new_str)
    throw refusal('invalid_edit', `old_str and new_str are the same; nothing would change in ${path}.`);
}

/** The one place at the strictest level at which there is any. */
function lowest(path: string, file: FlatFile, edit: Edit): Candidate | null {
  const found = candidatesOf(path, file, edit, 'eol');
  const strict = found.filter(one => one.level !== 'similar');
  if (strict.length > 0) return only(path, file, strict);
  const others: Candidate[] = [];
  for (const layer of variantsOf(edit, file.text)) {
    others.push(...layer.flatMap(variant => candidatesOf(path, file, variant, 'escape')));
    const escaped = others.filter(one => one.level !== 'similar');
    if (escaped.length > 0) return only(path, file, escaped);
  }
  if (found.length > 0 || others.length > 0) return only(path, file, found.length > 0 ? found : others);
  const [old, now] = [edit.old_str, edit.new_str].map(text => trimBlankEnds(linesOf(text)));
  const similar = similarPlaces(file, old!, now!).map(place => ({
    ...place,
    edit,
    old: old!,
    now: now!,
    level: 'similar' as const,
  }));
  return similar.length > 0 ? only(path, file, similar) : null;
}

function candidatesOf(path: string, file: FlatFile, edit: Edit, least: MatchKind): Candidate[] {
  const lines = linesOf(edit.old_str);
  const old = trimBlankEnds(lines);
  const regions = regionsOf(file, edit);
  if (regions === null)
    throw refusal('ambiguous', `old_str matches more than 100 places in ${path}; add surrounding lines.`);
  return regions.flatMap(region => {
    const alignment = align(old, region, old.length < lines.length);
    if (!alignment) return [];
    const level = LEVELS[Math.max(LEVELS.indexOf(alignment.level), LEVELS.indexOf(least))]!;
    return [{ edit, old, now: linesOf(edit.new_str), region, alignment, level }];
  });
}

function only(path: string, file: FlatFile, candidates: Candidate[]): Candidate {
  const least = Math.min(...candidates.map(one => LEVELS.indexOf(one.level)));
  const best = candidates.filter(one => LEVELS.indexOf(one.level) === least);
  const places = new Map(best.map(one => [`${one.region.start} ${one.region.end}`, one]));
  const ranges = [...places.values()].map(({ region }): [number, number] => [
    region.first + 1,
    region.last + 1,
  ]);
  if (ranges.length > 1) throw ambiguous(path, ranges, ranges.length, file.lines);
  const readings = new Set(best.map(one => one.edit.new_str));
  if (readings.size > 1) {
    const [from, to] = ranges[0]!;
    throw unclear(path, 'new_str can be read in two ways', from, to, file.lines);
  }
  return best[0]!;
}

function replacementFor(path: string, file: FlatFile, candidate: Candidate): Replacement {
  const { region, alignment, old } = candidate;
  const around = file.lines.slice(Math.max(0, region.first - 1000), region.last + 1000);
  const eol = eolNear(file.lines, region.start) || '\n';
  const now = boundBlanks(candidate);
  refuseTwoDepths(path, file, candidate, now);
  try {
    const text = transferred(old, now, alignment, {
      region,
      eols: file.lines.slice(region.first, region.last + 1).map(line => line.eol),
      eol,
      unit: unitOf(around.map(line => line.text)),
      keepTrailing: KEEPS_TRAILING.test(path),
    });
    // Nothing in place of whole lines: their last line end goes too.
    const whole = now.length === 0 && !region.cutsFirst && !region.cutsLast;
    return { start: region.start, end: whole ? file.lines[region.last]!.end : region.end, text };
  } catch (error) {
    if (!(error instanceof Unclear)) throw error;
    throw unclear(path, error.message, region.first + 1, region.last + 1, file.lines);
  }
}

/** New lines without the blank ends that the old ones have too; blank lines that the edit adds there stay. */
function boundBlanks({ edit, now }: Candidate): string[] {
  const count = (lines: string[]) => {
    const at = lines.findIndex(line => line.trim() !== '');
    return at < 0 ? lines.length : at;
  };
  const before = linesOf(edit.old_str);
  const core = trimBlankEnds(now);
  if (core.length === 0) return [];
  const head = Math.max(0, count(now) - count(before));
  const tail = Math.max(0, count(now.toReversed()) - count(before.toReversed()));
  return [...Array<string>(head).fill(''), ...core, ...Array<string>(tail).fill('')];
}

/** One old line without indentation: new lines behind it may be indented as in the file, or as seen from that line. */
function refuseTwoDepths(path: string, file: FlatFile, { old, region }: Candidate, now: string[]): void {
  const indent = /^[ \t]*/.exec(region.texts[0]!)![0];
  const rest = trimBlankEnds(now)
    .slice(1)
    .filter(line => line.trim() !== '');
  if (old.length !== 1 || indent === '' || /^\s/.test(old[0]!) || rest.length === 0) return;
  if (rest.every(line => line.startsWith(indent)))
    throw unclear(
      path,
      'how deep to indent the new lines is not clear',
      region.first + 1,
      region.last + 1,
      file.lines,
    );
}

/** The text with the replacement; whether the file ends with a line end stays as it was. */
function spliced(path: string, text: string, { start, end, text: now }: Replacement, edit: Edit): string {
  const result = text.slice(0, start) + now + text.slice(end);
  const ended = /[\r\n]$/.test(text);
  const ends = /[\r\n]$/.test(result);
  const bare = result.replace(/(?:\r\n|\r|\n)$/, '');
  let kept = result;
  if (text !== '' && result !== '' && ended !== ends) {
    if (ended) kept = result + (/(?:\r\n|\r|\n)$/.exec(text)![0] ?? '');
    else if (bare !== text) kept = bare;
  }
  if (kept === text)
    throw refusal(
      'invalid_edit',
      `Nothing would change in ${path}: what new_str says stands there already, apart from white space or line ends at most (old_str: ${JSON.stringify(edit.old_str.slice(0, 60))}).`,
    );
  return kept;
}
