/** No commit is forgotten because somebody opens the store: LMDB stores the number of the newest commit at every
 *  opening, read a moment before. Each guard against that is tested alone, without relying on luck. */

import { closeSync, mkdirSync, openSync, readdirSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbReader } from '../../store/lmdb.ts';
import type { Lease } from '../../store/port.ts';
import { currentOwner } from '../../store/process-identity.ts';
import { verifyStore } from '../../store/verify.ts';
import { DEEP } from '../support/lanes.ts';
import { type StoreProcess, type StoreProcesses, storeProcesses } from '../support/store-processes.ts';

let processes: StoreProcesses;
let writer: StoreProcess;
let lease: Lease;
beforeEach(async () => {
  processes = storeProcesses(await mkdtemp(join(tmpdir(), 'loom-opening-')));
  writer = await processes.start();
  lease = await writer.call<Lease>('create', 'r1');
  await writer.call('commit', lease, 0, 'a/0', 'first');
});
afterEach(() => processes.end());

const folder = () => join(processes.home, 'store', 'opening');
const mark = (process: { pid: number; started: string; boot: string }): string => {
  const name = join(folder(), [process.pid, process.started, process.boot, 'test'].join('~'));
  mkdirSync(folder(), { recursive: true });
  writeFileSync(name, '');
  return name;
};
const soon = <T>(work: Promise<T>, milliseconds: number) =>
  Promise.race([work.then(() => 'done'), new Promise<string>(r => setTimeout(r, milliseconds, 'waits'))]);

/** What an opening does to the shared number when a commit falls into it. */
function setBack(): void {
  const file = openSync(join(processes.home, 'store', 'lock.mdb'), 'r+');
  const number = Buffer.alloc(8);
  readSync(file, number, 0, 8, 8);
  number.writeBigUInt64LE(number.readBigUInt64LE() - 1n);
  writeSync(file, number, 0, 8, 8);
  closeSync(file);
}

describe('a writer', () => {
  it('begins from the newest commit even when the shared number was set back', async () => {
    for (let rev = 1; rev < 20; rev++) {
      setBack();
      await writer.call('commit', lease, rev, `a/${rev}`, rev);
    }
    expect(await writer.call('head', 'r1')).toMatchObject({ rev: 20 });
    const reader = await openLmdbReader(processes.home);
    expect(await reader.range('r1', 'a/')).toHaveLength(20);
    expect((await verifyStore(reader)).problems).toEqual([]);
    await reader.close();
  });

  it('writes nothing while somebody opens the store, and goes on at once afterwards', async () => {
    const name = mark(currentOwner(''));
    const writing = writer.call('commit', lease, 1, 'a/1', 'second');
    expect(await soon(writing, 200)).toBe('waits');
    expect(await writer.call('head', 'r1')).toMatchObject({ rev: 1 });
    await rm(name);
    expect(await soon(writing, 5_000)).toBe('done');
    expect(await writer.call('head', 'r1')).toMatchObject({ rev: 2 });
  });

  it('does not wait for an opener that died, and clears its mark', async () => {
    mark({ ...currentOwner(''), started: '1' });
    expect(await soon(writer.call('commit', lease, 1, 'a/1', 'second'), 5_000)).toBe('done');
    expect(readdirSync(folder())).toEqual([]);
  });

  it('says which stopped opener it waits for', async () => {
    const opener = await processes.start({ open: false });
    const name = mark(await opener.call('identity'));
    opener.signal('SIGSTOP');
    const writing = writer.call('commit', lease, 1, 'a/1', 'second');
    await expect
      .poll(() => writer.stderr(), { timeout: 8_000 })
      .toContain(`Process ${opener.pid} was stopped`);
    expect(await soon(writing, 10)).toBe('waits');
    await opener.kill();
    expect(await soon(writing, 5_000)).toBe('done');
    expect(readdirSync(folder())).not.toContain(name);
  });
});

describe.each([
  ['a reader', true],
  ['another writer', false],
])('%s that opens the store', (_, readOnly) => {
  it('waits for the write that is under way', async () => {
    const opener = await processes.start({ open: false });
    const writing = writer.call('writeSlowly', 400);
    await new Promise(resolve => setTimeout(resolve, 100));
    const began = performance.now();
    await opener.call('openAndClose', readOnly);
    expect(performance.now() - began).toBeGreaterThan(200);
    await writing;
    expect(readdirSync(folder())).toEqual([]);
  });
});

describe('a process that closes the store', () => {
  const turn = () => join(processes.home, 'store', 'opening.turn');

  it('waits while somebody else opens it: the last one to close takes the mutexes with it', async () => {
    const { pid, started, boot } = currentOwner('');
    writeFileSync(turn(), [pid, started, boot].join('~'));
    const closing = writer.call('close');
    expect(await soon(closing, 300)).toBe('waits');
    await rm(turn());
    expect(await soon(closing, 5_000)).toBe('done');
  });

  it('never leaves another one with a lock file that nobody can use', async () => {
    await writer.call('close');
    const others = await Promise.all([0, 1, 2].map(() => processes.start({ open: false })));
    const rounds = DEEP ? 600 : 60;
    const loops = others.map(async (other, i) => {
      for (let n = 0; n < rounds; n++) expect(await other.call('openAndClose', i < 2)).toBe(1);
    });
    await Promise.all(loops);
    expect(readdirSync(folder())).toEqual([]);
  });

  it('by ending does the same', async () => {
    await writer.call('close');
    const other = await processes.start({ open: false });
    const leavers = (async () => {
      for (let n = 0; n < (DEEP ? 40 : 6); n++) {
        const leaver = await processes.start();
        await leaver.call('exit').catch(() => {});
      }
    })();
    let left = false;
    void leavers.then(() => (left = true));
    while (!left) expect(await other.call('openAndClose', true)).toBe(1);
    await leavers;
  });
});

it('an empty data file, left by a process killed while it made the store, is no store yet', async () => {
  const home = await mkdtemp(join(tmpdir(), 'loom-opening-'));
  mkdirSync(join(home, 'store'), { recursive: true });
  writeFileSync(join(home, 'store', 'data.mdb'), '');
  const fresh = storeProcesses(home);
  const reader = await fresh.start({ open: false });
  expect(await reader.call('openAndClose', true)).toBe(0);
  expect(await reader.call('openAndClose', false)).toBe(0);
  await fresh.end();
});
