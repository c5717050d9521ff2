/** Obligations and their evidence as rows.
 *
 *  `ob/<plan version>` all that is owed · `w/<path>` when a path was last written · `ev/<obligation>` what shows that one
 *  is met · `ep/<path>` + its id: the same by path, so that who changes a file finds what it was accepted for without
 *  reading everything.
 *
 *  Time is counted in steps of the run. A judgement has the step of its intent: it looked at the world later than that. A
 *  write has the step after the one that was committed when it had finished: whatever was asked for from then on saw it. */
import { createHash } from 'node:crypto';
import type { Obligation, Obligations } from '../../machines/obligations.ts';
import type { PlanNode } from '../../machines/plan.ts';
import type { Outcome } from '../../machines/verdict.ts';
import type { Row } from '../../store/port.ts';
import type { TaskDeps } from './deps.ts';
import { row } from './rows.ts';

export interface Write {
  path: string;
  seq: number;
  effect: string;
  /** The command that wrote it; absent for the tools that write files. */
  command?: string;
}

/** Where a stored call stands, so that it can be made again. */
interface CallPlace {
  thread: string;
  iteration: number;
  n: number;
}

export interface ShownBy {
  obligation: string;
  /** Key of the effect that looked. */
  effect: string;
  seq: number;
  verdict: Outcome;
  by: 'checks' | 'review' | 'command';
  /** Files it was about; null: the whole workspace. */
  paths: string[] | null;
  /** A command that ended with exit code 0, in the words it was run with. */
  command?: { subject: string; at: CallPlace };
}

/** Keys of a store are bounded; longer paths go by their hash. */
const MAX_KEY = 600;
const named = (path: string): string =>
  Buffer.byteLength(path) <= MAX_KEY ? path : createHash('sha256').update(path).digest('hex');

const writeKey = (path: string): string => `w/${named(path)}`;
const shownKey = (id: string): string => `ev/${id}`;
const byPathPrefix = (path: string): string => `ep/${named(path)}\n`;

/** What tools install and keep for themselves is nobody's work: there can be thousands of files, and no judge reads them. */
const INSTALLED = /(?:^|\/)(?:node_modules|\.git|\.venv|venv|__pycache__|\.loom)\//;

/** The step in which an effect was asked for. */
export const stepOf = (effectKey: string): number => Number(effectKey.split('|')[1] ?? 0);

export const normalPath = (path: string): string => path.replace(/^\.\//, '');

/** Rows of what a call wrote; asked for after it has finished. */
export async function writeRows(
  deps: Pick<TaskDeps, 'store' | 'run'>,
  effect: string,
  paths: string[],
  command?: string,
): Promise<Row[]> {
  const made = [...new Set(paths.map(normalPath))].filter(path => !INSTALLED.test(path));
  if (made.length === 0) return [];
  const seq = ((await deps.store.head(deps.run))?.rev ?? 0) + 1;
  const by = command === undefined ? {} : { command: command.slice(0, 300) };
  return made.map(path => row(writeKey(path), { path, seq, effect, ...by } satisfies Write));
}

export const shownRows = (shown: ShownBy): Row[] => [
  row(shownKey(shown.obligation), shown),
  ...(shown.paths ?? []).map(path => row(byPathPrefix(path) + shown.obligation, shown.obligation)),
];

/** When a path was last written, and by whom; null: not in this run. */
export const lastWrite = (deps: Pick<TaskDeps, 'rows'>, path: string): Promise<Write | null> =>
  deps.rows.get<Write>(writeKey(path));

/** What a subtask owes. */
export const owedBy = ({ list }: Obligations, subtask: string): Obligation[] =>
  list.filter(owed => owed.subtask === subtask);

/** The node with what an earlier plan left to it: as much part of what it has to do as its own criteria and files. */
export function owingNode({ list }: Obligations, node: PlanNode): PlanNode {
  const files = new Set(node.deliverables.map(normalPath));
  const left = list.filter(owed => owed.subtask === node.id);
  const lines = left.filter(
    owed => owed.from === 'criterion' && !node.acceptance_criteria.includes(owed.text),
  );
  const paths = left.flatMap(owed => (owed.from === 'deliverable' ? (owed.paths ?? []) : []));
  return {
    ...node,
    acceptance_criteria: [node.acceptance_criteria, ...lines.map(owed => owed.text)]
      .filter(Boolean)
      .join('\n'),
    deliverables: [...node.deliverables, ...paths.filter(path => !files.has(path))],
  };
}

/** What other subtasks were accepted for in files that were changed since, by this one among others: it must hold
 *  afterwards, too. */
export async function heldBefore(
  deps: Pick<TaskDeps, 'rows'>,
  owed: Obligations,
  subtask: string,
  changed: Iterable<string>,
): Promise<{ owed: Obligation; shown: ShownBy }[]> {
  const paths = [...new Set([...changed].map(normalPath))];
  const ids = (await Promise.all(paths.map(path => deps.rows.values<string>(byPathPrefix(path))))).flat();
  const known = new Map(owed.list.map(each => [each.id, each]));
  const others = [...new Set(ids)].map(id => known.get(id)).filter(each => each !== undefined);
  const found = await Promise.all(
    others
      .filter(each => each.subtask !== subtask)
      .map(async each => ({ owed: each, shown: await deps.rows.get<ShownBy>(shownKey(each.id)) })),
  );
  const stale = await Promise.all(
    found.map(async ({ shown }) => {
      const writes = await Promise.all((shown?.paths ?? []).map(path => lastWrite(deps, path)));
      return shown !== null && writes.some(write => write !== null && write.seq > shown.seq);
    }),
  );
  return found.flatMap(({ owed, shown }, at) => (shown && stale[at] ? [{ owed, shown }] : []));
}

/** Everything that has been shown, by obligation. */
export const allShown = async (deps: Pick<TaskDeps, 'rows'>): Promise<Map<string, ShownBy>> =>
  new Map((await deps.rows.values<ShownBy>('ev/')).map(shown => [shown.obligation, shown]));

/** Every path that was written, and when last. */
export const allWrites = async (deps: Pick<TaskDeps, 'rows'>): Promise<Map<string, Write>> =>
  new Map((await deps.rows.values<Write>('w/')).map(write => [write.path, write]));
