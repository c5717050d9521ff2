/** Opening a store that somebody else is writing.
 *
 *  LMDB as shipped with lmdb 3.5.6 has a hole here: opening (to read, too) reads the number of the newest commit from
 *  the header and a moment later stores it in the shared lock file, without a lock (`mdb_env_open2`, `mti_txnid`). A
 *  commit in that moment is forgotten: the next writer starts from the state before it, acknowledged or not. Measured
 *  with `overlappingSync: false`: 4 of 40 writers lost an acknowledged commit in 13,925 openings to read; with the guards
 *  below, on the same machine at the same time, none of 40 in 6,139 (none of 136 in 28,255 altogether).
 *
 *  So an opener announces itself with a file in `opening/`, waits until the write lock is free, opens, and takes the
 *  file away. A writer that finds such a file, looking while it holds the write lock, writes nothing and tries again
 *  when it is gone. Either the opener sees the lock held, or the writer sees the file: no commit falls into the moment.
 *  Behind that stands a second guard, `commitNumberHolds`: no write begins from a number that is not the newest.
 *
 *  Crash of an opener: its file names its process; files of the dead are removed by writers. */

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newestCommit } from './damage.ts';
import type { Owner } from './port.ts';
import { currentOwner, ownerAlive } from './process-identity.ts';
import { writeLockHolder } from './write-lock.ts';

/** A commit takes milliseconds; one that takes longer is stopped or on a dying disk, and the second guard remains. */
const PATIENCE_MS = 2_000;
/** Where the lock does not tell its holder, a commit gets this long to end. */
const BLIND_MS = 30;
/** `mti_txnid`, behind magic and format. */
const COMMIT_NUMBER_AT = 8;

type Process = Omit<Owner, 'instance'>;

const folder = (path: string): string => join(path, 'opening');

/** Processes that are opening the store right now; the marks of dead ones are cleared away. */
export function openers(path: string): Process[] {
  let names: string[];
  try {
    names = readdirSync(folder(path));
  } catch {
    return [];
  }
  return names.flatMap(name => {
    const [pid, started = '', boot = ''] = name.split('~');
    const opener = { pid: Number(pid), started, boot };
    if (ownerAlive(opener)) return [opener];
    rmSync(join(folder(path), name), { force: true });
    return [];
  });
}

/** Resolves when nobody is opening the store. */
export async function openersGone(path: string): Promise<void> {
  while (openers(path).length > 0) await sleep(1);
}

/** Runs `open` at a moment in which nobody commits, and nobody begins to until it has settled.
 *  @param open gets whether others are opening the store too */
export async function besideWriters<T>(
  path: string,
  lockFile: number | null,
  open: (others: () => boolean) => T | Promise<T>,
): Promise<T> {
  const endTurn = await takeTurn(path);
  const mark = announce(path);
  try {
    const since = performance.now();
    for (;;) {
      const holder = writeLockHolder(lockFile);
      if (holder === 'unknown') await sleep(BLIND_MS);
      const wait = holder !== null && holder !== 'unknown' && !holder.stopped;
      if (!wait || performance.now() - since > PATIENCE_MS) break;
      await sleep(1);
    }
    return await open(() => openers(path).length > (mark === null ? 0 : 1));
  } finally {
    if (mark !== null) rmSync(mark, { force: true });
    endTurn();
  }
}

/** Stores whose turn this process has; an opening inside an opening needs no turn of its own. */
const turns = new Set<string>();

/** Runs `close` in a turn of its own: the last process that closes a store destroys the mutexes in the lock file while
 *  it keeps others from opening; whoever waits there finds them destroyed, cannot read (EINVAL), and cannot get rid of
 *  what it opened. Who waits for the turn instead comes upon a lock file that nobody holds, and makes it anew. */
export async function closeInTurn(path: string, close: () => Promise<unknown>): Promise<void> {
  const endTurn = await takeTurn(path);
  try {
    await close();
  } finally {
    endTurn();
  }
}

