/** ripgrep_search: lines that match a regular expression, as `path:line:text`. */

import { FOLDER, PATTERN } from '../parameters.ts';
import type { Tool } from '../tool.ts';
import { DEFAULT_MATCHES, searchContents } from './search.ts';

export const ripgrepSearch: Tool = {
  name: 'ripgrep_search',
  description: 'Search file contents by regular expression.',
  category: 'search',
  keywords: ['find', 'grep', 'where'],
  parameters: {
    type: 'object',
    properties: {
      pattern: PATTERN,
      path: FOLDER,
      glob: { type: 'string', maxLength: 2_000, description: 'e.g. *.{js,ts}' },
      type: { type: 'string', maxLength: 40, description: 'e.g. py' },
      context: { type: 'integer', minimum: 0, maximum: 20, default: 0, description: 'lines around' },
      case_insensitive: { type: 'boolean', default: false },
      files_only: { type: 'boolean', default: false },
      max_matches: { type: 'integer', minimum: 1, maximum: 2000, default: DEFAULT_MATCHES },
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
        tool: 'ripgrep_search',
        pattern: args['pattern'] as string,
        path: (args['path'] as string | undefined) ?? '.',
        glob: args['glob'] as string | undefined,
        type: args['type'] as string | undefined,
        around: (args['context'] as number | undefined) ?? 0,
        ignoreCase: args['case_insensitive'] === true,
        filesOnly: args['files_only'] === true,
        limit: (args['max_matches'] as number | undefined) ?? DEFAULT_MATCHES,
      },
      context,
    ),
};
