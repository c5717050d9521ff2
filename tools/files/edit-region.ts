/** Where in a file the characters of an edit stand, white space aside: one search for all kinds of drift. */

import type { Edit } from './edit-variants.ts';
import { closesOnly, keepsHead, keyOf, keyPositions, sameTokens, splitsToken } from './fold.ts';
import type { Line } from './lines.ts';

/** More places than this are not looked at one by one. */
const MAX_REGIONS = 100;

/** A file without its white space, and where each line begins in that. */
export interface FlatFile {
  text: string;
  lines: Line[];
  keys: string;
  starts: number[];
}

export interface Region {
  /** First and last line (0-based) and the offsets in the text; `start` is the line's own when nothing but white space stands before. */
  first: number;
  last: number;
  start: number;
  end: number;
  /** The place begins or ends within a line. */
  cutsFirst: boolean;
  cutsLast: boolean;
  /** It begins within a word. */
  splits: boolean;
  /** Lines of the place, the first and last as far as they belong to it. */
  texts: string[];
}

export function flatten(text: string, lines: Line[]): FlatFile {
  const starts: number[] = [];
  const keys: string[] = [];
  let sum = 0;
  for (const line of lines) {
    const key = keyOf(line.text);
    starts.push(sum);
    keys.push(key);
    sum += key.length;
  }
  return { text, lines, keys: keys.join(''), starts };
}

/** Last line that begins at or before `offset` of the flat text. */
function lineOf(starts: number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function regionAt(file: FlatFile, from: number, to: number): Region | null {
  const [first, last] = [lineOf(file.starts, from), lineOf(file.starts, to - 1)];
  const [top, bottom] = [file.lines[first]!, file.lines[last]!];
  const head = keyPositions(top.text);
  const tail = keyPositions(bottom.text);
  if (!head || !tail) return null;
  const [headAt, tailAt] = [from - file.starts[first]!, to - file.starts[last]!];
  const cutsFirst = headAt > 0;
  const cutsLast = tailAt < tail.length;
  const start = top.start + (cutsFirst ? head[headAt]! : 0);
  const end = cutsLast
    ? bottom.start + bottom.text.slice(0, tail[tailAt]!).trimEnd().length
    : bottom.end - bottom.eol.length;
  const { text } = file;
  const splits =
    cutsFirst && splitsToken(text.slice(Math.max(0, start - 2), start), text.slice(start, start + 2));
  if (cutsLast && splitsToken(text.slice(Math.max(0, end - 2), end), text.slice(end, end + 2))) return null;
  const texts = file.lines
    .slice(first, last + 1)
    .map(line => text.slice(Math.max(line.start, start), Math.min(line.end - line.eol.length, end)));
  return { first, last, start, end, cutsFirst, cutsLast, splits, texts };
}

/** Indentation stands at the begin of a line; one space before several lines may be that between two words. */
function mayBeginThere(file: FlatFile, region: Region, old: string): boolean {
  if (!/^\s/.test(old)) return true;
  return /^ \S/.test(old) && region.first < region.last && file.text[region.start - 1] === ' ';
}

/** A piece from within a line may end anywhere; what begins with a line goes on with closing brackets and the like at most. */
function mayEndThere(file: FlatFile, region: Region, old: string): boolean {
  if (/\n[ \t]*$/.test(old)) return false;
  if (region.cutsFirst && region.first === region.last) return true;
  const line = file.lines[region.last]!;
  return closesOnly(file.text.slice(region.end, line.end - line.eol.length));
}

/**
 * Every place that holds the characters of `old_str` in order with other white space, quotes or dashes at most.
 * What is indented stands at the begin of a line, what ends with a line end at the end of one.
 * @returns null when there are too many to look at
 */
export function regionsOf(file: FlatFile, { old_str: old, new_str: now, whole }: Edit): Region[] | null {
  const key = keyOf(old);
  if (key === '') return [];
  const found: Region[] = [];
  let seen = 0;
  for (let at = file.keys.indexOf(key); at >= 0; at = file.keys.indexOf(key, at + 1)) {
    if (++seen > MAX_REGIONS) return null;
    const region = regionAt(file, at, at + key.length);
    if (!region || (region.splits && !keepsHead(old, now))) continue;
    if (region.cutsFirst && (whole || !mayBeginThere(file, region, old))) continue;
    if (region.cutsLast && (whole || !mayEndThere(file, region, old))) continue;
    if (sameTokens(old, region.texts.join('\n'))) found.push(region);
  }
  return found;
}
