/** The memory store keeps the contract, and lets a test end or stop a handle as the system ends or stops a process. */

import { describe, expect, it } from 'vitest';
import { memoryDatabase, openMemoryStore } from '../../store/memory.ts';
import { FencedError } from '../../store/port.ts';
import { newHead, storeConformance } from './conformance.ts';

storeConformance('memory', async () => {
  const database = memoryDatabase();
  return { open: async () => openMemoryStore({ database }), end: async () => {} };
});

describe('a handle of the memory store', () => {
  it('that was ended loses its run to anybody at once', async () => {
    const database = memoryDatabase();
    const [a, b] = [openMemoryStore({ database }), openMemoryStore({ database })];
    await a.create(newHead('r1'), []);
    a.end();
    expect(await b.lease('r1')).toMatchObject({ state: 'dead' });
    expect(await b.claim('r1')).toMatchObject({ fence: 2 });
  });

  it('that was stopped keeps its run until a takeover saw it silent, and is refused when it proceeds', async () => {
    const database = memoryDatabase();
    const [a, b] = [openMemoryStore({ database }), openMemoryStore({ database, silenceMs: 20 })];
    const old = await a.create(newHead('r1'), []);
    a.stop();
    expect(await b.lease('r1')).toMatchObject({ state: 'live', stopped: true });
    expect(await b.claim('r1')).toBeNull();
    const late = a.commit(old, 0, {}, []);
    const lease = await b.claim('r1', { takeover: true });
    expect(lease).toMatchObject({ fence: 2 });
    a.proceed();
    await expect(late).rejects.toThrow(FencedError);
    await b.commit(lease!, 0, {}, []);
  });

  it('that shows signs of life is not taken over', async () => {
    const database = memoryDatabase();
    const [a, b] = [openMemoryStore({ database }), openMemoryStore({ database, silenceMs: 4_000 })];
    await a.create(newHead('r1'), []);
    const began = performance.now();
    expect(await b.claim('r1', { takeover: true })).toBeNull();
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('that was ended leaves its lock to the next in line', async () => {
    const database = memoryDatabase();
    const [a, b] = [openMemoryStore({ database }), openMemoryStore({ database })];
    const signal = new AbortController().signal;
    await a.locks.acquire('/w', 'h', { signal });
    const waiting = b.locks.acquire('/w', 'h', { signal });
    a.end();
    await (await waiting)();
  });
});
