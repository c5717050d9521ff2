/** One small lie about a machine at a time: a guard that means its opposite, a transition that leads elsewhere. Made in
 *  the machine's own definition and taken back afterwards, so that every test in the process meets the lie. */
import { type AnyStateMachine, type AnyStateNode, not } from 'xstate';
import { type Transition, transitionsOf } from './transitions.ts';

export interface Mutant {
  /** What is changed where. */
  name: string;
  machine: string;
  /** Makes the change; returns how to take it back. */
  apply(): () => void;
}

type Mutable = { guard?: unknown; target?: unknown };

const change = (transition: Transition, key: keyof Mutable, value: unknown) => () => {
  const definition = transition.definition as unknown as Mutable;
  const was = definition[key];
  definition[key] = value;
  return () => {
    definition[key] = was;
  };
};

/** The states beside a transition's target, in the order in which they are written. */
function elsewhere({ definition }: Transition): AnyStateNode[] {
  const [target] = definition.target ?? [];
  if (!target?.parent) return [];
  return Object.values(target.parent.states as Record<string, AnyStateNode>).filter(node => node !== target);
}

/** All mutants of a machine: each guard negated; each target replaced by one of its neighbours, another one for each
 *  transition. */
export function mutantsOf(machine: AnyStateMachine): Mutant[] {
  return transitionsOf(machine).flatMap((transition, i): Mutant[] => {
    const { definition, name } = transition;
    const negated: Mutant[] =
      definition.guard === undefined
        ? []
        : [
            {
              name: `not: ${name}`,
              machine: machine.id,
              apply: change(transition, 'guard', not(definition.guard as never)),
            },
          ];
    const others = elsewhere(transition);
    const other = others[i % Math.max(1, others.length)];
    const swapped: Mutant[] = other
      ? [
          {
            name: `to ${other.key}: ${name}`,
            machine: machine.id,
            apply: change(transition, 'target', [other]),
          },
        ]
      : [];
    return [...negated, ...swapped];
  });
}