/** The same at the end of the process, where nothing can be waited for but in place. */
export function closeInTurnAtExit(path: string, close: () => void): void {
  const rest = new Int32Array(new SharedArrayBuffer(4));
  const turn = applyForTurn(path);
  let endTurn = turn.look();
  while (endTurn === null) {
    Atomics.wait(rest, 0, 0, 1);
    endTurn = turn.look();
  }
  try {
    close();
  } finally {
    endTurn();
  }
}

async function takeTurn(path: string): Promise<() => void> {
  const turn = applyForTurn(path);
  let endTurn = turn.look();
  while (endTurn === null) {
    await sleep(1);
    endTurn = turn.look();
  }
  return endTurn;
}

/** One opener or closer at a time. Two that come upon a lock file whose maker was killed in the middle would each keep
 *  the other from making it anew, and LMDB does not recover from that within a process. Patience is bounded: a turn is a
 *  help, the marks and `commitNumberHolds` are what guards commits. `look` answers null while it is somebody else's turn. */
function applyForTurn(path: string): { look(): (() => void) | null } {
  const nothing = (): void => {};
  const file = join(path, 'opening.turn');
  const { pid, started, boot } = currentOwner('');
  const mine = `${file}.${randomUUID()}`;
  const since = performance.now();
  let written = false;

  function look(): (() => void) | null {
    if (turns.has(path)) return nothing;
    try {
      if (!written) writeFileSync(mine, [pid, started, boot].join('~'), { mode: 0o600 });
      written = true;
      // a link appears with its contents or not at all
      if (linked(mine, file)) {
        turns.add(path);
        return () => {
          turns.delete(path);
          rmSync(file, { force: true });
        };
      }
      if (performance.now() - since > PATIENCE_MS) return nothing;
      if (!holderAlive(file)) rmSync(file, { force: true });
      return null;
    } catch {
      // nothing can be written here: see `announce`
      return nothing;
    }
  }

  return {
    look() {
      const endTurn = look();
      if (endTurn !== null && written) rmSync(mine, { force: true });
      return endTurn;
    },
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderAlive(file: string): boolean {
  try {
    const [pid, started = '', boot = ''] = readFileSync(file, 'utf8').split('~');
    return ownerAlive({ pid: Number(pid), started, boot });
  } catch {
    // it has just gone
    return true;
  }
}

/** null where nothing can be written: LMDB then leaves the lock file alone as well, or the disk is full and so nobody
 *  commits. */
function announce(path: string): string | null {
  const { pid, started, boot } = currentOwner('');
  const mark = join(folder(path), [pid, started, boot, randomUUID()].join('~'));
  try {
    mkdirSync(folder(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(mark, 'wx', 0o600));
    return mark;
  } catch {
    return null;
  }
}

/** Inside a write: whether it began from the newest commit. If not, the number in the lock file is put right, and the
 *  write must be given up and begun again.
 *  @param lockFile open for writing, @param dataFile open for reading */
export function commitNumberHolds(lockFile: number, dataFile: number): boolean {
  const newest = newestCommit(dataFile);
  const shared = Buffer.alloc(8);
  if (newest === null || readSync(lockFile, shared, 0, 8, COMMIT_NUMBER_AT) < 8) return true;
  if (shared.readBigUInt64LE() === newest) return true;
  shareCommitNumber(lockFile, newest);
  return false;
}

/** Number of the commit that a read would see now; null where it cannot be told. */
export function readableCommit(lockFile: number): number | null {
  const shared = Buffer.alloc(8);
  if (readSync(lockFile, shared, 0, 8, COMMIT_NUMBER_AT) < 8) return null;
  return Number(shared.readBigUInt64LE());
}

/** Inside a write: the number from which the next one begins. */
export function shareCommitNumber(lockFile: number, number: bigint): void {
  const shared = Buffer.alloc(8);
  shared.writeBigUInt64LE(number);
  writeSync(lockFile, shared, 0, 8, COMMIT_NUMBER_AT);
}
