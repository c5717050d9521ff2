/** Who holds LMDB's write lock. A process stopped inside it (Ctrl+Z, SIGSTOP) blocks every other writer for ever, so we
 *  look before we queue behind it.
 *
 *  On Linux the lock is a robust pthread mutex in `lock.mdb`; its first word is the thread id of the holder, 0 when
 *  free. The file is read, never locked. One trap: closing any descriptor of a file drops this process's POSIX locks
 *  on it, and LMDB relies on one. So the descriptor is opened before the environment and closed after it. */

import { openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError } from '../machines/failure.ts';
import type { Owner } from './port.ts';
import { currentBoot, ownerAlive, startedAt } from './process-identity.ts';

/** Offset of the write mutex: the first block of the lock file is padded to one cache line, and is longer on arm64. */
const OFFSETS: Partial<Record<NodeJS.Architecture, number>> = { x64: 64, arm64: 128 };
const MAGIC = 0xbeefc0de;
/** glibc's `__kind`, 16 bytes behind the lock word: robust, shared between processes. Other libraries differ here. */
const KIND = 0x90;
/** Left behind by the last process that closed the store. */
const DESTROYED = 0xffffffff;
/** Upper bits of the word say "somebody waits" and "owner died". */
const TID = 0x3fffffff;

/** How long an opening waits for a stopped holder to go on. */
const PATIENCE_MS = 2_000;

export interface Holder {
  pid: number;
  stopped: boolean;
}

/** null where there is no lock file yet or it cannot be opened. */
export function openLockFile(path: string): number | null {
  try {
    return openSync(path, 'r+');
  } catch {
    return null;
  }
}

/** null: nobody, or somebody who died (the lock recovers by itself) · `unknown`: this system does not tell. */
export function writeLockHolder(lockFile: number | null): Holder | null | 'unknown' {
  const offset = OFFSETS[process.arch];
  if (lockFile === null) return null;
  if (process.platform !== 'linux' || offset === undefined) return 'unknown';
  const head = Buffer.alloc(offset + 20);
  if (readSync(lockFile, head, 0, head.length, 0) < head.length) return null;
  const kind = head.readUInt32LE(offset + 16);
  if (kind === DESTROYED) return null;
  if (head.readUInt32LE(0) !== MAGIC || kind !== KIND) return 'unknown';
  const thread = head.readUInt32LE(offset) & TID;
  if (thread === 0) return null;
  try {
    const status = readFileSync(`/proc/${thread}/status`, 'utf8');
    const pid = Number(/^Tgid:\s*(\d+)/m.exec(status)?.[1]);
    return { pid, stopped: /^State:\s*[Tt]/m.test(status) };
  } catch {
    return null;
  }
}

export function stoppedHolder(pid: number, path: string): LoomError {
  return new LoomError(
    'retryable',
    'store_holder_stopped',
    `Process ${pid} was stopped while it held the store ${path}, and nobody can write until it goes on. Continue it (fg, or kill -CONT ${pid}) or end it (kill -9 ${pid}; nothing that was recorded is lost), then try again.`,
    { pid, path },
  );
}

/** Resolves when no stopped process stands in the way of a writer.
 *  @param suspect the stopped pid that may hold the lock right now, null when there is none
 *  @param killAfterMs with a number, the holder is killed once it was stopped that long; it is safe by contract
 *  @throws LoomError `store_holder_stopped` after 2 s */
export async function awaitWriters(
  path: string,
  suspect: () => number | null,
  killAfterMs?: number,
): Promise<void> {
  const since = performance.now();
  for (let pid = suspect(); pid !== null; pid = suspect()) {
    const waited = performance.now() - since;
    if (killAfterMs !== undefined && waited >= killAfterMs) {
      await endProcess({ pid, started: startedAt(pid), boot: currentBoot() });
      return;
    }
    if (killAfterMs === undefined && waited >= PATIENCE_MS) throw stoppedHolder(pid, path);
    await sleep(50);
  }
}

/** SIGKILL, then waits up to 2 s for the process to be gone. */
export async function endProcess(owner: Omit<Owner, 'instance'>): Promise<void> {
  try {
    process.kill(owner.pid, 'SIGKILL');
  } catch {
    return;
  }
  const since = performance.now();
  while (ownerAlive(owner) && performance.now() - since < 2_000) await sleep(5);
}
