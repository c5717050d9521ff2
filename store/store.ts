/** The store port over any engine of `database.ts`.
 *
 *  Order of a commit: check fence and rev, write head and rows, all in one transaction; facts leave only after it
 *  resolved. Crash before: nothing happened. Crash after: the next owner finds everything. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError } from '../machines/failure.ts';
import { crashPoint } from './crash-points.ts';
import { type Database, globalKey, headKey, type RangeOptions, rowKey, type Writing } from './database.ts';
import { send } from './inbox.ts';
import { leaseState, openLeases, ownedHead } from './leases.ts';
import { learn } from './lessons.ts';
import { openLocks } from './locks.ts';
import { FencedError, type Lease, type Owner, type Row, type RunHead, type Store } from './port.ts';
import { indexMessages } from './recall/write.ts';

const CLOSE_MS = 2_000;

/** The half of a store that never writes. */
export type StoreReader = Pick<
  Store,
  'home' | 'head' | 'get' | 'range' | 'runs' | 'lease' | 'watch' | 'getGlobal' | 'close'
>;

function apply(tx: Writing, run: string, rows: Row[], kind: RunHead['kind']): void {
  learn(tx, run, rows);
  if (kind === 'session') indexMessages(tx, run, rows);
  for (const { key, value } of rows) {
    if (value === undefined) throw new TypeError(`row ${key} of run ${run} has no value; null deletes a row`);
    if (value === null) tx.remove(rowKey(run, key));
    else tx.put(rowKey(run, key), value);
  }
}

const databases = new WeakMap<object, Database>();

/** The engine below a store, for `verify.ts`. */
export function databaseOf(store: object): Database {
  const database = databases.get(store);
  if (!database) throw new TypeError('not a store opened by this folder');
  return database;
}

/** The same store with more to it. */
export function extended<Base extends object, More extends object>(base: Base, more: More): Base & More {
  const store = { ...base, ...more };
  databases.set(store, databaseOf(base));
  return store;
}

export function readerOver(database: Database): StoreReader {
  const reader: StoreReader = {
    home: database.home,
    async head(run) {
      await database.ready();
      return database.get<RunHead>(headKey(run)) ?? null;
    },
    async get<T>(run: string, key: string) {
      await database.ready();
      return database.get<T>(rowKey(run, key)) ?? null;
    },
    async range<T>(run: string, prefix: string, options: RangeOptions = {}) {
      await database.ready();
      const own = rowKey(run, '');
      const from = options.from === undefined ? {} : { from: own + options.from };
      const found = database.range<T>(own + prefix, { ...options, ...from });
      return found.map(({ key, value }) => ({ key: key.slice(own.length), value }));
    },
    async runs({ workspace } = {}) {
      await database.ready();
      const heads = database.range<RunHead>('h/').map(entry => entry.value);
      const wanted = workspace === undefined ? heads : heads.filter(head => head.workspace === workspace);
      return wanted.sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
    },
    async lease(run) {
      await database.ready();
      return leaseState(database, run);
    },
    watch: listener => database.watch(listener),
    async getGlobal<T>(key: string) {
      await database.ready();
      return database.get<T>(globalKey(key)) ?? null;
    },
    close: () => database.close(),
  };
  databases.set(reader, database);
  return reader;
}

/** @param silenceMs how long a live owner must be silent before a takeover. */
export function storeOver(database: Database, owner: Owner, silenceMs?: number): Store {
  const leases = openLeases(database, owner, silenceMs);
  const locks = openLocks(database, owner);

  return extended(readerOver(database), {
    locks,
    async create(head, rows) {
      await database.admit();
      crashPoint('before-commit');
      await database.transact(tx => {
        if (tx.get(headKey(head.id))) {
          throw new LoomError('terminal', 'run_exists', `A run ${head.id} exists already.`, { run: head.id });
        }
        tx.put(headKey(head.id), { ...head, rev: 0, fence: 1 });
        leases.grant(tx, head.id, 1);
        apply(tx, head.id, rows, head.kind);
      });
      crashPoint('after-commit');
      const lease: Lease = { run: head.id, fence: 1, owner };
      leases.hold(lease);
      return lease;
    },
    claim: (run, options = {}) => leases.claim(run, options),
    release: lease => leases.release(lease),
    async commit(lease, rev, change, rows) {
      crashPoint('before-commit');
      await database.transact(tx => {
        const head = ownedHead(tx, lease);
        // a rev that is not the newest means that somebody wrote in between, whatever the fence says
        if (head.rev !== rev) throw new FencedError(lease.run);
        const next: RunHead = { ...head, ...change, id: head.id, fence: head.fence, rev: rev + 1 };
        tx.put(headKey(lease.run), next);
        apply(tx, lease.run, rows, head.kind);
        crashPoint('inside-commit');
      });
      crashPoint('after-commit');
    },
    async checkpoint(lease, rows) {
      await database.transact(tx => {
        apply(tx, lease.run, rows, ownedHead(tx, lease).kind);
      });
      crashPoint('checkpointed');
    },
    send: (run, command) => database.transact(tx => send(tx, run, command)),
    putGlobal: (key, value) =>
      database.transact(tx => {
        if (value === null || value === undefined) tx.remove(globalKey(key));
        else tx.put(globalKey(key), value);
      }),
    async close() {
      // what cannot be given back now (disk full, a stopped writer) ends with this process
      const back = Promise.allSettled([locks.close(), leases.close()]);
      const patience = new AbortController();
      await Promise.race([back, sleep(CLOSE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      await database.close();
    },
  } satisfies Omit<Store, keyof StoreReader> & { close(): Promise<void> });
}
