/** Text made safe for a terminal and measured in its columns. Models and files must not be able to move the cursor. */
import { stripVTControlCharacters } from 'node:util';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /^(?:\p{Emoji_Presentation}|.\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
/** Control characters, and the marks that reorder the text around them. */
const UNSAFE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Escape sequences, control characters and direction marks removed; line breaks and tabs stay. */
export const safe = (text: string): string =>
  stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replace(UNSAFE, '');

/** One line of safe text: every run of white space is one space. */
export const oneLine = (text: string): string => safe(text).replace(/\s+/g, ' ').trim();

const graphemeWidth = (grapheme: string): number =>
  NOTHING.test(grapheme) ? 0 : WIDE.test(grapheme) ? 2 : 1;

const ASCII = /^[\x20-\x7e]*$/;

/** Columns of a line; colour codes count nothing. */
export function width(text: string): number {
  const bare = stripVTControlCharacters(text);
  if (ASCII.test(bare)) return bare.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(bare)) columns += graphemeWidth(segment);
  return columns;
}

/** At most `columns` columns of uncoloured text; the last one becomes an ellipsis when something was cut. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (ASCII.test(text) && text.length <= columns) return text;
  let used = 0;
  let kept = '';
  let keptShort = '';
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment);
    if (used > columns) return `${keptShort}…`;
    kept += segment;
    if (used < columns) keptShort = kept;
  }
  return text;
}

/** Fitted and filled up with spaces to exactly `columns`. */
export function pad(text: string, columns: number): string {
  const fitted = clip(text, columns);
  return fitted + ' '.repeat(Math.max(0, columns - width(fitted)));
}
