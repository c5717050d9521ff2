/** What a task owes: every acceptance criterion, deliverable and goal criterion, from the moment its plan is accepted. An
 *  obligation may change its owner with a new plan; none is ever dropped. Pure. */
import type { Plan, PlanNode } from './plan.ts';

/** Owner of what the whole task is judged by in the end; no node id, so that none can take its name. */
export const GOAL = '*goal';

export interface Obligation {
  /** `<owner at first>@<plan version>.<n>`, the same for good. */
  id: string;
  text: string;
  from: 'goal' | 'criterion' | 'deliverable';
  /** The subtask that has to fulfil it, or GOAL. */
  subtask: string;
  /** Files it is about; null: whatever its subtask changes, and for commands everything. */
  paths: string[] | null;
}

/** Stored apart: one row per plan version. */
export interface Obligations {
  version: number;
  list: Obligation[];
}

/** One line of criteria is one obligation. */
const linesOf = (criteria: string): string[] =>
  criteria
    .split('\n')
    .map(line => line.replace(/^\s*(?:[-*•]|\d+[.)])\s+/, '').trim())
    .filter(line => line !== '');

const plain = (path: string): string => path.replace(/^\.\//, '');

function ofNode(node: PlanNode, version: number): Obligation[] {
  const files = node.deliverables.map(plain);
  const made = [
    ...linesOf(node.acceptance_criteria).map(text => {
      const named = files.filter(path => text.includes(path));
      return { text, from: 'criterion' as const, paths: named.length > 0 ? named : null };
    }),
    ...files.map(path => ({ text: `${path} is there`, from: 'deliverable' as const, paths: [path] })),
  ];
  return made.map((each, n) => ({ ...each, id: `${node.id}@${version}.${n}`, subtask: node.id }));
}

export const obligationsOf = (plan: Plan): Obligations => ({
  version: plan.version,
  list: [
    ...plan.goal_criteria.map((text, n) => ({
      id: `${GOAL}@${plan.version}.${n}`,
      text,
      from: 'goal' as const,
      subtask: GOAL,
      paths: null,
    })),
    ...plan.subtasks.flatMap(node => ofNode(node, plan.version)),
  ],
});

const same = (a: Obligation, b: Obligation): boolean =>
  a.text === b.text && a.from === b.from && JSON.stringify(a.paths) === JSON.stringify(b.paths);

/** Who takes over: a node that leaves one of the files, the node of the same name, or the last of the new ones. */
function heir(owed: Obligation, fresh: PlanNode[]): string {
  const leaves = fresh.find(node => owed.paths?.some(path => node.deliverables.map(plain).includes(path)));
  const named = fresh.find(node => node.id === owed.subtask);
  return (leaves ?? named ?? fresh.at(-1))?.id ?? GOAL;
}

/** What is owed under a new plan: all that was, by whoever can do it now, and what the new nodes bring.
 *  @param unmet ids that have to be fulfilled anew although their subtask is completed */
export function reassigned(
  known: Obligations,
  before: Plan,
  plan: Plan,
  unmet: readonly string[],
): Obligations {
  const kept = new Set(before.subtasks.filter(node => plan.subtasks.includes(node)).map(node => node.id));
  const fresh = plan.subtasks.filter(node => !before.subtasks.includes(node));
  const old = known.list.map(owed => {
    const stays = owed.from === 'goal' || (kept.has(owed.subtask) && !unmet.includes(owed.id));
    return stays ? owed : { ...owed, subtask: heir(owed, fresh) };
  });
  const owners = new Map<string, Obligation[]>();
  for (const owed of old) owners.set(owed.subtask, [...(owners.get(owed.subtask) ?? []), owed]);
  const added = fresh
    .flatMap(node => ofNode(node, plan.version))
    .filter(each => !owners.get(each.subtask)?.some(owed => same(owed, each)));
  return { version: plan.version, list: [...old, ...added] };
}
