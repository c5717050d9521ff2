/** Commands of other processes: rows `i/<seq>` of a run, written without a fence, consumed in the owner's fenced commit.
 *
 *  The number comes from the counter `n/<run>` inside the sender's own transaction, so two senders never share one,
 *  and it never goes back after rows were consumed. `u/<run>/<id>` remembers the id: sent twice is consumed once. */

import { LoomError } from '../machines/failure.ts';
import { commandSeenKey, headKey, inboxCounterKey, rowKey, type Writing } from './database.ts';
import { type Command, seqKey } from './port.ts';

export function send(tx: Writing, run: string, command: Command): void {
  if (!tx.get(headKey(run))) {
    throw new LoomError('terminal', 'run_unknown', `There is no run ${run}; \`loom tasks\` lists them.`);
  }
  if (tx.get(commandSeenKey(run, command.id)) !== undefined) return;
  const seq = (tx.get<number>(inboxCounterKey(run)) ?? 0) + 1;
  tx.put(inboxCounterKey(run), seq);
  tx.put(commandSeenKey(run, command.id), seq);
  tx.put(rowKey(run, `i/${seqKey(seq)}`), command);
}
