/** Calls written as Python: `[read_file(path="a.txt"), list_directory()]`. Only literals are values; nothing is evaluated. */
import { brokenCall, CUT, matchAt, type Reading, skip, type WrittenCall } from './dialect.ts';

const SPACE = /(?:\s|#[^\n]*\n)*/y;
const NAME = /[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*/y;
const KEYWORD = /([A-Za-z_]\w*)\s*=(?!=)/y;
const NUMBER = /[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])/y;
const WORD = /(?:True|False|None|true|false|null)(?!\w)/y;
const QUOTE = /([rRuU]?)("""|'''|"|')/y;
const WORDS: Record<string, unknown> = { true: true, false: false, none: null, null: null };
const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

/** Why reading stopped: the text ended, or it is not such a literal. */
class Stop extends Error {
  readonly cut: boolean;
  constructor(cut: boolean) {
    super(cut ? 'cut' : 'malformed');
    this.cut = cut;
  }
}

/** Reads Python from one position on. */
class Reader {
  readonly text: string;
  at: number;
  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  space(): void {
    this.at = skip(SPACE, this.text, this.at);
  }

  fail(): never {
    throw new Stop(this.at >= this.text.length);
  }

  eat(pattern: RegExp): RegExpExecArray | null {
    const found = matchAt(pattern, this.text, this.at);
    if (found) this.at += found[0].length;
    return found;
  }

  /** A single character that may stand here. */
  mark(c: string): boolean {
    this.space();
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  value(): unknown {
    this.space();
    const quote = this.eat(QUOTE);
    if (quote) {
      let out = this.string(quote[2]!, quote[1]!.toLowerCase() === 'r');
      // Strings side by side are one string.
      for (this.space(); ; this.space()) {
        const next = this.eat(QUOTE);
        if (!next) return out;
        out += this.string(next[2]!, next[1]!.toLowerCase() === 'r');
      }
    }
    const word = this.eat(WORD);
    if (word) return WORDS[word[0].toLowerCase()];
    const number = this.eat(NUMBER);
    if (number) {
      const value = Number(number[0].replaceAll('_', ''));
      // A number that JSON cannot carry would be another number.
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
        throw new Stop(false);
      return value;
    }
    if (this.mark('[')) return this.items(']');
    if (this.mark('(')) return this.items(')');
    if (this.mark('{')) return this.entries();
    this.fail();
  }

  string(quote: string, raw: boolean): string {
    let out = '';
    for (;;) {
      const c = this.text[this.at];
      if (c === undefined) this.fail();
      if (this.text.startsWith(quote, this.at)) {
        this.at += quote.length;
        return out;
      }
      this.at++;
      if (c !== '\\' || raw) {
        out += c;
        continue;
      }
      const hex = this.eat(/u([\da-fA-F]{4})|x([\da-fA-F]{2})|U([\da-fA-F]{8})/y);
      if (hex) out += String.fromCodePoint(Number.parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16));
      else {
        const escaped = this.text[this.at++];
        if (escaped === undefined) this.fail();
        out += ESCAPES[escaped] ?? `\\${escaped}`;
      }
    }
  }

  items(close: string): unknown[] {
    const out: unknown[] = [];
    while (!this.mark(close)) {
      out.push(this.value());
      if (this.mark(',')) continue;
      if (this.mark(close)) return out;
      this.fail();
    }
    return out;
  }

  entries(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    while (!this.mark('}')) {
      const key = this.value();
      if (typeof key !== 'string' || !this.mark(':')) this.fail();
      out[key] = this.value();
      if (this.mark(',')) continue;
      if (this.mark('}')) return out;
      this.fail();
    }
    return out;
  }

  /** The arguments of a call behind its opening bracket. */
  arguments(): { args: Record<string, unknown>; positional: unknown[] } {
    const args: Record<string, unknown> = {};
    const positional: unknown[] = [];
    while (!this.mark(')')) {
      this.space();
      const key = this.eat(KEYWORD)?.[1];
      if (key === undefined) positional.push(this.value());
      else if (key in args) throw new Stop(false);
      else args[key] = this.value();
      if (this.mark(',')) continue;
      if (this.mark(')')) break;
      this.fail();
    }
    return { args, positional };
  }

  /** Goes behind the bracket that closes the one before `at`, over strings; false when there is none. */
  leave(): boolean {
    for (let depth = 1; this.at < this.text.length; ) {
      const quote = this.eat(QUOTE);
      if (quote) {
        const end = this.text.indexOf(quote[2]!, this.at);
        this.at = end < 0 ? this.text.length : end + quote[2]!.length;
        continue;
      }
      const c = this.text[this.at++]!;
      if ('([{'.includes(c)) depth++;
      else if (')]}'.includes(c) && --depth === 0) return true;
    }
    return false;
  }
}

function oneCall(reader: Reader): WrittenCall | null {
  const from = reader.at;
  const name = reader.eat(NAME)?.[0];
  if (name === undefined || reader.text[reader.at] !== '(') {
    reader.at = from;
    return null;
  }
  reader.at++;
  const inside = reader.at;
  try {
    const { args, positional } = reader.arguments();
    return { name, arguments: args, repaired: [], ...(positional.length > 0 ? { positional } : {}) };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    // One call that cannot be read does not take its neighbours along.
    reader.at = inside;
    const cut = !reader.leave() || error.cut;
    const why = cut
      ? CUT
      : 'the arguments are not plain values: write name="text", numbers, True, False, None or lists of them';
    return brokenCall(name, reader.text.slice(from, reader.at), why);
  }
}

interface PythonReading extends Reading {
  /** The list's bracket, when it has one, is closed. */
  closed: boolean;
}

/** Calls from `from`: a list in brackets, or one after the other on lines of their own. Null when none stands there. */
export function readPythonCalls(text: string, from: number): PythonReading | null {
  const reader = new Reader(text, from);
  const listed = reader.mark('[');
  const calls: WrittenCall[] = [];
  let end = reader.at;
  for (;;) {
    reader.space();
    const printed = reader.eat(/print\s*\(\s*(?=[A-Za-z_][\w.]*\()/y) !== null;
    const call = oneCall(reader);
    if (!call) break;
    if (printed) reader.mark(')');
    calls.push(call);
    end = reader.at;
    reader.space();
    reader.eat(/[,;]/y);
  }
  if (calls.length === 0) return null;
  reader.at = end;
  reader.mark(',');
  const closed = !listed || reader.mark(']');
  return { calls, end: closed && listed ? reader.at : end, closed };
}
