/** Breadth-first exploration of a run: every order in which effects can settle, with every result they can have, and
 *  every command a person can give, through the same `react` the host commits.
 *
 *  A crash and a restart at any point are part of every path: each actor's and effect's row goes through JSON before
 *  the state is expanded, and `recovered` must change nothing that matters.
 *
 *  Two runs are the same state when their actors' states and contexts, their effects (without keys) and their output
 *  agree; `Model.sameAs` may name an actor by what it will do instead. What a person does never counts as progress. */
import { newLedger } from '../../machines/budget.ts';
import {
  type ActorEntry,
  type Catalogue,
  type EffectEntry,
  type MachineEvent,
  newRun,
  type Outside,
  type Reaction,
  type Run,
  react,
} from '../../machines/react.ts';
import { cannotReach, longestPath, newGraph } from './graph.ts';

/** Looks at one edge; a string says what is wrong with it. */
export type Property = (before: Run, outside: Outside, reaction: Reaction) => string | null;

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
  /** By which of them a person takes on what waits; default RESUME. */
  goesOn?: string[];
  /** Sources that cost a model call; they must be bounded on every path. */
  costly: string[];
  properties?: Property[];
  /** Names the actor and the effects it owns by their future behaviour; undefined: by their contents. */
  sameAs?(path: string, entry: ActorEntry, effects: EffectEntry[]): string | undefined;
  /** Stopped effects that block nothing settle at once: nobody can tell when they do (which is checked). */
  stopsAtOnce?: boolean;
  /** Told of every edge. */
  onEdge?(edge: { from: number; to: number; before: Run; outside: Outside; reaction: Reaction }): void;
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
  /** Faults and what the properties found. */
  errors: string[];
  /** No sequence of results leads from here to an end or to waiting. */
  lost: string[];
  /** Most costly effects on any path without a person's help; Infinity: there is a cycle that contains one. */
  calls: number;
  /** Everything the root ended with. */
  outputs: unknown[];
  /** Processor time, so that a busy machine does not count. */
  ms: number;
}

interface Snapshot {
  value: unknown;
  status: string;
  context: unknown;
  children?: Record<string, unknown>;
}
const snapshotOf = (entry: ActorEntry): Snapshot => entry.snapshot as Snapshot;

/** For people: no machine decides by them, so they make no two states different. */
export const TEXTS = new Set(['message', 'feedback', 'reason', 'detail', 'note']);
const silent = (key: string, value: unknown): unknown => (TEXTS.has(key) ? undefined : value);

export const effectText = ({ id, source, state, class: kind }: EffectEntry): string =>
  `${id} ${source} ${state} ${kind}`;

/** One of each row: what is equal is read back from JSON once, as after a restart, and then is the same object. */
class Rows {
  private readonly texts = new WeakMap<object, string>();
  private readonly kept = new Map<string, ActorEntry>();

  text(entry: ActorEntry): string {
    let text = this.texts.get(entry);
    if (text === undefined) {
      const { value, context, children = {} } = snapshotOf(entry);
      const parts = [entry.machine, value, context, Object.keys(children).sort(), entry.apart];
      text = JSON.stringify(parts, silent);
      this.texts.set(entry, text);
    }
    return text;
  }

  restarted(entry: ActorEntry): ActorEntry {
    const text = this.text(entry);
    let kept = this.kept.get(text);
    if (!kept) {
      kept = JSON.parse(JSON.stringify({ ...entry, rev: 0 })) as ActorEntry;
      this.texts.set(kept, text);
      this.kept.set(text, kept);
    }
    return kept;
  }
}

