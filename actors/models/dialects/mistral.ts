/** Mistral: `[TOOL_CALLS] [{"name": …, "arguments": {…}}]`, and since v11 `[TOOL_CALLS]name[ARGS]{…}`. xLAM uses the older form. */
import { readCallObjects } from './call-objects.ts';
import { type Dialect, matchAt } from './dialect.ts';
import { argumentsAt } from './json-body.ts';

const CLOSE = /\[\/TOOL_CALLS\]|(?=\[TOOL_CALLS\])/;
const HEAD = /\s*([A-Za-z_][\w.:/-]*)\s*(?:\[CALL_ID\][^[{]*)?(?:\[ARGS\]|(?=\{))/y;

export const mistral: Dialect = {
  name: 'mistral',
  opener: /\[TOOL_CALLS\]/,
  read(text, after) {
    const head = matchAt(HEAD, text, after);
    if (!head) return readCallObjects(text, after, CLOSE);
    const { call, end } = argumentsAt(head[1]!, text, after + head[0].length, CLOSE);
    return { calls: [call], end };
  },
};
