/** The LMDB environment of a home, one per process however many handles are open. The only file that opens LMDB.
 *
 *  `overlappingSync: false` always: with the library's default, commits that were acknowledged and flushed are lost as
 *  soon as another process opens the store, even to read (28 of 144,022 measured). `false` makes that rare, and only the
 *  guards of `opening.ts` make it impossible.
 *  Writes go through `childTransaction`: it rolls back when its callback throws, which `transaction` does not, and it
 *  waits for the write lock off the event loop, which `transactionSync` does not. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { LoomError } from '../machines/failure.ts';
import { damageOf } from './damage.ts';
import { refuseNetworkFileSystem } from './file-systems.ts';
import { besideWriters, closeInTurn, closeInTurnAtExit } from './opening.ts';
import { openLockFile, writeLockHolder } from './write-lock.ts';

/** Keys are UTF-8 bytes: the library's own key encoding takes control characters for structure. */
export type Rows = RootDatabase<string, Buffer>;

export interface Environment {
  /** Real path of `<home>/store`. */
  readonly path: string;
  /** null while a reader waits for a store that does not exist yet. */
  rows: Rows | null;
  writing: boolean;
  /** Descriptors for looks past LMDB, see `write-lock.ts` and `opening.ts`. */
  lockFile: number | null;
  dataFile: number | null;
  /** Of the data file that is open; see `compact.ts`. */
  inode: number | null;
  /** When a look last made sure that this file still is the store. */
  sureAt: number;
  /** An opening of a store that appeared after its reader, or was replaced by a compacted one. */
  joining: Promise<void> | null;
  /** Handles of this process, by owner instance. */
  readonly handles: Set<string>;
  closing: Promise<void> | null;
  /** Writes in flight, so that a stop can wait for them. */
  readonly writes: Set<Promise<unknown>>;
  /** While this process is about to stop, new writes wait for it. */
  gate: Promise<void> | null;
}

const environments = new Map<string, Environment>();
let library: typeof import('lmdb') | undefined;

/** Longest key LMDB takes, with room for its own framing. */
export const MAX_KEY_BYTES = 1_900;
const MAX_READERS = 256;
/** Long enough for another process to make a store on a busy machine, short for somebody who waits for the reason. */
const OPEN_MS = 1_000;
const CLOSE_MS = 2_000;
/** A reaction looks at many rows in a moment; whether the store was replaced is asked once for all of them. A write asks
 *  by itself, inside the lock. */
const SURE_MS = 2;

export const dataFile = (path: string): string => join(path, 'data.mdb');
const lockFile = (path: string): string => join(path, 'lock.mdb');

export function unreadable(path: string, reason: string): LoomError {
  return new LoomError(
    'terminal',
    'store_unreadable',
    `The store ${path} cannot be read: ${reason}. Restore it from a backup, or move the folder away to begin with an empty one.`,
    { path, reason },
  );
}

const reasonOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0]!;

/** The folder, made when writing; private either way. */
export function prepareFolder(home: string, create: boolean): string {
  const path = resolve(home, 'store');
  try {
    if (create) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    }
    const real = realPath(path);
    if (existsSync(real)) refuseNetworkFileSystem(real);
    return real;
  } catch (error) {
    throw error instanceof LoomError ? error : unreadable(path, reasonOf(error));
  }
}

/** Of a path that may not exist yet, so that one folder never has two names here. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(realPath(dirname(path)), basename(path));
  }
}

/** Joins the environment of this process or opens it; a reading one becomes a writing one when asked.
 *  @param clear waits until no stopped process is inside the write lock: opening to write would block behind it */
export async function enter(
  path: string,
  handle: string,
  clear?: (environment: Environment) => Promise<void>,
): Promise<Environment> {
  library ??= await import('lmdb');
  while (environments.get(path)?.closing) await environments.get(path)?.closing;
  const environment = environments.get(path) ?? unopened(path);
  environments.set(path, environment);
  environment.handles.add(handle);
  environment.lockFile ??= openLockFile(lockFile(path));
  try {
    if (clear && !environment.writing) await clear(environment);
    if (!environment.rows) await refuseDamage(path);
    if (clear ? !environment.writing : !environment.rows) await openRows(environment, clear !== undefined);
  } catch (error) {
    await leave(environment, handle);
    throw error;
  }
  return environment;
}

