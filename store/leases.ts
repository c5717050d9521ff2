/** One owner per run. Lease row `l/<run>`: who, with which fence, and when it last gave a sign of life.
 *
 *  A claim compares the lease row it looked at with the one inside its own transaction and raises the fence in the
 *  same transaction, so of two claimants one wins, and an owner that wakes up late finds a higher fence and writes
 *  nothing. Crash of an owner: its row names a process that no longer exists, which anybody may take over at once. */

import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError } from '../machines/failure.ts';
import { type Database, headKey, leaseKey, type Reading, rowKey, type Writing } from './database.ts';
import { FencedError, type Lease, type LeaseState, type Owner, type RunHead } from './port.ts';

const HEARTBEAT_MS = 2_000;
/** Four missed heartbeats, on the clock of whoever watches: wall clocks jump and laptops sleep. */
export const SILENCE_MS = 8_000;
const LOOK_MS = 100;

export interface LeaseRow {
  fence: number;
  owner: Owner;
  /** Milliseconds since the epoch, always larger than the one before. */
  heartbeat: number;
}

/** The head, if this lease still owns the run. @throws FencedError */
export function ownedHead(tx: Reading, lease: Lease): RunHead {
  const head = tx.get<RunHead>(headKey(lease.run));
  const row = tx.get<LeaseRow>(leaseKey(lease.run));
  const owned = row?.fence === lease.fence && row.owner.instance === lease.owner.instance;
  if (!head || !owned || head.fence !== lease.fence) throw new FencedError(lease.run);
  return head;
}

export interface Leases {
  claim(run: string, options: { takeover?: boolean; signal?: AbortSignal }): Promise<Lease | null>;
  release(lease: Lease): Promise<void>;
  /** Inside the transaction that creates the run. */
  grant(tx: Writing, run: string, fence: number): void;
  /** Heartbeats from now on. */
  hold(lease: Lease): void;
  close(): Promise<void>;
}

/** @param silenceMs shorter in tests of the memory engine, where no process can hang. */
export function openLeases(database: Database, owner: Owner, silenceMs = SILENCE_MS): Leases {
  const held = new Map<string, Lease>();
  let timer: NodeJS.Timeout | undefined;
  let beating = false;

  async function beat(): Promise<void> {
    if (beating) return;
    beating = true;
    try {
      await database.transact(tx => {
        for (const lease of held.values()) {
          const row = tx.get<LeaseRow>(leaseKey(lease.run));
          if (row?.fence !== lease.fence || row.owner.instance !== owner.instance) held.delete(lease.run);
          else tx.put(leaseKey(lease.run), { ...row, heartbeat: Math.max(Date.now(), row.heartbeat + 1) });
        }
      });
    } catch {
      // the next commit of the run meets the same obstacle and reports it; without heartbeats nothing is lost
    } finally {
      beating = false;
    }
    stopWhenIdle();
  }

  function stopWhenIdle(): void {
    if (held.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  const read = (tx: Reading, run: string) => tx.get<LeaseRow>(leaseKey(run));

  /** True when the lease row stayed as it is for the whole time, or its owner died meanwhile. */
  async function silent(run: string, seen: LeaseRow, signal?: AbortSignal): Promise<boolean> {
    let watched = 0;
    let last = performance.now();
    while (watched < silenceMs) {
      await sleep(Math.min(LOOK_MS, silenceMs), undefined, signal ? { signal } : {});
      // a watcher that slept itself (Ctrl+Z, a paused machine) has not seen that time
      const now = performance.now();
      watched += Math.min(now - last, 5 * LOOK_MS);
      last = now;
      if (!same(read(database, run), seen)) return false;
      if (!database.alive(seen.owner)) return true;
    }
    return true;
  }

  /** Whether the owner may stand between two steps of a change to the world. Woken up later it would go on with it,
   *  unseen by any fence: a rename is not a commit. */
  const inTheMiddle = (run: string, owner: Owner): boolean =>
    database.range(rowKey(run, 'p/'), { limit: 1 }).length > 0 ||
    database.range<{ owner: Owner }>('t/').some(({ value }) => value.owner.instance === owner.instance);

  const leases: Leases = {
    async claim(run, { takeover = false, signal }) {
      signal?.throwIfAborted();
      const seen = read(database, run);
      if (seen && database.alive(seen.owner)) {
        if (!takeover || seen.owner.instance === owner.instance) return null;
        if (!(await silent(run, seen, signal))) return null;
        await database.unblock(seen.owner, inTheMiddle(run, seen.owner));
      }
      const lease = await database.transact(tx => {
        const head = tx.get<RunHead>(headKey(run));
        if (!head) {
          throw new LoomError(
            'terminal',
            'run_unknown',
            `There is no run ${run}; \`loom tasks\` lists them.`,
          );
        }
        if (!same(read(tx, run), seen)) return null;
        const fence = head.fence + 1;
        tx.put(headKey(run), { ...head, fence, active_ms: activeUntil(head, seen) });
        leases.grant(tx, run, fence);
        return { run, fence, owner };
      });
      if (lease) leases.hold(lease);
      return lease;
    },
    async release(lease) {
      if (held.get(lease.run)?.fence === lease.fence) held.delete(lease.run);
      stopWhenIdle();
      await database.transact(tx => {
        const row = read(tx, lease.run);
        const ours = row?.fence === lease.fence && row.owner.instance === lease.owner.instance;
        if (ours) tx.remove(leaseKey(lease.run));
      });
    },
    grant(tx, run, fence) {
      tx.put(leaseKey(run), { fence, owner, heartbeat: Date.now() } satisfies LeaseRow);
    },
    hold(lease) {
      held.set(lease.run, lease);
      timer ??= setInterval(() => void beat(), HEARTBEAT_MS).unref();
    },
    async close() {
      const rest = [...held.values()];
      held.clear();
      stopWhenIdle();
      for (const lease of rest) await leases.release(lease);
    },
  };
  return leases;
}

/** The last sign of life of an owner that died, instead of its last commit: a long call before its end took time, too. */
function activeUntil(head: RunHead, left: LeaseRow | undefined): number {
  const unrecorded = left && !head.parked ? left.heartbeat - Date.parse(head.updated_at) : 0;
  return (head.active_ms ?? 0) + Math.max(0, unrecorded);
}

export function leaseState(database: Database, run: string): LeaseState {
  const row = database.get<LeaseRow>(leaseKey(run));
  if (!row) return { state: 'free' };
  const { owner, heartbeat } = row;
  if (!database.alive(owner)) return { state: 'dead', owner };
  return { state: 'live', owner, heartbeat, stopped: database.stopped(owner) };
}

const same = (a: LeaseRow | undefined, b: LeaseRow | undefined): boolean =>
  a?.fence === b?.fence && a?.owner.instance === b?.owner.instance && a?.heartbeat === b?.heartbeat;
