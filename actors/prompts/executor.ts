/** The executor's conversation: static words first, then the subtask, so that prompt caches hit. */
import type { Plan, PlanNode } from '../../machines/plan.ts';
import type { Message } from '../models/model.ts';

const EXECUTOR_SYSTEM = `# Loom executor
You carry out one subtask of a larger task, in a workspace, with tools. Somebody else checks the result against the real files.

- Work with the tools; do not describe work you have not done. Look before you change: read a file before you edit it.
- Paths are relative to the workspace. Prefer edit_file for small changes to existing files.
- When a tool call fails, read its message and correct the call; do not repeat it unchanged.
- Do only this subtask. Other subtasks take care of the rest of the goal.
- When the subtask is done, answer without calling a tool: one short paragraph, then one JSON object:
{"status":"success|partial|failed|blocked","summary":"what was done","deliverables_touched":["path"],"verification_notes":"how you checked","reason":"only when not success"}
- If you cannot finish, say so with status partial, failed or blocked and the reason. Never claim what is not there.`;

export interface Upstream {
  id: string;
  summary: string;
  files: string[];
}

export interface EarlierAttempt {
  attempt: number;
  reason: string;
  feedback: string;
  issues: string[];
}

export interface ExecutorPrompt {
  goal: string;
  node: PlanNode;
  plan: Plan;
  attempt: number;
  upstream: Upstream[];
  earlier: EarlierAttempt[];
  /** Files that this subtask's earlier attempts changed. */
  touched: string[];
  instructions: string[];
}

const clip = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)} […${text.length - limit} more characters]`;

/** Newest attempts first, the last three in full: what matters is what was wrong just now. */
function feedbackSection(earlier: EarlierAttempt[], touched: string[]): string[] {
  if (earlier.length === 0) return [];
  const lines = ['## What was wrong with earlier attempts'];
  for (const attempt of [...earlier].reverse().slice(0, 3)) {
    lines.push(`Attempt ${attempt.attempt} failed (${attempt.reason}): ${clip(attempt.feedback, 1_500)}`);
    for (const issue of attempt.issues.slice(0, 8)) lines.push(`- ${clip(issue, 300)}`);
  }
  if (touched.length > 0)
    lines.push(`Files you already changed: ${touched.slice(0, 24).join(', ')}. Continue from them.`);
  return [lines.join('\n')];
}

export function executorMessages(prompt: ExecutorPrompt): Message[] {
  const { node, attempt } = prompt;
  const sections = [
    `Subtask: ${node.id}${attempt > 1 ? `\nAttempt: ${attempt}` : ''}`,
    `## Goal of the whole task\n${clip(prompt.goal, 4_000)}`,
    `## Your subtask\n${node.description}`,
    ...(node.acceptance_criteria ? [`## It is accepted when\n${node.acceptance_criteria}`] : []),
    ...(node.deliverables.length > 0
      ? [`## Files it must leave\n${node.deliverables.map(path => `- ${path}`).join('\n')}`]
      : []),
    ...(prompt.upstream.length > 0
      ? [
          `## What earlier subtasks left\n${prompt.upstream
            .map(
              ({ id, summary, files }) =>
                `- ${id}: ${clip(summary, 480)}${files.length > 0 ? ` (files: ${files.slice(0, 12).join(', ')})` : ''}`,
            )
            .join('\n')}`,
        ]
      : []),
    ...(prompt.instructions.length > 0
      ? [`## Instructions from the user\n${prompt.instructions.join('\n')}`]
      : []),
    ...feedbackSection(prompt.earlier, prompt.touched),
  ];
  return [
    { role: 'system', content: EXECUTOR_SYSTEM },
    { role: 'user', content: sections.join('\n\n') },
  ];
}

/** What a model is told that goes round in circles. */
export const NUDGES = {
  repeats:
    'You are repeating calls whose results you already have; they will not change by themselves. Use what you know, do something different, or finish with your answer and its status. If you wait for something, wait inside one command (for example: sleep 30; then look) instead of asking again.',
  unreadable:
    'Your last tool calls could not be carried out: they could not be read, or do not fit the tool. Read the errors above, then send one call with the exact name and arguments of the tool as one JSON object, or finish with your answer and its status.',
};
export const CONTINUE =
  'Your answer was cut off. Continue exactly where it stopped, without repeating anything.';
