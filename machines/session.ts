/** A conversation: what a person types becomes a turn, one after the other; what they type meanwhile waits or steers, and
 *  they can stop a turn at any point. After a crash nothing goes on by itself: what was cut off is said to be so. */
import { type AnyStateMachine, assign, enqueueActions, setup } from 'xstate';
import type { EffectOutputs } from './effects.ts';
import { remote, rowActions } from './remote.ts';
import {
  beginning,
  begun,
  type ComposeInput,
  type Context,
  composeInput,
  composeOutput,
  ended,
  type MendInput,
  mendInput,
  notBegun,
  QUEUE_PREFIX,
  type ReflectInput,
  type SessionInput,
  type SessionOutput,
  steerPrefix,
  stuckFailure,
  told,
  turnInput,
  turnThread,
  type UserEvent,
} from './session-context.ts';
import type { Stuck } from './stuck.ts';
import type { TurnInput, TurnOutput } from './turn.ts';
import type { PhaseEvent } from './turn-phase.ts';

export type { SessionInput };

const phaseIs = (event: unknown, phase: PhaseEvent['phase']): boolean =>
  (event as PhaseEvent).phase === phase;

const machine = setup({
  types: {} as {
    context: Context;
    input: SessionInput;
    output: SessionOutput;
    events:
      | UserEvent
      | (PhaseEvent & { from: string })
      | (Stuck & { from: string })
      | { type: 'STREAMING' }
      | { type: 'INTERRUPT' }
      | { type: 'RESUME' }
      | { type: 'CLOSE' };
  },
  actors: {
    compose: remote<ComposeInput, EffectOutputs['compose']>(),
    turn: remote<TurnInput, TurnOutput>(),
    mend: remote<MendInput, EffectOutputs['mend']>(),
    reflect: remote<ReflectInput, EffectOutputs['reflect']>(),
  },
  actions: {
    ...rowActions,
    /** Stored before anything is done with it. */
    enqueueText: enqueueActions(({ context, event, enqueue }) => {
      const { id, at, text, attachments = [] } = event as UserEvent;
      enqueue({
        type: 'put',
        params: { key: `${QUEUE_PREFIX}${at}-${id}`, value: { text, attachments, at } },
      });
      enqueue({ type: 'journal', params: { event_type: 'message_queued', data: { id, text } } });
      enqueue.assign({ queued: context.queued + 1, halted: false });
    }),
    steer: enqueueActions(({ context, event, enqueue }) => {
      const { id, at, text } = event as UserEvent;
      const key = `${steerPrefix(turnThread(context.turns))}${at}-${id}`;
      enqueue({ type: 'put', params: { key, value: text } });
      enqueue({ type: 'journal', params: { event_type: 'steer_instruction', data: { instruction: text } } });
      enqueue.assign({ steered: context.steered + 1 });
    }),
    halt: assign({ halted: true }),
    cutOff: assign({ interrupted: true }),
  },
  guards: {
    hasText: ({ context }) => context.queued > 0 && !context.halted,
    /** The turn ended before it heard everything that was said to it. */
    unheard: ({ context }) => context.steered > 0 && !context.interrupted,
    mayReflect: ({ context }) => context.reflect && context.failure === null && !context.interrupted,
    composed: ({ event }) => {
      const output = composeOutput(event);
      return output.ok && !output.empty;
    },
    composedInVain: ({ context, event }) => {
      const output = composeOutput(event);
      return output.ok && !output.empty && context.halted;
    },
    nothingToSay: ({ event }) => composeOutput(event).ok,
    reopened: ({ context }) => context.halted,
    isThinking: ({ event }) => phaseIs(event, 'thinking'),
    isActing: ({ event }) => phaseIs(event, 'acting'),
    isApproving: ({ event }) => phaseIs(event, 'approving'),
  },
}).createMachine({
  id: 'session',
  context: ({ input }) => beginning(input),
  initial: 'idle',
  options: { maxIterations: 1000 },
  on: {
    USER: { actions: 'enqueueText' },
    STEER: { actions: 'enqueueText' },
    RESUME: { actions: 'halt' },
    // What a person said before does not keep it open.
    CLOSE: { target: '.closing', actions: assign({ halted: false }) },
  },
  states: {
    idle: { always: { guard: 'hasText', target: 'composing' } },
    /** Writes the person's message, with what they attached, as the first of a new turn. */
    composing: {
      on: { INTERRUPT: { actions: 'halt' } },
      invoke: {
        src: 'compose',
        id: 'compose',
        input: ({ context }) => composeInput(context),
        onDone: [
          {
            guard: 'composedInVain',
            target: 'idle',
            actions: assign(({ context, event }) => begun(context, event.output)),
          },
          {
            guard: 'composed',
            target: 'working',
            actions: assign(({ context, event }) => begun(context, event.output)),
          },
          { guard: 'nothingToSay', target: 'idle', actions: assign({ queued: 0, steered: 0 }) },
          {
            target: 'idle',
            actions: [
              assign(({ context, event }) => notBegun(context, event.output)),
              {
                type: 'journal',
                params: ({ context }) => ({ event_type: 'turn_failed', data: told.notBegun(context) }),
              },
            ],
          },
        ],
      },
    },
    working: {
      initial: 'thinking',
      entry: {
        type: 'journal',
        params: ({ context }) => ({ event_type: 'turn_started', data: { turn: context.turns } }),
      },
      on: {
        STEER: { actions: 'steer' },
        INTERRUPT: { target: 'mending', actions: 'cutOff' },
        RESUME: { target: 'mending', actions: ['cutOff', 'halt'] },
        STUCK: { target: 'mending', actions: assign(({ event }) => ({ failure: stuckFailure(event) })) },
        PHASE: [
          { guard: 'isThinking', target: '.thinking' },
          { guard: 'isActing', target: '.acting' },
          { guard: 'isApproving', target: '.approving' },
          { target: '.awaiting' },
        ],
      },
      invoke: {
        src: 'turn',
        id: 'turn',
        input: ({ context }) => turnInput(context),
        onDone: { target: 'concluded', actions: assign(({ event }) => ended(event.output)) },
      },
      states: {
        thinking: { on: { STREAMING: 'streaming' } },
        streaming: {},
        acting: {},
        /** A person decides about a call. */
        approving: {},
        /** The model asked the person something. */
        awaiting: {},
      },
    },
    /** Every call that was begun or announced gets a result that says what is known of it. */
    mending: {
      invoke: { src: 'mend', id: 'mend', input: ({ context }) => mendInput(context), onDone: 'concluded' },
    },
    concluded: {
      entry: {
        type: 'journal',
        params: ({ context }) => ({ event_type: 'turn_ended', data: told.turnEnded(context) }),
      },
      always: [
        { guard: 'unheard', target: 'composing' },
        { guard: 'mayReflect', target: 'reflecting' },
        { target: 'idle' },
      ],
    },
    /** What the person corrected is put into a rule. Whoever types does not wait for it. */
    reflecting: {
      on: { USER: { target: 'idle', actions: 'enqueueText' }, INTERRUPT: 'idle' },
      invoke: { src: 'reflect', id: 'reflect', input: ({ context }) => mendInput(context), onDone: 'idle' },
    },
    closing: {
      on: { CLOSE: {} },
      invoke: {
        src: 'mend',
        id: 'mend',
        input: ({ context }) => mendInput(context),
        // Taken up again before it was closed.
        onDone: [{ guard: 'reopened', target: 'idle' }, { target: 'closed' }],
      },
    },
    closed: {
      type: 'final',
      entry: { type: 'journal', params: { event_type: 'session_closed', data: {} } },
      output: ({ context }): SessionOutput => ({ status: 'closed', turns: context.turns }),
    },
  },
  output: ({ event }) => event.output as SessionOutput,
});

export const session: AnyStateMachine = machine;
