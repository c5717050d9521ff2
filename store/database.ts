/** What the store's logic needs from an engine: an ordered map of JSON values with whole transactions. `memory.ts` and
 *  `lmdb.ts` are the two engines; everything above them (fences, leases, locks, inbox) is written once.
 *
 *  Keys, ordered by their UTF-8 bytes:
 *  `h/<run>` head · `l/<run>` lease · `r/<run>/<key>` row · `n/<run>` last inbox number · `u/<run>/<id>` command seen ·
 *  `g/<key>` global · `format` · `t/<workspace hash>/<n>` lock ticket. */

import { createHash } from 'node:crypto';
import { LoomError } from '../machines/failure.ts';
import type { Owner } from './port.ts';

export interface RangeOptions {
  /** Inclusive; with `reverse` the range goes down from here. */
  from?: string;
  limit?: number;
  reverse?: boolean;
}

export interface Entry<T = unknown> {
  key: string;
  value: T;
}

export interface Reading {
  get<T>(key: string): T | undefined;
  /** Every key that starts with `prefix`, materialised. */
  range<T>(prefix: string, options?: RangeOptions): Entry<T>[];
}

export interface Writing extends Reading {
  put(key: string, value: unknown): void;
  remove(key: string): void;
  /** Every key that starts with `prefix`, unread; the number of rows removed. */
  removeAll(prefix: string): number;
}

export interface Database extends Reading {
  /** As `range`, unparsed. */
  texts(prefix: string, options?: RangeOptions): Entry<string>[];
  /** '' for memory. */
  readonly home: string;
  /** What a look should wait for first: a store that has just appeared. */
  ready(): Promise<void> | null;
  /** All of it or nothing; on disk when it resolves. A throw in `write` rolls back and rejects with that error. */
  transact<T>(write: (tx: Writing) => T): Promise<T>;
  /** Calls back soon after anybody committed; returns how to stop. */
  watch(listener: () => void): () => void;
  /** Rejects when there is no room for a new run. */
  admit(): Promise<void>;
  /** False only when it is certain that the owner is gone. */
  alive(owner: Owner): boolean;
  stopped(owner: Owner): boolean;
  /** Ends a stopped process if it keeps others from writing, or in any case; to be killed is safe by contract. */
  unblock(owner: Owner, always?: boolean): Promise<void>;
  close(): Promise<void>;
}

export const headKey = (run: string): string => `h/${checkedRun(run)}`;
export const leaseKey = (run: string): string => `l/${checkedRun(run)}`;
export const rowKey = (run: string, key: string): string => `r/${checkedRun(run)}/${key}`;
export const inboxCounterKey = (run: string): string => `n/${checkedRun(run)}`;
export const commandSeenKey = (run: string, id: string): string => `u/${checkedRun(run)}/${id}`;
export const globalKey = (key: string): string => `g/${key}`;
/** Hashed, so that a path of any length makes a key. */
export const laneKey = (workspace: string): string =>
  `t/${createHash('sha256').update(workspace).digest('hex').slice(0, 32)}/`;

/** A `/` in a run id would let one run's rows appear in another's range. */
function checkedRun(run: string): string {
  if (/^[\w.-]{1,64}$/.test(run)) return run;
  throw new LoomError(
    'terminal',
    'run_id',
    `"${run}" is not a run id. Use letters, digits, "-", "_" and "."; \`loom tasks\` lists the runs.`,
  );
}
