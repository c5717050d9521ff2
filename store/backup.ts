/** `loom store backup DIR`: a copy of a home's rows and blobs that is a home itself. Others go on writing meanwhile.
 *
 *  Order: blobs → LMDB's own copy of the newest state into a folder of its own, synced → the blobs written since → rename
 *  that folder to `DIR/store` → remove from DIR the blobs that the home has no longer. Every blob that the copied rows name
 *  was there before the copy, in one of the two passes: a blob is written before the commit that names it, and one young
 *  enough to be missed by the first pass is too young to be collected before the second.
 *  Blobs are linked where the file system can, else copied; one that is there is left, so a repeated backup is cheap.
 *  Crash: `DIR/store` is the one of before or the new one, whole either way, with all of its blobs. */

import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import { type BlobFile, blobFiles } from './blob-files.ts';
import { copyRows, syncFolder } from './compact.ts';
import { newestCommit } from './damage.ts';
import { dataFile, enter, leave, prepareFolder } from './environment.ts';
import { openLmdbReader } from './lmdb.ts';
import { currentOwner } from './process-identity.ts';
import { type StoreReport, verifyStore } from './verify.ts';

export interface BackedUp {
  folder: string;
  runs: number;
  rows: number;
  blobs: number;
  /** Of those, how many were not there before. */
  new_blobs: number;
  problems: string[];
}

/** In DIR: whose backup it is. In its store: the commit it was taken at. */
const NOTE = 'backup.json';
const COPY = 'store.new-';
const OLD = 'store.old-';

/** @throws LoomError `backup_folder` when DIR is not fit for it */
export async function backupStore(home: string, dir: string): Promise<BackedUp> {
  const target = resolve(dir);
  await refuseUnfit(home, target);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await writeFile(join(target, NOTE), `${JSON.stringify({ backup_of: resolve(home) })}\n`, { mode: 0o600 });
  await clearLeftovers(target);
  const seen = new Set<string>();
  const first = await copyBlobs(home, target, seen);
  const copy = join(target, COPY + randomUUID());
  await mkdir(copy, { mode: 0o700 });
  await copyStore(home, copy);
  await writeFile(join(copy, NOTE), `${JSON.stringify({ commit: commitOf(copy) })}\n`, { mode: 0o600 });
  const second = await copyBlobs(home, target, seen);
  await replaceFolder(copy, join(target, 'store'));
  for await (const blob of blobFiles(join(target, 'blobs'))) if (!seen.has(blob.sha256)) await rm(blob.path);
  const report = await verified(target);
  return { ...report, folder: target, blobs: seen.size, new_blobs: first + second };
}

/** Also says what is wrong with the home itself: a copy is only worth what it was taken of. */
async function verified(home: string): Promise<StoreReport> {
  const store = await openLmdbReader(home);
  try {
    return await verifyStore(store);
  } finally {
    await store.close();
  }
}

async function copyStore(home: string, folder: string): Promise<void> {
  const { instance } = currentOwner(`backup-${randomUUID()}`);
  const environment = await enter(prepareFolder(home, false), instance);
  try {
    if (environment.rows) await copyRows(environment, environment.rows, folder);
  } finally {
    await leave(environment, instance);
  }
}

function unfit(target: string, reason: string): LoomError {
  return new LoomError(
    'terminal',
    'backup_folder',
    `${target} cannot hold the backup: ${reason}. Name a new folder, or the one of an earlier backup of this home.`,
    { path: target },
  );
}

async function refuseUnfit(home: string, target: string): Promise<void> {
  const own = resolve(home);
  if (target === own || `${target}${sep}`.startsWith(`${own}${sep}`) || own.startsWith(`${target}${sep}`))
    throw unfit(target, `it is part of the home ${own}, or holds it`);
  const names = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unfit(target, error.message);
  });
  if (names.length === 0) return;
  const note = await readFile(join(target, NOTE), 'utf8').catch(() => '{}');
  const { backup_of } = JSON.parse(note) as { backup_of?: string };
  if (backup_of === undefined) throw unfit(target, 'it has other contents');
  if (backup_of !== own) throw unfit(target, `it is a backup of ${backup_of}`);
  await refuseWorkedIn(target);
}

/** Somebody may have worked in the backup as in a home; that work would be lost. */
async function refuseWorkedIn(target: string): Promise<void> {
  const note = await readFile(join(target, 'store', NOTE), 'utf8').catch(() => null);
  if (note === null || (JSON.parse(note) as { commit: string }).commit === commitOf(join(target, 'store')))
    return;
  throw unfit(target, 'somebody has worked in it since, as in a home');
}

/** Number of the newest commit, '' without a data file. */
function commitOf(folder: string): string {
  if (!existsSync(dataFile(folder))) return '';
  const file = openSync(dataFile(folder), 'r');
  try {
    return String(newestCommit(file) ?? '');
  } finally {
    closeSync(file);
  }
}

async function clearLeftovers(target: string): Promise<void> {
  const names = await readdir(target);
  const old = names.find(name => name.startsWith(OLD));
  // killed between the two renames: the old one is the backup
  if (old && !names.includes('store')) await rename(join(target, old), join(target, 'store'));
  for (const name of await readdir(target))
    if (name.startsWith(COPY) || name.startsWith(OLD)) await rm(join(target, name), { recursive: true });
}

/** How many were not there. */
async function copyBlobs(home: string, target: string, seen: Set<string>): Promise<number> {
  let made = 0;
  const folders = new Set<string>();
  for await (const blob of blobFiles(join(home, 'blobs'))) {
    const place = join(target, 'blobs', blob.sha256.slice(0, 2), blob.sha256);
    if (seen.has(blob.sha256)) continue;
    seen.add(blob.sha256);
    if ((await stat(place).catch(() => null))?.size === blob.size) continue;
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    if (await copyBlob(blob, place)) made += 1;
    else seen.delete(blob.sha256);
    folders.add(dirname(place));
  }
  for (const folder of folders) syncFolder(folder);
  if (folders.size > 0) syncFolder(join(target, 'blobs'));
  return made;
}

/** False when it was collected meanwhile. */
async function copyBlob(blob: BlobFile, place: string): Promise<boolean> {
  await rm(place, { force: true });
  try {
    await link(blob.path, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
  }
  // another file system, or one without links
  const temporary = join(dirname(place), `${basename(place)}.${randomUUID()}.tmp`);
  try {
    await copyFile(blob.path, temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const file = await open(temporary, 'r');
  await file.sync().finally(() => file.close());
  await rename(temporary, place);
  return true;
}

async function replaceFolder(from: string, to: string): Promise<void> {
  const old = join(dirname(to), OLD + randomUUID());
  await rename(to, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(from, to);
  syncFolder(dirname(to));
  await rm(old, { recursive: true, force: true });
}
