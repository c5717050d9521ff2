/** Who tells a machine from a mutant: the unit tests and goldens of the machines, and small explorations. Bundled by
 *  `mutate.test.ts` with a runner in the place of vitest; the order is from cheap to dear. */
import '../machines/verifier.test.ts';
import '../machines/turn.test.ts';
import '../machines/subtask.test.ts';
import '../machines/task.test.ts';
import '../machines/replan.test.ts';
import '../machines/obligations.test.ts';
import '../machines/session.test.ts';
import '../machines/remediation.test.ts';
import '../machines/goldens.test.ts';
import { catalogue } from '../machines/drive.ts';
import { distinct, representatives } from './alphabet.ts';
import { explore } from './explore.ts';
import { mutantsOf } from './mutants.ts';
import type { Part } from './part.ts';
import { remediation, subtask, turns, verifiers } from './parts.ts';
import { conversation, session } from './talk.ts';
import { gentle, settledOnes, task, whole } from './task-parts.ts';

export const mutants = Object.values(catalogue.machines).flatMap(mutantsOf);

/** What is wrong with a part, or null. More than twice the states of the sound machine is wrong, too. */
function wrongWith(part: Part, states: number): string | null {
  const { deadlocks, leaks, errors, lost, calls, finals } = explore({ ...part, maxStates: 2 * states });
  const [found] = [...errors, ...deadlocks, ...leaks, ...lost];
  if (found) return found;
  if (finals === 0) return 'nothing ends';
  return calls > part.atMost ? `${calls} calls` : null;
}

/** Explorations by the machine they say most about, with what the sound machines' parts end with. */
function explorations(): { machine: string; name: string; run(): string | null }[] {
  const alone = (parts: Part[]) => parts.map(part => ({ part, report: explore(part) }));
  const outputs = (made: ReturnType<typeof alone>, without: string[]) =>
    distinct(
      made.flatMap(({ report }) => report.outputs),
      without,
    );
  const turn = alone(turns(true));
  const verifier = alone(verifiers(true));
  const all = { turn: outputs(turn, ['iterations', 'barren']), verifier: outputs(verifier, []) };
  const full = subtask(all, 1);
  const few = {
    turn: representatives(full, 'turn', all.turn, 1),
    verifier: representatives(full, 'verifier', all.verifier, 1),
  };
  const below = alone([subtask(few, 1), gentle(subtask(few, 2))]);
  const outcomes = outputs(below, ['attempts', 'verdict']);
  const plain = settledOnes(outcomes);
  const some = representatives(task('deny', plain), 'subtask', plain, 1);
  const items = alone([true, false].map(waits => remediation(some, waits)));
  const above = alone([task('require_approval', some, true), task('require_approval', some), whole()[0]!]);
  const talk = alone([
    session(distinct(all.turn, ['iterations', 'barren', 'claim', 'failure'])),
    conversation(),
  ]);
  return [...verifier, ...turn, ...below, ...items, ...above, ...talk].map(({ part, report }) => ({
    machine: part.machine,
    name: part.name,
    run: () => wrongWith(part, report.states),
  }));
}

export const explorers = explorations();
