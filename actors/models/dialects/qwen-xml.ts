/** Qwen3-Coder, Nemotron 3, Seed-OSS, OpenHands: `<function=name><parameter=key>text</parameter></function>`, in a `<tool_call>` or not.
 *  Llama 3.1 writes JSON in the same tag: `<function=name>{"key": "text"}</function>`. */
import { brokenCall, CUT, type Dialect, matchAt, type WrittenCall } from './dialect.ts';
import { argumentsAt } from './json-body.ts';
import { xmlParameters } from './xml-parameters.ts';

const FUNCTION = /\s*<function\s*=\s*["']?([\w.:/-]+)["']?\s*>/y;
const FUNCTION_END = /\s*<\/function>/y;
const WRAPPER_END = /\s*<\/(?:seed:)?tool_call>/y;
const TAGS = {
  open: /<parameter\s*=\s*["']?([^>"']+?)["']?\s*>/y,
  close: /<\/parameter>/y,
  end: /<\/function>|<\/(?:seed:)?tool_call>|<function=/y,
};

function readFunction(text: string, name: string, from: number): { call: WrittenCall; end: number } {
  if (matchAt(/\s*\{/y, text, from)) return argumentsAt(name, text, from, /<\/function>/);
  const { args, at, repaired, ended, broken } = xmlParameters(text, from, TAGS);
  const end = at + (matchAt(FUNCTION_END, text, at)?.[0].length ?? 0);
  if (broken)
    return { call: brokenCall(name, text.slice(from, at), at < text.length ? MALFORMED : CUT), end };
  return { call: { name, arguments: args, plain: true, repaired, ...(ended ? {} : { unended: true }) }, end };
}

const MALFORMED = 'between <function=…> and </function> only <parameter=name>value</parameter> may stand';

export const qwenXml: Dialect = {
  name: 'qwen-xml',
  opener: /(?:<(?:seed:)?tool_call>\s*)?<function\s*=\s*["']?[\w.:/-]+["']?\s*>/,
  read(text, after, opener) {
    const calls: WrittenCall[] = [];
    let at = after - opener.length;
    at += /^(?:<(?:seed:)?tool_call>)?/.exec(opener)![0].length;
    for (let open = matchAt(FUNCTION, text, at); open; open = matchAt(FUNCTION, text, at)) {
      const { call, end } = readFunction(text, open[1]!, at + open[0].length);
      calls.push(call);
      at = end;
    }
    return { calls, end: at + (matchAt(WRAPPER_END, text, at)?.[0].length ?? 0) };
  },
};
