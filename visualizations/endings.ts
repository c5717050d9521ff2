/** How a machine can end: for each final state the shortest way there, found by walking its transitions. */
import { type ChartState, type Move, statesOf } from './chart.ts';

export interface Ending {
  id: string;
  /** States from the first to the final one, as seen from the machine: its own children. */
  way: string[];
  /** Event that leads there from everywhere, when that is how. */
  anywhere: string;
}

/** The states entered with a state: its initial ones, all regions of a parallel one. */
function leaves(state: ChartState): ChartState[] {
  if (state.states.length === 0) return [state];
  const inside =
    state.kind === 'parallel' ? state.states : state.states.filter(({ initial }) => initial).slice(0, 1);
  return inside.flatMap(leaves);
}

export function endings(chart: ChartState): Ending[] {
  const byId = new Map(statesOf(chart).map(state => [state.id, state]));
  const top = (id: string): string => id.split('.')[1] ?? id;
  const around = (id: string): ChartState[] => {
    const parts = id.split('.');
    return parts.map((_, i) => byId.get(parts.slice(0, parts.length - i).join('.'))!);
  };
  const cameBy = new Map<string, { before: string; by: Move } | null>();
  const queue = leaves(chart).map(({ id }) => id);
  for (const id of queue) cameBy.set(id, null);
  for (const id of queue) {
    if (byId.get(id)!.kind === 'final') continue;
    for (const by of around(id).flatMap(({ moves }) => moves))
      for (const next of by.targets.flatMap(target => leaves(byId.get(target)!)))
        if (!cameBy.has(next.id)) {
          cameBy.set(next.id, { before: id, by });
          queue.push(next.id);
        }
  }
  const ends = chart.states.filter(({ kind, id }) => kind === 'final' && cameBy.has(id));
  return ends.map(({ id }) => {
    const way = [top(id)];
    for (let step = cameBy.get(id); step; step = cameBy.get(step.before))
      if (way[0] !== top(step.before)) way.unshift(top(step.before));
    const last = cameBy.get(id);
    return { id, way, anywhere: last?.by.from === chart.id ? last.by.event : '' };
  });
}
