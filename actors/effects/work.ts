/** The work that is judged, of one attempt at a subtask or of the whole task, as checks and reviewers look at it. */

import { GOAL, type Obligations } from '../../machines/obligations.ts';
import type { Plan, PlanNode } from '../../machines/plan.ts';
import { inForce } from '../../tools/undo.ts';
import { answersFor } from './answers-for.ts';
import type { TaskDeps } from './deps.ts';
import { heldBefore, owingNode, type ShownBy } from './owed.ts';
import { type ChangelogEntry, nodeOf, type StoredMessage, type ToolTrace } from './rows.ts';

interface Judged {
  subtask: string;
  plan_version: number;
  thread: string;
}

export interface Work {
  /** With everything it owes. */
  node: PlanNode;
  owed: Obligations;
  /** The worker's last words; of the goal, what each subtask left. */
  answer: string;
  messages: StoredMessage[];
  changelog: ChangelogEntry[];
  traces: ToolTrace[];
  /** What others were accepted for in files that this work changed. */
  held: { text: string; shown: ShownBy }[];
}

/** Commands that a judge of the whole task is shown. */
const MAX_COMMANDS = 40;

const goalNode = (plan: Plan): PlanNode => ({
  id: GOAL,
  description:
    'The goal of the whole task. Every subtask has been accepted by itself; judge what they amount to together.',
  depends_on: [],
  model_tier: 1,
  verification_tier: 2,
  is_critical_path: true,
  is_synthesis: true,
  acceptance_criteria: plan.goal_criteria.join('\n'),
  deliverables: [],
});

export async function workOf(deps: TaskDeps, input: Judged): Promise<Work> {
  const { rows } = deps;
  const [plan, owed] = await Promise.all([
    rows.plan(input.plan_version),
    rows.obligations(input.plan_version),
  ]);
  if (input.subtask === GOAL) {
    const node = owingNode(owed, goalNode(plan));
    const left = await Promise.all(
      plan.subtasks.map(async ({ id }) => [id, await rows.summary(id)] as const),
    );
    return {
      node,
      owed,
      answer: left.map(([id, summary]) => `${id}: ${summary?.summary ?? ''}`).join('\n'),
      messages: [],
      changelog: await rows.changelog(),
      traces: (await rows.commands(MAX_COMMANDS)).map(({ trace }) => trace),
      held: [],
    };
  }
  const [messages, changelog, traces] = await Promise.all([
    rows.messages(input.thread),
    answersFor(rows, input.subtask, input.plan_version),
    rows.traces(input.thread),
  ]);
  const held = await heldBefore(deps, owed, input.subtask, changedPaths(changelog, traces));
  return {
    node: owingNode(owed, nodeOf(plan, input.subtask)),
    owed,
    answer: finalAnswer(messages),
    messages,
    changelog,
    traces,
    held: held.map(({ owed: { text }, shown }) => ({ text, shown })),
  };
}

/** Files that the work touched and that stand, old names included. */
export const changedPaths = (changelog: ChangelogEntry[], traces: ToolTrace[]): string[] => [
  ...new Set([
    ...changelog
      .filter(inForce)
      .flatMap(entry => entry.changes)
      .flatMap(change => [change.path, ...(change.from ? [change.from] : [])]),
    ...traces.flatMap(trace => trace.files_changed),
  ]),
];

/** The words of the last answer that called no tool. */
export function finalAnswer(messages: StoredMessage[]): string {
  const answers = messages.map(entry => entry.message).filter(message => message.role === 'assistant');
  // A continued answer is several messages that belong together.
  const tail: string[] = [];
  for (const message of answers.reverse()) {
    if (message.role !== 'assistant' || (message.tool_calls?.length ?? 0) > 0) break;
    tail.unshift(message.content);
  }
  return tail.join('');
}
