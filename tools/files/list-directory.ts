/** list_directory: two levels of a folder, folders first. */

import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listFolder } from '../disk.ts';
import { FOLDER } from '../parameters.ts';
import { refusal, success } from '../result.ts';
import type { Tool } from '../tool.ts';
import { plainPath, ripgrep } from './rg.ts';

const MAX_ENTRIES = 500;
/** Named, but not opened: nobody wants to read them by accident. */
const CLOSED = new Set(['.git', 'node_modules', '__pycache__', '.venv', 'venv', '.tox', '.mypy_cache']);

/** Folders first; within them by name, as people sort, whatever the case. */
async function sorted(root: string, path: string): Promise<Dirent[]> {
  const entries = await listFolder(root, path);
  const rank = (entry: Dirent) => (entry.isDirectory() ? 0 : 1);
  const low = new Map(entries.map(entry => [entry, entry.name.toLowerCase()]));
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return entries.sort(
    (a, b) => rank(a) - rank(b) || order(low.get(a)!, low.get(b)!) || order(a.name, b.name),
  );
}

const shownName = (entry: Dirent): string =>
  // A line break in a name must not look like two entries.
  (entry.name.match(/[\u0000-\u001f\u007f]/) ? JSON.stringify(entry.name) : entry.name) +
  (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : '');

/** Names without contents: ripgrep tells of files alone, so a folder without any is not ignored. */
async function holdsFiles(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (!entry.isDirectory() || (await holdsFiles(join(folder, entry.name)))) return true;
  return false;
}

/** Says of the names in a folder, and of those one level deeper, whether the ignore files leave them out. */
async function ignoredIn(root: string, path: string, signal: AbortSignal) {
  const base = path === '.' ? '' : `${path}/`;
  const visible = new Set<string>();
  const run = await ripgrep(root, ['--files', '--null'], path, '\0', signal, record => {
    const [first, second] = plainPath(record).slice(base.length).split('/');
    visible.add(first!);
    if (second !== undefined) visible.add(`${first}/${second}`);
    return true;
  }).catch(() => null);
  return async (name: string, entry: Dirent): Promise<boolean> => {
    // Links are not followed, and what is closed is named in any case.
    if (!run || visible.has(name) || CLOSED.has(entry.name) || entry.isSymbolicLink()) return false;
    if (!entry.isDirectory()) return entry.isFile();
    return holdsFiles(join(root, base, name));
  };
}

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
    const { root } = context.workspace;
    if ((await lstat(join(root, path))).isFile())
      throw refusal('not_a_directory', `${path} is a file; use read_file to see it.`);
    const ignored = await ignoredIn(root, path, context.signal);
    const lines: string[] = [];
    let hidden = 0;
    let left = 0;
    const add = (line: string) => (lines.length < MAX_ENTRIES ? lines.push(line) : hidden++);
    for (const entry of await sorted(root, path)) {
      context.signal.throwIfAborted();
      if (await ignored(entry.name, entry)) {
        left++;
        continue;
      }
      add(shownName(entry));
      if (!entry.isDirectory() || CLOSED.has(entry.name)) continue;
      const inner = await sorted(root, join(path, entry.name)).catch(() => null);
      if (inner === null) add('  (not readable)');
      for (const child of inner ?? [])
        if (await ignored(`${entry.name}/${child.name}`, child)) left++;
        else add(`  ${shownName(child)}`);
    }
    const shown = lines.length;
    if (shown === 0) lines.push(left > 0 ? '(nothing but ignored entries)' : '(empty directory)');
    if (hidden > 0) lines.push(`... ${hidden} more entries not shown; list a folder below ${path}`);
    if (left > 0)
      lines.push(`[${left} entries left out by ignore files; name a folder to list it all the same]`);
    return success(lines.join('\n'), {
      data: { path, entries: shown + hidden, ignored: left, truncated: hidden > 0 },
    });
  },
};
