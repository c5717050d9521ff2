/** The LMDB environment of a home, one per process however many handles are open. The only file that opens LMDB.
 *
 *  `overlappingSync: false` always: with the library's default, commits that were acknowledged and flushed are lost as
 *  soon as another process opens the store, even to read (28 of 144,022 measured; none of 245,978 with `false`).
 *  Writes go through `childTransaction`: it rolls back when its callback throws, which `transaction` does not, and it
 *  waits for the write lock off the event loop, which `transactionSync` does not. */

import { chmodSync, closeSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { LoomError } from '../machines/failure.ts';
import { damageOf } from './damage.ts';
import { refuseNetworkFileSystem } from './file-systems.ts';
import { openLockFile } from './write-lock.ts';

/** Keys are UTF-8 bytes: the library's own key encoding takes control characters for structure. */
export type Rows = RootDatabase<string, Buffer>;

export interface Environment {
  /** Real path of `<home>/store`. */
  readonly path: string;
  /** null while a reader waits for a store that does not exist yet. */
  rows: Rows | null;
  writing: boolean;
  lockFile: number | null;
  /** Handles of this process, by owner instance. */
  readonly handles: Set<string>;
  closing: Promise<void> | null;
}

const environments = new Map<string, Environment>();
let library: typeof import('lmdb') | undefined;

/** Longest key LMDB takes, with room for its own framing. */
export const MAX_KEY_BYTES = 1_900;
const MAX_READERS = 256;

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
  const path = join(home, 'store');
  try {
    if (create) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    } else if (!existsSync(path)) return path;
    const real = realpathSync(path);
    refuseNetworkFileSystem(real);
    return real;
  } catch (error) {
    throw error instanceof LoomError ? error : unreadable(path, reasonOf(error));
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
    if (clear ? !environment.writing : !environment.rows) openRows(environment, clear !== undefined);
  } catch (error) {
    await leave(environment, handle);
    throw error;
  }
  return environment;
}

const unopened = (path: string): Environment => ({
  path,
  rows: null,
  writing: false,
  lockFile: null,
  handles: new Set(),
  closing: null,
});

function openRows(environment: Environment, writing: boolean): void {
  const { path } = environment;
  if (!library) throw new Error('the library is loaded on entry');
  if (!writing && !existsSync(dataFile(path))) return;
  const damage = damageOf(dataFile(path));
  if (damage) throw unreadable(path, damage);
  void environment.rows?.close();
  environment.rows = null;
  try {
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
  } catch (error) {
    throw unreadable(path, reasonOf(error));
  }
}

/** The rows to read from now; a reader that came before the store looks again. */
export function currentRows(environment: Environment): Rows | null {
  if (!environment.rows && environment.handles.size > 0) openRows(environment, false);
  return environment.rows;
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
  const { rows, lockFile: file, path } = environment;
  environment.rows = null;
  try {
    await rows?.close();
  } finally {
    if (file !== null) closeSync(file);
    environments.delete(path);
  }
}
