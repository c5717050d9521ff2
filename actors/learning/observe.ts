/** What the end of a subtask or of a task teaches, read from what is recorded, in time for the very same commit. */

import type { Failure } from '../../machines/failure.ts';
import type { Plan, PlanNode } from '../../machines/plan.ts';
import type { SubtaskRecord } from '../../machines/subtask.ts';
import type { VerdictDigest } from '../../machines/verdict.ts';
import type { Config } from '../../store/config.ts';
import { lessonRow, type Observation } from '../../store/lessons.ts';
import type { Row } from '../../store/port.ts';
import { currentPlan } from '../effects/current-plan.ts';
import type { TaskDeps } from '../effects/deps.ts';
import { type StoredMessage, threadParts } from '../effects/rows.ts';
import { OUTPUT } from '../restore.ts';
import { kindOf } from './kind.ts';
import { goalWords, MOST_NODES, shapeOf } from './templates.ts';

type ObserveDeps = Pick<TaskDeps, 'run' | 'store' | 'rows' | 'config' | 'workspace' | 'goal' | 'now'>;

/** Failures that say nothing about who did the work: the servers, the limits, a person's interruption, or Loom itself. */
const NOT_THE_MODEL = new Set([
  ...['no_model', 'auth', 'connection', 'server', 'rate_limit', 'overloaded', 'timeout', 'cut_stream'],
  ...['not_found', 'bad_request', 'script', 'no_plan', 'internal', 'no_effect', 'call_missing'],
  ...['budget', 'aborted', 'interrupted', 'stopped', 'blocked', 'unknown'],
  ...['infra_verifier_error', 'parse_inconclusive', 'vote_split'],
]);

interface Attempt {
  thread: string;
  failure: Failure | null;
  verdict: VerdictDigest | null;
}

const blames = ({ failure, verdict }: Attempt): boolean =>
  failure !== null && verdict?.outcome !== 'inconclusive' && !NOT_THE_MODEL.has(failure.code);

/** Rows that follow from the rows of a reaction, for its commit: a lesson when a subtask or the task has ended. */
export function observer(deps: ObserveDeps): (rows: Row[]) => Promise<Row[]> {
  const lesson = (what: string, observations: Observation[]): Row[] =>
    observations.length > 0 ? [lessonRow(what, observations, deps.now())] : [];
  return async rows => {
    const made: Row[] = [];
    for (const { key, value } of rows) {
      if (key.startsWith('s/') && value !== null) {
        const record = value as SubtaskRecord;
        const { subtask, incarnation } = threadParts(record.thread);
        made.push(...lesson(`${subtask}@${incarnation}`, await ofSubtask(deps, record, rows)));
      }
      if (key === OUTPUT && (value as { status?: string } | null)?.status === 'completed')
        made.push(...lesson('plan', await ofTask(deps)));
    }
    return made;
  };
}

async function ofSubtask(deps: ObserveDeps, record: SubtaskRecord, rows: Row[]): Promise<Observation[]> {
  const { subtask, incarnation } = threadParts(record.thread);
  const plan = await deps.rows.plan(record.plan_version);
  const node = plan.subtasks.find(candidate => candidate.id === subtask);
  if (!node) return [];
  const kind = kindOf(node);
  const earlier: Attempt[] = record.attempts > 1 ? await deps.rows.feedback(subtask, incarnation) : [];
  const last = { thread: record.thread, failure: record.failure, verdict: record.verification };
  const attempts = [...earlier.filter(attempt => attempt.thread !== last.thread), last];
  return [
    ...(await rates(deps, kind, attempts, record.status === 'completed', rows)),
    ...(record.status === 'completed' ? await hint(deps, kind, earlier) : []),
  ];
}

/** One observation for each model that had a part: passed when an attempt of its was accepted. */
async function rates(
  deps: ObserveDeps,
  kind: string,
  attempts: Attempt[],
  completed: boolean,
  rows: Row[],
): Promise<Observation[]> {
  const passed = new Map<string, boolean>();
  for (const [at, attempt] of attempts.entries()) {
    const accepted = completed && at === attempts.length - 1;
    if (!accepted && !blames(attempt)) continue;
    const alias = await author(deps, attempt.thread, rows);
    if (alias !== undefined) passed.set(alias, accepted || passed.get(alias) === true);
  }
  return [...passed].flatMap(([alias, well]): Observation[] => {
    const model = modelOf(deps.config, alias);
    return model === undefined
      ? []
      : [{ type: 'success_rate', role: 'executor', kind, alias, model, passed: well }];
  });
}

const modelOf = (config: Config, alias: string): string | undefined => config.models[alias]?.model;

/** Who wrote the newest answer of a conversation: among the rows about to be written, or among the stored ones. */
async function author(deps: ObserveDeps, thread: string, rows: Row[]): Promise<string | undefined> {
  const prefix = `m/${thread}/`;
  const fresh = rows.filter(({ key }) => key.startsWith(prefix)).map(({ value }) => value as StoredMessage);
  const inHand = fresh.find(message => message?.alias !== undefined)?.alias;
  if (inHand !== undefined) return inHand;
  // The last message of an attempt that came to its end is the answer that ended it.
  const [newest] = await deps.store.range<StoredMessage>(deps.run, prefix, { reverse: true, limit: 1 });
  if (newest?.value.alias !== undefined) return newest.value.alias;
  return (await deps.rows.messages(thread)).findLast(message => message.alias !== undefined)?.alias;
}

/** Longest text of a hint. */
const MOST_HINT = 300;

async function hint(deps: ObserveDeps, kind: string, earlier: Attempt[]): Promise<Observation[]> {
  const before = earlier.at(-1);
  if (!before?.failure || !blames(before)) return [];
  const verdict = await deps.rows.verdict(before.thread);
  const feedback = (verdict?.feedback || before.failure.message).replace(/\s+/g, ' ').trim();
  if (feedback === '') return [];
  return [
    {
      type: 'retry_hint',
      workspace: deps.workspace.root,
      kind,
      code: before.failure.code,
      feedback: feedback.slice(0, MOST_HINT),
    },
  ];
}

async function ofTask(deps: ObserveDeps): Promise<Observation[]> {
  const plan: Plan = await currentPlan(deps);
  const words = goalWords(deps.goal);
  // The plan of last resort teaches nothing about planning.
  const planned = (node: PlanNode): boolean => node.id !== 'execute-goal';
  if (words.length === 0 || plan.subtasks.length > MOST_NODES || !plan.subtasks.every(planned)) return [];
  return [{ type: 'plan_template', words, shape: shapeOf(plan) }];
}
