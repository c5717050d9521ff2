/** The store in memory: the engine of fast tests and of the explorer. Several handles on one `MemoryDatabase` behave
 *  like several processes on one home, each with its own identity; `end` and `stop` do to a handle what SIGKILL and
 *  SIGSTOP do to a process. Values are kept as JSON text, so what JSON cannot carry is lost here as on disk. */

import { randomUUID } from 'node:crypto';
import type { Database, Entry, RangeOptions, Writing } from './database.ts';
import type { Owner, Store } from './port.ts';
import { currentOwner } from './process-identity.ts';
import { extended, storeOver } from './store.ts';

type Fate = 'running' | 'stopped' | 'ended' | 'closed';

export interface MemoryDatabase {
  /** Sorted by code points. */
  keys: string[];
  values: Map<string, string>;
  listeners: Set<() => void>;
  /** What became of each handle, by instance. */
  fates: Map<string, Fate>;
  /** Transactions of stopped handles. */
  proceeding: Set<() => void>;
}

export interface MemoryStore extends Store {
  readonly database: MemoryDatabase;
  /** As if the process was killed: it writes nothing more and its leases and locks belong to nobody. */
  end(): void;
  /** As if the process was stopped: no heartbeats, nothing moves until `proceed`. */
  stop(): void;
  proceed(): void;
}

export interface MemoryStoreOptions {
  /** Share one database between handles. */
  database?: MemoryDatabase;
  /** How long a live owner must be silent before a takeover. */
  silenceMs?: number;
}

export const memoryDatabase = (): MemoryDatabase => ({
  keys: [],
  values: new Map(),
  listeners: new Set(),
  fates: new Map(),
  proceeding: new Set(),
});

/** Code-point order is the order of UTF-8 bytes; plain `<` differs where surrogates meet U+E000 and above. */
function before(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) < rank(y);
  }
  return a.length < b.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** Index of the first key that is not before `key`. */
function position(keys: string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(keys[middle]!, key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function put({ keys, values }: MemoryDatabase, key: string, text: string): void {
  if (!values.has(key)) keys.splice(position(keys, key), 0, key);
  values.set(key, text);
}

function remove({ keys, values }: MemoryDatabase, key: string): void {
  if (values.delete(key)) keys.splice(position(keys, key), 1);
}

function engine(database: MemoryDatabase, owner: Owner): Database {
  const { keys, values } = database;
  const watching = new Set<() => void>();

  function texts(
    prefix: string,
    { from, limit = Number.POSITIVE_INFINITY, reverse = false }: RangeOptions = {},
  ): Entry<string>[] {
    const found: Entry<string>[] = [];
    const step = reverse ? -1 : 1;
    let i = position(keys, from !== undefined && before(prefix, from) ? from : prefix);
    if (reverse) {
      const last = from ?? `${prefix}\u{10ffff}`;
      i = position(keys, last);
      if (keys[i] !== last) i -= 1;
    }
    for (; found.length < limit; i += step) {
      const key = keys[i];
      if (key === undefined || !key.startsWith(prefix)) break;
      found.push({ key, value: values.get(key)! });
    }
    return found;
  }

  const writing: Writing = {
    get<T>(key: string) {
      const text = values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    range: <T>(prefix: string, options?: RangeOptions) =>
      texts(prefix, options).map(({ key, value }) => ({ key, value: JSON.parse(value) as T })),
    put: (key, value) => put(database, key, JSON.stringify(value)),
    remove: key => remove(database, key),
    removeAll(prefix) {
      const found = texts(prefix);
      for (const { key } of found) this.remove(key);
      return found.length;
    },
  };

  /** Keeps the text of every key before its first change, so that a throw leaves no trace. */
  function recording(before: Map<string, string | undefined>): Writing {
    const note = (key: string): void => {
      if (!before.has(key)) before.set(key, values.get(key));
    };
    return {
      ...writing,
      put(key, value) {
        note(key);
        writing.put(key, value);
      },
      remove(key) {
        note(key);
        writing.remove(key);
      },
    };
  }

  return {
    ...writing,
    texts,
    home: '',
    ready: () => null,
    async transact(write) {
      await null;
      const fate = () => database.fates.get(owner.instance);
      while (fate() === 'stopped') await new Promise<void>(resolve => database.proceeding.add(resolve));
      if (fate() === 'closed') throw new Error('the store is closed');
      // a killed process neither succeeds nor fails: it is simply not there any more
      if (fate() === 'ended') return new Promise(() => {});
      const undo = new Map<string, string | undefined>();
      try {
        const result = write(recording(undo));
        for (const listener of database.listeners) setImmediate(listener);
        return result;
      } catch (error) {
        for (const [key, text] of undo) text === undefined ? remove(database, key) : put(database, key, text);
        throw error;
      }
    },
    watch(listener) {
      database.listeners.add(listener);
      watching.add(listener);
      return () => {
        database.listeners.delete(listener);
        watching.delete(listener);
      };
    },
    async admit() {},
    alive: other => ['running', 'stopped'].includes(database.fates.get(other.instance) ?? ''),
    stopped: other => database.fates.get(other.instance) === 'stopped',
    async unblock() {},
    async close() {
      for (const listener of watching) database.listeners.delete(listener);
      database.fates.set(owner.instance, 'closed');
    },
  };
}

/** A store that lives as long as its database object. */
export function openMemoryStore({
  database = memoryDatabase(),
  silenceMs,
}: MemoryStoreOptions = {}): MemoryStore {
  const owner = currentOwner(randomUUID());
  database.fates.set(owner.instance, 'running');
  const become = (fate: Fate): void => void database.fates.set(owner.instance, fate);
  return extended(storeOver(engine(database, owner), owner, silenceMs), {
    database,
    end: () => become('ended'),
    stop: () => become('stopped'),
    proceed() {
      become('running');
      for (const resume of database.proceeding) resume();
      database.proceeding.clear();
    },
  });
}
