/** Breadth-first exploration of a run: every order in which effects can settle, with every result they can have, and
 *  every command a person can give, through the same `react` the host commits. Each state goes through JSON before it
 *  is expanded, so a crash and a restart at any point are part of every path.
 *
 *  Two runs are the same state when their actors' states and contexts, their effects (without keys) and their output
 *  agree. What a person does (commands) never counts as progress the machine makes by itself. */
import { createHash } from 'node:crypto';
import { newLedger } from '../../machines/budget.ts';
import {
  type Catalogue,
  type EffectEntry,
  type MachineEvent,
  newRun,
  type Outside,
  type Reaction,
  type Run,
  react,
} from '../../machines/react.ts';

export interface Model {
  catalogue: Catalogue;
  machine: string;
  input: unknown;
  /** Address of the root; default `<machine>/x`. */
  root?: string;
  /** Everything an effect can answer. */
  results(effect: EffectEntry, run: Run): unknown[];
  /** Everything a person can say at this point. */
  commands?(run: Run): MachineEvent[];
  /** Sources that cost a model call; they must be bounded on every path. */
  costly: string[];
  /** Looks at every edge; a string says what is wrong with it. */
  check?(before: Run, outside: Outside, reaction: Reaction): string | null;
  /** More states are an error, not a sample. */
  maxStates?: number;
}

export interface Report {
  states: number;
  edges: number;
  /** States in which the run is over and nothing is left to settle. */
  finals: number;
  /** States that go on only when a person resumes. */
  waiting: number;
  /** Nothing can happen and nobody can change that. */
  deadlocks: string[];
  /** The run is over but something is neither stopped nor gone, or a child is remembered that no longer exists. */
  leaks: string[];
  /** Faults and what `check` found. */
  errors: string[];
  /** No sequence of results leads from here to an end or to waiting. */
  lost: string[];
  /** Most costly effects on any path without a person's help; Infinity: there is a cycle that contains one. */
  calls: number;
  /** Processor time, so that a busy machine does not count. */
  ms: number;
}

interface Graph {
  from: number[];
  to: number[];
  weight: number[];
  /** Made by a person. */
  person: boolean[];
}

const snapshotOf = (value: unknown) =>
  value as { value: unknown; status: string; context: unknown; children: Record<string, unknown> };

/** Names a state by what matters in it. */
function stateKey(run: Run): string {
  const actors = Object.entries(run.actors)
    .map(([path, { snapshot, apart }]) => {
      const { value, context } = snapshotOf(snapshot);
      return JSON.stringify([path, value, context, apart]);
    })
    .sort();
  const effects = Object.values(run.effects)
    .map(({ path, id, source, state, class: kind }) => `${path} ${id} ${source} ${state} ${kind}`)
    .sort();
  const text = JSON.stringify([actors, effects, run.output ?? null]);
  return createHash('sha1').update(text).digest('base64');
}

/** Children that a snapshot remembers although neither an actor nor an effect of that name is left. */
function forgotten(run: Run): string | null {
  const alive = new Set(Object.keys(run.actors));
  for (const { path, id } of Object.values(run.effects)) alive.add(`${path}/${id}`);
  for (const [path, { snapshot }] of Object.entries(run.actors))
    for (const id of Object.keys(snapshotOf(snapshot).children ?? {}))
      if (!alive.has(`${path}/${id}`)) return `${path} still remembers its child ${id}`;
  return null;
}

function leak(run: Run): string | null {
  if (run.output === undefined) return forgotten(run);
  const running = Object.values(run.effects).find(effect => effect.state !== 'stopping');
  if (running) return `the run is over but ${running.path}/${running.id} is ${running.state}`;
  const [actor] = Object.keys(run.actors);
  return actor ? `the run is over but the actor ${actor} is left` : null;
}

/** Longest path by weight over the graph's strongly connected components (Tarjan, iterative). */
function longestPath(count: number, graph: Graph): number {
  const out: number[][] = Array.from({ length: count }, () => []);
  graph.from.forEach((from, edge) => {
    if (!graph.person[edge]) out[from]!.push(edge);
  });
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const best: number[] = [];
  const stack: number[] = [];
  let clock = 0;
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const work: { node: number; next: number }[] = [{ node: root, next: 0 }];
    while (work.length > 0) {
      const top = work[work.length - 1]!;
      const { node } = top;
      if (top.next === 0 && order[node] === -1) {
        order[node] = low[node] = clock++;
        stack.push(node);
      }
      const edge = out[node]![top.next++];
      if (edge !== undefined) {
        const target = graph.to[edge]!;
        if (order[target] === -1) work.push({ node: target, next: 0 });
        else if (component[target] === -1) low[node] = Math.min(low[node]!, order[target]!);
        continue;
      }
      work.pop();
      const parent = work[work.length - 1];
      if (parent) low[parent.node] = Math.min(low[parent.node]!, low[node]!);
      if (low[node] !== order[node]) continue;
      // Components close in reverse topological order: all targets outside are known already.
      const members = stack.splice(stack.indexOf(node));
      const id = best.length;
      for (const member of members) component[member] = id;
      let longest = 0;
      for (const member of members)
        for (const leaving of out[member]!) {
          const target = component[graph.to[leaving]!]!;
          const weight = graph.weight[leaving]!;
          if (target === id && weight > 0) longest = Number.POSITIVE_INFINITY;
          if (target !== id) longest = Math.max(longest, weight + best[target]!);
        }
      best.push(longest);
    }
  }
  return count > 0 ? best[component[0]!]! : 0;
}

