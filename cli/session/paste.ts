/** Text that is pasted arrives whole, not as one entry per line: the terminal marks it, and line breaks in it are kept as
 *  a sign until the entry is sent. Long texts stand as a short mark in the line. */
import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Stands for a line break within the line that is typed. */
export const NEWLINE = '␤';

const BEGIN = '\u001b[200~';
const END = '\u001b[201~';
/** What a terminal sends for Alt+Enter. */
const ALT_ENTER = /\u001b[\r\n]/g;
/** Longer pastes are shown as a mark. */
const LONG_LINES = 8;
const LONG_CHARS = 1_000;

export interface Pasted {
  /** What readline reads in place of the terminal. */
  input: NodeJS.ReadableStream;
  /** An entry as it was meant: marks and signs replaced by the text. */
  whole(typed: string): string;
  /** Stops and goes on reading the terminal. */
  detach(): void;
  attach(): void;
  close(): void;
}

export function pastes(terminal: NodeJS.ReadStream): Pasted {
  const through = new PassThrough();
  // readline switches the terminal itself to single keys
  const input = Object.assign(through, {
    isTTY: true,
    setRawMode: (on: boolean) => {
      terminal.setRawMode?.(on);
      return input;
    },
  });
  const decoder = new StringDecoder('utf8');
  const kept: string[] = [];
  /** Null outside of a paste. */
  let paste: string | null = null;
  /** The end of what arrived, when it may be the beginning of a mark. */
  let half = '';

  function sign(text: string): string {
    const clean = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll('\t', '    ');
    const lines = clean.split('\n').length;
    if (lines <= LONG_LINES && clean.length <= LONG_CHARS)
      return clean.replaceAll('\n', NEWLINE).replace(/[\u0000-\u001f\u007f]/g, '');
    kept.push(clean);
    return `[#${kept.length}: ${lines === 1 ? `${clean.length} characters` : `${lines} lines`}]`;
  }

  function take(chunk: Buffer): void {
    let text = half + decoder.write(chunk);
    half = '';
    let out = '';
    while (text !== '') {
      const mark = paste === null ? BEGIN : END;
      const at = text.indexOf(mark);
      if (at < 0) {
        const open = partOf(mark, text);
        half = open === 1 ? '' : text.slice(text.length - open);
        const rest = text.slice(0, text.length - half.length);
        if (paste === null) out += rest.replace(ALT_ENTER, NEWLINE);
        else paste += rest;
        break;
      }
      const before = text.slice(0, at);
      text = text.slice(at + mark.length);
      if (paste === null) {
        out += before.replace(ALT_ENTER, NEWLINE);
        paste = '';
      } else {
        out += sign(paste + before);
        paste = null;
      }
    }
    if (out !== '') through.write(out);
  }
  const end = () => void through.end();

  const attach = () => {
    terminal.on('data', take);
    terminal.on('end', end);
    terminal.resume();
    process.stdout.write('\u001b[?2004h');
  };
  const detach = () => {
    terminal.off('data', take);
    terminal.off('end', end);
    process.stdout.write('\u001b[?2004l');
  };
  attach();
  return {
    input,
    whole: typed =>
      typed
        .replaceAll(NEWLINE, '\n')
        .replace(/\[#(\d+): [\d]+ (?:lines|characters)\]/g, (all, n: string) => kept[Number(n) - 1] ?? all),
    detach,
    attach,
    close() {
      detach();
      terminal.pause();
    },
  };
}

/** Length of the longest end of `text` that begins `mark`. */
function partOf(mark: string, text: string): number {
  for (let n = Math.min(mark.length - 1, text.length); n > 0; n--)
    if (mark.startsWith(text.slice(-n))) return n;
  return 0;
}
