/** Closes a subtask: what it leaves to its dependents, and what shows that it did what it owes. */

import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type { SettleInput } from '../../machines/subtask.ts';
import type { Row } from '../../store/port.ts';
import { inForce } from '../../tools/undo.ts';
import type { Effect } from '../effect.ts';
import { commandsIn, match } from './checks/commands.ts';
import { readClaim } from './claim.ts';
import type { TaskDeps } from './deps.ts';
import { recordedMemory } from './memory.ts';
import { lastWrite, normalPath, owedBy, type ShownBy, shownRows, stepOf } from './owed.ts';
import {
  extractedKey,
  type MemoryEntry,
  memoryKey,
  nodeOf,
  row,
  type StoredVerdict,
  type SubtaskSummary,
  summaryKey,
  threadParts,
} from './rows.ts';
import { changedPaths, type Work, workOf } from './work.ts';

export function settleEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as SettleInput;
    const { subtask, thread } = input;
    const [work, plan, verdict, decisions, feedback, extracted] = await Promise.all([
      workOf(deps, input),
      deps.rows.plan(input.plan_version),
      deps.rows.verdict(thread),
      deps.rows.decisions(subtask),
      input.attempt > 1 ? deps.rows.feedback(subtask, threadParts(thread).incarnation) : [],
      deps.rows.get<MemoryEntry[]>(extractedKey(thread)),
    ]);
    const others = verdict ? await overtaking(deps, work, subtask, verdict) : [];
    if (others.length > 0) return { output: overtakenBy(others) };
    const { changelog, traces } = work;
    const recorded = recordedMemory({ subtask, plan, changelog, traces, decisions, feedback });
    const memory = [...recorded, ...(extracted ?? [])];
    const memoryRow = memory.length > 0 ? memoryKey(intent.key) : null;
    const claim = readClaim(work.answer);
    const files = work.changelog.filter(inForce).flatMap(entry => entry.changes.map(change => change.path));
    const limit = deps.config.limits.runner.max_state_summary_chars;
    const summary = claim.summary.length > limit ? `${claim.summary.slice(0, limit - 1)}…` : claim.summary;
    const left: SubtaskSummary = {
      summary,
      claim: work.answer.slice(0, 8_000),
      files: [...new Set(files)],
      deliverables: nodeOf(plan, input.subtask).deliverables,
      ...(memoryRow ? { memory: memoryRow } : {}),
    };
    return {
      output: { ok: true, summary } satisfies EffectOutputs['settle'],
      rows: [
        row(summaryKey(input.subtask), left),
        ...(memoryRow ? [row(memoryRow, memory)] : []),
        ...(verdict ? evidenceRows(work, input.subtask, verdict) : []),
      ],
    };
  };
}

/** Files of what the subtask owes that were written after its judge was asked. A command is held against later changes at
 *  the end of the task, and that a file is there is looked at then. */
async function overtaking(
  deps: TaskDeps,
  work: Work,
  subtask: string,
  { effect }: StoredVerdict,
): Promise<string[]> {
  const changed = changedPaths(work.changelog, work.traces).map(normalPath);
  const owed = owedBy(work.owed, subtask).filter(
    each => each.from !== 'deliverable' && !commandShown(work, each.text),
  );
  const paths = [...new Set(owed.flatMap(each => each.paths ?? changed))];
  const seq = stepOf(effect);
  const writes = await Promise.all(paths.map(path => lastWrite(deps, path)));
  return paths.filter((_, at) => (writes[at]?.seq ?? 0) > seq);
}

const overtakenBy = (paths: string[]): EffectOutputs['settle'] => ({
  ok: false,
  failure: failure(
    'retryable',
    'overtaken',
    `${paths.slice(0, 5).join(', ')} was changed by somebody else while the result was judged: read it again and make sure that it still says what it must`,
  ),
});

/** The accepted verdict is evidence for all that the subtask owes, and for what had to hold in the files it changed; a
 *  command is evidence by itself. */
function evidenceRows(work: Work, subtask: string, { effect, by, passed, outcome }: StoredVerdict): Row[] {
  // A person accepted what the last judge did not, or a majority did.
  const verdict = passed ? outcome : ('pass_with_warnings' as const);
  const judged = { effect, seq: stepOf(effect), verdict, by };
  const changed = changedPaths(work.changelog, work.traces).map(normalPath);
  const own = owedBy(work.owed, subtask).map((owed): ShownBy => {
    const command = commandShown(work, owed.text);
    if (command) return { ...judged, obligation: owed.id, by: 'command', paths: null, command };
    return { ...judged, obligation: owed.id, paths: owed.paths ?? changed };
  });
  return [...own, ...work.held.map(({ shown }): ShownBy => ({ ...shown, ...judged }))].flatMap(shownRows);
}

/** The command that an obligation names, as it last ran with exit code 0. */
function commandShown({ traces }: Work, text: string): ShownBy['command'] | null {
  for (const command of commandsIn(text)) {
    const ran = traces.findLast(trace => trace.exit_code === 0 && match(trace, command) === 'clear');
    if (ran?.at) return { subject: ran.subject, at: ran.at };
  }
  return null;
}
