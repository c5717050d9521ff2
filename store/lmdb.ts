/** The store on disk: `<home>/store/`, rows as JSON text under the keys of `database.ts`.
 *
 *  Order of a write: the transaction runs in LMDB's own thread turn, is committed and synced, and only then does the
 *  promise resolve. Crash before: the old pages are untouched, the meta page still names them. Crash after: the new
 *  meta page names the new ones. A crash inside the write lock frees it (robust mutex).
 *
 *  No read transaction outlives a call: every look begins with `resetReadTxn` and returns plain values. */

import { createHash, randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { Database, Entry, RangeOptions, Writing } from './database.ts';
import {
  dataFile,
  type Environment,
  enter,
  joined,
  leave,
  MAX_KEY_BYTES,
  prepareFolder,
  type Rows,
  replaced,
  unreadable,
} from './environment.ts';
import { SILENCE_MS } from './leases.ts';
import { commitNumberHolds, openers, openersGone, readableCommit } from './opening.ts';
import type { Owner, Store } from './port.ts';
import { currentOwner, ownerAlive, ownerStopped } from './process-identity.ts';
import { readerOver, type StoreReader, storeOver } from './store.ts';
import { openWatch } from './watch.ts';
import { freeMb, writeError } from './write-error.ts';
import { awaitWriters, endProcess, stoppedHolder, writeLockHolder } from './write-lock.ts';

export interface LmdbOptions {
  /** New runs are refused below this many free megabytes; 0 switches it off. Default 256. */
  minFreeMb?: number;
  /** Never writes, never waits for a writer. */
  readOnly?: boolean;
  /** Kill a process that was stopped inside the write lock, after watching it for 8 s, instead of refusing to open. */
  takeover?: boolean;
  /** Told once per write that has waited 2 s behind a stopped process. Default: a line on stderr. */
  onBlocked?: (reason: LoomError) => void;
}

const FORMAT = 1;
const BLOCKED_MS = 2_000;
const GIVE_WAY = new Error('somebody is opening the store');

/** A key too long for LMDB is stored as its beginning, this byte (which UTF-8 never contains) and a hash; the whole key
 *  then stands before the value. */
const LONG = 0xff;
const BEGINNING = MAX_KEY_BYTES - 33;
const ABOVE_ALL = Buffer.alloc(34, LONG);

const isLong = (stored: Buffer): boolean => stored[BEGINNING] === LONG;

function storedKey(key: string): Buffer {
  const bytes = Buffer.from(key);
  if (bytes.length <= BEGINNING) return bytes;
  const hash = createHash('sha256').update(bytes).digest();
  return Buffer.concat([bytes.subarray(0, BEGINNING), Buffer.of(LONG), hash]);
}

function entryOf(stored: Buffer, text: string): Entry<string> {
  if (!isLong(stored)) return { key: stored.toString(), value: text };
  const line = text.indexOf('\n');
  return { key: JSON.parse(text.slice(0, line)) as string, value: text.slice(line + 1) };
}

function textsOf(
  rows: Rows,
  prefix: string,
  { from, limit, reverse = false }: RangeOptions,
): Entry<string>[] {
  const lowest = Buffer.from(prefix).subarray(0, BEGINNING);
  const start = from === undefined ? undefined : storedKey(from);
  const above = Buffer.concat([lowest, ABOVE_ALL]);
  const later = start && Buffer.compare(start, lowest) > 0 ? start : lowest;
  const bounds = reverse
    ? { start: start ?? above, end: lowest, inclusiveEnd: true, reverse }
    : { start: later, end: above };
  const found: Entry<string>[] = [];
  if (limit === 0) return found;
  for (const { key, value } of rows.getRange(bounds)) {
    const entry = entryOf(key, value);
    // only keys as long as a prefix of that length can differ
    if (entry.key.startsWith(prefix) && found.push(entry) === limit) break;
  }
  return found;
}

function engine(environment: Environment, owner: Owner, options: LmdbOptions): Database {
  const { path } = environment;
  const watching = openWatch(dataFile(path), () => {
    const { rows, lockFile } = environment;
    void joined(environment)?.catch(() => {});
    rows?.resetReadTxn();
    const commit = rows ? (rows.getStats() as { lastTxnId: number }).lastTxnId : -1;
    const readable = rows && lockFile !== null ? (readableCommit(lockFile) ?? commit) : commit;
    return { commit, readable };
  });

  function parse<T>({ key, value }: Entry<string>): T {
    try {
      return JSON.parse(value) as T;
    } catch {
      throw unreadable(path, `row ${key} is damaged`);
    }
  }

  let closed = false;

  /** Everything a look may meet comes out as a LoomError, never as the library's own. */
  function look<T>(read: (rows: Rows) => T, empty: T): T {
    try {
      if (closed) throw notWriting(path);
      const { rows } = environment;
      if (!rows) return empty;
      rows.resetReadTxn();
      return read(rows);
    } catch (error) {
      if (error instanceof LoomError) throw error;
      throw unreadable(path, error instanceof Error ? error.message : String(error));
    }
  }

  const getFrom = <T>(rows: Rows, key: string): T | undefined => {
    const stored = storedKey(key);
    const text = rows.get(stored);
    return text === undefined ? undefined : parse<T>(entryOf(stored, text));
  };
  const rangeFrom = <T>(rows: Rows, prefix: string, range: RangeOptions = {}): Entry<T>[] =>
    textsOf(rows, prefix, range).map(entry => ({ key: entry.key, value: parse<T>(entry) }));

  const writingTo = (rows: Rows): Writing => ({
    get: key => getFrom(rows, key),
    range: (prefix, range) => rangeFrom(rows, prefix, range),
    put(key, value) {
      const stored = storedKey(key);
      const text = JSON.stringify(value);
      void rows.put(stored, isLong(stored) ? `${JSON.stringify(key)}\n${text}` : text);
    },
    remove: key => void rows.remove(storedKey(key)),
    removeAll(prefix) {
      const lowest = Buffer.from(prefix);
      const bounds = { start: lowest, end: Buffer.concat([lowest, ABOVE_ALL]) };
      const keys = [...rows.getKeys(bounds)].map(key => Buffer.from(key));
      for (const key of keys) void rows.remove(key);
      return keys.length;
    },
  });

  function reportBlocked(): void {
    const holder = writeLockHolder(environment.lockFile);
    const held = holder !== null && holder !== 'unknown' && holder.stopped ? holder : null;
    const pid = held?.pid ?? openers(path).find(ownerStopped)?.pid;
    if (pid === undefined) return;
    const reason = stoppedHolder(pid, path);
    if (options.onBlocked) options.onBlocked(reason);
    else process.stderr.write(`${reason.message}\n`);
  }

  /** Looked at while the write lock is held: see `opening.ts`. */
  function mustWait(): boolean {
    const { lockFile, dataFile: file } = environment;
    // first: the number of a file that was replaced must not be shared
    if (replaced(environment)) return true;
    if (openers(path).length > 0) return true;
    return lockFile !== null && file !== null && !commitNumberHolds(lockFile, file);
  }

  /** One transaction; null when it gave way to somebody who is opening the store. */
  async function attempt<T>(write: (tx: Writing) => T): Promise<{ result: T } | null> {
    const { rows } = environment;
    if (closed || !rows || !environment.writing || options.readOnly) throw notWriting(path);
    let own: { error: unknown } | undefined;
    const writing = rows.childTransaction(() => {
      try {
        if (mustWait()) throw GIVE_WAY;
        return write(writingTo(rows));
      } catch (error) {
        own = { error };
        throw error;
      }
    });
    environment.writes.add(writing);
    try {
      const result = await writing;
      // synced already; a rejection here would be that of a later batch, which its own caller receives
      await rows.flushed.then(undefined, () => {});
      return { result };
    } catch (error) {
      if (own?.error === GIVE_WAY) return null;
      throw own ? own.error : writeError(path, error);
    } finally {
      environment.writes.delete(writing);
    }
  }

  return {
    home: dirname(path),
    get: key => look(rows => getFrom(rows, key), undefined),
    range: <T>(prefix: string, range?: RangeOptions) => look(rows => rangeFrom<T>(rows, prefix, range), []),
    texts: (prefix, range = {}) => look(rows => textsOf(rows, prefix, range), []),
    ready: () => joined(environment),
    async transact<T>(write: (tx: Writing) => T) {
      const blocked = setTimeout(reportBlocked, BLOCKED_MS).unref();
      try {
        for (;;) {
          while (environment.gate) await environment.gate;
          const done = await attempt(write);
          if (done) return done.result;
          await openersGone(path);
          await joined(environment);
        }
      } finally {
        clearTimeout(blocked);
      }
    },
    watch: listener => watching.add(listener),
    async admit() {
      const wanted = options.minFreeMb ?? 256;
      const free = wanted > 0 ? freeMb(path) : null;
      if (free === null || free >= wanted) return;
      throw new LoomError(
        'terminal',
        'store_full',
        `Only ${free} MB are free at ${path}; new runs need ${wanted} MB. Make space, or lower store.min_free_mb in loom.toml (0 switches the check off).`,
        { path, free_mb: free, wanted_mb: wanted },
      );
    },
    alive(other) {
      const here = other.pid === owner.pid && other.started === owner.started && other.boot === owner.boot;
      return here ? environment.handles.has(other.instance) : ownerAlive(other);
    },
    stopped: other => ownerStopped(other),
    async unblock(other, always = false) {
      if (!ownerStopped(other)) return;
      if (always) return endProcess(other);
      const holder = writeLockHolder(environment.lockFile);
      const holds = holder === 'unknown' || (holder?.stopped && holder.pid === other.pid);
      if (holds || openers(path).some(opener => opener.pid === other.pid)) await endProcess(other);
    },
    async close() {
      if (closed) return;
      closed = true;
      watching.close();
      await leave(environment, owner.instance);
    },
  };
}

function notWriting(path: string): LoomError {
  return new LoomError(
    'terminal',
    'store_not_open',
    `The store ${path} was opened for reading only, or has been closed. Open it again.`,
  );
}

/** Waits until no stopped process stands in the way. Where the lock does not tell who holds it, any stopped owner of a
 *  run or workspace is suspected. */
async function clearTheWay(environment: Environment, owner: Owner, options: LmdbOptions): Promise<void> {
  let suspect = (): number | null => {
    const holder = writeLockHolder(environment.lockFile);
    return holder !== null && holder !== 'unknown' && holder.stopped ? holder.pid : null;
  };
  if (writeLockHolder(environment.lockFile) === 'unknown') {
    const database = engine(environment, owner, { readOnly: true });
    const rows = ['l/', 't/'].flatMap(prefix => database.range<{ owner: Owner }>(prefix));
    suspect = () => rows.find(row => ownerStopped(row.value.owner))?.value.owner.pid ?? null;
  }
  await awaitWriters(environment.path, suspect, options.takeover ? SILENCE_MS : undefined);
}

async function checkFormat(database: Database, path: string, writing: boolean): Promise<void> {
  const format = database.get<number>('format');
  if (format === undefined) {
    if (writing) await database.transact(tx => tx.put('format', FORMAT));
  } else if (format > FORMAT) {
    throw unreadable(path, `it was written by a newer Loom (format ${format}); update Loom`);
  }
}

async function openEngine(home: string, options: LmdbOptions): Promise<{ database: Database; owner: Owner }> {
  const writing = !options.readOnly;
  const path = prepareFolder(home, writing);
  const owner = currentOwner(randomUUID());
  const clear = (environment: Environment) => clearTheWay(environment, owner, options);
  const environment = await enter(path, owner.instance, writing ? clear : undefined);
  const database = engine(environment, owner, options);
  try {
    await checkFormat(database, path, writing);
  } catch (error) {
    await database.close();
    throw error;
  }
  return { database, owner };
}

/** Opens the home's store for writing.
 *  @throws LoomError `store_holder_stopped`, `store_network_fs`, `store_unreadable` */
export async function openLmdbStore(home: string, options: LmdbOptions = {}): Promise<Store> {
  const { database, owner } = await openEngine(home, options);
  return storeOver(database, owner);
}

/** The half that reads. Never blocks; a store that does not exist yet is an empty one. */
export async function openLmdbReader(home: string): Promise<StoreReader> {
  const { database } = await openEngine(home, { readOnly: true });
  return readerOver(database);
}
