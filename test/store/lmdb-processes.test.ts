/** Several processes, one store: who owns a run, what happens to a killed or stopped owner, and that nobody hangs. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openLmdbReader, openLmdbStore } from '../../store/lmdb.ts';
import type { Lease } from '../../store/port.ts';
import { currentBoot, ownerAlive, ownerStopped, startedAt } from '../../store/process-identity.ts';
import { type StoreProcess, type StoreProcesses, storeProcesses } from '../support/store-processes.ts';

/** Tests that wait for a lease to run out do so side by side, each in a home of its own. */
function shared(name: string, work: (processes: StoreProcesses) => Promise<void>): void {
  it.concurrent(name, { timeout: 40_000 }, async () => {
    const processes = storeProcesses();
    try {
      await work(processes);
    } finally {
      await processes.end();
    }
  });
}

const owner = (process: StoreProcess) => ({
  pid: process.pid,
  started: startedAt(process.pid),
  boot: currentBoot(),
});

async function until(condition: () => boolean | Promise<boolean>, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`condition not met within ${milliseconds} ms`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

async function stop(process: StoreProcess): Promise<void> {
  const identity = owner(process);
  process.signal('SIGSTOP');
  await until(() => ownerStopped(identity));
}

async function stopInsideWrite(process: StoreProcess): Promise<void> {
  const identity = owner(process);
  void process.call('stopInsideWrite').catch(() => {});
  await until(() => ownerStopped(identity));
}

const timed = async <T>(work: Promise<T>): Promise<{ result: T; ms: number }> => {
  const began = performance.now();
  const result = await work;
  return { result, ms: performance.now() - began };
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { code?: string; failure?: { code: string } }) => error.code ?? error.failure?.code,
  );

describe('a run', () => {
  shared('has one owner among processes that claim it at once', async processes => {
    const [a, b, c] = await Promise.all([processes.start(), processes.start(), processes.start()]);
    const lease = await a.call<Lease>('create', 'r1');
    await a.call('close');
    const claims = await Promise.all([
      b.call<Lease | null>('claim', 'r1'),
      c.call<Lease | null>('claim', 'r1'),
    ]);
    const won = claims.filter(claim => claim !== null);
    expect(won).toHaveLength(1);
    expect(won[0]!.fence).toBe(lease.fence + 1);
  });

  shared('of a killed owner is claimed at once, with everything it had committed', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    const lease = await a.call<Lease>('create', 'r1');
    await a.call('commit', lease, 0, 'a/x', 'committed');
    expect(await b.call('claim', 'r1', {})).toBeNull();
    await a.kill();
    expect(await b.call('lease', 'r1')).toMatchObject({ state: 'dead' });
    const { result, ms } = await timed(b.call<Lease>('claim', 'r1', {}));
    expect(result.fence).toBe(2);
    expect(ms).toBeLessThan(3_000);
    expect(await b.call('get', 'r1', 'a/x')).toBe('committed');
  });

  shared('of a process killed inside the write lock is claimed at once', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    await a.call('create', 'r1');
    await stopInsideWrite(a);
    await a.kill();
    const { result, ms } = await timed(b.call<Lease>('claim', 'r1', {}));
    expect(result.fence).toBe(2);
    expect(ms).toBeLessThan(3_000);
  });

  shared(
    'of a stopped owner is taken over after 8 s, and the owner is refused when it wakes up',
    async processes => {
      const [a, b] = [await processes.start(), await processes.start()];
      const old = await a.call<Lease>('create', 'r1');
      await stop(a);
      expect(await b.call('lease', 'r1')).toMatchObject({ state: 'live', stopped: true });
      const { result, ms } = await timed(b.call<Lease>('claim', 'r1', { takeover: true }));
      expect(result.fence).toBe(2);
      expect(ms).toBeGreaterThan(7_900);
      expect(ms).toBeLessThan(15_000);
      a.signal('SIGCONT');
      await expect(a.call('commit', old, 0, 'a/x', 'late')).rejects.toMatchObject({ name: 'FencedError' });
      expect(await b.call('get', 'r1', 'a/x')).toBeNull();
      await b.call('commit', result, 0, 'a/x', 'mine');
    },
  );

  shared('of an owner with heartbeats is not taken over', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    await a.call('create', 'r1');
    const { result, ms } = await timed(b.call('claim', 'r1', { takeover: true }));
    expect(result).toBeNull();
    expect(ms).toBeLessThan(7_000);
  });

  shared('receives commands from another process, and its owner sees them soon', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    await a.call('create', 'r1');
    const reader = await openLmdbReader(processes.home);
    const seen = new Promise<number>(resolve => {
      reader.watch(
        () => void reader.range('r1', 'i/').then(rows => rows.length > 0 && resolve(performance.now())),
      );
    });
    const sent = performance.now();
    await b.call('send', 'r1', 'c1');
    expect((await seen) - sent).toBeLessThan(3_000);
    await reader.close();
  });
});

