/** Searching what was said in sessions: words ranked by BM25, "phrases", prefix*. */
import { rowKey } from '../database.ts';
import type { Store } from '../port.ts';
import { databaseOf, type StoreReader } from '../store.ts';
import { heaviest, List, type Reading } from './lists.ts';
import { shareOf } from './postings.ts';
import { pairOf, tokensOf } from './tokens.ts';
import { COUNT_KEY, docKey, type Open, PAIRS, TOOLS, textOf, WORDS } from './write.ts';

export interface Hit {
  run: string;
  /** Position in its session, from 1. */
  n: number;
  /** Of the message row. */
  key: string;
  score: number;
}

export interface SearchOptions {
  /** Hits at most. Default 10. */
  limit?: number;
}

interface Query {
  words: string[];
  prefixes: string[];
  phrases: string[][];
}

/** Words that stand for one prefix, the most frequent. */
const MOST_OF_PREFIX = 24;
const MOST_WITH_PREFIX = 512;
/** Messages whose score is completed with what frequent words add to it. */
const COMPLETED = 64;
/** Entries read of all rarer words together. */
const MOST_READ = 4_000;
/** Parts of a frequent word's list that are read where every word is frequent. */
const MOST_PARTS = 8;

/** `"two words"` is a phrase, as is whatever stands together without a space (`src/a.ts`); `migrat*` is a beginning. */
function readQuery(text: string): Query {
  const query: Query = { words: [], prefixes: [], phrases: [] };
  for (const [, quoted, plain] of text.matchAll(/"([^"]*)"|(\S+)/g)) {
    const tokens = tokensOf(quoted ?? plain ?? '');
    if (quoted === undefined && plain?.endsWith('*') && tokens.length === 1) query.prefixes.push(tokens[0]!);
    else if (tokens.length > 1) query.phrases.push(tokens);
    else query.words.push(...tokens);
  }
  return { ...query, words: [...new Set(query.words)] };
}

/** The messages of these sessions that fit best, the best first; of equals the newest, sessions in the order given.
 *  @param runs ids of sessions, the newest first */
export async function searchMessages(
  store: Store | StoreReader,
  runs: string[],
  text: string,
  { limit = 10 }: SearchOptions = {},
): Promise<Hit[]> {
  const database = databaseOf(store);
  await database.ready();
  const query = readQuery(text);
  const best = new Best(limit);
  if (query.phrases.length > 0) {
    for (const run of runs) phrases(database, run, query, best);
    return best.hits(database);
  }
  const sessions = runs.map(run => ({ run, lists: wordsOf(database, run, query) }));
  const messages = runs.reduce((sum, run) => sum + (database.get<number>(rowKey(run, COUNT_KEY)) ?? 0), 0);
  const having = new Map<string, number>();
  for (const { lists } of sessions)
    for (const [word, open] of lists) having.set(word, (having.get(word) ?? 0) + open[0]);
  /** BM25's inverse document frequency, never negative. */
  const rarity = (word: string): number => {
    const count = having.get(word) ?? 0;
    return Math.log(1 + (messages - count + 0.5) / (count + 0.5));
  };
  for (const { run, lists } of sessions) {
    const [first, ...others] = [...lists].sort(([, a], [, b]) => a[0] - b[0]);
    if (!first) continue;
    if (others.length === 0) single(database, run, first, rarity(first[0]), best);
    else several(database, run, [first, ...others], rarity, best);
  }
  return best.hits(database);
}

/** The newest results of a tool in one session, or of any tool. */
export async function newestResults(
  store: Store | StoreReader,
  run: string,
  tool: string,
  limit: number,
): Promise<Hit[]> {
  const database = databaseOf(store);
  await database.ready();
  const name = `${TOOLS}${tool}`;
  const open = database.get<Open>(rowKey(run, WORDS.open + name));
  const best = new Best(limit);
  best.session(run);
  if (!open) return [];
  const list = new List(database, run, open, WORDS.closed, name);
  for (let doc = list.seek(Number.MAX_SAFE_INTEGER); doc > 0; doc = list.seek(doc - 1))
    if (!best.add(doc, 1)) break;
  return best.hits(database);
}

/** The words of a query that a session has, prefixes spelled out. */
function wordsOf(reading: Reading, run: string, { words, prefixes }: Query): Map<string, Open> {
  const found = new Map<string, Open>();
  for (const word of words) {
    const open = reading.get<Open>(rowKey(run, WORDS.open + word));
    if (open) found.set(word, open);
  }
  const own = rowKey(run, WORDS.open);
  for (const prefix of prefixes) {
    const all = reading.range<Open>(own + prefix, { limit: MOST_WITH_PREFIX });
    all.sort((a, b) => b.value[0] - a.value[0]);
    for (const { key, value } of all.slice(0, MOST_OF_PREFIX)) found.set(key.slice(own.length), value);
  }
  return found;
}

/** One word: parts with the heaviest entries first, until none can be better than what was found. */
function single(
  reading: Reading,
  run: string,
  [word, open]: [string, Open],
  rarity: number,
  best: Best,
): void {
  best.session(run);
  for (const { most, postings } of heaviest(reading, run, word, open)) {
    if (shareOf(most) * rarity <= best.least) return;
    for (let i = postings.docs.length - 1; i >= 0; i--)
      best.add(postings.docs[i]!, shareOf(postings.weights[i]!) * rarity);
  }
}

