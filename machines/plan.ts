/** The plan: a graph of subtasks, its checks and its scheduling questions. Pure. */
export interface PlanNode {
  /** `[a-z0-9][a-z0-9-]{0,47}` */
  id: string;
  description: string;
  depends_on: string[];
  /** 1..3, the least tier of model that should do it. */
  model_tier: number;
  /** 1 deterministic, 2 one independent review, 3 vote. */
  verification_tier: number;
  is_critical_path: boolean;
  is_synthesis: boolean;
  acceptance_criteria: string;
  /** Paths it must leave behind, relative to the workspace. */
  deliverables: string[];
  /** Model calls spent on failed work that it replaces; the engine's own note, never the planner's. */
  spent?: number;
}

export interface Plan {
  version: number;
  goal_criteria: string[];
  subtasks: PlanNode[];
}

export const NODE_ID = /^[a-z0-9][a-z0-9-]{0,47}$/;

/** One letter per node in plan order, so that a thousand nodes cost a thousand bytes. */
export type StatusLetter = 'p' | 'r' | 'c' | 'f' | 'b' | 's';
export const STATUS_NAMES: Record<StatusLetter, string> = {
  p: 'pending',
  r: 'running',
  c: 'completed',
  f: 'failed',
  b: 'blocked',
  s: 'skipped',
};

const indexes = new WeakMap<
  Plan,
  { index: Map<string, number>; deps: number[][]; terminalSynthesis: boolean[] }
>();

function indexOf(plan: Plan) {
  const known = indexes.get(plan);
  if (known) return known;
  const index = new Map(plan.subtasks.map((node, i) => [node.id, i]));
  const deps = plan.subtasks.map(node => node.depends_on.map(id => index.get(id) ?? -1));
  const hasDependents = new Set(deps.flat());
  const terminalSynthesis = plan.subtasks.map((node, i) => node.is_synthesis && !hasDependents.has(i));
  const made = { index, deps, terminalSynthesis };
  indexes.set(plan, made);
  return made;
}

/** Position of a node in plan order, -1 when the plan has no such node. */
export const nodeIndex = (plan: Plan, id: string): number => indexOf(plan).index.get(id) ?? -1;

/** Index of the first pending node whose dependencies are completed, -1 when none can start.
 *  A synthesis nobody depends on also waits for every node that is not itself such a synthesis. */
export function nextRunnable(plan: Plan, status: string): number {
  const { deps, terminalSynthesis } = indexOf(plan);
  for (let i = status.indexOf('p'); i >= 0; i = status.indexOf('p', i + 1)) {
    if (!deps[i]!.every(d => status[d] === 'c')) continue;
    if (terminalSynthesis[i] && plan.subtasks.some((_, j) => !terminalSynthesis[j] && status[j] !== 'c'))
      continue;
    return i;
  }
  return -1;
}

export const setStatus = (status: string, i: number, letter: StatusLetter): string =>
  status.slice(0, i) + letter + status.slice(i + 1);

/** Why nothing pending can start, per node, in the words of the event `task_stalled`. */
export function stallReasons(plan: Plan, status: string): { subtask_id: string; reasons: string[] }[] {
  return plan.subtasks.flatMap((node, i) => {
    if (status[i] !== 'p') return [];
    const reasons = node.depends_on
      .filter(id => status[nodeIndex(plan, id)] !== 'c')
      .map(
        id => `dependency_unmet:${id}=${STATUS_NAMES[(status[nodeIndex(plan, id)] ?? 'p') as StatusLetter]}`,
      );
    return [
      { subtask_id: node.id, reasons: reasons.length > 0 ? reasons : ['synthesis_waiting_on_non_synthesis'] },
    ];
  });
}

/** Everything wrong with a plan's shape as a graph, one sentence each, in words a planner can act on. Empty: it is sound. */
export function planErrors(plan: Plan): string[] {
  const errors: string[] = [];
  const nodes = plan.subtasks;
  if (nodes.length === 0) return ['the plan has no subtasks'];
  const seen = new Set<string>();
  for (const node of nodes) {
    if (!NODE_ID.test(node.id)) errors.push(`subtask id "${node.id}" must match ${NODE_ID.source}`);
    if (seen.has(node.id)) errors.push(`subtask id "${node.id}" is used twice`);
    seen.add(node.id);
  }
  const byId = new Map(nodes.map(node => [node.id, node]));
  for (const node of nodes) {
    for (const dep of node.depends_on) {
      const other = byId.get(dep);
      if (dep === node.id) errors.push(`subtask "${node.id}" depends on itself`);
      else if (!other) errors.push(`subtask "${node.id}" depends on "${dep}", which is not in the plan`);
      else if (other.is_synthesis && !node.is_synthesis)
        errors.push(`subtask "${node.id}" is not a synthesis but depends on the synthesis "${dep}"`);
    }
  }
  const cycle = findCycle(byId);
  if (cycle) errors.push(`the dependencies form a cycle: ${cycle.join(' -> ')}`);
  return errors;
}

