/** Kimi-K2: `<|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{…}<|tool_call_end|>` in a section. */
import { brokenCall, CUT, type Dialect, matchAt, skip, type WrittenCall } from './dialect.ts';
import { argumentsAt } from './json-body.ts';

const SECTION = /<\|tool_calls?_section_begin\|>/;
const SECTION_END = /\s*<\|tool_calls?_section_end\|>/y;
const BEGIN = /\s*<\|tool_call_begin\|>\s*/y;
/** `functions.name:0`; the number is the call's, not the name's. */
const HEAD = /(?:functions?\.)?([^\s<:]*)(?::\d+)?\s*<\|tool_call_argument_begin\|>/y;

export const kimi: Dialect = {
  name: 'kimi',
  opener: new RegExp(`${SECTION.source}|<\\|tool_call_begin\\|>`),
  read(text, after, opener) {
    const calls: WrittenCall[] = [];
    let at = SECTION.test(opener) ? after : after - opener.length;
    for (let begin = matchAt(BEGIN, text, at); begin; begin = matchAt(BEGIN, text, at)) {
      const head = matchAt(HEAD, text, at + begin[0].length);
      if (!head) return { calls: [...calls, brokenCall('', text.slice(at), CUT)], end: text.length };
      const { call, end } = argumentsAt(
        head[1]!,
        text,
        at + begin[0].length + head[0].length,
        /<\|tool_call_end\|>/,
      );
      calls.push(call);
      at = end;
    }
    return { calls, end: skip(SECTION_END, text, at) };
  },
};
