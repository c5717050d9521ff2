/** Phi-4-mini: `functools[{"name": …, "arguments": {…}}]`. */
import { readCallObjects } from './call-objects.ts';
import type { Dialect } from './dialect.ts';
import { NEVER } from './json-body.ts';

export const phi: Dialect = {
  name: 'phi',
  opener: /\bfunctools(?=\s*\[\s*\{)/,
  read: (text, after) => readCallObjects(text, after, NEVER),
};