/** Iterative depth-first search (three colours), so that a chain of a thousand nodes does not exhaust the stack. */
function findCycle(byId: Map<string, PlanNode>): string[] | null {
  const done = new Set<string>();
  for (const root of byId.keys()) {
    if (done.has(root)) continue;
    const path: { id: string; next: number }[] = [{ id: root, next: 0 }];
    const onPath = new Set([root]);
    while (path.length > 0) {
      const top = path[path.length - 1]!;
      const dep = byId.get(top.id)!.depends_on[top.next++];
      if (dep === undefined) {
        path.pop();
        onPath.delete(top.id);
        done.add(top.id);
      } else if (onPath.has(dep)) {
        const ids = path.map(step => step.id);
        if (dep !== top.id) return [...ids.slice(ids.indexOf(dep)), dep];
      } else if (byId.has(dep) && !done.has(dep)) {
        path.push({ id: dep, next: 0 });
        onPath.add(dep);
      }
    }
  }
  return null;
}

/** A synthesis that others depend on is an ordinary subtask: clears the mark and says which. */
export function demoteSyntheses(plan: Plan): { plan: Plan; demoted: string[] } {
  const needed = new Set(plan.subtasks.flatMap(node => node.depends_on));
  const demoted = plan.subtasks.filter(node => node.is_synthesis && needed.has(node.id)).map(node => node.id);
  if (demoted.length === 0) return { plan, demoted };
  const subtasks = plan.subtasks.map(node =>
    demoted.includes(node.id) ? { ...node, is_synthesis: false } : node,
  );
  return { plan: { ...plan, subtasks }, demoted };
}

/** The plan of last resort: the goal as one subtask. */
export const singleNodePlan = (goal: string): Plan => ({
  version: 1,
  goal_criteria: [],
  subtasks: [
    {
      id: 'execute-goal',
      description: goal,
      depends_on: [],
      model_tier: 2,
      verification_tier: 2,
      is_critical_path: true,
      is_synthesis: false,
      acceptance_criteria: '',
      deliverables: [],
    },
  ],
});

/** A new plan for a task under way: nodes that are completed or running stay exactly as they are, with their status, and
 *  so do those named in `unseen`, which failed after the planner was asked: it cannot have meant to drop them.
 *  The rest is replaced by what the proposal says. The version rises by one.
 *  @param spent model calls that the failed work has cost: what comes in its place begins with them, what was waiting
 *  anyway does not */
export function mergePlan(
  current: Plan,
  status: string,
  proposed: Plan,
  unseen: readonly string[] = [],
  spent = 0,
): { plan: Plan; status: string; errors: string[] } {
  const stays = (node: PlanNode, i: number) =>
    status[i] === 'c' || status[i] === 'r' || unseen.includes(node.id);
  const kept = current.subtasks.filter(stays);
  const keptIds = new Set(kept.map(node => node.id));
  const added = proposed.subtasks.filter(node => !keptIds.has(node.id));
  const normal = demoteSyntheses({ ...proposed, subtasks: [...kept, ...added] }).plan;
  const waiting = (id: string) => status[nodeIndex(current, id)] === 'p';
  const fresh = normal.subtasks
    .slice(kept.length)
    .map(node => (spent === 0 || waiting(node.id) ? node : { ...node, spent }));
  const plan: Plan = {
    version: current.version + 1,
    goal_criteria: current.goal_criteria,
    subtasks: [...kept, ...fresh],
  };
  const letters = kept.map(node => status[nodeIndex(current, node.id)]).join('') + 'p'.repeat(fresh.length);
  const errors =
    fresh.length === 0 && kept.length < status.length
      ? ['the new plan drops the failed work without replacing it']
      : planErrors({ ...plan, subtasks: normal.subtasks });
  return { plan, status: letters, errors };
}
