/** Moves what is not kept from a command's overlay into the workspace: ignored folders and very large files.
 * The upper layer is its own list of what is still to do, and what is to go is listed with its kind, so that this can be
 * repeated after a crash at any point. Unlike a record it cannot be taken back.
 */

import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { isReached } from '../disk.ts';

export interface Pour {
  /** Of the overlay. */
  folder: string;
  /** What goes, with its kind: something else that stands there by now is what was put there instead. */
  remove: { path: string; kind: string }[];
  /** What is moved over; folders before what is in them. */
  paths: string[];
}

const kindAt = (path: string): string => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return 'missing';
  if (found.isDirectory()) return 'directory';
  if (found.isSymbolicLink()) return 'symlink';
  return found.isFile() ? 'file' : 'special';
};

/** First half: makes room. */
export async function clear(root: string, { remove }: Pour): Promise<void> {
  // Nothing is removed through a link.
  for (const { path, kind } of remove)
    if ((await isReached(root, path)) && kindAt(join(root, path)) === kind)
      rmSync(join(root, path), { recursive: true, force: true });
}

/** Second half: moves over what is there to be moved. */
export async function pourOver(root: string, { folder, paths }: Pour): Promise<void> {
  const modes: [string, number][] = [];
  for (const path of paths) {
    const [from, to] = [join(folder, 'upper', path), join(root, path)];
    const found = lstatSync(from, { throwIfNoEntry: false });
    if (!found || !(await isReached(root, path))) continue;
    const there = kindAt(to);
    if (found.isDirectory()) {
      if (there === 'missing') mkdirSync(to, 0o700);
      if (there === 'missing' || there === 'directory') modes.push([to, found.mode & 0o7777]);
    } else {
      if (there === 'directory') rmdirSync(to);
      move(from, to, found.mode & 0o7777, found.mtimeMs);
    }
  }
  for (const [path, mode] of modes.reverse()) chmodSync(path, mode);
}

function move(from: string, to: string, mode: number, mtime: number): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    if (kindAt(from) === 'symlink') {
      copyLink(from, to);
      return;
    }
    const beside = `${to}.loom-tmp`;
    copyFileSync(from, beside);
    chmodSync(beside, mode);
    utimesSync(beside, new Date(), mtime / 1000);
    renameSync(beside, to);
  }
}

function copyLink(from: string, to: string): void {
  rmSync(to, { force: true });
  symlinkSync(readlinkSync(from), to);
}
