/** Calls as Python between marks: LFM2 (`<|tool_call_start|>[…]<|tool_call_end|>`), OLMo 3 (`<function_calls>…</function_calls>`),
 *  and models that take `<tool_call>` for such a mark. */
import { readCallObjects } from './call-objects.ts';
import { type Dialect, matchAt, skip } from './dialect.ts';
import { readPythonCalls } from './python-calls.ts';

const END = /<\|tool_call_end\|>|<\/function_calls>|<\/tool_call>/;

export const pythonic: Dialect = {
  name: 'pythonic',
  opener: /<\|tool_call_start\|>|<function_calls>|<tool_call>(?=\s*\[?\s*[A-Za-z_][\w.]*\()/,
  read(text, after) {
    const json = matchAt(/\s*(?:\{|\[\s*\{)/y, text, after) !== null;
    const found = json ? readCallObjects(text, after, END) : readPythonCalls(text, after);
    return (
      found && { calls: found.calls, end: skip(new RegExp(`\\s*(?:${END.source})`, 'y'), text, found.end) }
    );
  },
};
