/** One exclusive lock per workspace, first come first served, across runs and processes.
 *
 *  Ticket rows `t/<workspace hash>/<n>`, numbered inside the transaction that writes them. The holder is the lowest
 *  ticket whose process is alive. Death is final (pid, start time, boot id), so a dead holder's ticket is skipped
 *  without a vote once the children it left behind are ended, and cleared by whoever holds the lock next. A release that cannot be written (disk full)
 *  takes effect inside this process at once, is tried again, and in the worst case ends with the process. */

import { randomUUID } from 'node:crypto';
import { LoomError } from '../machines/failure.ts';
import { type Database, type Entry, laneKey } from './database.ts';
import { type Owner, seqKey, type WorkspaceLocks } from './port.ts';
import { killSurvivors } from './survivors.ts';

/** Waiters are woken by commits; this is for what no commit announces: a holder that died. */
const LOOK_MS = 250;
const RETRY_MS = 1_000;
/** A stopped holder gets as long as a silent owner before a waiter gives up with a reason. */
const STOPPED_MS = 8_000;

interface Ticket {
  id: string;
  workspace: string;
  /** Run or subtask, for people. */
  holder: string;
  owner: Owner;
}

export interface Locks extends WorkspaceLocks {
  close(): Promise<void>;
}

export function openLocks(database: Database, owner: Owner): Locks {
  const mine = new Map<string, Ticket>();
  /** Given back here, though the row may still stand. */
  const released = new Set<string>();
  const waiters = new Set<() => void>();
  /** Dead owners whose children were ended, by instance. */
  const buried = new Set<string>();
  let closed = false;

  async function drop(key: string, ticket: Ticket): Promise<void> {
    mine.delete(key);
    released.add(ticket.id);
    for (const wake of waiters) wake();
    try {
      await database.transact(tx => {
        if (tx.get<Ticket>(key)?.id === ticket.id) tx.remove(key);
      });
      released.delete(ticket.id);
    } catch {
      if (!closed) setTimeout(() => void drop(key, ticket), RETRY_MS).unref();
    }
  }

  function ahead(lane: string, key: string): Entry<Ticket>[] {
    const earlier = database
      .range<Ticket>(lane)
      .filter(({ key: other, value }) => other < key && !released.has(value.id));
    const living = earlier.filter(({ value }) => database.alive(value.owner));
    for (const { value } of earlier) {
      if (living.some(entry => entry.value === value) || buried.has(value.owner.instance)) continue;
      buried.add(value.owner.instance);
      killSurvivors(database, value.owner);
    }
    return living;
  }

  /** Whoever holds the lock clears the tickets of the dead before it. */
  async function sweep(lane: string, key: string): Promise<void> {
    const dead = database
      .range<Ticket>(lane)
      .filter(entry => entry.key < key && !released.has(entry.value.id));
    if (dead.length === 0) return;
    await database.transact(tx => {
      for (const { key: old } of dead) tx.remove(old);
    });
  }

  function turn(lane: string, key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let stoppedSince = 0;
      const look = (): void => {
        try {
          const [first] = ahead(lane, key);
          if (!first) {
            settle(resolve);
            return;
          }
          stoppedSince = database.stopped(first.value.owner) ? stoppedSince || performance.now() : 0;
          if (stoppedSince && performance.now() - stoppedSince > STOPPED_MS) {
            settle(() => reject(stoppedHolder(first.value)));
          }
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const aborted = (): void => settle(() => reject(signal.reason));
      const timer = setInterval(look, LOOK_MS);
      const unwatch = database.watch(look);
      function settle(end: () => void): void {
        clearInterval(timer);
        unwatch();
        waiters.delete(look);
        signal.removeEventListener('abort', aborted);
        end();
      }
      waiters.add(look);
      signal.addEventListener('abort', aborted);
      look();
    });
  }

  return {
    async acquire(workspace, holder, { signal, onWait }) {
      signal.throwIfAborted();
      const lane = laneKey(workspace);
      const ticket: Ticket = { id: randomUUID(), workspace, holder, owner };
      const key = await database.transact(tx => {
        const tickets = tx.range<Ticket>(lane);
        const last = tickets.at(-1)?.key.slice(lane.length) ?? '0';
        const next = lane + seqKey(Number(last) + 1);
        tx.put(next, ticket);
        return next;
      });
      mine.set(key, ticket);
      try {
        signal.throwIfAborted();
        if (ahead(lane, key).length > 0) {
          onWait?.();
          await turn(lane, key, signal);
        }
        await sweep(lane, key);
      } catch (error) {
        void drop(key, ticket);
        throw error;
      }
      let done: Promise<void> | undefined;
      return () => (done ??= drop(key, ticket));
    },
    async close() {
      closed = true;
      for (const [key, ticket] of [...mine]) await drop(key, ticket);
    },
  };
}

function stoppedHolder({ owner, workspace }: Ticket): LoomError {
  return new LoomError(
    'retryable',
    'lock_holder_stopped',
    `Process ${owner.pid} holds the lock on ${workspace} and is stopped. Continue it (fg, or kill -CONT ${owner.pid}) or end it (kill -9 ${owner.pid}), then try again.`,
    { pid: owner.pid, workspace },
  );
}
