/** Runs go with everything they left behind and nothing else; killed in between, the store is sound and the rest goes
 *  with the next collection. */

import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlobs } from '../../store/blobs.ts';
import type { BlobRef } from '../../store/blobs-port.ts';
import { openLmdbStore } from '../../store/lmdb.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { type Store, seqKey } from '../../store/port.ts';
import { collect, countRows, removeRun } from '../../store/purge.ts';
import { applyRetention } from '../../store/retention.ts';
import { verifyStore } from '../../store/verify.ts';
import { storeProcesses } from '../support/store-processes.ts';
import { newHead } from './conformance.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let home: string;
let store: Store;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'loom-purge-'));
  store = await openLmdbStore(home, { minFreeMb: 0 });
});
afterEach(async () => {
  await store.close();
  await rm(home, { recursive: true, force: true });
});

const content = (name: string) => Buffer.from(name.repeat(6_000));
const put = (name: string) => openBlobs(join(home, 'blobs')).put(content(name));
const fileOf = ({ sha256 }: BlobRef) => join(home, 'blobs', sha256.slice(0, 2), sha256);
const logOf = (run: string) => join(home, 'logs', `${run}.events.jsonl`);

interface Made {
  blobs?: BlobRef[];
  updated_at?: string;
  finished?: boolean;
  bytes?: number;
  to?: Store;
}

/** A run with five journal lines and a log, which nobody owns. */
async function made(
  id: string,
  { blobs = [], updated_at = '', finished = true, bytes = 0, to = store }: Made = {},
): Promise<void> {
  const lease = await to.create(newHead(id), [{ key: 'task', value: { blobs, filler: 'x'.repeat(bytes) } }]);
  for (let n = 0; n < 5; n++) {
    const rows = [{ key: `j/${seqKey(n + 1)}`, value: { seq: n + 1 } }];
    const over = finished ? { status: 'completed' as const, exit_code: 0, updated_at } : { updated_at };
    await to.commit(lease, n, { seq: n + 1, ...over }, rows);
  }
  await to.send(id, { id: `${id}-c`, event: { type: 'X' }, at: '' });
  await to.release(lease);
  mkdirSync(join(home, 'logs'), { recursive: true });
  writeFileSync(logOf(id), '{}\n');
}

const idsOf = async (of: Store) => (await of.runs()).map(head => head.id).sort();

describe.each([
  ['memory', async () => openMemoryStore()],
  ['LMDB', async () => store],
])('in a %s store a run', (_, open: () => Promise<Store>) => {
  it('is removed with all of its rows, and its neighbours stay whole', async () => {
    const to = await open();
    for (const id of ['r1', 'r10', 'r2']) await made(id, { to });
    const before = (await verifyStore(to)).rows;
    const rows = countRows(to, 'r1');
    const lease = (await to.claim('r1'))!;
    expect(await removeRun(to, lease)).toBeGreaterThanOrEqual(rows);
    expect(await idsOf(to)).toEqual(['r10', 'r2']);
    expect(await to.range('r1', '')).toEqual([]);
    expect(await to.range('r10', 'j/')).toHaveLength(5);
    const after = await verifyStore(to);
    expect(after.problems).toEqual([]);
    // head, task, journal, inbox row, its number, the command seen
    expect(before - after.rows).toBe(10);
  });

  it('stays when somebody else took it meanwhile', async () => {
    const to = await open();
    await made('r1', { to });
    const lease = (await to.claim('r1'))!;
    await to.release(lease);
    await to.claim('r1');
    await expect(removeRun(to, lease)).rejects.toMatchObject({ name: 'FencedError' });
    expect(await idsOf(to)).toEqual(['r1']);
  });
});

describe('a collection', () => {
  it('removes blobs that no row names once they are an hour old, and logs without a run', async () => {
    const [mine, shared, theirs] = [await put('a'), await put('b'), await put('c')];
    await made('r1', { blobs: [mine, shared] });
    await made('r2', { blobs: [shared, theirs] });
    await removeRun(store, (await store.claim('r1'))!);
    expect(await collect(store, home)).toMatchObject({ blobs: 0, kept: 1, complete: true });
    expect(existsSync(fileOf(mine))).toBe(true);
    const later = { now: Date.now() + 2 * HOUR };
    expect(await collect(store, home, { ...later, dry_run: true })).toMatchObject({ blobs: 1, kept: 0 });
    expect(existsSync(fileOf(mine))).toBe(true);
    expect(await collect(store, home, later)).toMatchObject({ blobs: 1, bytes: 6_000, kept: 0 });
    expect([mine, shared, theirs].map(ref => existsSync(fileOf(ref)))).toEqual([false, true, true]);
    expect(readdirSync(join(home, 'logs'))).toEqual(['r2.events.jsonl']);
  });

  it('leaves an old blob that somebody has just written again', async () => {
    const ref = await put('a');
    const old = new Date(Date.now() - 5 * HOUR);
    utimesSync(fileOf(ref), old, old);
    await put('a');
    expect(await collect(store, home)).toMatchObject({ blobs: 0, kept: 1 });
    expect(await openBlobs(join(home, 'blobs')).get(ref)).toEqual(content('a'));
  });

  it('keeps everything while a live owner is silent: its blobs may be older than the commit that names them', async () => {
    await put('a');
    await store.create(newHead('r1'), []);
    const later = { now: Date.now() + 2 * HOUR };
    expect(await collect(store, home, later)).toMatchObject({ blobs: 0, kept: 1 });
  });

  it('stops when its time is over, without having removed what it did not judge', async () => {
    const ref = await put('a');
    const late = { now: Date.now() + 2 * HOUR, deadline: performance.now() - 1 };
    expect(await collect(store, home, late)).toMatchObject({ blobs: 0, complete: false });
    expect(existsSync(fileOf(ref))).toBe(true);
  });
});

