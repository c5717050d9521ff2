/** What the stored contents of a workspace are known by, on disk: a whole list, and behind it what each later look found
 * different.
 *
 * `index.json` is written to a temporary name and renamed. `later.jsonl` grows by one line per look that found something
 * new and begins with the id of the list it belongs to; it is read as far as its lines are whole. A power cut can lose the
 * newest lines, after which their files are copied once more; a list never names a copy that was not made before it. */

import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Mark {
  kind: 'file' | 'directory' | 'symlink';
  mode: number;
  ino: number;
  /** Bytes; 0 of folders, whose size and times change with what is in them. */
  size: number;
  /** Of the contents and of the entry itself, ms. */
  mtime: number;
  ctime: number;
  /** Name of the copy, or the target of a link; absent where nothing is kept. */
  copy?: string;
  /** The copy was made so soon after a change that another one might not show in the times: only contents tell. */
  warm?: true;
}

export type Index = Map<string, Mark>;

export interface Saved {
  id: string;
  complete: boolean;
  index: Index;
}

interface Later {
  id: string;
  complete: boolean;
  set: [string, Mark][];
  gone: string[];
}

const WHOLE = 'index.json';
const LATER = 'later.jsonl';
/** Entries in later lines after which the list is written anew. */
const MOST_LATER = 5_000;

/** How many entries the later lines of a folder hold, as far as this process has written or read them. */
const laterEntries = new Map<string, number>();

/** Tells one version of the index from another without reading it. */
export const versionOf = (folder: string): string =>
  [WHOLE, LATER]
    .map(name => lstatSync(join(folder, name), { throwIfNoEntry: false }))
    .map(found => (found ? `${found.ino}:${found.size}:${found.mtimeMs}` : ''))
    .join(' ');

export async function readIndex(folder: string): Promise<Saved> {
  let saved: Saved;
  try {
    const { id, complete, marks } = JSON.parse(await readFile(join(folder, WHOLE), 'utf8')) as {
      id: string;
      complete: boolean;
      marks: [string, Mark][];
    };
    saved = { id, complete, index: new Map(marks) };
  } catch {
    // None yet, or one that a power cut left half written: everything is copied once more.
    return { id: '', complete: false, index: new Map() };
  }
  const text = await readFile(join(folder, LATER), 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  // A list whose later lines are not its own, or not whole, is written anew with the next one.
  let entries = lines[0] === saved.id && text.endsWith('\n') ? 0 : Number.POSITIVE_INFINITY;
  if (lines[0] === saved.id)
    for (const line of lines.slice(1)) {
      const later = parsed(line);
      if (!later) break;
      for (const path of later.gone) saved.index.delete(path);
      for (const [path, mark] of later.set) saved.index.set(path, mark);
      saved = { id: later.id, complete: later.complete, index: saved.index };
      entries += later.set.length + later.gone.length;
    }
  laterEntries.set(folder, entries);
  return saved;
}

function parsed(line: string): Later | null {
  try {
    return JSON.parse(line) as Later;
  } catch {
    return null;
  }
}

/** Names the state that `index` is in now, and returns that name. `set` and `gone` are what is different from the last one. */
export async function saveIndex(
  folder: string,
  last: string,
  { complete, index, set, gone }: Omit<Saved, 'id'> & Omit<Later, 'id'>,
): Promise<string> {
  const id = randomUUID();
  const entries = (laterEntries.get(folder) ?? 0) + set.length + gone.length;
  if (last !== '' && entries <= MOST_LATER) {
    const line = `${JSON.stringify({ id, complete, set, gone } satisfies Later)}\n`;
    await appendFile(join(folder, LATER), line, { mode: 0o600 });
    laterEntries.set(folder, entries);
    return id;
  }
  const temporary = join(folder, `${WHOLE}.${process.pid}.tmp`);
  await writeFile(temporary, JSON.stringify({ id, complete, marks: [...index] }), { mode: 0o600 });
  // Lines of another list are not read, so that the order of these two does not matter.
  await rename(temporary, join(folder, WHOLE));
  await rm(join(folder, LATER), { force: true });
  await writeFile(join(folder, LATER), `${id}\n`, { mode: 0o600 });
  laterEntries.set(folder, 0);
  return id;
}

/** Files of the folder that are not copies. */
export const isIndexFile = (name: string): boolean => name === WHOLE || name === LATER;
