/** Questions about a finished state graph: the dearest path, and which states lead nowhere. */

/** Edges in the order in which they were found. */
export interface Graph {
  from: number[];
  to: number[];
  /** Costly effects the edge starts. */
  weight: number[];
  /** Made by a person: never counts as progress a machine makes by itself. */
  person: boolean[];
}

export const newGraph = (): Graph => ({ from: [], to: [], weight: [], person: [] });

/** Edges by one of their ends, machine-made ones only: those of state `s` are `edges[first[s]..first[s + 1]]`. */
function indexed(count: number, ends: number[], person: boolean[]): { first: Int32Array; edges: Int32Array } {
  const first = new Int32Array(count + 1);
  for (const [edge, end] of ends.entries()) if (!person[edge]) first[end + 1]! += 1;
  for (let state = 0; state < count; state++) first[state + 1]! += first[state]!;
  const edges = new Int32Array(first[count]!);
  const next = first.slice();
  for (const [edge, end] of ends.entries()) if (!person[edge]) edges[next[end]!++] = edge;
  return { first, edges };
}

/** Most weight on any path that no person helps along, over the strongly connected components (Tarjan, iterative).
 *  Infinity: a cycle contains a costly edge. */
export function longestPath(count: number, graph: Graph): number {
  const { first, edges } = indexed(count, graph.from, graph.person);
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const next = first.slice();
  const best: number[] = [];
  const stack: number[] = [];
  let clock = 0;
  let most = 0;
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const work = [root];
    while (work.length > 0) {
      const state = work[work.length - 1]!;
      if (order[state] === -1) {
        order[state] = low[state] = clock++;
        stack.push(state);
      }
      if (next[state]! < first[state + 1]!) {
        const target = graph.to[edges[next[state]!++]!]!;
        if (order[target] === -1) work.push(target);
        else if (component[target] === -1) low[state] = Math.min(low[state]!, order[target]!);
        continue;
      }
      work.pop();
      const parent = work[work.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[state]!);
      if (low[state] !== order[state]) continue;
      // Components close in reverse topological order: all targets outside are known already.
      const members = stack.splice(stack.lastIndexOf(state));
      const id = best.length;
      for (const member of members) component[member] = id;
      let longest = 0;
      for (const member of members)
        for (let at = first[member]!; at < first[member + 1]!; at++) {
          const edge = edges[at]!;
          const target = component[graph.to[edge]!]!;
          const weight = graph.weight[edge]!;
          if (target === id && weight > 0) longest = Number.POSITIVE_INFINITY;
          if (target !== id) longest = Math.max(longest, weight + best[target]!);
        }
      best.push(longest);
      most = Math.max(most, longest);
    }
  }
  // The first edge is the start itself; what it starts counts, too.
  return count > 0 ? Math.max(most, best[component[0]!]! + (graph.weight[0] ?? 0)) : 0;
}

/** States from which none of `goals` can be reached without a person. */
export function cannotReach(count: number, graph: Graph, goals: number[]): number[] {
  const { first, edges } = indexed(count, graph.to, graph.person);
  const seen = new Uint8Array(count);
  const queue = [...goals];
  for (const goal of goals) seen[goal] = 1;
  for (let state = queue.pop(); state !== undefined; state = queue.pop())
    for (let at = first[state]!; at < first[state + 1]!; at++) {
      const from = graph.from[edges[at]!]!;
      if (seen[from]) continue;
      seen[from] = 1;
      queue.push(from);
    }
  return Array.from(seen.keys()).filter(state => !seen[state]);
}
