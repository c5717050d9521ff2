/** Contents of the workspace, stored before a command where it cannot have an overlay: copied once (cloned where the file
 * system can), afterwards only what a stat says is new. What the command then changed has its old contents here.
 *
 * `<scratch>/contents/<hash of the root>/` holds the copies and their index. A copy that the index does not name is removed
 * when it is read for the first time without one. A kill -9 in between loses copies of this moment, never makes one wrong:
 * a copy counts only with the stat it was made under.
 */

import { randomUUID } from 'node:crypto';
import { constants, type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Blobs } from '../../store/blobs-port.ts';
import { entryOf, sha256 } from '../disk.ts';
import { inOrder, recordBetween, type State } from '../records.ts';
import type { ChangeRecord } from '../tool.ts';
import {
  type Index,
  isIndexFile,
  type Mark,
  readIndex,
  type Saved,
  saveIndex,
  versionOf,
} from './contents-index.ts';
import { LARGEST_KEPT, type Unkept } from './unkept.ts';

/** Entries looked at, and bytes of copies, per workspace. What lies beyond is named before the command. */
const STORED_ENTRIES = 60_000;
const STORED_BYTES = 2 * 1024 * 1024 * 1024;
/** Entries looked at before others get a turn. */
const BREATH = 1_000;
const COPIERS = 8;
/** A file changed this shortly before it was copied may change again without its times telling. ms */
const SETTLED = 50;

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

const markOf = ({ mode, ino, size, mtimeMs, ctimeMs }: Stats, kind: Mark['kind']): Mark =>
  kind === 'directory'
    ? { kind, mode: mode & 0o7777, ino, size: 0, mtime: 0, ctime: 0 }
    : { kind, mode: mode & 0o7777, ino, size, mtime: mtimeMs, ctime: ctimeMs };

const isSame = (a: Mark, b: Mark): boolean =>
  a.ctime === b.ctime &&
  a.mtime === b.mtime &&
  a.size === b.size &&
  a.ino === b.ino &&
  a.mode === b.mode &&
  a.kind === b.kind;

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

/** What this process last saved, so that it is read once. */
const remembered = new Map<string, { version: string; saved: Saved }>();

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
  const last = mine && mine.version === versionOf(folder) ? mine.saved : await readIndex(folder);
  const { index, complete } = await walk(root, unkept, limit);
  const beyond: string[] = [];
  const fresh: [string, Mark][] = [];
  let bytes = 0;
  for (const entry of index) {
    const [path, mark] = entry;
    const old = last.index.get(path);
    const same = old !== undefined && isSame(old, mark);
    if (mark.kind === 'directory') {
      if (!same) fresh.push(entry);
      continue;
    }
    if (mark.size > LARGEST_KEPT || bytes + mark.size > STORED_BYTES) {
      beyond.push(path);
      if (!same || old.copy !== undefined) fresh.push(entry);
      continue;
    }
    bytes += mark.size;
    if (same && old.copy !== undefined && !old.warm) mark.copy = old.copy;
    else fresh.push(entry);
  }
  const over = new Set(beyond);
  await copyAll(
    root,
    folder,
    fresh.filter(([path, mark]) => mark.kind !== 'directory' && !over.has(path)),
  );
  const gone: string[] = [];
  const stale: string[] = [];
  for (const [path, { kind, copy }] of last.index) {
    const now = index.get(path);
    if (!now) gone.push(path);
    if (kind === 'file' && copy !== undefined && now?.copy !== copy) stale.push(copy);
  }
  const same = last.id !== '' && fresh.length === 0 && gone.length === 0 && complete === last.complete;
  const id = same ? last.id : await saveIndex(folder, last.id, { complete, index, set: fresh, gone });
  for (const copy of stale) await rm(join(folder, copy), { force: true });
  if (last.index.size === 0) await removeUnnamed(folder, index);
  remembered.set(folder, { version: versionOf(folder), saved: { id, complete, index } });
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
          if (now && isSame(markOf(now, 'file'), mark)) mark.copy = copy;
          else await rm(join(folder, copy), { force: true });
          // Still warm: it may change again within the grain of the clock, so that only its contents can tell.
          if (now && Date.now() - now.ctimeMs < SETTLED) mark.warm = true;
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
    if (!isIndexFile(name) && !named.has(name)) await rm(join(folder, name), { force: true });
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
  const paths = [...now.index.keys(), ...[...stored.index.keys()].filter(path => !now.index.has(path))];
  for (const path of paths) {
    const [before, after] = [stored.index.get(path), now.index.get(path)];
    if (before && after && !before.warm && isSame(before, after)) continue;
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
  const { index, complete, ...saved } = await readIndex(folder);
  return saved.id === id ? { id, root, folder, index, beyond: [], complete } : null;
}
