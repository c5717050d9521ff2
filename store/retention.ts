/** `[retention]`: at most once a day, at the end of a run, finished runs older than `days` go, and then the oldest ones
 *  until all of them take less than `max_mb`. Bounded in time: what is not done within it is done another day.
 *
 *  The day is claimed in a transaction before anything is removed, so of two processes one does it, and a crash costs a
 *  day at most. Unfinished runs are never looked at; one finished less than a day ago never goes for its size. */

import { join } from 'node:path';
import { blobFiles } from './blob-files.ts';
import type { Config } from './config.ts';
import { globalKey } from './database.ts';
import { FencedError, type RunHead, type Store } from './port.ts';
import { collect, isFinished, removeRun, sizeOfRun } from './purge.ts';
import { databaseOf } from './store.ts';

export interface Retained {
  runs: string[];
  blobs: number;
  bytes: number;
  /** False when the time was over first. */
  complete: boolean;
}

export interface RetentionOptions {
  /** How long it may take. */
  budgetMs?: number;
  /** Milliseconds since the epoch. */
  now?: number;
}

interface State {
  at: number;
  /** Bytes by finished run: they do not change any more, and need not be counted again. */
  sizes: Record<string, number>;
}

const DAY_MS = 86_400_000;
const BUDGET_MS = 2_000;
const KEY = 'retention';

/** null when it was done today already, or nothing is to be done. */
export async function applyRetention(
  store: Store,
  home: string,
  { days, max_mb }: Config['retention'],
  { budgetMs = BUDGET_MS, now = Date.now() }: RetentionOptions = {},
): Promise<Retained | null> {
  if (days === 0 && max_mb === 0) return null;
  const state = await claimDay(store, now);
  if (!state) return null;
  const deadline = performance.now() + budgetMs;
  const finished = (await store.runs()).filter(isFinished).sort(byEnd);
  const done: Retained = { runs: [], blobs: 0, bytes: 0, complete: true };

  const late = (): boolean => {
    if (performance.now() <= deadline) return false;
    done.complete = false;
    return true;
  };
  const remove = async ({ id }: RunHead): Promise<void> => {
    if (await removed(store, id)) done.runs.push(id);
    delete state.sizes[id];
  };
  const isOld = (head: RunHead, age: number): boolean => Date.parse(head.updated_at) < now - age;

  const expired = days === 0 ? [] : finished.filter(head => isOld(head, days * DAY_MS));
  for (const head of expired) {
    if (late()) break;
    await remove(head);
  }
  if (max_mb > 0 && !late()) {
    const rest = finished.filter(head => !done.runs.includes(head.id));
    let total = await measure(store, home, rest, state, late);
    for (const head of rest) {
      if (total <= max_mb * 1_048_576 || late()) break;
      if (!isOld(head, DAY_MS)) continue;
      total -= state.sizes[head.id] ?? 0;
      await remove(head);
    }
  }
  const collected = await collect(store, home, { deadline, now });
  await store.putGlobal(KEY, state);
  return {
    ...done,
    blobs: collected.blobs,
    bytes: collected.bytes,
    complete: done.complete && collected.complete,
  };
}

const byEnd = (a: RunHead, b: RunHead): number => (a.updated_at < b.updated_at ? -1 : 1);

async function claimDay(store: Store, now: number): Promise<State | null> {
  return databaseOf(store).transact(tx => {
    const state = tx.get<State>(globalKey(KEY)) ?? { at: 0, sizes: {} };
    // a clock that was set back must not switch retention off
    if (now - state.at < DAY_MS && now >= state.at) return null;
    const next = { ...state, at: now };
    tx.put(globalKey(KEY), next);
    return next;
  });
}

async function removed(store: Store, run: string): Promise<boolean> {
  const lease = await store.claim(run);
  if (!lease) return false;
  try {
    await removeRun(store, lease);
    return true;
  } catch (error) {
    if (error instanceof FencedError) return false;
    throw error;
  }
}

/** Bytes of these runs as far as the time allows; what was counted is remembered. */
async function measure(
  store: Store,
  home: string,
  heads: RunHead[],
  state: State,
  late: () => boolean,
): Promise<number> {
  const blobs = new Map<string, number>();
  for await (const { sha256, size } of blobFiles(join(home, 'blobs'))) blobs.set(sha256, size);
  const sizes: Record<string, number> = {};
  let total = 0;
  for (const { id } of heads) {
    const known = state.sizes[id];
    if (known === undefined && late()) continue;
    sizes[id] = known ?? (await sizeOfRun(store, home, id, blobs));
    total += sizes[id];
  }
  state.sizes = sizes;
  return total;
}
