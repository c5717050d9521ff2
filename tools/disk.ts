/** File operations on canonical workspace paths. Every one goes through an open handle of the parent folder, so that a folder swapped for a link after the check is noticed. */

import { createHash } from 'node:crypto';
import { constants, type Dirent, type Stats } from 'node:fs';
import {
  access,
  chmod,
  type FileHandle,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rmdir,
  symlink,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LoomError } from '../machines/failure.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Larger files are not read into memory: before-images and edits stop here. Bytes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

export const sha256 = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');

export type Entry =
  | { kind: 'missing' }
  | { kind: 'file'; mode: number; size: number; content: Buffer; sha256: string }
  | { kind: 'directory'; mode: number }
  | { kind: 'symlink'; mode: number; content: Buffer; sha256: string };

const moved = (path: string) =>
  new LoomError('terminal', 'path_denied', `${path} leads elsewhere than a moment ago; nothing was done.`);

/** Runs `act` on the path of `relative` as seen from its parent's open handle. */
async function inParent<T>(
  root: string,
  relative: string,
  act: (path: string, parent: FileHandle) => Promise<T>,
): Promise<T> {
  const folder = join(root, dirname(relative));
  let parent: FileHandle;
  try {
    parent = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ELOOP' || code === 'ENOTDIR') throw moved(relative);
    throw error;
  }
  try {
    const viaHandle = process.platform === 'linux' ? `/proc/self/fd/${parent.fd}` : null;
    const real = viaHandle ? await readlink(viaHandle).catch(() => null) : null;
    if ((real ?? (await realpath(folder))) !== folder) throw moved(relative);
    return await act(join(real === null ? folder : viaHandle!, basename(relative)), parent);
  } finally {
    await parent.close();
  }
}

/** What a folder holds, read through its own handle. */
export async function listFolder(root: string, relative: string): Promise<Dirent[]> {
  return inParent(root, join(relative, 'entry'), path => readdir(dirname(path), { withFileTypes: true }));
}

/**
 * For programs that get a path and not a handle: what they found counts only if the path still leads where it led.
 * @throws LoomError `path_denied`
 */
