/** A chart as plain data, read from a machine's own state nodes; every picture is drawn from it and none by hand. */
import type { AnyStateMachine, AnyStateNode, StateValue } from 'xstate';
import { actionLabel, eventLabel, guardLabel } from './labels.ts';

export interface ChartState {
  /** Names from the machine down, e.g. `task.executing.paused`; the machine itself is `task`. */
  id: string;
  name: string;
  kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Entered when the state around it is. */
  initial: boolean;
  /** History that remembers the whole depth. */
  deep: boolean;
  description: string;
  /** What works while the state is active: an effect or another machine. */
  invokes: { id: string; source: string }[];
  entry: string[];
  exit: string[];
  moves: Move[];
  states: ChartState[];
  /** A run is here. */
  active: boolean;
}

export interface Move {
  /** Id of the state it leaves. */
  from: string;
  /** '' for a move that needs no event. */
  event: string;
  guard: string;
  actions: string[];
  /** Ids; none: the state stays. */
  targets: string[];
  /** Leaves the state and enters it anew. */
  reenter: boolean;
}

type Transition = NonNullable<AnyStateNode['always']>[number];

function move(from: string, event: string, transition: Transition): Move {
  return {
    from,
    event,
    guard: guardLabel(transition.guard),
    actions: transition.actions.map(action => actionLabel(action)),
    targets: (transition.target ?? []).map(target =>
      target.path.reduce((id, key) => `${id}.${key}`, root(target)),
    ),
    reenter: transition.reenter === true,
  };
}

const root = (node: AnyStateNode): string => node.machine.root.key;

function read(node: AnyStateNode, id: string): ChartState {
  const initial = (node.parent?.initial as { target?: AnyStateNode[] } | undefined)?.target ?? [];
  const events = [...node.transitions].flatMap(([event, all]) =>
    all.map(transition => move(id, eventLabel(event), transition)),
  );
  const always = (node.always ?? []).map(transition => move(id, '', transition));
  return {
    id,
    name: node.key,
    kind: node.type,
    initial: node.parent?.type === 'compound' && initial.includes(node),
    deep: node.history === 'deep',
    description: node.description ?? '',
    invokes: node.invoke.map(invoke => ({
      id: invoke.id,
      // A child without a name in the code gets one from xstate that says nothing.
      source: typeof invoke.src === 'string' && !invoke.src.startsWith('xstate.') ? invoke.src : invoke.id,
    })),
    entry: node.entry.filter(action => !isTimer(action)).map(action => actionLabel(action)),
    exit: node.exit.filter(action => !isTimer(action)).map(action => actionLabel(action)),
    moves: [...events, ...always],
    states: Object.entries(node.states).map(([key, child]) => read(child as AnyStateNode, `${id}.${key}`)),
    active: false,
  };
}

/** xstate keeps an `after` as a delayed event that it raises on entry and cancels on exit. */
const isTimer = (action: AnyStateNode['entry'][number]): boolean =>
  typeof action === 'function' &&
  ['xstate.raise', 'xstate.cancel'].includes((action as unknown as { type: string }).type);

export const readChart = (machine: AnyStateMachine): ChartState =>
  read(machine.root as AnyStateNode, machine.root.key);

/** The same chart with the states of `value` lit, the machine itself included. */
export function light(chart: ChartState, value: StateValue): ChartState {
  return {
    ...chart,
    active: true,
    states: chart.states.map(state => {
      if (typeof value === 'string') return state.name === value ? light(state, {}) : state;
      const below = value[state.name];
      return below === undefined ? state : light(state, below);
    }),
  };
}

/** Every state of a chart, from the outside in. */
export const statesOf = (chart: ChartState): ChartState[] => [chart, ...chart.states.flatMap(statesOf)];

/** Only the lit path and the moves that lead out of it; with `exits` also, as bare states, where those lead. */
export function litPath(chart: ChartState, { exits }: { exits: boolean }): ChartState {
  const reached = new Set(
    statesOf(chart)
      .filter(state => state.active)
      .flatMap(state => state.moves.flatMap(({ targets }) => targets)),
  );
  const keep = (state: ChartState): ChartState[] => {
    const states = state.states.flatMap(keep);
    const bare = { ...state, entry: [], exit: [], states };
    if (state.active)
      return [
        { ...bare, moves: state.moves.filter(({ targets, reenter }) => targets.length > 0 || reenter) },
      ];
    if (!exits || (states.length === 0 && !reached.has(state.id))) return [];
    return [{ ...bare, moves: [] }];
  };
  return keep(chart)[0] ?? chart;
}

/** The lit states below the outermost one, in words: `executing › dispatching`; regions are joined by `∥`. */
export function positionOf({ states }: ChartState): string {
  const lit = states.filter(({ active }) => active);
  return lit
    .map(state => {
      const below = positionOf(state);
      return below ? `${state.name} › ${below}` : state.name;
    })
    .join(' ∥ ');
}

/** A state as others call it: its own name where only it has that name, else all names below the machine. */
export function namesIn(chart: ChartState): (id: string) => string {
  const counts = new Map<string, number>();
  for (const { name } of statesOf(chart)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return id => {
    const name = id.slice(id.lastIndexOf('.') + 1);
    // A state that this chart leaves out has no name to be confused with.
    return (counts.get(name) ?? 1) === 1 || !id.includes('.') ? name : id.slice(id.indexOf('.') + 1);
  };
}
