/** The planner's request: the goal, what is in the workspace, and the shape of a plan. */
import { GOAL } from '../../machines/obligations.ts';
import type { Message } from '../models/model.ts';
import { fitNamed, fitParts } from './fit-parts.ts';

const PLANNER_RULES = `Break the goal into subtasks that one worker with file, search and shell tools can finish and somebody else can check.

- As few subtasks as do the job well: 1 for a small goal, rarely more than 12.
- Subtasks that do not need each other's results must not depend on each other: they run at the same time. Two subtasks that run at the same time must not change the same file.
- depends_on lists ids of subtasks whose results are needed. No cycles.
- id: short kebab-case (a-z, 0-9, -), unique.
- description: everything the worker needs; it sees the goal and this text, not the other subtasks.
- acceptance_criteria: what can be observed when it is done (files, contents, command results). Facts that hold word for word are checked as they stand: \`path\` contains the line \`text\`; \`path\` has exactly 5 lines; \`path\` is gone; \`path\` is unchanged; no other file is created or changed.
- deliverables: the files it must leave, relative paths; empty when it leaves none.
- model_tier: 1 easy, 2 ordinary, 3 hard. verification_tier: 1 when files and their syntax prove it, 2 when somebody must read the result, 3 when several should.
- is_critical_path: true when the goal cannot be met without it. is_synthesis: true only for a last subtask that combines all others.

Answer with one JSON object and nothing else:
{"goal_criteria":["..."],"subtasks":[{"id":"...","description":"...","depends_on":[],"model_tier":1,"verification_tier":2,"is_critical_path":true,"is_synthesis":false,"acceptance_criteria":"...","deliverables":["path"]}]}`;

const TEMPLATES = 'Each subtask with its kind of work. Follow them only where they fit this goal.';

const list = (errors: string[]): string => errors.map(error => `- ${error}`).join('\n');

export interface PlannerPrompt {
  goal: string;
  /** A short listing of the workspace. */
  workspace: string;
  instructions: string[];
  /** What was wrong with the previous answer; empty at first. */
  errors: string[];
  /** Shapes of plans that completed for similar goals, one line each. */
  templates: string[];
}

/** @param maxChars what the parts that vary may take together; the goal weighs most */
export function plannerMessages(prompt: PlannerPrompt, maxChars: number): Message[] {
  const shown = fitNamed(
    {
      goal: { text: prompt.goal, weight: 14, ends: true },
      workspace: { text: prompt.workspace, weight: 6 },
      templates: { text: prompt.templates.join('\n'), weight: 2 },
      instructions: { text: prompt.instructions.join('\n'), weight: 8, ends: true },
      errors: { text: list(prompt.errors), weight: 4 },
    },
    maxChars,
  );
  const sections = [
    `## Goal\n${shown.goal}`,
    `## Workspace\n${shown.workspace}`,
    ...(shown.templates === ''
      ? []
      : [`## Plans that worked for similar goals\n${TEMPLATES}\n${shown.templates}`]),
    ...(shown.instructions === '' ? [] : [`## Instructions from the user\n${shown.instructions}`]),
    ...(shown.errors === ''
      ? []
      : [`## Your previous plan could not be used\n${shown.errors}\nAnswer with a corrected plan.`]),
  ];
  return [
    { role: 'system', content: `# Loom planner\n${PLANNER_RULES}` },
    { role: 'user', content: sections.join('\n\n') },
  ];
}

export interface ReplannerPrompt extends PlannerPrompt {
  failed: string;
  reason: string;
  /** One line per node: id, status, description, summary. */
  nodes: string[];
}

export function replannerMessages(prompt: ReplannerPrompt, maxChars: number): Message[] {
  const [, user] = plannerMessages(prompt, maxChars * 0.6);
  const [nodes, reason] = fitParts(
    [
      { text: prompt.nodes.join('\n'), weight: 3 },
      { text: prompt.reason, weight: 1 },
    ],
    maxChars * 0.4,
  );
  const why =
    prompt.failed === GOAL
      ? 'All subtasks of a task are completed, but not everything that was asked for is shown to hold.'
      : `A task is under way and the subtask "${prompt.failed}" failed for good.`;
  const about = prompt.failed === GOAL ? 'What is missing' : `Why "${prompt.failed}" failed`;
  const rules = `${why} Completed and running subtasks stay as they are. Answer with the subtasks that should now replace everything that is not completed or running; they may depend on completed and running ones by id. Do not repeat the approach that failed.\n\n${PLANNER_RULES}`;
  return [
    { role: 'system', content: `# Loom replanner\n${rules}` },
    {
      role: 'user',
      content: `${String(user!.content)}\n\n## Present plan\n${nodes}\n\n## ${about}\n${reason}`,
    },
  ];
}
