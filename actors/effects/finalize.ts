/** Closes the task: holds all that is owed against its evidence. What is shown, and was not overtaken by a later change, is
 *  done; a command is run once more; the goal's own criteria are judged; whatever is left is named. */
import type { CallDigest, EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import { GOAL } from '../../machines/obligations.ts';
import type { FinalizeInput } from '../../machines/task.ts';
import { recheckThread, UNMET } from '../../machines/task-closing.ts';
import { accepted } from '../../machines/verdict.ts';
import type { Row } from '../../store/port.ts';
import type { Effect } from '../effect.ts';
import { audit, type Standing } from './audit.ts';
import { asksOnlyCommands } from './checks/commands.ts';
import { currentPlan } from './current-plan.ts';
import type { TaskDeps } from './deps.ts';
import { type Circumstances, judge } from './judge.ts';
import { assistantMessage } from './model.ts';
import { type ShownBy, shownRows, stepOf } from './owed.ts';
import { messageKey, row, type StoredMessage } from './rows.ts';

/** Unmet obligations that the message of a failed task names. */
const NAMED = 3;

export function finalizeEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as FinalizeInput;
    const standings = await audit(deps, input);
    const unmet = standings.filter(standing => standing.why !== null);
    if (!input.rechecked) {
      const again = await recheck(deps, input.version, unmet);
      if (again.calls.length > 0)
        return {
          output: { ok: true, next: 'recheck', calls: again.calls } satisfies EffectOutputs['finalize'],
          rows: again.rows,
        };
    }
    const goal = standings.filter(({ owed }) => owed.subtask === GOAL);
    const unjudged = goal.filter(({ owed, shown }) => shown === null || !asksOnlyCommands(owed.text));
    if (unmet.length === 0 && unjudged.length > 0 && input.goal === null)
      return { output: { ok: true, next: 'judge' } satisfies EffectOutputs['finalize'] };
    const refused = input.goal !== null && !accepted(input.goal.outcome) ? unjudged : [];
    const left = [...unmet, ...refused.filter(({ why }) => why === null)];
    if (left.length > 0) return { output: unmetOutput(left, input.goal?.feedback ?? '') };
    const judged = goal.map(
      ({ owed, shown }): ShownBy => shown ?? goalShown(owed.id, intent.key, input.goal),
    );
    const again = standings.flatMap(({ shown }) => (shown?.by === 'command' ? [shown] : []));
    return {
      output: { ok: true } satisfies EffectOutputs['finalize'],
      rows: [await summaryRow(deps), ...[...judged, ...again].flatMap(shownRows)],
    };
  };
}

const goalShown = (obligation: string, effect: string, goal: FinalizeInput['goal']): ShownBy => ({
  obligation,
  effect,
  seq: stepOf(effect),
  verdict: goal?.outcome ?? 'pass',
  by: 'review',
  paths: null,
});

/** Commands whose evidence is older than a change, as calls that can be made again. Never one that can destroy data. */
async function recheck(
  deps: TaskDeps,
  version: number,
  unmet: Standing[],
): Promise<{ calls: CallDigest[]; rows: Row[] }> {
  const places = unmet.flatMap(({ shown }) => (shown?.command ? [shown.command.at] : []));
  const stored = await Promise.all(
    places.map(
      async at =>
        (await deps.rows.get<StoredMessage>(messageKey.answer(at.thread, at.iteration)))?.calls?.[at.n],
    ),
  );
  const different = new Map(
    stored.flatMap(call => (call ? [[JSON.stringify([call.name, call.arguments]), call]] : [])),
  );
  // What ran once by leave of the gate is gated again as if nothing had been read: it is the same command.
  const about: Circumstances = { named: () => true, exposure: 'nothing' };
  const judged = await Promise.all(
    [...different.values()].map((call, n) => judge(deps, { ...call, id: `again_${n}` }, n, about)),
  );
  const allowed = judged.filter(({ digest }) => digest.valid && !digest.risks.includes('destructive'));
  const message = assistantMessage({}, '', allowed);
  const calls = allowed.map(({ digest }, n) => ({ ...digest, n }));
  return {
    calls,
    rows: [
      row(messageKey.answer(recheckThread(version), 1), {
        message,
        calls: allowed.map(call => call.stored),
      } satisfies StoredMessage),
    ],
  };
}

function unmetOutput(left: Standing[], feedback: string): EffectOutputs['finalize'] {
  const told = left
    .slice(0, NAMED)
    .map(({ owed, why }) => `"${owed.text.slice(0, 200)}" ${why ?? feedback}`.trim());
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : '';
  const message = `All subtasks are done, but what was asked for is not shown to hold: ${told.join('; ')}${more}. Look at the files, then run the goal again or ask for what is missing.`;
  return {
    ok: false,
    failure: failure('terminal', UNMET, message, {
      obligations: left.map(({ owed }) => owed.id).slice(0, 50),
    }),
  };
}

async function summaryRow(deps: TaskDeps): Promise<Row> {
  const plan = await currentPlan(deps);
  const lines = await Promise.all(
    plan.subtasks.map(async node => {
      const left = await deps.rows.summary(node.id);
      return plan.subtasks.length === 1 ? (left?.summary ?? '') : `${node.id}: ${left?.summary ?? ''}`;
    }),
  );
  return row('summary', lines.join('\n').slice(0, 8_000));
}
