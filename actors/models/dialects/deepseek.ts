/** DeepSeek R1 and V3 (`function<｜tool▁sep｜>name` and a block of JSON) and V3.1 (`name<｜tool▁sep｜>{…}`), with full-width or plain bars.
 *  V3.2 and later write `<｜DSML｜invoke …>`: see `invoke-xml.ts`. */
import { brokenCall, CUT, type Dialect, isName, matchAt, skip, type WrittenCall } from './dialect.ts';
import { argumentsAt } from './json-body.ts';

const mark = (words: string): string => `<[｜|]${words.replaceAll(' ', '[▁_ ]')}[｜|]>`;
const BEGIN = new RegExp(`\\s*${mark('tool call begin')}`, 'y');
const SECTION_END = new RegExp(`\\s*${mark('tool calls end')}`, 'y');
const SEPARATOR = new RegExp(`([^<{]*?)\\s*${mark('tool sep')}`, 'y');
const CALL_END = new RegExp(`${mark('tool call end')}|(?=${mark('tool calls end')})`);
/** The name on a line of its own, before the block. */
const NAME_LINE = /[ \t]*([^\s{`]+)[ \t]*(?:\r?\n|(?=\s*(?:```|\{)))/y;

export const deepseek: Dialect = {
  name: 'deepseek',
  opener: new RegExp(`${mark('tool calls begin')}|${mark('tool call begin')}`),
  read(text, after, opener) {
    const calls: WrittenCall[] = [];
    let at = new RegExp(mark('tool calls begin')).test(opener) ? after : after - opener.length;
    for (let begin = matchAt(BEGIN, text, at); begin; begin = matchAt(BEGIN, text, at)) {
      const head = matchAt(SEPARATOR, text, at + begin[0].length);
      const from = at + begin[0].length + (head?.[0].length ?? 0);
      const first = head?.[1]?.trim() ?? '';
      const line = head && matchAt(NAME_LINE, text, from);
      const name = line ? line[1]! : first;
      if (!head || !isName(name)) {
        calls.push(brokenCall(name, text.slice(at), head ? 'the call has no name' : CUT));
        return { calls, end: text.length };
      }
      const { call, end } = argumentsAt(name, text, from + (line?.[0].length ?? 0), CALL_END);
      calls.push(call);
      at = end;
    }
    return { calls, end: skip(SECTION_END, text, at) };
  },
};
