/** The full-text index: what a search finds is what reading every message would find. */
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../store/memory.ts';
import type { Lease, Row, Store } from '../../store/port.ts';
import { newestResults, searchMessages } from '../../store/recall/search.ts';
import { tokensOf } from '../../store/recall/tokens.ts';
import { Corpus, messageRows } from '../support/talk-corpus.ts';

const HEAD = {
  seq: 0,
  status: 'executing',
  goal: '',
  workspace: '/w',
  created_at: '1',
  updated_at: '1',
} as const;

interface Talk {
  store: Store;
  lease: Lease;
  write(rows: Row[]): Promise<void>;
}

async function talk(
  store: Store = openMemoryStore(),
  id = 'one',
  kind: 'session' | 'task' = 'session',
): Promise<Talk> {
  const lease = await store.create({ ...HEAD, id, kind }, []);
  let rev = 0;
  return { store, lease, write: rows => store.commit(lease, rev++, {}, rows) };
}

const said = (n: number, content: string, more: object = {}): Row => ({
  key: `m/t${String(n).padStart(7, '0')}/0000.b000`,
  value: { message: { role: 'user', content, ...more } },
});
const found = async (store: Store, query: string, limit = 10): Promise<number[]> =>
  (await searchMessages(store, ['one'], query, { limit })).map(hit => hit.n);

async function lines(...texts: string[]): Promise<Store> {
  const { store, write } = await talk();
  for (const [i, text] of texts.entries()) await write([said(i + 1, text)]);
  return store;
}

describe('words of a text', () => {
  it.each([
    ['Hello, World! x_1', ['hello', 'world', 'x', '1']],
    ['Café ÉTÉ straße', ['cafe', 'ete', 'straße']],
    ['ﬁle Ⅳ', ['file', 'iv']],
    ['数据库 ok', ['数', '据', '库', 'ok']],
    ['data库x', ['data', '库', 'x']],
    ['', []],
    ['— …', []],
  ])('%s', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens);
  });

  it('of any length make a key', () => {
    expect(tokensOf('x'.repeat(500))[0]).toHaveLength(48);
  });
});

describe('a search', () => {
  it('finds words in any spelling of case and accents, best first, of equals the newest', async () => {
    const store = await lines('The Résumé of Anna', 'a cat', 'resume resume resume', 'the CAT sat', 'a cat');
    expect(await found(store, 'résumé')).toEqual([3, 1]);
    expect(await found(store, 'cat')).toEqual([5, 2, 4]);
    expect(await found(store, 'dog')).toEqual([]);
    expect(await found(store, '')).toEqual([]);
    expect(await found(store, 'anna cat')).toContain(1);
  });

  it('finds phrases, in quotes or written together, in whatever script', async () => {
    const store = await lines(
      'see src/app.ts first',
      'app ts src',
      'we use the 数据库 here',
      'first app',
      '据数',
    );
    expect(await found(store, 'src/app.ts')).toEqual([1]);
    expect(await found(store, '"app ts"')).toEqual([2, 1]);
    expect(await found(store, '"ts app"')).toEqual([]);
    expect(await found(store, '数据')).toEqual([3]);
    expect(await found(store, '"app ts" first')).toEqual([1]);
  });

  it('finds beginnings of words', async () => {
    const store = await lines('migration', 'a migrating bird', 'migraine', 'nothing');
    expect((await found(store, 'migrat*')).sort()).toEqual([1, 2]);
  });

  it('finds what was called, and the results of a tool', async () => {
    const { store, write } = await talk();
    const tool_calls = [
      { id: '1', name: 'write_file', arguments: '{"path":"notes/plan.md","content":"be\\nbold"}' },
    ];
    await write([said(1, '', { role: 'assistant', tool_calls })]);
    await write([said(2, 'written', { role: 'tool', name: 'write_file', tool_call_id: '1' })]);
    await write([said(3, 'listed', { role: 'tool', name: 'list_directory', tool_call_id: '2' })]);
    expect(await found(store, 'notes/plan.md')).toEqual([1]);
    expect(await found(store, '"be bold"')).toEqual([1]);
    expect((await newestResults(store, 'one', 'write_file', 5)).map(hit => hit.n)).toEqual([2]);
    expect((await newestResults(store, 'one', '', 5)).map(hit => hit.n)).toEqual([3, 2]);
    expect(await newestResults(store, 'one', 'ripgrep_search', 5)).toEqual([]);
  });

  it('looks through several sessions as if they were one', async () => {
    const store = openMemoryStore();
    const [one, two] = [await talk(store, 'one'), await talk(store, 'two')];
    await one.write([said(1, 'the harbour'), said(2, 'the sea')]);
    await two.write([said(1, 'the harbour and the harbour')]);
    const hits = await searchMessages(store, ['two', 'one'], 'harbour');
    expect(hits.map(({ run, n }) => [run, n])).toEqual([
      ['two', 1],
      ['one', 1],
    ]);
    expect(await searchMessages(store, ['one'], '"the harbour"')).toHaveLength(1);
  });

  it('takes a message once, however often its row is written, and nothing of tasks', async () => {
    const { store, write } = await talk();
    await write([said(1, 'once')]);
    await write([said(1, 'once')]);
    expect(await found(store, 'once')).toEqual([1]);
    const task = await talk(openMemoryStore(), 'one', 'task');
    await task.write([said(1, 'once')]);
    expect(await found(task.store, 'once')).toEqual([]);
  });

  it('finds nothing of what was not committed', async () => {
    const { store, lease, write } = await talk();
    await write([said(1, 'first')]);
    await expect(store.commit(lease, 7, {}, [said(2, 'second')])).rejects.toThrow();
    expect(await found(store, 'second')).toEqual([]);
    expect(await store.get('one', 'x/n')).toBe(1);
  });

  it('finds what reading everything finds, in three thousand messages', async () => {
    const { store, write } = await talk();
    const corpus = new Corpus(5);
    const rows = messageRows(corpus, 0, 3_000);
    for (let at = 0; at < rows.length; at += 500) await write(rows.slice(at, at + 500));
    const texts = rows.map(({ value }) => ` ${(value as { message: { content: string } }).message.content} `);
    const having = (phrase: string) =>
      texts.flatMap((text, i) => (text.includes(` ${phrase} `) ? [i + 1] : []));
    const asked = new Corpus(6);
    let several = 0;
    for (let i = 0; i < 60; i++) {
      const words = asked.text().split(' ');
      const pair = words.slice(0, 2).join(' ');
      expect((await found(store, `"${pair}"`, 5_000)).sort((a, b) => a - b)).toEqual(having(pair));
      const one = words[2]!;
      const all = having(one);
      if (all.length > 10) several++;
      expect((await found(store, one, 5_000)).sort((a, b) => a - b)).toEqual(all);
      // The best ten are among the best of all of them.
      const ten = await searchMessages(store, ['one'], one);
      const every = await searchMessages(store, ['one'], one, { limit: 5_000 });
      expect(ten.map(hit => hit.score)).toEqual(every.slice(0, 10).map(hit => hit.score));
    }
    expect(several).toBeGreaterThan(5);
  });
});
