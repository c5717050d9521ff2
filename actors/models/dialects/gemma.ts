/** Gemma: FunctionGemma (`<start_function_call>call:name{key:<escape>text<escape>}`), Gemma 4 (`<|tool_call>call:name{key:<|"|>text<|"|>}`),
 *  and Gemma 3, which writes Python in a `tool_code` block. */
import { brokenCall, CUT, type Dialect, matchAt, type Reading, skip } from './dialect.ts';
import { readPythonCalls } from './python-calls.ts';

const HEAD = /\s*call:\s*([A-Za-z_][\w.:/-]*)\s*(?=\{)/y;
const END = /\s*(?:<end_function_call>|<tool_call\|>)/y;
const QUOTE = /<escape>|<\|"\|>/y;
const KEY = /\s*(?:"([^"]+)"|([\w.-]+))\s*:/y;
const NUMBER = /[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=\s*[,}\]])/y;
const WORD = /(true|false|null|True|False|None)(?=\s*[,}\]])/y;
const JSON_STRING = /"(?:[^"\\]|\\.)*"/y;
/** Text without quotes, as far as nothing else can begin. */
const BARE = /[^,{}[\]<>"\n]+(?=[,}\]])/y;
const SPACE = /\s*/y;

interface Read {
  value: unknown;
  end: number;
}

function value(text: string, from: number): Read | null {
  const at = skip(SPACE, text, from);
  const quote = matchAt(QUOTE, text, at)?.[0];
  if (quote !== undefined) {
    const close = text.indexOf(quote, at + quote.length);
    return close < 0 ? null : { value: text.slice(at + quote.length, close), end: close + quote.length };
  }
  if (text[at] === '{') return object(text, at);
  if (text[at] === '[') return list(text, at);
  const string = matchAt(JSON_STRING, text, at)?.[0];
  if (string !== undefined)
    try {
      return { value: JSON.parse(string) as unknown, end: at + string.length };
    } catch {
      return null;
    }
  const word = matchAt(WORD, text, at)?.[0];
  if (word !== undefined) return { value: /^n/i.test(word) ? null : /^t/i.test(word), end: at + word.length };
  const number = matchAt(NUMBER, text, at)?.[0];
  if (number !== undefined) return { value: Number(number), end: at + number.length };
  const bare = matchAt(BARE, text, at)?.[0];
  return bare === undefined ? null : { value: bare.trim(), end: at + bare.length };
}

function list(text: string, from: number): Read | null {
  const out: unknown[] = [];
  for (let at = skip(SPACE, text, from + 1); ; at = skip(SPACE, text, at)) {
    if (text[at] === ']') return { value: out, end: at + 1 };
    const item = value(text, at);
    if (!item) return null;
    out.push(item.value);
    at = skip(SPACE, text, item.end);
    if (text[at] === ',') at++;
    else if (text[at] !== ']') return null;
  }
}

function object(text: string, from: number): Read | null {
  const out: Record<string, unknown> = {};
  for (let at = skip(SPACE, text, from + 1); ; at = skip(SPACE, text, at)) {
    if (text[at] === '}') return { value: out, end: at + 1 };
    const key = matchAt(KEY, text, at);
    const found = key && value(text, at + key[0].length);
    if (!key || !found) return null;
    out[(key[1] ?? key[2])!] = found.value;
    at = skip(SPACE, text, found.end);
    if (text[at] === ',') at++;
    else if (text[at] !== '}') return null;
  }
}

function readMarked(text: string, after: number): Reading | null {
  const head = matchAt(HEAD, text, after);
  if (!head) return null;
  const name = head[1]!;
  const from = after + head[0].length;
  const args = object(text, from);
  if (args) return { calls: [{ name, arguments: args.value, repaired: [] }], end: skip(END, text, args.end) };
  const close = /<end_function_call>|<tool_call\|>/.exec(text.slice(from));
  const end = close ? from + close.index + close[0].length : text.length;
  const why = close ? 'the arguments are not of the form {key:value}' : CUT;
  return { calls: [brokenCall(name, text.slice(from, end), why)], end };
}

export const gemma: Dialect = {
  name: 'gemma',
  opener: /<start_function_call>|<\|tool_call>/,
  read: readMarked,
};

export const gemmaCode: Dialect = {
  name: 'gemma-code',
  opener: /```tool_code[ \t]*\r?\n/,
  read(text, after) {
    const found = readPythonCalls(text, after);
    return found && { calls: found.calls, end: skip(/\s*```/y, text, found.end) };
  },
};
