/** Arguments written as tags with bare text in them: `<parameter=path>a.txt</parameter>`. */
import { matchAt, skip } from './dialect.ts';

interface Tags {
  /** Opens a parameter; its first or second group is the name. Sticky. */
  open: RegExp;
  /** Closes a parameter. Sticky. */
  close: RegExp;
  /** Closes the whole call. Sticky. */
  end: RegExp;
}

interface Parameters {
  args: Record<string, string>;
  /** Behind the last parameter, before the closing tag of the call. */
  at: number;
  repaired: string[];
  /** The closing tag of the call stands at `at`. */
  ended: boolean;
  /** A value breaks off, or something else than a parameter stands there. */
  broken: boolean;
}

const SPACE = /\s*/y;

/** A value that begins on a line of its own also ends on one: these line breaks belong to the tags. */
const unframed = (value: string): string => /^\r?\n([\s\S]*?)(?:\r?\n)?$/.exec(value)?.[1] ?? value;

const anywhere = (sticky: RegExp): RegExp => new RegExp(sticky.source, 'g');

/** Where a value ends: at a closing tag that another parameter, the end of the call or of the text follows.
 *  Any other closing tag is part of the value. */
function valueEnd(
  text: string,
  from: number,
  tags: Tags,
): { end: number; next: number; mended: boolean } | null {
  const close = anywhere(tags.close);
  close.lastIndex = from;
  for (let found = close.exec(text); found; found = close.exec(text)) {
    const next = skip(SPACE, text, close.lastIndex);
    const goesOn = next === text.length || matchAt(tags.open, text, next) || matchAt(tags.end, text, next);
    if (!goesOn) continue;
    const swallowed = unclosedBefore(text, from, found.index, tags);
    return swallowed ?? { end: found.index, next, mended: false };
  }
  return unclosedBefore(text, from, text.length, tags);
}

/** The closing tag was forgotten: the value ends where a line begins the next parameter, or ends the call. */
function unclosedBefore(text: string, from: number, to: number, tags: Tags) {
  const next = new RegExp(`\\r?\\n[ \\t]*(?=${tags.open.source}|${tags.end.source})`, 'g');
  next.lastIndex = from;
  const found = next.exec(text);
  if (!found || found.index >= to) return null;
  const close = anywhere(tags.close);
  close.lastIndex = from;
  const closed = close.exec(text);
  if (closed && closed.index < found.index) return null;
  return { end: found.index, next: found.index + found[0].length, mended: true };
}

/** Reads parameters from `from` to the end of the call. */
export function xmlParameters(text: string, from: number, tags: Tags): Parameters {
  const args: Record<string, string> = {};
  const repaired: string[] = [];
  let at = skip(SPACE, text, from);
  for (;;) {
    const open = matchAt(tags.open, text, at);
    if (!open) break;
    const start = at + open[0].length;
    const value = valueEnd(text, start, tags);
    if (!value) return { args, at: text.length, repaired, ended: false, broken: true };
    if (value.mended) repaired.push('unclosed');
    const name = (open[1] ?? open[2] ?? '').trim();
    args[name] = unframed(text.slice(start, value.end));
    at = value.next;
  }
  const ended = matchAt(tags.end, text, at) !== null;
  return { args, at, repaired, ended, broken: !ended && at < text.length };
}
