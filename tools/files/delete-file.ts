/** delete_file: a file, a link, or an empty folder. Its contents are kept for undo. */

import { applyChanges } from '../changes.ts';
import { entryOf, listFolder } from '../disk.ts';
import { PATH } from '../parameters.ts';
import { changed, refusal } from '../result.ts';
import type { Tool } from '../tool.ts';

export const deleteFile: Tool = {
  name: 'delete_file',
  description: 'Delete a file or an empty folder.',
  category: 'files',
  keywords: ['remove', 'clean', 'obsolete'],
  parameters: {
    type: 'object',
    properties: { path: PATH },
    required: ['path'],
    additionalProperties: false,
  },
  effects: 'write',
  paths: ['path'],
  timeoutMs: 10_000,

  async run(args, context) {
    const { root } = context.workspace;
    const path = await context.workspace.resolve(args['path'] as string, { access: 'write', follow: false });
    if (path === '.') throw refusal('path_denied', 'The workspace itself cannot be deleted.');
    const records = await applyChanges(async () => {
      const entry = await entryOf(root, path);
      if (entry.kind === 'directory' && (await listFolder(root, path)).length > 0)
        throw refusal('not_empty', `${path} is a folder with something in it; delete what is in it first.`);
      return [{ operation: 'delete', path, guard: 'fresh' }];
    }, context);
    return changed(`Deleted ${path}.`, records, context, { path });
  },
};
