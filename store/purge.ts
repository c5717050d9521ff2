/** Removes what finished runs left behind: rows, blobs that no row names any more, event logs.
 *
 *  Order: claim the run, so that nobody works in it → all its rows in one transaction, which looks at the claim once more
 *  → blobs and logs that nothing names. Crash before the transaction: a finished run whose owner died, as it was before.
 *  Crash after it: blobs and a log without a run, which the next collection removes.
 *  A blob is collected only when no row of any run names it and it is older than an hour: it is written before the commit
 *  that names it. While a live owner has been silent for a minute (a stopped process, a machine that slept) the time
 *  between the two says nothing, and all blobs stay. */

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobFile, blobFiles, bringBack, removeBlob } from './blob-files.ts';
import { crashPoint } from './crash-points.ts';
import { commandSeenKey, type Database, headKey, inboxCounterKey, leaseKey, rowKey } from './database.ts';
import { type LeaseRow, ownedHead } from './leases.ts';
import type { Lease, RunHead, Store } from './port.ts';
import { databaseOf, type StoreReader } from './store.ts';
import { textPages } from './verify.ts';

export interface Collected {
  blobs: number;
  bytes: number;
  /** Named by nothing, but too young, or kept because somebody is silent. */
  kept: number;
  /** False when the time was over first. */
  complete: boolean;
}

export interface CollectOptions {
  /** Names count as if these runs were gone: what a removal would set free. */
  without?: Set<string>;
  dry_run?: boolean;
  /** Stop here, on the clock of `performance.now()`. */
  deadline?: number;
  /** Milliseconds since the epoch. */
  now?: number;
}

const YOUNG_MS = 3_600_000;
const SILENT_MS = 60_000;
const HASH = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;
const LOG = /^(.+)\.events\.jsonl$/;

/** Removes every row of a run that this process owns; how many there were. The lease goes with them.
 *  @throws FencedError when somebody else owns it by now */
export async function removeRun(store: Store, lease: Lease): Promise<number> {
  const { run } = lease;
  const rows = await databaseOf(store).transact(tx => {
    ownedHead(tx, lease);
    const removed = tx.removeAll(rowKey(run, '')) + tx.removeAll(commandSeenKey(run, ''));
    crashPoint('run-removing');
    for (const key of [headKey(run), leaseKey(run), inboxCounterKey(run)]) tx.remove(key);
    return removed + 1;
  });
  crashPoint('run-removed');
  await store.release(lease);
  return rows;
}

/** Rows of a run, without reading them. */
export function countRows(store: StoreReader, run: string): number {
  return databaseOf(store).texts(rowKey(run, '')).length + 1;
}

/** Every hash that a row names, whoever it belongs to; null when the time was over first. */
async function namesIn(database: Database, options: CollectOptions): Promise<Set<string> | null> {
  const names = new Set<string>();
  for await (const page of textPages(database)) {
    if (late(options)) return null;
    for (const { key, value } of page) {
      if (options.without?.has(key.split('/')[1] ?? '')) continue;
      for (const [hash] of value.matchAll(HASH)) names.add(hash);
    }
  }
  return names;
}

const late = ({ deadline }: CollectOptions): boolean =>
  deadline !== undefined && performance.now() > deadline;

/** Removes blobs that nothing names, and the event logs of runs that are gone.
 *  @param home where `blobs` and `logs` are */
export async function collect(
  store: StoreReader,
  home: string,
  options: CollectOptions = {},
): Promise<Collected> {
  const database = databaseOf(store);
  const olderThan = (options.now ?? Date.now()) - YOUNG_MS;
  const done: Collected = { blobs: 0, bytes: 0, kept: 0, complete: true };
  const names = await namesIn(database, options);
  if (!names) return { ...done, complete: false };
  const stay = someoneSilent(database, options.now ?? Date.now());

  const take = async (file: BlobFile): Promise<void> => {
    if (names.has(file.sha256)) {
      if (file.aside && !options.dry_run) await bringBack(file.path);
      return;
    }
    const removed =
      !stay && file.written < olderThan && (options.dry_run === true || (await removeBlob(file, olderThan)));
    if (!removed) {
      done.kept += 1;
      return;
    }
    done.blobs += 1;
    done.bytes += file.size;
  };
  const strays = async (path: string, written: number): Promise<void> => {
    if (written < olderThan && !options.dry_run) await rm(path, { force: true });
  };
  for await (const file of blobFiles(join(home, 'blobs'), strays)) {
    if (late(options)) return { ...done, complete: false };
    // somebody else collects too
    await take(file).catch(ignoreMissing);
  }
  if (!options.dry_run) await removeLogs(store, home);
  return done;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function someoneSilent(database: Database, now: number): boolean {
  return database
    .range<LeaseRow>('l/')
    .some(({ value }) => now - value.heartbeat > SILENT_MS && database.alive(value.owner));
}

/** A log is made after its run, so one without a run has lost it. */
async function removeLogs(store: StoreReader, home: string): Promise<void> {
  const folder = join(home, 'logs');
  for (const name of await readdir(folder).catch(() => [])) {
    const run = LOG.exec(name)?.[1];
    if (run && /^[\w.-]{1,64}$/.test(run) && !(await store.head(run)))
      await rm(join(folder, name), { force: true });
  }
}

/** Bytes of a run's rows, of the blobs they name and of its log. */
export async function sizeOfRun(
  store: StoreReader,
  home: string,
  run: string,
  blobs: Map<string, number>,
): Promise<number> {
  const named = new Set<string>();
  let bytes = (await stat(join(home, 'logs', `${run}.events.jsonl`)).catch(() => null))?.size ?? 0;
  for await (const page of textPages(databaseOf(store), rowKey(run, ''))) {
    for (const { key, value } of page) {
      bytes += key.length + value.length;
      for (const [hash] of value.matchAll(HASH)) named.add(hash);
    }
  }
  for (const hash of named) bytes += blobs.get(hash) ?? 0;
  return bytes;
}

export const isFinished = (head: RunHead): boolean => head.exit_code !== undefined;
