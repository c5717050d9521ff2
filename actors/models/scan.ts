/** One pass over an answer's text: what is thinking, what is a written call, what is a mark of the chat template, what is text. */
import { DIALECTS } from './dialects/all.ts';
import { matchAt, type WrittenCall } from './dialects/dialect.ts';
import { THINKING, TOKENS } from './marks.ts';

export interface Piece {
  kind: 'text' | 'thinking' | 'call' | 'token';
  from: number;
  to: number;
  /** Of thinking: the text between its marks. */
  inner: string;
  /** Of a call: what was read. */
  calls: WrittenCall[];
  /** It stands in a code block. */
  fenced: boolean;
}

const FENCE = /^[ \t]*(`{3,}|~{3,})([^\n`]*)$/my;
const INLINE = /(`{1,2})(?!`)[^`\n]+\1(?!`)/y;
const STICKY = DIALECTS.map(dialect => ({ dialect, opener: new RegExp(dialect.opener.source, 'y') }));

/** Everything that makes the scan stop and look. */
const STOP = new RegExp(
  [
    '^[ \\t]*(?:`{3,}|~{3,})',
    '`',
    ...DIALECTS.map(({ opener }) => opener.source),
    ...THINKING.flatMap(({ open, close }) => [open.source, close.source]),
    TOKENS.source,
  ].join('|'),
  'gim',
);
/** Calls read before the rest of a text is left as it is. */
const MOST = 200;

const atLineStart = (text: string, at: number, from: number): boolean =>
  text.slice(Math.max(from, text.lastIndexOf('\n', at - 1) + 1), at).trim() === '';

/** The pieces of a text, in order, without gaps. */
export function scan(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  let fence: string | null = null;
  let looked = 0;
  let thought = false;
  const add = (kind: Piece['kind'], from: number, to: number, more: Partial<Piece> = {}) => {
    const common = { inner: '', calls: [], fenced: fence !== null };
    if (from > done) pieces.push({ ...common, kind: 'text', from: done, to: from });
    pieces.push({ ...common, kind, from, to, ...more });
    done = to;
  };
  const stops = STOP;
  stops.lastIndex = 0;
  for (let stop = stops.exec(text); stop; stop = stops.exec(text)) {
    const at = stop.index;
    const behind = at + Math.max(1, stop[0].length);
    stops.lastIndex = behind;
    if (fence === null) {
      const open = THINKING.find(
        mark => matchAt(mark.open, text, at) && (!mark.ownLine || atLineStart(text, at, done)),
      );
      if (open) {
        const start = at + matchAt(open.open, text, at)![0].length;
        const close = new RegExp(open.close.source, 'gi');
        close.lastIndex = start;
        const end = close.exec(text);
        const to = end ? end.index + end[0].length : text.length;
        add('thinking', at, to, { inner: text.slice(start, end?.index ?? text.length) });
        thought = true;
        stops.lastIndex = to;
        continue;
      }
      // Templates of some models open the thinking themselves, so that only its end is written.
      const close = THINKING.find(mark => mark.orphan && matchAt(mark.close, text, at));
      if (close) {
        const to = at + matchAt(close.close, text, at)![0].length;
        if (thought) continue;
        pieces.length = 0;
        done = 0;
        add('thinking', 0, to, { inner: text.slice(0, at) });
        thought = true;
        stops.lastIndex = to;
        continue;
      }
    }
    const read = looked < MOST ? readAt(text, at) : null;
    if (read) {
      looked++;
      add('call', at, read.end, { calls: read.calls });
      stops.lastIndex = read.end;
      continue;
    }
    const line = matchAt(FENCE, text, at);
    if (line) {
      const mark = line[1]!;
      if (fence === null) fence = mark;
      else if (mark.startsWith(fence) && line[2]!.trim() === '') fence = null;
      stops.lastIndex = at + line[0].length;
      continue;
    }
    if (fence !== null) continue;
    const inline = matchAt(INLINE, text, at);
    if (inline) stops.lastIndex = at + inline[0].length;
    const token = matchAt(TOKENS, text, at);
    if (!token) continue;
    add('token', at, at + token[0].length);
    stops.lastIndex = done;
  }
  if (done < text.length)
    pieces.push({ kind: 'text', from: done, to: text.length, inner: '', calls: [], fenced: fence !== null });
  return pieces;
}

function readAt(text: string, at: number) {
  for (const { dialect, opener } of STICKY) {
    const open = matchAt(opener, text, at);
    const read = open && dialect.read(text, at + open[0].length, open[0]);
    if (read && read.end > at) return read;
  }
  return null;
}
