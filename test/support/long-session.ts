/** Closed sessions of any length, written by the store's own row writer: resumed like any other. */
import type { Row, Store } from '../../store/port.ts';
import { Corpus, messageRows } from './talk-corpus.ts';

export interface Long {
  id: string;
  workspace: string;
  /** Messages, two to a turn. */
  messages: number;
  seed?: number;
  /** Rows instead of those of the corpus, from one message to another. */
  rows?: (corpus: Corpus, from: number, to: number) => Row[];
  /** Messages of one transaction. */
  batch?: number;
}

/** Leaves the session as if it had been closed; the corpus, from which more can be said in the same words. */
export async function writeSession(store: Store, long: Long): Promise<Corpus> {
  const { id, workspace, messages, seed = 1, rows = messageRows, batch = 10_000 } = long;
  const at = new Date().toISOString();
  const lease = await store.create(
    { id, workspace, seq: 0, kind: 'session', status: 'completed', goal: '', created_at: at, updated_at: at },
    [
      { key: 'session', value: { allow: [], deny: [] } },
      { key: 'title', value: 'a long talk' },
      { key: 'ledger', value: emptyLedger },
    ],
  );
  const corpus = new Corpus(seed);
  let rev = 0;
  for (let from = 0; from < messages; from += batch)
    await store.commit(lease, rev++, {}, rows(corpus, from, Math.min(messages, from + batch)));
  await store.commit(lease, rev, { parked: { reason: 'closed', message: 'closed' } }, [
    { key: 'output', value: { status: 'closed', turns: messages / 2 } },
  ]);
  await store.release(lease);
  return corpus;
}

const NOTHING = { tokens: 0, usd: 0, model_calls: 0, tool_calls: 0 };
const emptyLedger = { limits: {}, subtask_limits: {}, spent: NOTHING, reserved: NOTHING };
