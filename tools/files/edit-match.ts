/** Where an edit belongs: exact → other line ends → other whitespace (with re-indentation). Never by similarity: a changed number or a dropped `not` must not match. */

import { refusal } from '../result.ts';
import { type Line, lineAt, lineTable, numbered } from './lines.ts';
import { reindent } from './reindent.ts';

export type MatchKind = 'exact' | 'line_ends' | 'trailing_space' | 'indentation' | 'spacing' | 'blank_lines';

export interface Edit {
  old_str: string;
  new_str: string;
}

interface Place {
  start: number;
  end: number;
  replacement: string;
}

const MAX_PLACES = 5;

function occurrences(text: string, wanted: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(wanted); at >= 0 && found.length <= 100; at = text.indexOf(wanted, at + 1))
    found.push(at);
  return found;
}

function ambiguous(path: string, ranges: [number, number][], lines: Line[]): Error {
  const shown = ranges
    .slice(0, MAX_PLACES)
    .map(
      ([from, to]) =>
        `lines ${from}–${to}:\n${numbered(lines, Math.max(1, from - 1), Math.min(to + 1, from + 5))}`,
    );
  const rest = ranges.length > MAX_PLACES ? `\n(and ${ranges.length - MAX_PLACES} more)` : '';
  return refusal(
    'ambiguous',
    `old_str matches ${ranges.length} places in ${path}; add surrounding lines so that it matches one.\n${shown.join('\n')}${rest}`,
    { places: ranges.slice(0, MAX_PLACES).map(([from, to]) => ({ line_start: from, line_end: to })) },
  );
}

const unix = (text: string) => text.replace(/\r\n?/g, '\n');

/** Line ends of the file in place of those of the model. */
const inEol = (text: string, eol: string) => (eol === '' ? text : unix(text).replaceAll('\n', eol));

function eolNear(lines: Line[], offset: number): string {
  const at = lineAt(lines, offset) - 1;
  return lines[at]?.eol || lines[at - 1]?.eol || '';
}

/** Searches with line ends made equal, and translates the place back. */
function lineEndPlaces(text: string, lines: Line[], edit: Edit): Place[] {
  const flat = lines.map(line => line.text + (line.eol === '' ? '' : '\n')).join('');
  const starts: number[] = [];
  let sum = 0;
  for (const line of lines) {
    starts.push(sum);
    sum += line.text.length + (line.eol === '' ? 0 : 1);
  }
  const original = (offset: number): number => {
    let low = 0;
    let high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const line = lines[low];
    if (!line) return 0;
    const within = offset - starts[low]!;
    return within > line.text.length ? line.end : line.start + within;
  };
  const wanted = unix(edit.old_str);
  return occurrences(flat, wanted).map(at => {
    const start = original(at);
    const end = at + wanted.length >= flat.length ? text.length : original(at + wanted.length);
    return { start, end, replacement: inEol(edit.new_str, eolNear(lines, start)) };
  });
}

const KEYS: [MatchKind, (line: string) => string, boolean][] = [
  ['trailing_space', line => line.trimEnd(), false],
  ['indentation', line => line.trim(), false],
  ['spacing', line => line.trim().replace(/\s+/g, ' '), false],
  ['blank_lines', line => line.trim().replace(/\s+/g, ' '), true],
];

/** Whole lines that say the same under `key`. */
function linePlaces(lines: Line[], edit: Edit, key: (line: string) => string, skipBlank: boolean): Place[] {
  const keep = (line: string) => !skipBlank || line.trim() !== '';
  const wanted = trimBlankEnds(lineTable(unix(edit.old_str)).map(line => line.text)).filter(keep);
  if (wanted.length === 0) return [];
  const candidates = lines.filter(line => keep(line.text));
  const keys = candidates.map(line => key(line.text));
  const wantedKeys = wanted.map(key);
  const places: Place[] = [];
  for (let i = 0; i + wantedKeys.length <= keys.length; i++) {
    if (!wantedKeys.every((wantedKey, j) => keys[i + j] === wantedKey)) continue;
    const matched = candidates.slice(i, i + wantedKeys.length);
    const fresh = trimBlankEnds(lineTable(unix(edit.new_str)).map(line => line.text));
    const indented = reindent(
      wanted,
      matched.map(line => line.text),
      fresh,
    );
    if (indented === null) continue;
    const [first, last] = [matched[0]!, matched.at(-1)!];
    const eol = first.eol || eolNear(lines, first.start);
    // Nothing in place of lines: their last line end goes too.
    const end = indented.length === 0 ? last.end : last.end - last.eol.length;
    places.push({ start: first.start, end, replacement: indented.join(eol || '\n') });
  }
  return places;
}

