/** move_file: renames a file or folder; never over something that exists. */

import { basename } from 'node:path';
import { applyChanges } from '../changes.ts';
import { PATH } from '../parameters.ts';
import { changed, refusal } from '../result.ts';
import type { Tool } from '../tool.ts';

export const moveFile: Tool = {
  name: 'move_file',
  description: 'Move or rename a file or folder; the destination must not exist.',
  category: 'files',
  parameters: {
    type: 'object',
    properties: { source: PATH, destination: PATH },
    required: ['source', 'destination'],
    additionalProperties: false,
  },
  effects: 'write',
  paths: ['source', 'destination'],
  timeoutMs: 10_000,

  async run(args, context) {
    const { workspace } = context;
    const options = { access: 'write', follow: false } as const;
    const from = await workspace.resolve(args['source'] as string, options);
    const asked = args['destination'] as string;
    const path = await workspace.resolve(asked.endsWith('/') ? asked + basename(from) : asked, options);
    if (from === '.' || path === '.') throw refusal('path_denied', 'The workspace itself cannot be moved.');
    if (path === from) throw refusal('exists', `${from} and the destination are the same.`);
    if (path.startsWith(`${from}/`)) throw refusal('path_invalid', `${from} cannot be moved into itself.`);
    const records = await applyChanges(async () => [{ operation: 'rename', from, path }], context);
    return changed(`Moved ${from} to ${path}.`, records, context, { path, from });
  },
};
