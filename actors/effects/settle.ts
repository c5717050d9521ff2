/** Closes a subtask (what it leaves to its dependents) and the task (what it leaves to the user). */
import type { EffectOutputs } from '../../machines/effects.ts';
import type { SettleInput } from '../../machines/subtask.ts';
import type { Effect } from '../effect.ts';
import { answersFor } from './answers-for.ts';
import { finalAnswer } from './checks.ts';
import { readClaim } from './claim.ts';
import { currentPlan } from './current-plan.ts';
import type { TaskDeps } from './deps.ts';
import { recordedMemory } from './memory.ts';
import {
  extractedKey,
  type MemoryEntry,
  memoryKey,
  nodeOf,
  row,
  type SubtaskSummary,
  summaryKey,
  threadParts,
} from './rows.ts';

export function settleEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as SettleInput;
    const { subtask, thread } = input;
    const [messages, changelog, plan, traces, decisions, feedback, extracted] = await Promise.all([
      deps.rows.messages(thread),
      answersFor(deps.rows, subtask, input.plan_version),
      deps.rows.plan(input.plan_version),
      deps.rows.traces(thread),
      deps.rows.decisions(subtask),
      input.attempt > 1 ? deps.rows.feedback(subtask, threadParts(thread).incarnation) : [],
      deps.rows.get<MemoryEntry[]>(extractedKey(thread)),
    ]);
    const recorded = recordedMemory({ subtask, plan, changelog, traces, decisions, feedback });
    const memory = [...recorded, ...(extracted ?? [])];
    const memoryRow = memory.length > 0 ? memoryKey(intent.key) : null;
    const answer = finalAnswer(messages);
    const claim = readClaim(answer);
    const files = changelog
      .filter(entry => !entry.undone_by)
      .flatMap(entry => entry.changes.map(change => change.path));
    const limit = deps.config.limits.runner.max_state_summary_chars;
    const summary = claim.summary.length > limit ? `${claim.summary.slice(0, limit - 1)}…` : claim.summary;
    const left: SubtaskSummary = {
      summary,
      claim: answer.slice(0, 8_000),
      files: [...new Set(files)],
      deliverables: nodeOf(plan, input.subtask).deliverables,
      ...(memoryRow ? { memory: memoryRow } : {}),
    };
    return {
      output: { ok: true, summary } satisfies EffectOutputs['settle'],
      rows: [row(summaryKey(input.subtask), left), ...(memoryRow ? [row(memoryRow, memory)] : [])],
    };
  };
}

export function finalizeEffect(deps: TaskDeps): Effect {
  return async () => {
    const plan = await currentPlan(deps);
    const lines = await Promise.all(
      plan.subtasks.map(async node => {
        const left = await deps.rows.summary(node.id);
        return plan.subtasks.length === 1 ? (left?.summary ?? '') : `${node.id}: ${left?.summary ?? ''}`;
      }),
    );
    return {
      output: { ok: true } satisfies EffectOutputs['finalize'],
      rows: [row('summary', lines.join('\n').slice(0, 8_000))],
    };
  };
}
