/** Llama 3 and 4: `<|python_tag|>` with JSON, or with calls written as Python; `<|python_start|>[…]<|python_end|>`. */
import { readCallObjects } from './call-objects.ts';
import { type Dialect, matchAt, skip } from './dialect.ts';
import { readPythonCalls } from './python-calls.ts';

const END = /<\|(?:eom_id|eot_id|python_end)\|>/;

export const llama: Dialect = {
  name: 'llama',
  opener: /<\|python_(?:tag|start)\|>/,
  read(text, after) {
    const json = matchAt(/\s*(?:\{|\[\s*\{)/y, text, after) !== null;
    const found = json ? readCallObjects(text, after, END) : readPythonCalls(text, after);
    if (!found) return null;
    // Built-in tools are written `brave_search.call(query="…")`.
    const calls = found.calls.map(call => ({ ...call, name: call.name.replace(/\.call$/, '') }));
    return { calls, end: skip(new RegExp(`\\s*(?:${END.source})`, 'y'), text, found.end) };
  },
};
