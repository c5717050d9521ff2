/** Contents of the workspace, stored before a command where it cannot have an overlay: copied once (cloned where the file
 * system can), afterwards only what a stat says is new. What the command then changed has its old contents here.
 *
 * `<scratch>/contents/<hash of the root>/`: `index.json` names for each path its stat and its copy; written to a temporary
 * name and renamed. A copy that the index does not name is removed at the next start. A kill -9 in between loses copies of
 * this moment, never makes one wrong: a copy counts only with the stat it was made under.
 */

import { randomUUID } from 'node:crypto';
import { constants, type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Blobs } from '../../store/blobs-port.ts';
import { entryOf, sha256 } from '../disk.ts';
import { inOrder, recordBetween, type State } from '../records.ts';
import type { ChangeRecord } from '../tool.ts';
import { LARGEST_KEPT, type Unkept } from './unkept.ts';

/** Entries looked at, and bytes of copies, per workspace. What lies beyond is named before the command. */
const STORED_ENTRIES = 60_000;
const STORED_BYTES = 2 * 1024 * 1024 * 1024;
/** Entries looked at before others get a turn. */
const BREATH = 1_000;
const COPIERS = 8;
/** A file changed this shortly before it was copied may change again without its times telling. ms */
const SETTLED = 50;

interface Mark {
  /** size:mtime:ctime:inode:mode */
  stat: string;
  kind: 'file' | 'directory' | 'symlink';
  mode: number;
  size: number;
  /** Name of the copy, or the target of a link; absent where nothing is kept. */
  copy?: string;
}

type Index = Map<string, Mark>;

export interface Stored {
  /** Names this state of the index: after a crash it must be the one that the command began with. */
  id: string;
  root: string;
  folder: string;
  index: Index;
  /** Paths that a command could change without a way back. */
  beyond: string[];
  /** False: the workspace has more entries than were looked at. */
  complete: boolean;
}

const markOf = (found: Stats, kind: Mark['kind']): Mark => ({
  // A folder's size and times change with what is in it, which is told by itself.
  stat:
    kind === 'directory'
      ? `${found.ino}:${found.mode}`
      : `${found.size}:${found.mtimeMs}:${found.ctimeMs}:${found.ino}:${found.mode}`,
  kind,
  mode: found.mode & 0o7777,
  size: kind === 'directory' ? 0 : found.size,
});

const kindOf = (entry: Dirent): Mark['kind'] | null =>
  entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'symlink' : entry.isFile() ? 'file' : null;

/** One look at everything that is kept; synchronous in slices, which is several times faster than one promise per file. */
export async function walk(
  root: string,
  unkept: Unkept,
  limit = STORED_ENTRIES,
): Promise<{ index: Index; complete: boolean }> {
  const index: Index = new Map();
  const folders = [''];
  let looked = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    let entries: Dirent[] = [];
    try {
      entries = readdirSync(join(root, folder), { withFileTypes: true });
    } catch {
      // It went away, or is closed to us: then nothing in it is known.
    }
    for (const entry of entries) {
      const kind = kindOf(entry);
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!kind || (kind === 'directory' && unkept.has(path))) continue;
      if (++looked > limit) return { index, complete: false };
      if (looked % BREATH === 0) await setImmediate();
      const found = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (!found) continue;
      index.set(path, markOf(found, kind));
      if (kind === 'directory') folders.push(path);
    }
  }
  return { index, complete: true };
}

interface Saved {
  id: string;
  complete: boolean;
  marks: [string, Mark][];
}

async function readSaved(folder: string): Promise<Saved> {
  try {
    return JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Saved;
  } catch {
    // None yet, or one that a power cut left half written: everything is copied once more.
    return { id: '', complete: false, marks: [] };
  }
}

/** Tells one version of the index file from another without reading it. */
const versionOf = (folder: string): string => {
  const found = lstatSync(join(folder, 'index.json'), { throwIfNoEntry: false });
  return found ? `${found.ino}:${found.size}:${found.mtimeMs}` : '';
};

async function save(folder: string, saved: Saved): Promise<void> {
  const temporary = join(folder, `index.${process.pid}.tmp`);
  await writeFile(temporary, JSON.stringify(saved), { mode: 0o600 });
  await rename(temporary, join(folder, 'index.json'));
}

/** What this process last saved, so that it is read once. */
const remembered = new Map<string, { version: string; id: string; index: Index }>();

const contentsFolder = (scratch: string, root: string): string =>
  join(scratch, 'contents', sha256(root).slice(0, 16));