/** Several words: all entries of the rarer ones; what the frequent ones add is looked up for the best of those. */
function several(
  reading: Reading,
  run: string,
  lists: [string, Open][],
  rarity: (word: string) => number,
  best: Best,
): void {
  const scores = new Map<number, number>();
  const add = (doc: number, score: number) => void scores.set(doc, (scores.get(doc) ?? 0) + score);
  let read = 0;
  const frequent: [string, Open][] = [];
  for (const [word, open] of lists) {
    const all = read + open[0] <= MOST_READ;
    if (!all && scores.size > 0) {
      frequent.push([word, open]);
      continue;
    }
    read += open[0];
    let parts = 0;
    for (const { postings } of heaviest(reading, run, word, open)) {
      for (const [i, doc] of postings.docs.entries()) add(doc, shareOf(postings.weights[i]!) * rarity(word));
      if (!all && ++parts >= MOST_PARTS) break;
    }
  }
  const candidates = [...scores].sort((a, b) => b[1] - a[1] || b[0] - a[0]).slice(0, COMPLETED);
  // Lists are read from the newest down.
  candidates.sort((a, b) => b[0] - a[0]);
  best.session(run);
  const others = frequent.map(([word, open]) => ({
    list: new List(reading, run, open, WORDS.closed, word),
    rarity: rarity(word),
  }));
  for (const [doc, score] of candidates) {
    const more = others.reduce(
      (sum, { list, rarity: rare }) => sum + (list.seek(doc) === doc ? shareOf(list.weight) * rare : 0),
      0,
    );
    best.add(doc, score + more);
  }
}

/** Messages that have every phrase and word, the newest first: the lists say where to look, the text decides. */
function phrases(reading: Reading, run: string, { phrases: wanted, words }: Query, best: Best): void {
  best.session(run);
  const names = new Map<string, { open: Open; closed: string; name: string }>();
  for (const word of new Set([...wanted.flat(), ...words])) {
    const open = reading.get<Open>(rowKey(run, WORDS.open + word));
    if (!open) return;
    names.set(`w ${word}`, { open, closed: WORDS.closed, name: word });
  }
  for (const phrase of wanted)
    for (let i = 1; i < phrase.length; i++) {
      const name = pairOf(phrase[i - 1]!, phrase[i]!);
      const open = reading.get<Open>(rowKey(run, PAIRS.open + name));
      if (!open) return;
      names.set(`p ${name}`, { open, closed: PAIRS.closed, name });
    }
  const all = [...names].sort(([, a], [, b]) => a.open[0] - b.open[0]);
  const rarest = all[0]![1].open[0];
  // A word that is everywhere narrows nothing down.
  const lists = all
    .filter(
      ([kind, { open }]) => kind.startsWith('p') || open[0] <= rarest * 4 || words.includes(kind.slice(2)),
    )
    .map(([, { open, closed, name }]) => new List(reading, run, open, closed, name));
  for (let doc = common(lists, Number.MAX_SAFE_INTEGER); doc > 0; doc = common(lists, doc - 1)) {
    if (!holds(reading, run, doc, wanted, words)) continue;
    if (!best.add(doc, 1)) return;
  }
}

/** The newest message not newer than `doc` that is in all lists; 0: none. */
function common(lists: List[], doc: number): number {
  let wanted = doc;
  for (let agreed = 0; agreed < lists.length; ) {
    for (const list of lists) {
      const found = list.seek(wanted);
      if (found === 0) return 0;
      agreed = found === wanted ? agreed + 1 : 1;
      wanted = found;
      if (agreed >= lists.length) break;
    }
  }
  return wanted;
}

function holds(reading: Reading, run: string, doc: number, wanted: string[][], words: string[]): boolean {
  const key = reading.get<string>(rowKey(run, docKey(doc)));
  const value = key === undefined ? undefined : reading.get<unknown>(rowKey(run, key));
  if (value === undefined) return false;
  const text = ` ${tokensOf(textOf(value)).join(' ')} `;
  return (
    wanted.every(phrase => text.includes(` ${phrase.join(' ')} `)) &&
    words.every(word => text.includes(` ${word} `))
  );
}

interface Found {
  run: string;
  order: number;
  n: number;
  score: number;
}

/** The best so many. */
class Best {
  readonly #limit: number;
  #found: Found[] = [];
  #run = '';
  #order = -1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is added from now on belongs to this session. */
  session(run: string): void {
    this.#run = run;
    this.#order += 1;
  }

  /** What something must be better than to be among them. */
  get least(): number {
    return this.#found.length < this.#limit ? -1 : this.#found.at(-1)!.score;
  }

  /** False: it is not among the best. */
  add(n: number, score: number): boolean {
    const entry: Found = { run: this.#run, order: this.#order, n, score };
    if (this.#found.length >= this.#limit && !before(entry, this.#found.at(-1)!)) return false;
    const at = this.#found.findIndex(other => before(entry, other));
    this.#found.splice(at < 0 ? this.#found.length : at, 0, entry);
    if (this.#found.length > this.#limit) this.#found.pop();
    return true;
  }

  hits(reading: Reading): Hit[] {
    return this.#found.flatMap(({ run, n, score }): Hit[] => {
      const key = reading.get<string>(rowKey(run, docKey(n)));
      return key === undefined ? [] : [{ run, n, key, score }];
    });
  }
}

/** Scores that differ by less than this are the same. */
const SAME = 1e-9;
const before = (a: Found, b: Found): boolean =>
  Math.abs(a.score - b.score) > SAME
    ? a.score > b.score
    : a.order !== b.order
      ? a.order < b.order
      : a.n > b.n;
