/** How fast a long session is searched, written on and taken up: the same figures for the test and for the benchmark. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Store } from '../../store/port.ts';
import { searchMessages } from '../../store/recall/search.ts';
import { type Corpus, messageRows } from './talk-corpus.ts';

/** Milliseconds. */
export interface SearchFigures {
  common: number;
  rare: number;
  phrase: number;
  absent: number;
}

const p95 = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
/** Of times that a busy disk makes longer, never shorter. */
const lowerQuartile = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 2] ?? Number.NaN;

const ROUNDS = 3;
const QUERIES = 60;

/** 95th percentiles; the best of three rounds, because a busy machine says nothing about the search.
 *  @param corpus one that has written the session, so that its words are known */
export async function searchFigures(store: Store, runs: string[], corpus: Corpus): Promise<SearchFigures> {
  const spoken = Array.from({ length: QUERIES }, () => corpus.text().split(' '));
  const kinds: Record<keyof SearchFigures, string[]> = {
    // The most frequent words of the language.
    common: Array.from({ length: QUERIES }, (_, i) => corpus.frequent(i % 10)),
    rare: spoken.map(words => words.reduce((a, b) => (b.length > a.length ? b : a))),
    phrase: spoken.map(words => `"${words.slice(2, 5).join(' ')}"`),
    absent: spoken.map((_, i) => `qwfp${i}`),
  };
  const figures = {} as SearchFigures;
  for (const [kind, queries] of Object.entries(kinds) as [keyof SearchFigures, string[]][]) {
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const times: number[] = [];
      for (const query of queries) {
        const begun = performance.now();
        await searchMessages(store, runs, query);
        times.push(performance.now() - begun);
      }
      rounds.push(p95(times));
    }
    figures[kind] = Math.min(...rounds);
  }
  return figures;
}

/** Milliseconds that one message adds to its commit, against commits with a row that is no message. */
export async function appendFigure(
  store: Store,
  run: string,
  messages: number,
  corpus: Corpus,
): Promise<number> {
  const lease = await store.claim(run);
  if (!lease) throw new Error(`${run} belongs to somebody`);
  let { rev } = (await store.head(run))!;
  const timed = async (rows: Parameters<Store['commit']>[3]): Promise<number> => {
    const begun = performance.now();
    await store.commit(lease, rev++, {}, rows);
    return performance.now() - begun;
  };
  const plain: number[] = [];
  const indexed: number[] = [];
  for (let i = 0; i < 60; i++) {
    plain.push(await timed([{ key: `z/${i}`, value: corpus.text() }]));
    indexed.push(await timed(messageRows(corpus, messages + i, messages + i + 1)));
  }
  await store.release(lease);
  return lowerQuartile(indexed) - lowerQuartile(plain);
}

/** Of a process that does nothing else. @param script `resume-child.ts`, bundled */
export async function resumeFigure(
  script: string,
  home: string,
  workspace: string,
  id: string,
): Promise<{ ms: number; anon_mb: number; tail: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, home, workspace, id]);
  return JSON.parse(stdout) as { ms: number; anon_mb: number; tail: number };
}