describe('a purge killed', () => {
  it.each(['run-removing', 'run-removed', 'blob-aside', 'blob-removed'])(
    'at %s leaves a sound store, and the next one finishes it',
    async point => {
      const [mine, kept] = [await put('a'), await put('b')];
      await made('r1', { blobs: [mine] });
      await made('r2', { blobs: [kept] });
      await store.close();
      const processes = storeProcesses(home);
      const victim = await processes.start({ env: { LOOM_TEST: '1', LOOM_CRASH_AT: `${point}:1` } });
      const later = Date.now() + 2 * HOUR;
      await expect(victim.call('purge', 'r1', later)).rejects.toThrow();
      store = await openLmdbStore(home, { minFreeMb: 0 });
      expect((await verifyStore(store)).problems).toEqual([]);
      expect(await store.range('r2', 'j/')).toHaveLength(5);
      const blobs = openBlobs(join(home, 'blobs'));
      expect(await blobs.get(kept)).toEqual(content('b'));
      if ((await idsOf(store)).includes('r1')) {
        // whole, then: nothing of it was removed
        expect(await blobs.get(mine)).toEqual(content('a'));
        await removeRun(store, (await store.claim('r1'))!);
      }
      await collect(store, home, { now: later });
      expect(existsSync(fileOf(mine)) || existsSync(`${fileOf(mine)}.aside`)).toBe(false);
      expect(existsSync(logOf('r1'))).toBe(false);
      expect(await blobs.get(kept)).toEqual(content('b'));
    },
  );

  it('between setting a blob aside and removing it loses nothing that is named again', async () => {
    const ref = await put('a');
    await store.close();
    const processes = storeProcesses(home);
    const victim = await processes.start({ env: { LOOM_TEST: '1', LOOM_CRASH_AT: 'blob-aside:1' } });
    await expect(victim.call('collect', Date.now() + 2 * HOUR)).rejects.toThrow();
    expect(existsSync(fileOf(ref))).toBe(false);
    store = await openLmdbStore(home, { minFreeMb: 0 });
    await made('r1', { blobs: [ref] });
    expect(await openBlobs(join(home, 'blobs')).get(ref)).toEqual(content('a'));
    await collect(store, home, { now: Date.now() + 2 * HOUR });
    expect(existsSync(fileOf(ref))).toBe(true);
  });
});

describe('retention', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');
  const ago = (days: number) => new Date(now - days * DAY).toISOString();
  const keep = (settings: { days: number; max_mb: number }, more: object = {}) =>
    applyRetention(store, home, settings, { now, ...more });

  it('removes finished runs past their days, never unfinished ones', async () => {
    await made('old', { updated_at: ago(31) });
    await made('young', { updated_at: ago(29) });
    await made('parked', { updated_at: ago(300), finished: false });
    expect(await keep({ days: 30, max_mb: 0 })).toMatchObject({ runs: ['old'], complete: true });
    expect(await idsOf(store)).toEqual(['parked', 'young']);
    expect(existsSync(logOf('old'))).toBe(false);
    expect((await verifyStore(store)).problems).toEqual([]);
  });

  it('removes the oldest finished runs until the rest is small enough, but none of today', async () => {
    for (const [id, days] of [
      ['a', 9],
      ['b', 8],
      ['c', 7],
      ['today', 0.5],
    ] as const)
      await made(id, { updated_at: ago(days), bytes: 600_000 });
    expect(await keep({ days: 0, max_mb: 2 })).toMatchObject({ runs: ['a'] });
    expect(await applyRetention(store, home, { days: 0, max_mb: 1 }, { now: now + 2 * DAY })).toMatchObject({
      runs: ['b', 'c'],
    });
    expect(await idsOf(store)).toEqual(['today']);
  });

  it('happens once a day, by one of several processes, and not at all with 0 and 0', async () => {
    await made('old', { updated_at: ago(31) });
    expect(await keep({ days: 0, max_mb: 0 })).toBeNull();
    const both = await Promise.all([keep({ days: 40, max_mb: 0 }), keep({ days: 40, max_mb: 0 })]);
    expect(both.filter(done => done !== null)).toHaveLength(1);
    expect(await keep({ days: 1, max_mb: 0 })).toBeNull();
    const tomorrow = { now: now + DAY };
    expect(await applyRetention(store, home, { days: 1, max_mb: 0 }, tomorrow)).toMatchObject({
      runs: ['old'],
    });
  });

  it('ends when its time is over and says so; the next day goes on', async () => {
    await made('old', { updated_at: ago(31) });
    expect(await keep({ days: 30, max_mb: 0 }, { budgetMs: -1 })).toMatchObject({
      runs: [],
      complete: false,
    });
    expect(await applyRetention(store, home, { days: 30, max_mb: 0 }, { now: now + DAY })).toMatchObject({
      runs: ['old'],
      complete: true,
    });
  });

  it('leaves a finished run alone that somebody is undoing', async () => {
    await made('old', { updated_at: ago(31) });
    const other = await openLmdbStore(home, { minFreeMb: 0 });
    await other.claim('old');
    expect(await keep({ days: 30, max_mb: 0 })).toMatchObject({ runs: [] });
    await other.close();
  });
});
