/** `loom store compact`: gives the space of removed rows back to the disk, while others may have the store open.
 *
 *  Order: announce the opening mark of `opening.ts`, so that nobody commits → wait until the write lock is free → LMDB's
 *  own compacting copy into a folder beside the data file, synced → take the write lock → look once more that nobody
 *  committed since, nobody else is opening the store and no run has a live owner → rename the copy over the data file →
 *  put its commit number into the lock file → give lock and mark back.
 *  Refused while a run has a live owner: its heartbeats would have to wait for the copy.
 *
 *  Others who have the store open still see the old file, which nobody writes any more: a writer compares the inode of
 *  its file with that of the name while it holds the write lock, and opens anew instead of writing; a reader compares it
 *  before each look. An opener that comes in between has left a mark, or finds the write lock held and waits.
 *  Crash before the rename: the store is untouched, the copy is cleared away by the next compaction, the mark by the next
 *  writer. Crash after it: the copy is the store, and whoever opens it next shares its commit number. */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import { crashPoint } from './crash-points.ts';
import { newestCommit } from './damage.ts';
import {
  dataFile,
  type Environment,
  enter,
  leave,
  prepareFolder,
  type Rows,
  replaced,
} from './environment.ts';
import type { LeaseRow } from './leases.ts';
import { besideWriters, shareCommitNumber } from './opening.ts';
import type { Store } from './port.ts';
import { currentOwner, ownerAlive } from './process-identity.ts';
import { databaseOf } from './store.ts';

export interface Compacted {
  /** Bytes of the data file. */
  before: number;
  after: number;
}

const COPY = 'compacting~';
const ATTEMPTS = 5;
/** Leaves the write transaction without a write. */
const LEFT = new Error('nothing to write');

type Outcome = 'swapped' | 'again';

/** @param store open for writing
 *  @throws LoomError `store_busy` when a run has a live owner or somebody keeps writing */
export async function compactStore(store: Store): Promise<Compacted> {
  refuseLiveRuns(store);
  const path = prepareFolder(store.home, false);
  const { instance, ...self } = currentOwner(`compact-${performance.now()}`);
  const environment = await enter(path, instance);
  const copy = join(path, COPY + [self.pid, self.started, self.boot].join('~'));
  try {
    clearLeftovers(path);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = statSync(dataFile(path)).size;
      const outcome = await besideWriters(path, environment.lockFile, others =>
        copyAndSwap({ environment, copy, store, others }),
      );
      if (outcome === 'swapped') return { before, after: statSync(dataFile(path)).size };
      await databaseOf(store).ready();
    }
    throw busy('Somebody keeps opening or writing it. Try again when less is going on.');
  } finally {
    rmSync(copy, { recursive: true, force: true });
    await leave(environment, instance);
  }
}

interface Swap {
  environment: Environment;
  copy: string;
  store: Store;
  others: () => boolean;
}

async function copyAndSwap({ environment, copy, store, others }: Swap): Promise<Outcome> {
  const { rows, path, dataFile: file, lockFile } = environment;
  if (!rows || file === null || lockFile === null || replaced(environment)) return 'again';
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { mode: 0o700 });
  const number = newestCommit(file);
  await copyRows(environment, rows, copy);
  crashPoint('compact-copied');
  return insideWrite(environment, rows, () => {
    if (replaced(environment) || others() || newestCommit(file) !== number) return 'again';
    refuseLiveRuns(store);
    const compacted = openSync(dataFile(copy), 'r');
    try {
      renameSync(dataFile(copy), dataFile(path));
      crashPoint('compact-swapped');
      syncFolder(path);
      const next = newestCommit(compacted);
      if (next !== null) shareCommitNumber(lockFile, next);
    } finally {
      closeSync(compacted);
    }
    return 'swapped';
  });
}

/** LMDB's own copy of the newest state without free pages, on disk when it resolves. The environment stays open as long
 *  as it takes.
 *  @param folder exists and is empty */
export async function copyRows(environment: Environment, rows: Rows, folder: string): Promise<void> {
  rows.resetReadTxn();
  const copying = rows.backup(folder, true);
  environment.writes.add(copying);
  try {
    await copying;
  } finally {
    environment.writes.delete(copying);
  }
  const file = openSync(dataFile(folder), 'r');
  fsyncSync(file);
  closeSync(file);
  syncFolder(folder);
}

/** Runs `work` while this process holds LMDB's write lock; nothing is written. */
async function insideWrite<T>(environment: Environment, rows: Rows, work: () => T): Promise<T> {
  let done: { result: T } | { error: unknown } | undefined;
  const writing = rows.childTransaction(() => {
    try {
      done = { result: work() };
    } catch (error) {
      done = { error };
    }
    throw LEFT;
  });
  environment.writes.add(writing);
  try {
    await writing;
  } catch (error) {
    if (error !== LEFT) throw error;
  } finally {
    environment.writes.delete(writing);
  }
  if (!done) throw new Error('the write transaction did not run');
  if ('error' in done) throw done.error;
  return done.result;
}

function refuseLiveRuns(store: Store): void {
  const database = databaseOf(store);
  const live = database.range<LeaseRow>('l/').find(({ value }) => database.alive(value.owner));
  if (!live) return;
  throw busy(
    `Run ${live.key.slice('l/'.length)} is at work in process ${live.value.owner.pid}. Compact when it is over, or cancel it.`,
  );
}

const busy = (reason: string): LoomError =>
  new LoomError('retryable', 'store_busy', `The store is not compacted now. ${reason}`);

/** Copies of compactions that were killed. */
function clearLeftovers(path: string): void {
  for (const name of readdirSync(path)) {
    if (!name.startsWith(COPY)) continue;
    const [pid, started = '', boot = ''] = name.slice(COPY.length).split('~');
    if (!ownerAlive({ pid: Number(pid), started, boot })) rmSync(join(path, name), { recursive: true });
  }
}

export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
