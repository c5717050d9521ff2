/** Which line of an edit is which line of the file, and how far apart the two are. */

import type { Region } from './edit-region.ts';
import { keyOf, plain } from './fold.ts';
import { depthOf, indentOf, keepsStructure } from './reindent.ts';

export const LEVELS = ['exact', 'eol', 'whitespace', 'indent', 'escape', 'similar'] as const;
export type MatchKind = (typeof LEVELS)[number];

export const isBlank = (line: string): boolean => line.trim() === '';

/** Lines without the blank ones at both ends. */
export function trimBlankEnds(lines: string[]): string[] {
  let from = 0;
  let to = lines.length;
  while (from < to && isBlank(lines[from]!)) from++;
  while (to > from && isBlank(lines[to - 1]!)) to--;
  return lines.slice(from, to);
}

export interface Alignment {
  /** Line of the region (0-based within it) for each old line; null for a blank line of the model's own or a wrapped one. */
  partner: (number | null)[];
  /** Old lines [from, to) that stand in the file as the region's lines [first, end), wrapped elsewhere. */
  wrapped: { from: number; to: number; first: number; end: number }[];
  level: MatchKind;
  /** The first line came without its indentation, the others with theirs. */
  bareFirst: boolean;
  /** All lines came without any indentation. */
  flattened: boolean;
}

interface Group {
  from: number;
  to: number;
  first: number;
  end: number;
}

/** Cuts both sides where both have a line end. Both hold the same characters apart from white space. */
function groupsOf(old: string[], found: string[]): Group[] {
  const groups: Group[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < found.length) {
    if (isBlank(old[i]!)) i++;
    else if (isBlank(found[j]!)) j++;
    else {
      const [from, first] = [i, j];
      let here = keyOf(old[i++]!).length;
      let there = keyOf(found[j++]!).length;
      while (here !== there) {
        if (here < there) here += keyOf(old[i++] ?? '').length;
        else there += keyOf(found[j++] ?? '').length;
        if (i > old.length || j > found.length) return [];
      }
      groups.push({ from, to: i, first, end: j });
    }
  }
  return groups;
}

/** Blank lines between two neighbours that both sides have. @returns true when the numbers differ */
function pairBlanks(partner: (number | null)[], groups: Group[]): boolean {
  let drift = false;
  for (let n = 1; n < groups.length; n++) {
    const [before, after] = [groups[n - 1]!, groups[n]!];
    const here = after.from - before.to;
    const there = after.first - before.end;
    if (here !== there) drift = true;
    for (let k = 0; k < Math.min(here, there); k++) partner[before.to + k] = before.end + k;
  }
  return drift;
}

const collapsed = (text: string): string => text.trim().replace(/[ \t]+/g, ' ');

/** Indentations that are one another's tabs at some width. */
const sameColumns = (pairs: [string, string][]): boolean =>
  [4, 8, 2, 3].some(width =>
    pairs.every(([a, b]) => a.replaceAll('\t', ' '.repeat(width)) === b.replaceAll('\t', ' '.repeat(width))),
  );

/** Wrapped text may have this many lines more or fewer than the file. */
const MAX_WRAP = 2;

/**
 * Lines of `old` (without blank ends) beside those of a place with the same characters.
 * @returns null when the place says the same in another structure: other nesting, or wrapped beyond recognition
 */
export function align(old: string[], region: Region, trimmed: boolean): Alignment | null {
  const found = region.texts;
  const groups = groupsOf(old, found);
  if (groups.length === 0) return null;
  const partner: (number | null)[] = old.map(() => null);
  const wrapped = groups.filter(group => group.to - group.from !== 1 || group.end - group.first !== 1);
  for (const group of groups) if (!wrapped.includes(group)) partner[group.from] = group.first;
  const change = wrapped.reduce(
    (sum, group) => sum + Math.abs(group.to - group.from - group.end + group.first),
    0,
  );
  if (change > MAX_WRAP) return null;
  const drift = pairBlanks(partner, groups);
  const pairs: [string, string][] = [];
  for (const [i, at] of partner.entries())
    if (at !== null && !isBlank(old[i]!)) pairs.push([old[i]!, found[at]!]);
  const indents = pairs.map(([o, f]): [string, string] => [depthOf(o), depthOf(f)]);
  const structure = structureOf(pairs, indents, region.cutsFirst);
  if (!structure) return null;
  const level =
    wrapped.length > 0 || drift
      ? 'similar'
      : levelOf(old, found, partner, structure.bareFirst ? indents.slice(1) : indents, trimmed);
  return { partner, wrapped, level, ...structure };
}

/** True when the nesting of the file's lines can be read from their brackets, so that the edit need not show it. */
function bracketsTell(pairs: [string, string][]): boolean {
  let depth = 0;
  const nesting = pairs.map(([, found]): [string, string] => {
    const closing = /^[\s)\]}]*/.exec(found)![0].replace(/\s/g, '').length;
    const at = depth - closing;
    depth += (found.match(/[([{]/g)?.length ?? 0) - (found.match(/[)\]}]/g)?.length ?? 0);
    return [' '.repeat(Math.max(0, at)), indentOf(found)];
  });
  return new Set(nesting.map(([level]) => level)).size > 1 && keepsStructure(nesting);
}

function structureOf(
  pairs: [string, string][],
  indents: [string, string][],
  cutsFirst: boolean,
): Pick<Alignment, 'bareFirst' | 'flattened'> | null {
  const rest = indents.slice(1);
  if (!cutsFirst && keepsStructure(indents)) return { bareFirst: false, flattened: false };
  const [first] = indents;
  if (first?.[0] === '' && rest.length > 0 && rest.every(([o, f]) => o === f))
    return { bareFirst: true, flattened: false };
  if (
    first?.[0] === '' &&
    first[1] !== '' &&
    rest.length > 0 &&
    rest.some(([o]) => o !== '') &&
    keepsStructure(rest)
  )
    return { bareFirst: true, flattened: false };
  if (cutsFirst && keepsStructure(rest)) return { bareFirst: true, flattened: false };
  const flattened = indents.length > 1 && indents.every(([o]) => o === '') && bracketsTell(pairs);
  return flattened ? { bareFirst: false, flattened } : null;
}

function levelOf(
  old: string[],
  found: string[],
  partner: (number | null)[],
  indents: [string, string][],
  trimmed: boolean,
): MatchKind {
  const every = (same: (o: string, f: string) => boolean) =>
    old.every((line, i) => same(line, found[partner[i]!]!));
  if (!trimmed && every((o, f) => o === f)) return 'eol';
  if (every((o, f) => collapsed(o) === collapsed(f))) return sameColumns(indents) ? 'whitespace' : 'indent';
  return every((o, f) => collapsed(plain(o)) === collapsed(plain(f))) ? 'escape' : 'similar';
}
