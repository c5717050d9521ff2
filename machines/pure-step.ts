/** XState's `initialTransition` and `transition` with one scope per machine instead of one per step: theirs makes a whole
 *  actor each time, initial state included, which took most of a step's time. A scope that collects actions holds nothing
 *  else of a step, so steps of the same machine may share it. */
import { type AnyActorScope, type AnyMachineSnapshot, type AnyStateMachine, createActor } from 'xstate';

const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

function scopeOf(machine: AnyStateMachine): AnyActorScope {
  const known = scopes.get(machine);
  if (known) return known;
  const self = createActor(machine);
  const nothing = (): void => {};
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: '',
    sessionId: '',
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
  };
  scopes.set(machine, scope);
  return scope;
}

export type Step<A> = [snapshot: AnyMachineSnapshot, actions: A[]];

function collect<A>(machine: AnyStateMachine, step: (scope: AnyActorScope) => AnyMachineSnapshot): Step<A> {
  const actions: A[] = [];
  const scope = { ...scopeOf(machine), actionExecutor: (action: unknown) => void actions.push(action as A) };
  return [step(scope), actions];
}

/** The state a machine begins in, and what it wants done. Pure: nothing is executed. */
export const firstStep = <A>(machine: AnyStateMachine, input: unknown): Step<A> =>
  collect(machine, scope => machine.getInitialSnapshot(scope, input));

/** The state after an event, and what the machine wants done. Pure: nothing is executed. */
export const nextStep = <A>(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: { type: string },
): Step<A> => collect(machine, scope => machine.transition(snapshot, event, scope));
