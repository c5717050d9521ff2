/** Every transition of a machine, read from its definition: each branch of each event, of each result of a child, and
 *  each eventless one. A recorder notes which are taken. */
import {
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  enqueueActions,
} from 'xstate';

export interface Transition {
  /** `<state> <event> <branch>: <guard> → <target>`; '' where a transition has none. */
  name: string;
  definition: AnyTransitionDefinition;
  source: AnyStateNode;
  machine: string;
}

const below = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(child => below(child as AnyStateNode)),
];

const guardName = (guard: unknown): string => {
  if (guard === undefined) return 'else';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return 'if';
};

function named(machine: string, source: AnyStateNode, branches: readonly AnyTransitionDefinition[]) {
  return branches.map((definition, i): Transition => {
    const event = definition.eventType === '' ? 'always' : definition.eventType;
    const targets = (definition.target ?? []).map(target => target.key).join(', ');
    const branch = branches.length > 1 ? ` ${i + 1}/${branches.length}` : '';
    const name = `${source.id} ${event}${branch}: ${guardName(definition.guard)} → ${targets || 'stays'}`;
    return { name, definition, source, machine };
  });
}

export const transitionsOf = (machine: AnyStateMachine): Transition[] =>
  below(machine.root as AnyStateNode).flatMap(node => [
    ...named(machine.id, node, node.always ?? []),
    ...[...node.transitions.values()].flatMap(branches => named(machine.id, node, branches)),
  ]);

/** Notes from now on which transitions of these machines are taken, by whatever runs them in this process. */
export function recordTaken(machines: AnyStateMachine[]): { all: Transition[]; missing(): string[] } {
  const all = machines.flatMap(transitionsOf);
  const taken = new Set<Transition>();
  for (const transition of all) {
    const actions = transition.definition.actions as unknown[];
    actions.unshift(enqueueActions(() => void taken.add(transition)));
  }
  return { all, missing: () => all.filter(one => !taken.has(one)).map(one => one.name) };
}
