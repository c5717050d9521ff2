/** Typed placeholders: a machine names its children and effects by source and never imports or runs them. */
import { fromTransition, type PromiseActorLogic } from 'xstate';

/** The kernel reads only source, id and input of what is spawned; the result arrives as `xstate.done.actor.<id>`. */
export const remote = <Input, Output>(): PromiseActorLogic<Output, Input> =>
  fromTransition((state: null) => state, null) as unknown as PromiseActorLogic<Output, Input>;

/** Done event of any child or effect, for wildcard handlers. */
export interface DoneEvent<Output> {
  type: 'xstate.done.actor.*';
  actorId: string;
  output: Output;
}

/** The two actions through which machines speak to the journal and to rows; the kernel performs them. */
export const rowActions = {
  journal: (_: unknown, _line: { event_type: string; data: Record<string, unknown> }) => {},
  put: (_: unknown, _row: { key: string; value: unknown }) => {},
};
