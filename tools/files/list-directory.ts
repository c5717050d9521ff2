/** list_directory: two levels of a folder, folders first. */

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FOLDER } from '../parameters.ts';
import { refusal, success } from '../result.ts';
import type { Tool } from '../tool.ts';

const MAX_ENTRIES = 500;
/** Named, but not opened: nobody wants to read them by accident. */
const CLOSED = new Set(['.git', 'node_modules', '__pycache__', '.venv', 'venv', '.tox', '.mypy_cache']);

async function sorted(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const rank = (entry: Dirent) => (entry.isDirectory() ? 0 : 1);
  return entries.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

const shownName = (entry: Dirent): string =>
  // A line break in a name must not look like two entries.
  (entry.name.match(/[\u0000-\u001f\u007f]/) ? JSON.stringify(entry.name) : entry.name) +
  (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : '');

export const listDirectory: Tool = {
  name: 'list_directory',
  description: 'List a folder, two levels deep.',
  category: 'files',
  parameters: {
    type: 'object',
    properties: { path: FOLDER },
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 10_000,

  async run(args, context) {
    const path = await context.workspace.resolve((args['path'] as string | undefined) ?? '.', {
      mustExist: true,
    });
    const folder = join(context.workspace.root, path);
    if (!(await stat(folder)).isDirectory())
      throw refusal('not_a_directory', `${path} is a file; use read_file to see it.`);
    const lines: string[] = [];
    let hidden = 0;
    const add = (line: string) => (lines.length < MAX_ENTRIES ? lines.push(line) : hidden++);
    for (const entry of await sorted(folder)) {
      context.signal.throwIfAborted();
      add(shownName(entry));
      if (!entry.isDirectory() || CLOSED.has(entry.name)) continue;
      const inner = await sorted(join(folder, entry.name)).catch(() => null);
      if (inner === null) add('  (not readable)');
      for (const child of inner ?? []) add(`  ${shownName(child)}`);
    }
    if (hidden > 0) lines.push(`... ${hidden} more entries not shown; list a folder below ${path}`);
    return success(lines.length > 0 ? lines.join('\n') : '(empty directory)', {
      data: { path, entries: lines.length - (hidden > 0 ? 1 : 0) + hidden, truncated: hidden > 0 },
    });
  },
};