/** Brings the stored contents up to date. The caller holds the workspace lock. */
export async function storeContents(
  root: string,
  scratch: string,
  unkept: Unkept,
  limit = STORED_ENTRIES,
): Promise<Stored> {
  const folder = contentsFolder(scratch, root);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Another process may have been here meanwhile.
  const mine = remembered.get(folder);
  const current = mine && mine.version === versionOf(folder) ? mine : null;
  const saved = current ?? (await readSaved(folder));
  const known = 'index' in saved ? saved.index : new Map(saved.marks);
  const { index, complete } = await walk(root, unkept, limit);
  const beyond: string[] = [];
  const fresh: [string, Mark][] = [];
  let bytes = 0;
  for (const [path, mark] of index) {
    if (mark.kind === 'directory') continue;
    if (mark.size > LARGEST_KEPT || bytes + mark.size > STORED_BYTES) {
      beyond.push(path);
      continue;
    }
    bytes += mark.size;
    const old = known.get(path);
    if (old?.copy !== undefined && old.stat === mark.stat) mark.copy = old.copy;
    else fresh.push([path, mark]);
  }
  const kept = new Set([...index.values()].map(mark => mark.copy));
  const stale = [...known.values()].filter(
    ({ kind, copy }) => kind === 'file' && copy !== undefined && !kept.has(copy),
  );
  await copyAll(root, folder, fresh);
  const same = fresh.length === 0 && stale.length === 0 && known.size === index.size;
  const id = same && saved.id !== '' ? saved.id : randomUUID();
  if (id !== saved.id) await save(folder, { id, complete, marks: [...index] });
  for (const { copy } of stale) await rm(join(folder, copy!), { force: true });
  if (known.size === 0) await removeUnnamed(folder, index);
  remembered.set(folder, { version: versionOf(folder), id, index });
  return { id, root, folder, index, beyond, complete };
}

async function copyAll(root: string, folder: string, fresh: [string, Mark][]): Promise<void> {
  const queue = [...fresh];
  const stamp = randomUUID().slice(0, 8);
  let serial = 0;
  const work = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [path, mark] = next;
      try {
        if (mark.kind === 'symlink') mark.copy = readlinkSync(join(root, path));
        else {
          const copy = `${stamp}-${serial++}`;
          await copyFile(join(root, path), join(folder, copy), constants.COPYFILE_FICLONE);
          const now = lstatSync(join(root, path), { throwIfNoEntry: false });
          // Changed under our hands: what was copied is of no known moment.
          if (now && markOf(now, 'file').stat === mark.stat) mark.copy = copy;
          else await rm(join(folder, copy), { force: true });
          // Still warm: it may change again within the grain of the clock, so that only its contents can tell.
          if (now && Date.now() - now.ctimeMs < SETTLED) mark.stat = '';
        }
      } catch {
        // Not readable for us, or gone: it stays without a copy and is told as such when it changes.
      }
    }
  };
  await Promise.all(Array.from({ length: COPIERS }, work));
}

async function removeUnnamed(folder: string, index: Index): Promise<void> {
  const named = new Set([...index.values()].map(mark => mark.copy));
  for (const name of await readdir(folder))
    if (name !== 'index.json' && !named.has(name)) await rm(join(folder, name), { force: true });
}

async function oldState(stored: Stored, mark: Mark | undefined): Promise<State | null> {
  if (!mark) return { kind: 'missing' };
  const { kind, mode } = mark;
  if (kind === 'directory') return { kind, mode };
  if (mark.copy === undefined) return null;
  const content =
    kind === 'symlink'
      ? Buffer.from(mark.copy)
      : await readFile(join(stored.folder, mark.copy)).catch(() => null);
  return content && { kind, mode, content, sha256: sha256(content) };
}

/** What is different now, with the old contents where they are kept. */
export async function changedSince(
  stored: Stored,
  unkept: Unkept,
  blobs: Blobs,
): Promise<{ records: ChangeRecord[]; told: ChangeRecord[]; complete: boolean }> {
  const now = await walk(stored.root, unkept);
  const records: ChangeRecord[] = [];
  const told: ChangeRecord[] = [];
  const complete = stored.complete && now.complete;
  for (const path of new Set([...stored.index.keys(), ...now.index.keys()])) {
    const [before, after] = [stored.index.get(path), now.index.get(path)];
    if (before?.stat === after?.stat && before?.kind === after?.kind) continue;
    // Half seen: absent from one list says nothing.
    if (!complete && (!before || !after)) continue;
    const old = await oldState(stored, before);
    const entry = !after
      ? ({ kind: 'missing' } as const)
      : after.size > LARGEST_KEPT
        ? null
        : await entryOf(stored.root, path);
    if (old && entry) {
      const record = await recordBetween(path, old, entry, blobs);
      if (record) records.push(record);
    } else
      told.push({
        operation: !before ? 'create' : !after ? 'delete' : 'modify',
        path,
        before: null,
        after: null,
        ...(after?.kind === 'symlink' ? { kind: 'symlink' as const } : {}),
        mode_before: before?.mode ?? null,
        mode_after: after?.mode ?? null,
        undoable: false,
      });
  }
  return { records: inOrder(records), told, complete };
}

/** After a crash: the contents as they were stored before the command that was cut off; null when they are not there. */
export async function storedBefore(root: string, scratch: string, id: string): Promise<Stored | null> {
  const folder = contentsFolder(scratch, root);
  const saved = await readSaved(folder);
  if (saved.id !== id) return null;
  return { id, root, folder, index: new Map(saved.marks), beyond: [], complete: saved.complete };
}
