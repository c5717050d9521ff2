/** The first stage: the text stands in the file as the edit has it. */

import { refusal } from '../result.ts';
import { closesOnly, keepsHead, splitsToken } from './fold.ts';
import { commonPairs, stepsOf } from './line-diff.ts';
import { type Line, lineAt } from './lines.ts';

/** More occurrences are not counted. */
const MAX_COUNT = 100;

/** Offsets at which `wanted` stands, overlapping ones too. */
export function occurrences(text: string, wanted: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(wanted); at >= 0 && found.length < MAX_COUNT; at = text.indexOf(wanted, at + 1))
    found.push(at);
  return found;
}

/** Line end of the line at `offset`, or of the one before it; '' in a file without any. */
export function eolNear(lines: Line[], offset: number): string {
  const at = lineAt(lines, offset) - 1;
  return lines[at]?.eol || lines[at - 1]?.eol || '';
}

const partsOf = (text: string): { text: string; eol: string }[] =>
  (text.match(/[^\r\n]*(?:\r\n|\n|\r|$)/g) ?? []).map(part => {
    const eol = /\r\n$|\n$|\r$/.exec(part)?.[0] ?? '';
    return { text: part.slice(0, part.length - eol.length), eol };
  });

/** New text with line ends of the file: kept lines have theirs, new ones that of the line before. `behind` ends the last line of `old`. */
function inEols(old: string, behind: string, now: string, eol: string): string {
  if (eol === '') return now;
  const lone = eol === '\r' || old.includes('\r');
  const fresh = now.replace(lone ? /\r\n?/g : /\r\n/g, '\n').split('\n');
  const before = partsOf(old + behind);
  const pairs = commonPairs(before.length, fresh.length, (i, j) => (before[i]!.text === fresh[j] ? 1 : 0));
  const ends: string[] = [];
  const last = () => ends.at(-1) || before[0]?.eol || eol;
  for (const step of stepsOf(pairs, [...before.keys()], [...fresh.keys()])) {
    if (step.same) ends.push(before[step.old]!.eol || last());
    else for (const k of step.now.keys()) ends.push(before[step.old[k] ?? -1]?.eol || last());
  }
  return fresh.map((line, j) => (j < fresh.length - 1 ? line + ends[j] : line)).join('');
}

export interface Replacement {
  start: number;
  end: number;
  text: string;
}

/**
 * What to put where at an exact match.
 * @throws LoomError `not_found` when the match begins or ends inside a word, a number or an operator
 */
export function exactReplacement(
  path: string,
  text: string,
  lines: Line[],
  edit: { old_str: string; new_str: string },
  at: number,
): Replacement {
  const { old_str: old, new_str: now } = edit;
  const end = at + old.length;
  refuseSplit(path, text, edit, at);
  const behind = /^(?:\r\n|\r|\n)/.exec(text.slice(end, end + 2))?.[0] ?? '';
  const fresh = inEols(old, behind, now, eolNear(lines, at));
  const lineStart = lines[lineAt(lines, at) - 1]?.start ?? 0;
  const ownLines = text.slice(lineStart, at).trim() === '' && /[\r\n]$/.test(old);
  // Whole lines go with their indentation; whole lines stay whole lines.
  if (ownLines && fresh === '') return { start: /^\s/.test(old) ? at : lineStart, end, text: '' };
  if (ownLines && !/[\r\n]$/.test(fresh))
    return { start: at, end, text: fresh + /(\r\n|\r|\n)$/.exec(old)![0] };
  return { start: at, end, text: fresh };
}

/** A match must not end within a word, and several lines not before more that counts: the last line is another by now. */
function refuseSplit(
  path: string,
  text: string,
  { old_str: old, new_str: now }: { old_str: string; new_str: string },
  at: number,
): void {
  const end = at + old.length;
  const lineOf = (offset: number) => {
    const from = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
    return text.slice(from).split(/[\r\n]/, 1)[0]!;
  };
  const refuse = (why: string, offset: number) =>
    refusal(
      'not_found',
      `old_str was not found in ${path} as it is: ${why}. The line is:\n${lineOf(offset).slice(0, 300)}\nInclude all of it.`,
    );
  if (splitsToken(old.slice(-2), text.slice(end, end + 2)))
    throw refuse('it would end in the middle of a word', end - 1);
  if (splitsToken(text.slice(Math.max(0, at - 2), at), old.slice(0, 2)) && !keepsHead(old, now))
    throw refuse('it would begin in the middle of a word', at);
  const rest = /[\r\n]$/.test(old) ? '' : text.slice(end).split(/[\r\n]/, 1)[0]!;
  if (old.trim().includes('\n') && !closesOnly(rest)) throw refuse('its last line goes on', end - 1);
}