export async function refuseMoved(root: string, relative: string): Promise<void> {
  const expected = join(root, relative);
  if ((await realpath(expected).catch(() => expected)) !== expected) throw moved(relative);
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

async function readRegular(path: string, shown: string): Promise<Buffer> {
  // O_NONBLOCK: a pipe put there meanwhile must not hang the open.
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new LoomError('terminal', 'path_denied', `${shown} is not a regular file.`);
    if (found.size > MAX_FILE_BYTES)
      throw new LoomError(
        'terminal',
        'too_large',
        `${shown} has ${found.size} bytes; files over ${MAX_FILE_BYTES} bytes are not handled here. Use shell_execute (head, sed -n) on it.`,
      );
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** What stands at a canonical path, with contents. */
export async function entryOf(root: string, relative: string): Promise<Entry> {
  if (relative === '.') return { kind: 'directory', mode: (await lstat(root)).mode & 0o7777 };
  try {
    return await inParent(root, relative, async path => {
      const found = await statOrNull(path);
      if (!found) return { kind: 'missing' };
      const mode = found.mode & 0o7777;
      if (found.isDirectory()) return { kind: 'directory', mode };
      const content = found.isSymbolicLink()
        ? Buffer.from(await readlink(path))
        : await readRegular(path, relative);
      const common = { mode, content, sha256: sha256(content) };
      return found.isSymbolicLink()
        ? { kind: 'symlink', ...common }
        : { kind: 'file', size: content.length, ...common };
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'missing' };
    throw error;
  }
}

/** Whether every folder on the way to a path is a folder, not a link or a file. */
export async function isReached(root: string, relative: string): Promise<boolean> {
  for (let folder = dirname(relative); folder !== '.'; folder = dirname(folder))
    if (!(await lstat(join(root, folder)).catch(() => null))?.isDirectory()) return false;
  return true;
}

/**
 * Replaces or creates a file so that a crash leaves either the old or the new contents.
 * `tag` makes the temporary name stable: a repeated attempt reuses and thereby removes a leftover.
 */
export async function writeAtomically(
  root: string,
  relative: string,
  content: Uint8Array,
  options: { mode: number; tag: string; protectedToo?: boolean; mtime?: number },
): Promise<void> {
  await inParent(root, relative, async (path, parent) => {
    const old = await statOrNull(path);
    if (old?.isDirectory())
      throw new LoomError('terminal', 'is_directory', `${relative} is a folder, not a file.`);
    if (old && !options.protectedToo) await refuseReadOnly(path, relative);
    const temporary = temporaryOf(path, options.tag);
    const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      await file.writeFile(content);
      await file.chmod(options.mode);
      if (old && (old.uid !== process.getuid?.() || old.gid !== process.getgid?.()))
        await lchown(temporary, old.uid, old.gid).catch(() => {});
      if (options.mtime !== undefined) await file.utimes(new Date(), new Date(options.mtime));
      await file.sync();
    } catch (error) {
      await unlink(temporary).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await parent.sync();
  });
}

const temporaryOf = (path: string, tag: string): string =>
  join(dirname(path), `.${basename(path).slice(0, 200)}.${tag}.tmp`);

/** Removes what an interrupted `writeAtomically` with this tag left behind. */
export async function dropLeftover(root: string, relative: string, tag: string): Promise<void> {
  await inParent(root, relative, path => unlink(temporaryOf(path, tag))).catch(() => {});
}

async function refuseReadOnly(path: string, shown: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch {
    throw new LoomError(
      'terminal',
      'read_only',
      `${shown} is write-protected; change its mode first if it should be changed.`,
    );
  }
}

export async function makeFolder(root: string, relative: string, mode: number): Promise<void> {
  await inParent(root, relative, async (path, parent) => {
    await mkdir(path);
    await chmod(path, mode);
    await parent.sync();
  });
}

/** Makes a link, or gives the one that stands there another target. */
export async function makeLink(root: string, relative: string, target: string, tag: string): Promise<void> {
  await inParent(root, relative, async (path, parent) => {
    const temporary = temporaryOf(path, tag);
    await unlink(temporary).catch(() => {});
    await symlink(target, temporary);
    await rename(temporary, path);
    await parent.sync();
  });
}

/** @param options.mayBeGone what is not there need not be removed */
export async function removeEntry(
  root: string,
  relative: string,
  options: { mayBeGone?: boolean; protectedToo?: boolean } = {},
): Promise<void> {
  await inParent(root, relative, async (path, parent) => {
    const found = await statOrNull(path);
    if (!found && options.mayBeGone) return;
    await inWritable(parent, options.protectedToo, () => (found?.isDirectory() ? rmdir(path) : unlink(path)));
    await parent.sync();
  });
}

/** Runs `act` in a folder that may be closed to writing, as a command may have opened, used and closed it. */
async function inWritable(
  folder: FileHandle,
  protectedToo: boolean | undefined,
  act: () => Promise<void>,
): Promise<void> {
  const { mode } = await folder.stat();
  if (!protectedToo || (mode & 0o300) === 0o300) return act();
  await folder.chmod((mode & 0o7777) | 0o700);
  try {
    await act();
  } finally {
    await folder.chmod(mode & 0o7777);
  }
}

/** Refuses an existing destination. */
export async function moveEntry(root: string, from: string, to: string): Promise<void> {
  await inParent(root, from, (source, sourceParent) =>
    inParent(root, to, async (target, targetParent) => {
      if (await statOrNull(target))
        throw new LoomError('terminal', 'exists', `${to} exists already; nothing was moved.`);
      await rename(source, target);
      await targetParent.sync();
      await sourceParent.sync();
    }),
  );
}

export async function setMode(root: string, relative: string, mode: number): Promise<void> {
  await inParent(root, relative, async path => {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      await file.chmod(mode);
    } finally {
      await file.close();
    }
  });
}
