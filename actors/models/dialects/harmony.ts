/** gpt-oss: messages in channels. One that is addressed (`to=functions.name`) is a call; analysis is thinking and final is the
 *  answer, which `scan.ts` knows from the marks. */
import { brokenCall, CUT, type Dialect, isName, matchAt } from './dialect.ts';
import { argumentsAt } from './json-body.ts';

/** From the recipient to where the message begins: channel and content type in any order. */
const HEAD = /(?:functions?\.)?([^\s<]+)((?:(?!<\|message\|>)[\s\S]){0,200}?)<\|message\|>/y;

export const harmony: Dialect = {
  name: 'harmony',
  opener:
    /(?:<\|start\|>assistant)?<\|channel\|>\s*\w+\s+to=|<\|start\|>assistant\s*to=|(?<![\s\S])\s*to=(?=[\w.]+[^\n]{0,80}<\|message\|>)/,
  read(text, after) {
    const head = matchAt(HEAD, text, after);
    const name = head?.[1] ?? /^(?:functions?\.)?([\w.-]*)/.exec(text.slice(after, after + 100))?.[1] ?? '';
    if (!head) return { calls: [brokenCall(name, text.slice(after), CUT)], end: text.length };
    if (!isName(name)) return null;
    const from = after + head[0].length;
    // The message holds a call in another dialect, which names the tool itself.
    if (matchAt(/\s*</y, text, from) && !matchAt(/\s*<\|/y, text, from)) return { calls: [], end: from };
    const { call, end } = argumentsAt(name, text, from, /<\|(?:call|end|return)\|>|(?=<\|start\|>)/);
    return { calls: [call], end };
  },
};