/** A header that another process is writing this very moment may look damaged; a damaged one stays so. */
async function refuseDamage(path: string): Promise<void> {
  for (let looks = 0; ; looks++) {
    const damage = damageOf(dataFile(path));
    if (damage === null) return;
    if (looks === 5) throw unreadable(path, damage);
    await sleep(20);
  }
}

const unopened = (path: string): Environment => ({
  path,
  rows: null,
  writing: false,
  lockFile: null,
  dataFile: null,
  inode: null,
  sureAt: 0,
  joining: null,
  handles: new Set(),
  closing: null,
  writes: new Set(),
  gate: null,
});

/** Again for a while when it fails: a store or a lock file in the making can look like damage for a moment, and on a busy
 *  machine that moment is long. For a reader an empty file is a store that is not there yet: LMDB would end the process. */
async function openRows(environment: Environment, writing: boolean): Promise<void> {
  const { path } = environment;
  if (!writing && !statSync(dataFile(path), { throwIfNoEntry: false })?.size) return;
  const since = performance.now();
  for (;;) {
    try {
      await besideWriters(path, environment.lockFile, () => {
        // somebody else in this process may have been quicker
        const behind = writing && !environment.writing;
        if (!environment.rows || behind || replaced(environment)) openNow(environment, writing);
      });
      return;
    } catch (error) {
      if (performance.now() - since > OPEN_MS) throw unreadable(path, reasonOf(error));
      await sleep(20);
    }
  }
}

function openNow(environment: Environment, writing: boolean): void {
  if (!library) throw new Error('the library is loaded on entry');
  const { path } = environment;
  const before = inodeOf(path);
  if (environment.rows) closeNow(environment.rows);
  environment.rows = null;
  if (environment.dataFile !== null) closeSync(environment.dataFile);
  environment.dataFile = null;
  const rows: Rows = library.open({
    path,
    encoding: 'string',
    keyEncoding: 'binary',
    overlappingSync: false,
    cache: false,
    readOnly: !writing,
    noSubdir: false,
    maxReaders: MAX_READERS,
  });
  quietFailures(rows);
  if ((rows as unknown as { overlappingSync: boolean }).overlappingSync) {
    throw new Error('overlappingSync is on, which loses commits');
  }
  environment.rows = rows;
  environment.writing = writing;
  environment.lockFile ??= openLockFile(lockFile(path));
  environment.dataFile = openSync(dataFile(path), 'r');
  environment.inode = fstatSync(environment.dataFile).ino;
  // the library may have opened the file that was there before; opened once more, all is one
  if (before !== null && before !== environment.inode) throw new Error('it was replaced this very moment');
}

/** Without a turn of the event loop in which nothing is open. Nothing of ours is in flight here; the library's own close
 *  ends its reading at once, but waits some turns before it closes, and would then drop the new opening's locks. */
function closeNow(rows: Rows): void {
  const { env, status } = rows as unknown as { env: { close(): void }; status: string };
  void rows.close();
  // a reader was closed by that already
  if (status !== 'closed' && (rows as unknown as { status: string }).status !== 'closed') env.close();
}

const inodeOf = (path: string): number | null =>
  statSync(dataFile(path), { throwIfNoEntry: false })?.ino ?? null;

/** Whether somebody has put a compacted file in the place of the one that is open here. */
export function replaced({ rows, path, inode }: Environment): boolean {
  if (!rows || inode === null) return false;
  const now = inodeOf(path);
  return now !== null && now !== inode;
}

/** For a reader that came before the store, and for everybody once it was compacted: resolves when it can look, if there
 *  is something by now. */
export function joined(environment: Environment): Promise<void> | null {
  if (environment.closing) return null;
  const now = performance.now();
  if (environment.rows && now - environment.sureAt < SURE_MS) return null;
  environment.sureAt = now;
  if (environment.rows && !replaced(environment)) return null;
  const join = environment.rows ? joinReplaced : joinLate;
  environment.joining ??= join(environment).finally(() => {
    environment.joining = null;
  });
  return environment.joining;
}

async function joinReplaced(environment: Environment): Promise<void> {
  // each of them finds the file replaced, and writes nothing
  while (environment.writes.size > 0) await Promise.allSettled([...environment.writes]);
  await openRows(environment, environment.writing);
}

