/** Verification names what is wrong with a store, and finds nothing wrong with a sound one. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headKey, rowKey } from '../../store/database.ts';
import { enter, leave, prepareFolder } from '../../store/environment.ts';
import { openLmdbStore } from '../../store/lmdb.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { type Store, seqKey } from '../../store/port.ts';
import { databaseOf } from '../../store/store.ts';
import { verifyStore } from '../../store/verify.ts';
import { newHead } from './conformance.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'loom-verify-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function fill(store: Store, lines = 5): Promise<void> {
  const lease = await store.create(newHead('r1'), []);
  for (let n = 0; n < lines; n++) {
    await store.commit(lease, n, { seq: n + 1 }, [
      { key: `j/${seqKey(n + 1)}`, value: { seq: n + 1 } },
      { key: 'a/task', value: { n } },
    ]);
  }
}

const change = (store: Store, key: string, value: unknown) =>
  databaseOf(store).transact(tx => (value === null ? tx.remove(key) : tx.put(key, value)));

describe.each([
  ['memory', async () => openMemoryStore()],
  ['LMDB', () => openLmdbStore(home, { minFreeMb: 0 })],
])('a %s store', (_, open: () => Promise<Store>) => {
  it('is sound, also when it is empty or larger than one page', async () => {
    const store = await open();
    expect((await verifyStore(store)).problems).toEqual([]);
    await fill(store, 600);
    const report = await verifyStore(store);
    expect(report).toMatchObject({ runs: 1, problems: [] });
    expect(report.rows).toBeGreaterThanOrEqual(603);
    await store.close();
  });

  it.each([
    [
      'a journal line is gone',
      rowKey('r1', `j/${seqKey(3)}`),
      null,
      'run r1: journal line 3 is missing, line 4 follows',
    ],
    ['the first line is gone', rowKey('r1', `j/${seqKey(1)}`), null, 'run r1: journal line 1 is missing'],
    [
      'the last line is gone',
      rowKey('r1', `j/${seqKey(5)}`),
      null,
      'the head counts 5 journal lines, the newest line is 4',
    ],
    [
      'a line is too many',
      rowKey('r1', `j/${seqKey(6)}`),
      {},
      'the head counts 5 journal lines, the newest line is 6',
    ],
    ['the head is gone', headKey('r1'), null, 'run r1: rows without a head'],
    [
      'the head counts nothing',
      headKey('r1'),
      { ...newHead('r1', { seq: 5 }), rev: -1, fence: 1 },
      'rev -1 is not a count',
    ],
    [
      'the head has no fence',
      headKey('r1'),
      { ...newHead('r1', { seq: 5 }), rev: 5, fence: 0 },
      'fence 0 is not a count',
    ],
    [
      'the head is another',
      headKey('r1'),
      { ...newHead('r2', { seq: 5 }), rev: 5, fence: 1 },
      'its head names run r2',
    ],
  ])('reports that %s', async (_what, key, value, problem) => {
    const store = await open();
    await fill(store);
    await change(store, key, value);
    const { problems } = await verifyStore(store);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    await store.close();
  });
});

it('names rows that do not parse and goes on behind them; reading such a row is a sentence too', async () => {
  const store = await openLmdbStore(home, { minFreeMb: 0 });
  await fill(store);
  const environment = await enter(prepareFolder(home, false), 'test');
  await environment.rows!.put(Buffer.from(rowKey('r1', 'a/task')), '{"n":');
  const { problems, rows } = await verifyStore(store);
  expect(problems).toEqual(['row r/r1/a/task is damaged: it does not parse']);
  expect(rows).toBeGreaterThan(6);
  await expect(store.get('r1', 'a/task')).rejects.toMatchObject({ failure: { code: 'store_unreadable' } });
  expect(await store.get('r1', `j/${seqKey(1)}`)).toEqual({ seq: 1 });
  await leave(environment, 'test');
  await store.close();
});
