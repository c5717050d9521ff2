/** glob_find: files by name pattern, newest first, without what the ignore files leave out. */

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { FOLDER, PATTERN } from '../parameters.ts';
import { refusal, success } from '../result.ts';
import type { Tool } from '../tool.ts';
import { globMatcher } from './glob.ts';
import { plainPath, ripgrep } from './rg.ts';

const MAX_RESULTS = 500;
/** More matches than this are counted, not dated. */
const MAX_DATED = 20_000;

export const globFind: Tool = {
  name: 'glob_find',
  description: 'Find files by glob (e.g. **/*.ts), newest first.',
  category: 'search',
  parameters: {
    type: 'object',
    properties: { pattern: PATTERN, path: FOLDER },
    required: ['pattern'],
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 30_000,

  async run(args, context) {
    const { root } = context.workspace;
    const path = await context.workspace.resolve((args['path'] as string | undefined) ?? '.', {
      mustExist: true,
    });
    const pattern = args['pattern'] as string;
    const matches = await globMatcher(root, path, pattern);
    const found: string[] = [];
    let count = 0;
    const { exitCode, stderr } = await ripgrep(
      root,
      ['--files', '--null'],
      path,
      '\0',
      context.signal,
      record => {
        const name = plainPath(record);
        if (!matches(name)) return true;
        count++;
        if (found.length < MAX_DATED) found.push(name);
        return true;
      },
    );
    if (exitCode === 2 && count === 0)
      throw refusal('search_failed', `glob_find could not search ${path}: ${stderr}`);
    const dated = await Promise.all(
      found.map(async name => ({
        name,
        time: await lstat(join(root, name)).then(
          entry => entry.mtimeMs,
          () => 0,
        ),
      })),
    );
    dated.sort((a, b) => b.time - a.time || (a.name < b.name ? -1 : 1));
    const lines = dated.slice(0, MAX_RESULTS).map(file => file.name);
    if (count > lines.length) lines.push(`... ${count - lines.length} more files match; narrow the pattern`);
    return success(count > 0 ? lines.join('\n') : `No files match ${pattern}.`, {
      data: { count, truncated: count > MAX_RESULTS },
    });
  },
};
