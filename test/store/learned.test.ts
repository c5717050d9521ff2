/** Lessons of runs become patterns of the home once, in the commit that brings them, and are forgotten as promised. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { forgetPatterns, prunePatterns, readPatterns } from '../../store/learned.ts';
import {
  type Lesson,
  type Observation,
  PLAN_PREFIX,
  type PlanPattern,
  type RatePattern,
  rateKey,
} from '../../store/lessons.ts';
import { openLmdbStore } from '../../store/lmdb.ts';
import { memoryDatabase, openMemoryStore } from '../../store/memory.ts';
import { FencedError, type Row, type Store } from '../../store/port.ts';
import { newHead } from './conformance.ts';

const ABOUT = { role: 'executor', kind: 'docs/create', alias: 'small', model: 'org/small' };
const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00Z');
const at = (days: number): string => new Date(NOW - days * DAY).toISOString();

const rate = (passed: boolean): Observation => ({ type: 'success_rate', ...ABOUT, passed });
const planned = (...words: string[]): Observation => ({ type: 'plan_template', words, shape: [] });
const lesson = (key: string, observations: Observation[], when = at(0)): Row => ({
  key: `learn/${key}`,
  value: { at: when, observations } satisfies Lesson,
});

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const engines: [string, () => Promise<Store>][] = [
  ['memory', async () => openMemoryStore({ database: memoryDatabase() })],
  [
    'LMDB',
    async () => {
      const home = await mkdtemp(join(tmpdir(), 'loom-learned-'));
      const store = await openLmdbStore(home, { minFreeMb: 0 });
      ends.push(
        () => rm(home, { recursive: true, force: true }),
        () => store.close(),
      );
      return store;
    },
  ],
];

describe.each(engines)('what the %s store learns', (_, open) => {
  const known = (store: Store) => store.getGlobal<RatePattern>(rateKey(ABOUT));

  it('is counted with the commit that brings it', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    await store.commit(lease, 0, {}, [lesson('a@1', [rate(false)], at(2))]);
    await store.commit(lease, 1, {}, [lesson('b@2', [rate(true), planned('x')], at(1))]);
    expect(await known(store)).toMatchObject({ passed: 1, failed: 1, seen: 2, first: at(2), last: at(1) });
    expect(await readPatterns(store, 'learned/', NOW)).toHaveLength(2);
  });

  it('is counted once, however often the same lesson comes', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    const row = lesson('a@1', [rate(false)]);
    await store.commit(lease, 0, {}, [row]);
    await store.commit(lease, 1, {}, [row]);
    expect(await known(store)).toMatchObject({ failed: 1, seen: 1 });
    const other = await store.create(newHead('r2'), []);
    await store.commit(other, 0, {}, [row]);
    expect(await known(store)).toMatchObject({ failed: 2, seen: 2 });
  });

  it('is not counted by a commit that is refused', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    await store.commit(lease, 0, {}, []);
    await expect(store.commit(lease, 0, {}, [lesson('a@1', [rate(false)])])).rejects.toThrow(FencedError);
    expect(await known(store)).toBeNull();
  });

  it('stays forgotten for a run that taught it already', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    await store.commit(lease, 0, {}, [lesson('a@1', [rate(false)])]);
    expect(await forgetPatterns(store)).toBe(1);
    await store.commit(lease, 1, {}, [lesson('a@1', [rate(false)]), lesson('b@1', [rate(true)])]);
    expect(await known(store)).toMatchObject({ passed: 1, failed: 0 });
    await store.putGlobal('model/x', 'kept');
    expect(await forgetPatterns(store)).toBe(1);
    expect(await store.getGlobal('model/x')).toBe('kept');
  });

  it('lets old evidence fade, so that a model that got better is believed', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    const rows = (n: number, passed: boolean) =>
      Array.from({ length: n }, (_, i) => lesson(`${passed}-${i}@1`, [rate(passed)]));
    await store.commit(lease, 0, {}, rows(100, false));
    expect(await known(store)).toMatchObject({ passed: 0, failed: 100 });
    await store.commit(lease, 1, {}, rows(120, true));
    const { passed, failed, seen } = (await known(store))!;
    expect(seen).toBe(220);
    expect(passed + failed).toBeLessThanOrEqual(100);
    expect(passed).toBeGreaterThan(failed);
  });

  it('forgets after 90 days what was seen once, and nothing that was seen twice', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    await store.commit(lease, 0, {}, [
      lesson('a@1', [planned('once', 'old')], at(91)),
      lesson('b@1', [planned('once', 'new')], at(89)),
      lesson('c@1', [planned('twice', 'old')], at(200)),
      lesson('d@1', [planned('twice', 'old')], at(199)),
    ]);
    const words = async (now: number) =>
      (await readPatterns<PlanPattern>(store, PLAN_PREFIX, now)).map(({ pattern }) =>
        pattern.words.join(' '),
      );
    expect((await words(NOW)).sort()).toEqual(['once new', 'twice old']);
    expect(await prunePatterns(store, NOW)).toBe(1);
    expect((await words(NOW - 30 * DAY)).sort()).toEqual(['once new', 'twice old']);
    expect(await prunePatterns(store, NOW)).toBe(0);
  });

  it('keeps the templates that were seen most, the newest of equal ones, up to 200', async () => {
    const store = await open();
    const lease = await store.create(newHead('r1'), []);
    const many = Array.from({ length: 205 }, (_, i) =>
      lesson(`${i}@1`, [planned(`goal-${i}`)], at(60 - i / 10)),
    );
    await store.commit(lease, 0, {}, [...many, lesson('again', [planned('goal-0')], at(60))]);
    expect(await prunePatterns(store, NOW)).toBe(5);
    const left = (await readPatterns<PlanPattern>(store, PLAN_PREFIX, NOW)).map(
      each => each.pattern.words[0],
    );
    expect(left).toHaveLength(200);
    expect(left).toContain('goal-0');
    expect(left).toContain('goal-204');
    for (const gone of [1, 2, 3, 4, 5]) expect(left).not.toContain(`goal-${gone}`);
  });
});