/** Children that a snapshot remembers although neither an actor nor an effect of that name is left. */
function forgotten(run: Run): string | null {
  const alive = new Set(Object.keys(run.actors));
  for (const { path, id } of Object.values(run.effects)) alive.add(`${path}/${id}`);
  for (const [path, entry] of Object.entries(run.actors))
    for (const id of Object.keys(snapshotOf(entry).children ?? {}))
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

export function explore(model: Model): Report {
  const began = process.cpuUsage();
  const root = model.root ?? `${model.machine}/x`;
  const rows = new Rows();
  const ids = new Map<string, number>();
  const cameFrom: number[] = [];
  const labels: string[] = [];
  const outputs = new Map<string, unknown>();
  const graph = newGraph();
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
    outputs: [],
    ms: 0,
  };
  const story = (id: number): string => {
    const way: string[] = [];
    for (let at = id; at > 0; at = cameFrom[at]!) way.unshift(labels[at]!);
    return way.join(' → ') || 'start';
  };

  /** Names a state by what matters in it. */
  const keyOf = (run: Run): string => {
    const below = new Map<string, EffectEntry[]>();
    for (const effect of Object.values(run.effects)) {
      const list = below.get(effect.path);
      if (list) list.push(effect);
      else below.set(effect.path, [effect]);
    }
    const parts = Object.entries(run.actors).map(([path, entry]) => {
      const effects = below.get(path) ?? [];
      const name = model.sameAs?.(path, entry, effects);
      if (name === undefined) return `${path} ${rows.text(entry)}`;
      below.delete(path);
      return `${path} ${name}`;
    });
    for (const [path, effects] of below) for (const effect of effects) parts.push(path + effectText(effect));
    return `${parts.sort().join('\n')}\n${run.output === undefined ? '' : JSON.stringify(run.output, silent)}`;
  };

  let frontier: { id: number; run: Run }[] = [];
  const visit = (run: Run, from: number, label: string): number => {
    const key = keyOf(run);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    if (id >= (model.maxStates ?? 200_000)) throw new Error(`more than ${id} states, e.g. ${story(from)}`);
    ids.set(key, id);
    cameFrom.push(from);
    labels.push(label);
    if (run.output !== undefined) outputs.set(JSON.stringify(run.output, silent), run.output);
    frontier.push({ id, run });
    return id;
  };

  /** The run after the stopped effects that nothing waits for have settled. */
  const quieted = (run: Run): Run => {
    let now = run;
    for (const { key, state, class: kind } of Object.values(run.effects)) {
      if (state !== 'stopping' || kind !== 'repeatable') continue;
      const { next, start, journal, fault } = react(model.catalogue, now, {
        type: 'settled',
        key,
        output: null,
      });
      const moved = Object.keys(now.actors).some(path => next.actors[path] !== now.actors[path]);
      if (fault || moved || start.length + journal.length > 0)
        throw new Error(`the end of ${key} is not silent`);
      now = next;
    }
    return now;
  };

  const step = (before: Run, from: number, outside: Outside, label: string, person: boolean): number => {
    const reaction = react(model.catalogue, before, outside);
    if (reaction.fault) {
      const { code, path, message } = reaction.fault;
      report.errors.push(`${code} in ${path}: ${message} after ${story(from)} → ${label}`);
    }
    for (const property of model.properties ?? []) {
      const wrong = property(before, outside, reaction);
      if (wrong) report.errors.push(`${wrong} after ${story(from)} → ${label}`);
    }
    const id = visit(model.stopsAtOnce ? quieted(reaction.next) : reaction.next, from, label);
    graph.from.push(from);
    graph.to.push(id);
    graph.weight.push(reaction.start.filter(effect => model.costly.includes(effect.source)).length);
    graph.person.push(person);
    model.onEdge?.({ from, to: id, before, outside, reaction });
    return id;
  };

  /** As the next owner would find it. */
  const restarted = (run: Run): Run => ({
    ...run,
    actors: Object.fromEntries(
      Object.entries(run.actors).map(([path, entry]) => [path, rows.restarted(entry)]),
    ),
    effects: JSON.parse(JSON.stringify(run.effects)) as Run['effects'],
  });

  const expand = (state: Run, id: number): void => {
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
    const keys = effects.filter(({ state: was }) => was === 'open').map(effect => effect.key);
    if (step(state, id, { type: 'recovered', keys }, 'crash', true) !== id)
      report.errors.push(`a restart alone changes the run after ${story(id)}`);
    let resumable = false;
    if (state.output === undefined)
      for (const event of model.commands?.(state) ?? []) {
        const target = step(state, id, { type: 'command', event }, event.type, true);
        if ((model.goesOn ?? ['RESUME']).includes(event.type) && target !== id) resumable = true;
      }
    if (effects.length > 0) return;
    if (state.output !== undefined) report.finals++;
    else if (resumable) report.waiting++;
    else return void report.deadlocks.push(`${describe(state)} after ${story(id)}`);
    goals.push(id);
  };

  const first: Outside = { type: 'start', machine: model.machine, input: model.input };
  step(newRun('x', root, newLedger({})), 0, first, '', true);
  while (frontier.length > 0) {
    const layer = frontier;
    frontier = [];
    for (const { id, run } of layer) {
      const leaking = leak(run);
      if (leaking) report.leaks.push(`${leaking} after ${story(id)}`);
      expand(restarted(run), id);
    }
  }
  report.states = ids.size;
  report.edges = graph.from.length;
  report.lost = cannotReach(ids.size, graph, goals).map(story);
  report.calls = longestPath(ids.size, graph);
  report.outputs = [...outputs.values()];
  const spent = process.cpuUsage(began);
  report.ms = Math.round((spent.user + spent.system) / 1_000);
  return report;
}

const describe = (run: Run): string =>
  Object.entries(run.actors)
    .map(([path, entry]) => `${path}: ${JSON.stringify(snapshotOf(entry).value)}`)
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
