/** What a refused edit tells: both places, or the nearest one and what is different there. */

import type { LoomError } from '../../machines/failure.ts';
import { refusal } from '../result.ts';
import { isBlank } from './edit-align.ts';
import { keyOf } from './fold.ts';
import { likeness } from './line-diff.ts';
import { type Line, numbered } from './lines.ts';

const MAX_PLACES = 5;
const MAX_NEAREST = 24;
/** Lines shown of a file in which nothing is similar. */
const MAX_BEGIN = 5;
/** Lines, and characters of them, that are compared letter by letter. */
const MAX_LOOK = 2_000;
const MAX_WIDTH = 200;
const MIN_LIKENESS = 0.3;

/** @param places line numbers from 1, inclusive */
export function ambiguous(path: string, places: [number, number][], count: number, lines: Line[]): LoomError {
  const shown = places
    .slice(0, MAX_PLACES)
    .map(
      ([from, to]) =>
        `lines ${from}–${to}:\n${numbered(lines, Math.max(1, from - 1), Math.min(to + 1, from + 5))}`,
    );
  const rest = count > shown.length ? `\n(and ${count - shown.length} more)` : '';
  return refusal(
    'ambiguous',
    `old_str matches ${count} places in ${path}; add surrounding lines so that it matches one.\n${shown.join('\n')}${rest}`,
    { places: places.slice(0, MAX_PLACES).map(([from, to]) => ({ line_start: from, line_end: to })) },
  );
}

export function unclear(path: string, why: string, from: number, to: number, lines: Line[]): LoomError {
  return refusal(
    'unclear_edit',
    `old_str stands in lines ${from}–${to} of ${path} in another form, but ${why}. Copy old_str from the file:\n${numbered(lines, from, Math.min(to, from + MAX_NEAREST - 1))}`,
    { nearest: { line_start: from, line_end: to } },
  );
}

/** Words, roughly; classes of Unicode cost half of the time here. */
const WORDS = /[\w\u0080-\uffff]+/g;
const MAX_LINE = 2_000;

/** Line at which a window as long as `old` has most of its words, rare ones counting more; null when it has none. */
function nearestWindow(lines: Line[], old: string[]): number | null {
  const weights = new Map<string, number>();
  for (const line of old.slice(0, 200))
    for (const [word] of line.slice(0, MAX_LINE).matchAll(WORDS)) weights.set(word, 0);
  const words = lines.map(line => {
    const known = new Set<string>();
    for (const word of line.text.slice(0, MAX_LINE).match(WORDS) ?? [])
      if (weights.has(word)) known.add(word);
    for (const word of known) weights.set(word, weights.get(word)! + 1);
    return known;
  });
  for (const [word, count] of weights) weights.set(word, 1 / (1 + Math.log2(count || 1)));
  const scores = words.map(line => {
    let score = 0;
    for (const word of line) score += weights.get(word)!;
    return score;
  });
  let [best, at, sum] = [0, -1, 0];
  for (const [i, value] of scores.entries()) {
    sum += value - (scores[i - old.length] ?? 0);
    if (sum > best + 1e-9) [best, at] = [sum, i];
  }
  if (at < 0) return null;
  // The window that ends there; where it holds less than it could, begin at its first line that says something.
  let start = Math.max(0, at - old.length + 1);
  while (start < at && scores[start] === 0) start++;
  return start;
}

/** For text without a word in common: where the letters of its longest line are most at home. */
function nearestLine(lines: Line[], old: string[]): number | null {
  const wanted = old.reduce(
    (longest, line) => (line.trim().length > longest.length ? line.trim() : longest),
    '',
  );
  let [best, at] = [MIN_LIKENESS, -1];
  for (const [i, line] of lines.slice(0, MAX_LOOK).entries()) {
    const score = likeness(wanted.slice(0, MAX_WIDTH), line.text.trim().slice(0, MAX_WIDTH));
    if (score > best) [best, at] = [score, i];
  }
  return at < 0 ? null : Math.max(0, at - old.findIndex(line => line.trim() === wanted));
}

/** The first line that the edit takes for another than it is. */
function difference(lines: Line[], start: number, old: string[]): string {
  const there = lines.slice(start, start + old.length + 2).map(line => keyOf(line.text));
  const missing = old.find(line => !isBlank(line) && !there.includes(keyOf(line)));
  return missing === undefined ? '' : `\nNot there: ${missing.trim().slice(0, 200)}`;
}

/** Shows where the words of old_str are most at home. */
export function notFound(path: string, lines: Line[], old: string[]): LoomError {
  const head = `old_str was not found in ${path}`;
  if (lines.length === 0) return refusal('not_found', `${head}; the file is empty, use write_file.`);
  const start = nearestWindow(lines, old) ?? nearestLine(lines, old);
  if (start === null)
    return refusal(
      'not_found',
      `${head}, and nothing in it is similar; call read_file and copy the text. It begins:\n${numbered(lines, 1, MAX_BEGIN)}`,
    );
  const from = Math.max(1, start + 1 - 2);
  const to = Math.min(lines.length, start + old.length + 2, from + MAX_NEAREST);
  return refusal(
    'not_found',
    `${head}. Nearest region, lines ${from}–${to}:\n${numbered(lines, from, to)}${difference(lines, start, old)}\nCopy old_str from what the file says.`,
    { nearest: { line_start: from, line_end: to } },
  );
}
