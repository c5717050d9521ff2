/** Files and folders that a person attached to a message: their contents go along, in full up to a limit. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LoomError } from '../../machines/failure.ts';
import type { Workspace } from '../../tools/tool.ts';

/** Characters of one file, and entries of one folder. */
const MOST_CHARS = 32_000;
const MOST_ENTRIES = 200;
const MOST_BYTES = 8_000_000;

/** One section each, in the order given; what cannot be read is said in its place. */
export const attached = (workspace: Workspace, paths: string[]): Promise<string[]> =>
  Promise.all(paths.map(path => sectionOf(workspace, path)));

async function sectionOf(workspace: Workspace, path: string): Promise<string> {
  try {
    const inside = await workspace.resolve(path, { mustExist: true });
    const full = join(workspace.root, inside);
    const found = await stat(full);
    if (found.isDirectory()) return folder(inside, await readdir(full, { withFileTypes: true }));
    if (found.size > MOST_BYTES)
      return `[${inside}: ${found.size} bytes, too large to attach; read_file reads parts of it]`;
    const bytes = await readFile(full);
    if (bytes.subarray(0, 8_000).includes(0))
      return `[${inside}: ${found.size} bytes, not a text; read_file opens documents]`;
    const text = bytes.toString('utf8');
    const shown = text.slice(0, MOST_CHARS);
    const note =
      text.length > MOST_CHARS
        ? `\n[… ${text.length - MOST_CHARS} more characters; read_file reads them]`
        : '';
    return `Attached file ${inside}:\n${shown}${note}`;
  } catch (error) {
    const reason =
      error instanceof LoomError ? error.message : ((error as NodeJS.ErrnoException).code ?? String(error));
    return `[${path} could not be attached: ${reason}]`;
  }
}

function folder(path: string, entries: { name: string; isDirectory(): boolean }[]): string {
  const names = entries.map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const more = names.length - MOST_ENTRIES;
  return [
    `Attached folder ${path}:`,
    ...names.slice(0, MOST_ENTRIES),
    ...(more > 0 ? [`[… ${more} more; list_directory lists them]`] : []),
  ].join('\n');
}