function trimBlankEnds(lines: string[]): string[] {
  let from = 0;
  let to = lines.length;
  while (from < to && lines[from]!.trim() === '') from++;
  while (to > from && lines[to - 1]!.trim() === '') to--;
  return lines.slice(from, to);
}

/**
 * Applies one edit to the text of `path`.
 * @throws LoomError `ambiguous` with every place · `not_found` with the nearest region · `invalid_edit`.
 */
export function applyEdit(path: string, text: string, edit: Edit): { text: string; match: MatchKind } {
  if (edit.old_str === '')
    throw refusal(
      'invalid_edit',
      `old_str is empty; name the text to replace in ${path}, or use write_file.`,
    );
  if (edit.old_str === edit.new_str)
    throw refusal('invalid_edit', `old_str and new_str are the same; nothing would change in ${path}.`);
  const lines = lineTable(text);
  const attempts: [MatchKind, () => Place[]][] = [
    [
      'exact',
      () =>
        occurrences(text, edit.old_str).map(start => ({
          start,
          end: start + edit.old_str.length,
          replacement: edit.new_str.includes('\r')
            ? edit.new_str
            : inEol(edit.new_str, eolNear(lines, start)),
        })),
    ],
    ['line_ends', () => lineEndPlaces(text, lines, edit)],
    ...KEYS.map(([kind, key, skipBlank]): [MatchKind, () => Place[]] => [
      kind,
      () => linePlaces(lines, edit, key, skipBlank),
    ]),
  ];
  for (const [match, find] of attempts) {
    const places = find();
    if (places.length === 0) continue;
    if (places.length > 1)
      throw ambiguous(
        path,
        places.map(place => [
          lineAt(lines, place.start),
          lineAt(lines, Math.max(place.start, place.end - 1)),
        ]),
        lines,
      );
    const { start, end, replacement } = places[0]!;
    return { text: text.slice(0, start) + replacement + text.slice(end), match };
  }
  throw notFound(path, lines, edit.old_str);
}

const pairsOf = (text: string): Set<string> => {
  const flat = text.trim().toLowerCase().replace(/\s+/g, ' ');
  return new Set(Array.from({ length: Math.max(0, flat.length - 1) }, (_, i) => flat.slice(i, i + 2)));
};

/** Share of common letter pairs (Dice), 0 to 1. */
function likeness(a: Set<string>, b: Set<string>): number {
  if (a.size + b.size === 0) return 0;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common++;
  return (2 * common) / (a.size + b.size);
}

/** Shows where the longest line of old_str is most at home; one pass over the file. */
function notFound(path: string, lines: Line[], old: string): Error {
  const wanted = lineTable(unix(old)).map(line => line.text);
  const anchor = wanted.reduce(
    (best, line, i) => (line.trim().length > wanted[best]!.trim().length ? i : best),
    0,
  );
  const pairs = pairsOf((wanted[anchor] ?? '').slice(0, 300));
  let best = -1;
  let score = 0.3;
  lines.forEach((line, i) => {
    const found = likeness(pairs, pairsOf(line.text.slice(0, 300)));
    if (found > score) [best, score] = [i, found];
  });
  const head = `old_str was not found in ${path}`;
  if (best < 0)
    return refusal('not_found', `${head}, and nothing in it is similar; call read_file and copy the text.`);
  const from = Math.max(1, best + 1 - anchor - 2);
  const to = Math.min(lines.length, best + 1 - anchor + wanted.length + 1, from + 24);
  return refusal(
    'not_found',
    `${head}. Nearest region, lines ${from}–${to}:\n${numbered(lines, from, to)}\nCopy old_str from what the file says.`,
    { nearest: { line_start: from, line_end: to } },
  );
}