/** States from which none of `goals` can be reached without a person. */
function cannotReach(count: number, graph: Graph, goals: number[]): number[] {
  const into: number[][] = Array.from({ length: count }, () => []);
  graph.from.forEach((from, edge) => {
    if (!graph.person[edge]) into[graph.to[edge]!]!.push(from);
  });
  const seen = new Uint8Array(count);
  const queue = [...goals];
  for (const goal of goals) seen[goal] = 1;
  for (let node = queue.pop(); node !== undefined; node = queue.pop())
    for (const from of into[node]!) {
      if (seen[from]) continue;
      seen[from] = 1;
      queue.push(from);
    }
  return Array.from(seen.keys()).filter(node => !seen[node]);
}

export function explore(model: Model): Report {
  const began = process.cpuUsage();
  const root = model.root ?? `${model.machine}/x`;
  const ids = new Map<string, number>();
  const trail: { from: number; label: string }[] = [];
  const graph: Graph = { from: [], to: [], weight: [], person: [] };
  const goals: number[] = [];
  const report: Report = {
    states: 0,
    edges: 0,
    finals: 0,
    waiting: 0,
    deadlocks: [],
    leaks: [],
    errors: [],
    lost: [],
    calls: 0,
    ms: 0,
  };
  const story = (id: number): string => {
    const labels: string[] = [];
    for (let at = id; at > 0; at = trail[at]!.from) labels.unshift(trail[at]!.label);
    return labels.join(' → ') || 'start';
  };

  let frontier: { id: number; run: Run }[] = [];
  const visit = (run: Run, from: number, label: string): number => {
    const key = stateKey(run);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    if (id >= (model.maxStates ?? 200_000)) throw new Error(`more than ${id} states, e.g. ${story(from)}`);
    ids.set(key, id);
    trail.push({ from, label });
    frontier.push({ id, run });
    return id;
  };

  const step = (before: Run, from: number, outside: Outside, label: string, person: boolean): number => {
    const reaction = react(model.catalogue, before, outside);
    const wrong = reaction.fault
      ? `${reaction.fault.code} in ${reaction.fault.path}: ${reaction.fault.message}`
      : (model.check?.(before, outside, reaction) ?? null);
    if (wrong) report.errors.push(`${wrong} after ${story(from)} → ${label}`);
    const id = visit(reaction.next, from, label);
    graph.from.push(from);
    graph.to.push(id);
    graph.weight.push(reaction.start.filter(effect => model.costly.includes(effect.source)).length);
    graph.person.push(person);
    return id;
  };

  step(
    newRun('x', root, newLedger({})),
    0,
    { type: 'start', machine: model.machine, input: model.input },
    '',
    true,
  );
  while (frontier.length > 0) {
    const layer = frontier;
    frontier = [];
    for (const { id, run } of layer) {
      const leaking = leak(run);
      if (leaking) report.leaks.push(`${leaking} after ${story(id)}`);
      const state = JSON.parse(JSON.stringify(run)) as Run;
      const effects = Object.values(state.effects).filter(effect => effect.state !== 'held');
      for (const effect of effects)
        for (const output of effect.state === 'stopping' ? [null] : model.results(effect, state))
          step(
            state,
            id,
            { type: 'settled', key: effect.key, output },
            `${effect.path.slice(root.length + 1)} ${effect.id} ${brief(output)}`.trim(),
            false,
          );
      let resumable = false;
      if (state.output === undefined)
        for (const event of model.commands?.(state) ?? []) {
          const target = step(state, id, { type: 'command', event }, event.type, true);
          if (event.type === 'RESUME' && target !== id) resumable = true;
        }
      if (effects.length > 0) continue;
      if (state.output !== undefined) {
        report.finals++;
        goals.push(id);
      } else if (resumable) {
        report.waiting++;
        goals.push(id);
      } else report.deadlocks.push(`${describe(state)} after ${story(id)}`);
    }
  }
  report.states = ids.size;
  report.edges = graph.from.length;
  report.lost = cannotReach(ids.size, graph, goals).map(id => story(id));
  // The first edge is the start itself; what it starts counts, too.
  report.calls = longestPath(ids.size, graph) + (graph.weight[0] ?? 0);
  const spent = process.cpuUsage(began);
  report.ms = Math.round((spent.user + spent.system) / 1_000);
  return report;
}

const describe = (run: Run): string =>
  Object.entries(run.actors)
    .map(([path, { snapshot }]) => `${path}: ${JSON.stringify(snapshotOf(snapshot).value)}`)
    .join(', ');

/** A result in a few words, for stories. */
function brief(output: unknown): string {
  if (output === null) return 'stopped';
  const { ok, failure, answer, claim, verdict, status } = output as Record<
    string,
    { code?: string } & string
  >;
  if (ok !== undefined && !ok) return `✗${failure?.code}`;
  const word = (verdict as { outcome?: string } | undefined)?.outcome ?? answer ?? claim ?? status;
  return word === undefined ? '✓' : `✓${word}`;
}

/** One line of figures. */
export const summary = (name: string, report: Report): string =>
  `${name}: ${report.states} states, ${report.edges} edges, ${report.finals} final, ${report.waiting} waiting, ≤ ${report.calls} calls, ${report.ms} ms`;
