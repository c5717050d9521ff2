/** Memory across subtasks: what a completed subtask leaves for others besides its summary, and which of it concerns one.
 *  Read from what is recorded, without a model: files changed, commands with their exit codes, answers of people. */

import type { Plan, PlanNode } from '../../machines/plan.ts';
import type { Feedback } from '../../machines/subtask.ts';
import { inForce } from '../../tools/undo.ts';
import type { ChangelogEntry, Decision, MemoryEntry, MemoryType, ToolTrace } from './rows.ts';

const MOST_SUMMARY = 150;
const MOST_DETAIL = 200;
const MOST_TAGS = 12;
const MOST_COMMANDS = 4;

const short = (text: string, most: number): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
};

/** An entry within its bounds. */
export const memoryEntry = (
  subtask: string,
  type: MemoryType,
  summary: string,
  {
    detail = '',
    tags = [],
    relevance_to = [],
  }: { detail?: string; tags?: string[]; relevance_to?: string[] },
): MemoryEntry => ({
  subtask,
  type,
  summary: short(summary, MOST_SUMMARY),
  detail: short(detail, MOST_DETAIL),
  tags: [...new Set(tags.map(tag => short(tag, MOST_SUMMARY)))].slice(0, MOST_TAGS),
  relevance_to: relevance_to.slice(0, MOST_TAGS),
});

/** Ids of the subtasks that depend on this one. */
const dependentsOf = (plan: Plan, id: string): string[] =>
  plan.subtasks.filter(node => node.depends_on.includes(id)).map(node => node.id);

interface Recorded {
  subtask: string;
  plan: Plan;
  /** Of the subtask. */
  changelog: ChangelogEntry[];
  /** Of the accepted attempt. */
  traces: ToolTrace[];
  decisions: Decision[];
  feedback: Feedback[];
}

const WORDS = { create: 'created', modify: 'changed', delete: 'deleted', rename: 'moved' } as const;

/** What the records of a subtask say, most important first. */
export function recordedMemory({ subtask, plan, ...left }: Recorded): MemoryEntry[] {
  const relevance_to = dependentsOf(plan, subtask);
  const entry = (type: MemoryType, summary: string, tags: string[]): MemoryEntry =>
    memoryEntry(subtask, type, summary, { tags, relevance_to });
  const rejected = left.feedback.filter(({ failure }) => failure?.code === 'rejected_by_person');
  return [
    ...left.decisions.map(({ question, answer }) =>
      memoryEntry(subtask, 'decision', `${short(question, 70)} → ${answer}`, {
        detail: answer.length > 70 ? answer : '',
        relevance_to,
      }),
    ),
    ...rejected.map(({ failure }) =>
      entry('decision', `a person rejected a result: ${failure!.message}`, []),
    ),
    ...filesEntry(left.changelog, entry),
    ...commandEntries(left.traces, entry),
  ];
}

type Make = (type: MemoryType, summary: string, tags: string[]) => MemoryEntry;

/** One entry for all files, by the last thing that was done with each. */
function filesEntry(changelog: ChangelogEntry[], make: Make): MemoryEntry[] {
  const last = new Map<string, keyof typeof WORDS>();
  for (const { changes } of changelog.filter(inForce)) {
    for (const { path, operation } of changes)
      last.set(path, operation === 'modify' && last.get(path) === 'create' ? 'create' : operation);
  }
  if (last.size === 0) return [];
  const of = (operation: keyof typeof WORDS): string[] =>
    [...last].filter(([, done]) => done === operation).map(([path]) => path);
  const parts = (Object.keys(WORDS) as (keyof typeof WORDS)[]).flatMap(operation => {
    const paths = of(operation);
    return paths.length > 0 ? [`${WORDS[operation]} ${paths.join(', ')}`] : [];
  });
  return [make('artifact', parts.join('; '), [...last.keys()])];
}

/** The last result of each command, newest first. */
function commandEntries(traces: ToolTrace[], make: Make): MemoryEntry[] {
  const last = new Map<string, number>();
  for (const { subject, exit_code } of traces) {
    if (exit_code === undefined) continue;
    last.delete(subject);
    last.set(subject, exit_code);
  }
  return [...last]
    .reverse()
    .slice(0, MOST_COMMANDS)
    .map(([command, code]) => make('tool_result', `${short(command, 120)} → exit ${code}`, [command]));
}

const MOST_SHOWN = 12;
const MOST_CHARS = 1_800;
/** Concerns every subtask of the task. */
const FOR_ALL: readonly MemoryType[] = ['decision', 'error', 'user_instruction'];

/** 0: does not concern it. */
function relevance(entry: MemoryEntry, node: PlanNode, words: string): number {
  if (entry.relevance_to.includes(node.id) || node.depends_on.includes(entry.subtask)) return 3;
  if (entry.tags.some(tag => tag.length >= 3 && words.includes(tag.toLowerCase()))) return 2;
  return FOR_ALL.includes(entry.type) ? 1 : 0;
}

/** Lines for the prompt of a subtask: the most relevant entries, of equal ones the newest, within bounds.
 *  @param rows newest first
 *  @param shown ids of the subtasks whose files the prompt names already */
export function memoryLines(rows: MemoryEntry[][], node: PlanNode, shown: string[]): string[] {
  const words = [node.description, node.acceptance_criteria, ...node.deliverables].join('\n').toLowerCase();
  const ranked = rows
    .flat()
    .filter(entry => !(entry.type === 'artifact' && shown.includes(entry.subtask)))
    .map((entry, age) => ({ entry, age, worth: relevance(entry, node, words) }))
    .filter(({ worth }) => worth > 0)
    .sort((a, b) => b.worth - a.worth || a.age - b.age);
  const lines: string[] = [];
  let left = MOST_CHARS;
  for (const { entry } of ranked.slice(0, MOST_SHOWN)) {
    const line = `- ${entry.subtask} (${entry.type}): ${entry.summary}${entry.detail ? ` — ${entry.detail}` : ''}`;
    left -= line.length + 1;
    if (left < 0) break;
    lines.push(line);
  }
  return lines;
}