describe('a process stopped inside the write lock', () => {
  shared('makes another opening fail with its pid after 2 s, while readers go on', async processes => {
    const a = await processes.start();
    await a.call('create', 'r1');
    await stopInsideWrite(a);
    const b = await processes.start({ open: false });
    const { result, ms } = await timed(b.call('open', {}).catch((error: Error) => error));
    expect(result).toMatchObject({ code: 'store_holder_stopped' });
    expect((result as Error).message).toContain(`kill -CONT ${a.pid}`);
    expect(ms).toBeLessThan(6_000);

    const read = await timed(b.call('openAndClose', true));
    expect(read.result).toBe(1);
    expect(read.ms).toBeLessThan(3_000);

    a.signal('SIGCONT');
    await b.call('open', {});
    expect(await b.call('head', 'r1')).toMatchObject({ id: 'r1' });
  });

  shared('is waited for when it goes on in time', async processes => {
    const a = await processes.start();
    await stopInsideWrite(a);
    const b = await processes.start({ open: false });
    setTimeout(() => a.signal('SIGCONT'), 300);
    await b.call('open', {});
  });

  shared(
    'is reported by a write that waits for it, and that write ends when the process does',
    async processes => {
      const [a, b] = [await processes.start(), await processes.start()];
      const lease = await b.call<Lease>('create', 'r1');
      await stopInsideWrite(a);
      const writing = b.call('commit', lease, 0, 'a/x', 1);
      await until(() => b.stderr().includes(`Process ${a.pid} was stopped`));
      expect(await b.call('get', 'r1', 'a/x')).toBeNull();
      await a.kill();
      await writing;
      expect(await b.call('get', 'r1', 'a/x')).toBe(1);
    },
  );

  shared('is killed by a takeover of its run after 8 s', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    await a.call('create', 'r1');
    await stopInsideWrite(a);
    const { result, ms } = await timed(b.call<Lease>('claim', 'r1', { takeover: true }));
    expect(result.fence).toBe(2);
    expect(ms).toBeGreaterThan(7_900);
    expect(ms).toBeLessThan(15_000);
    await expect(a.call('head', 'r1')).rejects.toThrow('the process ended');
  });

  shared('keeps nobody from closing the store and ending', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    const lease = await b.call<Lease>('create', 'r1');
    await stopInsideWrite(a);
    void b.call('commit', lease, 0, 'a/x', 1).catch(() => {});
    const { ms } = await timed(b.call('close'));
    expect(ms).toBeLessThan(8_000);
    const identity = owner(b);
    void b.call('exit').catch(() => {});
    await until(() => !ownerAlive(identity));
  });

  shared('is killed by an opening that may take over', async processes => {
    const a = await processes.start();
    await stopInsideWrite(a);
    const b = await processes.start({ open: false });
    const { ms } = await timed(b.call('open', { takeover: true }));
    expect(ms).toBeGreaterThan(7_900);
    expect(ms).toBeLessThan(15_000);
  });
});

describe('a process that stops itself', () => {
  shared('while it writes leaves the write lock first, and goes on where it was', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    const writing = a.call<number>('writeLoop', 'w', 1_000);
    const identity = owner(a);
    for (let i = 0; i < 5; i++) {
      void a.call('stopSafely');
      await until(() => ownerStopped(identity));
      const { ms } = await timed(b.call('putGlobal', 'x', 10));
      expect(ms).toBeLessThan(3_000);
      a.signal('SIGCONT');
      await until(() => !ownerStopped(identity));
    }
    expect(a.acks).toHaveLength(await writing);
    expect(await b.call('verify')).toMatchObject({ problems: [] });
  });
});

describe('the workspace lock', () => {
  shared('goes from process to process in the order of arrival', async processes => {
    const [a, b, c] = [await processes.start(), await processes.start(), await processes.start()];
    const order: string[] = [];
    await a.call('lock', 'first');
    const waiting = [];
    for (const [process, name] of [
      [b, 'second'],
      [c, 'third'],
      [a, 'fourth'],
    ] as const) {
      waiting.push(
        process.call('lock', name).then(async () => {
          order.push(name);
          await process.call('unlock', name);
        }),
      );
      await new Promise(resolve => setTimeout(resolve, 60));
    }
    expect(order).toEqual([]);
    await a.call('unlock', 'first');
    await Promise.all(waiting);
    expect(order).toEqual(['second', 'third', 'fourth']);
  });

  shared('passes over a holder and a waiter that were killed', async processes => {
    const [a, b, c] = [await processes.start(), await processes.start(), await processes.start()];
    await a.call('lock', 'holder');
    void b.call('lock', 'waiter').catch(() => {});
    await new Promise(resolve => setTimeout(resolve, 60));
    const third = c.call('lock', 'third');
    await b.kill();
    await a.kill();
    const { ms } = await timed(third);
    expect(ms).toBeLessThan(5_000);
  });

  shared('passes on only after the children of a killed holder were ended', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    const group = { pgid: child.pid!, started: startedAt(child.pid!), boot: currentBoot() };
    const lease = await a.call<Lease>('create', 'r1');
    await a.call('commit', lease, 0, 'k/1', group);
    await a.call('lock', 'holder');
    const ended = once(child, 'exit');
    await a.kill();
    await b.call('lock', 'next');
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  shared('says which stopped process holds it instead of waiting for ever', async processes => {
    const [a, b] = [await processes.start(), await processes.start()];
    await a.call('lock', 'holder');
    await stop(a);
    const { result, ms } = await timed(codeOf(b.call('lock', 'waiter')));
    expect(result).toBe('lock_holder_stopped');
    expect(ms).toBeLessThan(15_000);
  });
});

shared(
  'one process may open, close and open again, as writer and as reader, in any order',
  async processes => {
    const reader = await openLmdbReader(processes.home);
    expect(await reader.runs()).toEqual([]);
    const a = await processes.start();
    await a.call('create', 'r1');
    expect((await reader.runs()).map(head => head.id)).toEqual(['r1']);
    const store = await openLmdbStore(processes.home, { minFreeMb: 0 });
    expect(await store.claim('r1')).toBeNull();
    await store.putGlobal('x', 1);
    expect(await reader.getGlobal('x')).toBe(1);
    await reader.close();
    await store.putGlobal('x', 2);
    await store.close();
    const again = await openLmdbStore(processes.home, { minFreeMb: 0 });
    expect(await again.getGlobal('x')).toBe(2);
    await again.close();
    expect(await a.call('head', 'r1')).toMatchObject({ id: 'r1' });
  },
);
