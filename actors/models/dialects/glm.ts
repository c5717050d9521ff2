/** GLM-4.5 and later, Laguna, LongCat: `<tool_call>name` and then `<arg_key>key</arg_key><arg_value>text</arg_value>` pairs, or JSON. */
import { brokenCall, CUT, type Dialect, isName, matchAt, skip, type WrittenCall } from './dialect.ts';
import { argumentsAt } from './json-body.ts';

const KEY = /\s*<(?:longcat_)?arg_key>\s*([\s\S]*?)\s*<\/(?:longcat_)?arg_key>\s*<(?:longcat_)?arg_value>/y;
const VALUE_END = /<\/(?:longcat_)?arg_value>(?=\s*(?:<(?:longcat_)?arg_key>|<\/|<tool_call>|$))/g;
const NAME =
  /[ \t]*\r?\n?[ \t]*([^\s<{]+)[ \t]*(?=\s*(?:<(?:longcat_)?arg_key>|<\/(?:longcat_)?tool_call>|\{))/y;
const END = /<\/(?:longcat_)?tool_call>/;
const ENDED = /\s*<\/(?:longcat_)?tool_call>/y;

const MALFORMED = 'behind the name only <arg_key>key</arg_key><arg_value>value</arg_value> may stand';

function readPairs(name: string, text: string, from: number): { call: WrittenCall; end: number } {
  const args: Record<string, string> = {};
  let at = from;
  for (let key = matchAt(KEY, text, at); key; key = matchAt(KEY, text, at)) {
    const start = at + key[0].length;
    VALUE_END.lastIndex = start;
    const close = VALUE_END.exec(text);
    if (!close) return { call: brokenCall(name, text.slice(from), CUT), end: text.length };
    args[key[1]!] = text.slice(start, close.index);
    at = VALUE_END.lastIndex;
  }
  const call: WrittenCall = { name, arguments: args, plain: true, repaired: [] };
  if (matchAt(ENDED, text, at)) return { call, end: skip(ENDED, text, at) };
  const rest = text.slice(at).trim();
  // What is left is a piece of the closing mark, or nothing: the model stopped where the call ends.
  if (rest === '' || '</tool_call>'.startsWith(rest) || '</longcat_tool_call>'.startsWith(rest))
    return { call: { ...call, unended: true }, end: text.length };
  if (rest.startsWith('<tool_call>')) return { call, end: at };
  const end = END.exec(text.slice(at));
  const cut = end === null;
  return {
    call: brokenCall(name, text.slice(from), cut ? CUT : MALFORMED),
    end: end ? at + end.index + end[0].length : text.length,
  };
}

export const glm: Dialect = {
  name: 'glm',
  opener: /<(?:longcat_)?tool_call>(?=\s*[A-Za-z_])/,
  read(text, after) {
    const found = matchAt(NAME, text, after);
    const name = found?.[1] ?? '';
    if (!found || !isName(name)) return null;
    const at = after + found[0].length;
    const json = matchAt(/\s*\{/y, text, at) !== null;
    const { call, end } = json
      ? argumentsAt(name, text, at, /<\/(?:longcat_)?tool_call>|(?=<tool_call>)/)
      : readPairs(name, text, at);
    return { calls: [call], end };
  },
};