/** Half a header is a store in the making: not there yet, for this look. */
async function joinLate(environment: Environment): Promise<void> {
  if (damageOf(dataFile(environment.path)) === null) await openRows(environment, false);
}

/** When a commit fails (disk full), the library rejects our promise, and besides prints a stack trace and rejects two
 *  promises that nobody holds, each of which would end the process. Print and first promise belong to statuses it does
 *  not know; status 1 is its "nothing to do". The second is the batch's own, there to be had once the batch began.
 *  This leans on the library's inside: its version is pinned, and the disk-full test holds it. */
function quietFailures(rows: Rows): void {
  type Start = (address: number, done: (status: number) => unknown) => unknown;
  const env = (rows as unknown as { env: { startWriting: Start } }).env;
  const start = env.startWriting.bind(env);
  const quiet: Start = (address, done) =>
    start(address, status => done(status === 0 || status === 1 || status === 2 ? status : 1));
  Object.defineProperty(env, 'startWriting', { value: quiet });
  const ignore = (): void => {};
  rows.on('beforecommit', () => queueMicrotask(() => void rows.committed.then(ignore, ignore)));
}

/** The last handle closes the environment, and only after it the lock file's descriptor (see `write-lock.ts`). */
export async function leave(environment: Environment, handle: string): Promise<void> {
  environment.handles.delete(handle);
  if (environment.handles.size > 0) return;
  environment.closing ??= shut(environment);
  await environment.closing;
}

async function shut(environment: Environment): Promise<void> {
  await environment.joining?.catch(() => {});
  const { rows, lockFile: file, path } = environment;
  environment.rows = null;
  if (environment.dataFile !== null) closeSync(environment.dataFile);
  environment.dataFile = null;
  const closed = (rows ? closeInTurn(path, () => rows.close()) : Promise.resolve()).then(() => true);
  // behind a stopped process the last write may never end; the environment is then left to the end of this process,
  // and with it the lock file's descriptor
  const patience = new AbortController();
  const ended = await Promise.race([
    closed,
    sleep(CLOSE_MS, false, { signal: patience.signal }).catch(() => false),
  ]);
  patience.abort();
  if (ended && file !== null) closeSync(file);
  if (!ended) abandoned.add({ ...environment, lockFile: file });
  environments.delete(path);
}

const abandoned = new Set<Environment>();

/** At exit the system waits for the library's threads, and so for a stopped process with the write lock. Nothing of ours
 *  is lost by leaving without that: a write that is still waiting was never acknowledged. */
function endWhenBlocked(): void {
  const blocked = [...environments.values(), ...abandoned].some(({ writes, lockFile: file }) => {
    const holder = writes.size > 0 ? writeLockHolder(file) : null;
    return holder === 'unknown' ? abandoned.size > 0 : holder?.stopped;
  });
  if (blocked) process.kill(process.pid, 'SIGKILL');
}

/** What is still open is closed here and not by the library, which would do it without a turn. */
function closeAtExit(): void {
  endWhenBlocked();
  for (const { path, rows, writes, closing } of environments.values()) {
    if (rows && writes.size === 0 && !closing) closeInTurnAtExit(path, () => closeNow(rows));
  }
}
process.on('exit', closeAtExit);

function holdsWriteLock({ lockFile: file }: Environment): boolean {
  const holder = writeLockHolder(file);
  return holder !== null && holder !== 'unknown' && holder.pid === process.pid;
}

/** Stops this process (Ctrl+Z) as soon as none of its writes is in flight: stopped inside LMDB's write lock it would
 *  keep every other process from writing. Resolves when the process was continued. */
export async function stopProcess(): Promise<void> {
  let open = (): void => {};
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  for (const environment of environments.values()) environment.gate = gate;
  const settled = Promise.allSettled([...environments.values()].flatMap(({ writes }) => [...writes]));
  // a write that waits behind somebody else may be stopped in its wait: it holds nothing
  await Promise.race([settled, sleep(CLOSE_MS)]);
  while ([...environments.values()].some(holdsWriteLock)) await sleep(5);
  process.kill(process.pid, 'SIGSTOP');
  for (const environment of environments.values()) environment.gate = null;
  open();
}
