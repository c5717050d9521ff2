/** search_files: the plain search, by pattern and names of files; ripgrep_search has more to choose from. */

import { FOLDER, PATTERN } from '../parameters.ts';
import type { Tool } from '../tool.ts';
import { searchContents } from './search.ts';

export const searchFiles: Tool = {
  name: 'search_files',
  description: 'Search file contents by regular expression, up to 200 matches.',
  category: 'search',
  parameters: {
    type: 'object',
    properties: {
      pattern: PATTERN,
      path: FOLDER,
      file_pattern: { type: 'string', maxLength: 2_000, description: 'names of files, e.g. *.{js,ts}' },
    },
    required: ['pattern'],
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 30_000,

  run: (args, context) =>
    searchContents(
      {
        tool: 'search_files',
        pattern: args['pattern'] as string,
        path: (args['path'] as string | undefined) ?? '.',
        glob: args['file_pattern'] as string | undefined,
      },
      context,
    ),
};
