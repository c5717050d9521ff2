/** The tasks of the benchmark: what is asked, the workspace before, and the truth, which only the simulated worker and the
 *  oracle know. Everything follows from the seed. */
import type { PlanNode } from '../../../machines/plan.ts';
import { luck } from './luck.ts';
import { SEMANTIC } from './semantic-jobs.ts';
import { VISIBLE } from './visible-jobs.ts';

/** path → contents */
export type Files = Record<string, string>;

/** One file as a subtask should leave it. */
export interface Aim {
  path: string;
  /** null: gone. */
  text: string | null;
  /** Contents of the right shape that only a reader can tell from the right ones; empty where the world shows every error. */
  lookalikes: string[];
}

export interface JobNode {
  id: string;
  description: string;
  criteria: string;
  needs: string[];
  aims: Aim[];
  /** Files that are easily taken for those that are meant; what they hold is said in the description. */
  decoys: string[];
}

export interface Draft {
  goal: string;
  before: Files;
  nodes: JobNode[];
}

/** visible: the acceptance can be seen in the world · semantic: the contents can be wrong in a way only a reader can tell. */
type JobKind = 'visible' | 'semantic';

export interface Job extends Draft {
  /** Occurs in the goal. */
  key: string;
  kind: JobKind;
  /** Verification tier of its subtasks. */
  tier: 1 | 2 | 3;
  truth: Files;
}

export interface JobSet {
  kind: JobKind;
  seed: number;
  count: number;
  /** Names the set; keys are unique over all sets of one server. */
  name: string;
  /** By the number of the job. */
  tier: (n: number) => 1 | 2 | 3;
}

export function jobsOf({ kind, seed, count, name, tier }: JobSet): Job[] {
  const families = kind === 'visible' ? VISIBLE : SEMANTIC;
  return Array.from({ length: count }, (_, n) => {
    const draft = families[n % families.length]!(luck('job', kind, seed, n));
    const key = `${name}-${String(n).padStart(3, '0')}`;
    return {
      ...draft,
      key,
      kind,
      tier: tier(n),
      goal: `Job ${key}: ${draft.goal}`,
      truth: truthOf(draft),
    };
  });
}

function truthOf({ before, nodes }: Draft): Files {
  const files = { ...before };
  for (const { path, text } of nodes.flatMap(node => node.aims)) {
    if (text === null) delete files[path];
    else files[path] = text;
  }
  return files;
}

/** A subtask as a planner would write it. */
export const plannedNode = (node: JobNode, tier: 1 | 2 | 3): PlanNode => ({
  id: node.id,
  description: node.description,
  depends_on: node.needs,
  model_tier: 1,
  verification_tier: tier,
  is_critical_path: true,
  is_synthesis: false,
  acceptance_criteria: node.criteria,
  deliverables: node.aims.filter(aim => aim.text !== null).map(aim => aim.path),
});
