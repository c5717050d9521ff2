/** Walks every row of a store and says in plain words what is wrong: rows that do not parse, journals with gaps, heads
 *  that disagree with their journal, rows that belong to no run. Reads only. */

import type { Database, Entry } from './database.ts';
import type { RunHead, Store } from './port.ts';
import { databaseOf, type StoreReader } from './store.ts';

export interface StoreReport {
  runs: number;
  rows: number;
  /** Empty: the store is sound. */
  problems: string[];
}

/** Rows per look, so that a large store never stands in memory whole. */
const PAGE = 500;

/** @throws LoomError `store_unreadable` when the file itself cannot be walked */
export async function verifyStore(store: Store | StoreReader): Promise<StoreReport> {
  const database = databaseOf(store);
  const problems: string[] = [];
  const heads = new Map<string, RunHead>();
  const journals = new Map<string, { last: number; lines: number }>();
  const strays = new Set<string>();
  let rows = 0;
  await database.ready();

  for await (const { key, value } of walk(database)) {
    rows += 1;
    const parsed = parse(value);
    if (parsed === undefined) {
      problems.push(`row ${key} is damaged: it does not parse`);
      continue;
    }
    const [table, run = '', ...rest] = key.split('/');
    if (table === 'h') {
      heads.set(run, parsed as RunHead);
      continue;
    }
    if (!['l', 'n', 'u', 'r'].includes(table!)) continue;
    if (!heads.has(run)) strays.add(run);
    if (table === 'r' && rest[0] === 'j') checkJournal(run, Number(rest[1]));
  }

  function checkJournal(run: string, seq: number): void {
    const journal = journals.get(run) ?? { last: 0, lines: 0 };
    if (seq !== journal.last + 1) {
      problems.push(`run ${run}: journal line ${journal.last + 1} is missing, line ${seq} follows`);
    }
    journals.set(run, { last: seq, lines: journal.lines + 1 });
  }

  for (const run of strays) problems.push(`run ${run}: rows without a head`);
  for (const [run, head] of heads) {
    problems.push(...headProblems(run, head, journals.get(run)?.last ?? 0));
  }
  return { runs: heads.size, rows, problems };
}

function headProblems(run: string, head: RunHead, last: number): string[] {
  const problems: string[] = [];
  if (head.id !== run) problems.push(`run ${run}: its head names run ${head.id}`);
  if (!Number.isInteger(head.rev) || head.rev < 0)
    problems.push(`run ${run}: rev ${head.rev} is not a count`);
  if (!Number.isInteger(head.fence) || head.fence < 1)
    problems.push(`run ${run}: fence ${head.fence} is not a count`);
  if (head.seq !== last) {
    problems.push(`run ${run}: the head counts ${head.seq} journal lines, the newest line is ${last}`);
  }
  return problems;
}

/** Every row under a prefix, unread, in pages between which others get their turn; without one `h/` comes before every
 *  table that refers to it. */
export async function* textPages(database: Database, prefix = ''): AsyncGenerator<Entry<string>[]> {
  let from = prefix;
  for (;;) {
    const page = database.texts(prefix, { from, limit: PAGE });
    yield page;
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    // the next possible key
    from = `${last.key}\u0000`;
    await new Promise(resolve => setImmediate(resolve));
  }
}

async function* walk(database: Database): AsyncGenerator<Entry<string>> {
  for await (const page of textPages(database)) yield* page;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
