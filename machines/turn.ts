/** The model/tool loop: ask the model, gate and run its calls, tell it the results, until it answers without calls.
 *  Invoked by subtasks and sessions alike. Messages are rows; the context holds counters and digests only. */
import { type AnyStateMachine, assign, emit, setup, spawnChild, stopChild } from 'xstate';
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { failure } from './failure.ts';
import { circling, UNREADABLE } from './loop-guard.ts';
import { type DoneEvent, remote, rowActions } from './remote.ts';
import { type Stuck, stuckEvent, stuckReason } from './stuck.ts';
import {
  answered,
  answerIs,
  beginning,
  type CallPhase,
  type CompactInput,
  type Context,
  callName,
  compacted,
  compactInput,
  finished,
  isDenied,
  loopFailure,
  MAX_CONTINUATIONS,
  type ModelInput,
  mayRun,
  modelInput,
  modelOutput,
  NO_CALL,
  type NoteInput,
  needsQuestion,
  nextCall,
  nextStep,
  noteInput,
  phaseOf,
  putOff,
  question,
  stepDone,
  type ToolInput,
  type TurnInput,
  type TurnOutput,
  taken,
  toolInput,
  update,
} from './turn-calls.ts';
import { barrenFailure, ended, outOfPatience } from './turn-end.ts';
import type { PhaseEvent } from './turn-phase.ts';

export type { CompactInput, ModelInput, NoteInput, ToolInput, TurnInput, TurnOutput };

const callNumber = (actorId: string): number => Number(actorId.slice(2));
const fromTool = (event: unknown): boolean => (event as ToolDone).actorId.startsWith('t-');

type ToolDone = DoneEvent<EffectOutputs['tool'] & EffectOutputs['question'] & EffectOutputs['note']>;

const machine = setup({
  types: {} as {
    context: Context;
    input: TurnInput;
    output: TurnOutput;
    events: ToolDone | { type: 'RESUME' } | { type: 'PAUSE' };
    emitted: Stuck | PhaseEvent;
  },
  actors: {
    model: remote<ModelInput, EffectOutputs['model']>(),
    compact: remote<CompactInput, EffectOutputs['compact']>(),
    tool: remote<ToolInput, EffectOutputs['tool']>(),
    note: remote<NoteInput, EffectOutputs['note']>(),
    question: remote<QuestionInput, EffectOutputs['question']>(),
  },
  actions: {
    ...rowActions,
    setPhase: assign(({ context }, params: { phase: CallPhase }) => ({
      calls: update(context.calls, nextCall(context)!.n, call => ({ ...call, phase: params.phase })),
    })),
    skipInvalid: assign(({ context }) => ({
      calls: update(context.calls, nextCall(context)!.n, call => ({ ...call, phase: 'done' })),
      shown: [...context.shown, UNREADABLE],
    })),
    fail: assign((_, params: { code: string; message: string }) => ({
      failure: failure('retryable', params.code, params.message),
    })),
    reap: stopChild(({ event }) => (event as ToolDone).actorId),
    tell: emit(({ context }) => ({ type: 'PHASE' as const, phase: phaseOf(context) })),
  },
  guards: {
    wantsCalls: ({ event }) => answerIs(event, 'calls'),
    hasAnswered: ({ event }) => answerIs(event, 'text'),
    cutOff: ({ event }) => modelOutput(event).ok,
    pressedWhileStuck: ({ context, event }) => answerIs(event, 'pressure') && context.stuck,
    pressed: ({ context, event }) => answerIs(event, 'pressure') && context.compaction === 'may',
    pressedAgain: ({ event }) => answerIs(event, 'pressure'),
    compactedInCircles: ({ context, event }) => {
      const { output } = event as unknown as { output: EffectOutputs['compact'] };
      return compacted(context, output).idle > context.idle && circling(context);
    },
    waiting: ({ context }) => context.stuck,
    circlingCutOff: ({ context, event }) => modelOutput(event).ok && circling(context),
    mayContinue: ({ context, event }) =>
      modelOutput(event).ok &&
      context.continued < MAX_CONTINUATIONS &&
      context.iteration < context.max_iterations,
    modelStuck: ({ event }) => stuckReason(modelOutput(event)) !== null,
    needsQuestion: ({ context }) => needsQuestion(nextCall(context) ?? NO_CALL),
    mayRun: ({ context }) => mayRun(nextCall(context) ?? NO_CALL),
    denied: ({ context }) => isDenied(nextCall(context) ?? NO_CALL),
    invalid: ({ context }) => nextCall(context)?.valid === false,
    given: ({ context }) => context.given,
    givenDone: ({ context }) => context.given && stepDone(context),
    allDone: ({ context }) => stepDone(context),
    circling: ({ context }) => stepDone(context) && circling(context),
    outOfPatience: ({ context }) => outOfPatience(context),
    outOfIterations: ({ context }) => stepDone(context) && context.iteration >= context.max_iterations,
    isTool: ({ event }) => fromTool(event),
    isQuestion: ({ event }) => (event as ToolDone).actorId.startsWith('q-'),
    isNote: ({ event }) => (event as ToolDone).actorId.startsWith('n-'),
    // Only tools: what was refused or is still to be asked must never become an approved call.
    isStuck: ({ event }) => fromTool(event) && stuckReason((event as ToolDone).output) !== null,
    isUncertain: ({ event }) => {
      const { output } = event as ToolDone;
      return fromTool(event) && !output.ok && output.failure.kind === 'uncertain';
    },
    failed: ({ event }) => fromTool(event) && !(event as ToolDone).output.ok,
  },
}).createMachine({
  id: 'turn',
  context: ({ input }) => beginning(input),
  initial: 'begun',
  options: { maxIterations: 1000 },
  states: {
    begun: { always: [{ guard: 'given', target: 'acting' }, { target: 'calling' }] },
    calling: {
      entry: [
        {
          type: 'journal',
          params: ({ context }) => ({
            event_type: 'model_invocation',
            data: { phase: 'start', role: context.role, subtask_id: context.subtask },
          }),
        },
        'tell',
      ],
      on: { PAUSE: { actions: assign({ stuck: true }) }, RESUME: { actions: assign({ stuck: false }) } },
      invoke: {
        src: 'model',
        id: 'model',
        input: ({ context }) => modelInput(context),
        onDone: [
          {
            guard: 'wantsCalls',
            target: 'acting',
            actions: assign(({ context, event }) => taken(context, event.output)),
          },
          {
            guard: 'hasAnswered',
            target: 'answered',
            actions: assign(({ event }) =>
              event.output.ok ? { claim: event.output.claim, reason: event.output.reason } : {},
            ),
          },
          { guard: 'pressedWhileStuck', target: 'stuck' },
          { guard: 'pressed', target: 'compacting' },
          // Asked for where it was not offered: compacting over and over is a circle, too.
          { guard: 'pressedAgain', target: 'circling' },
          { guard: 'circlingCutOff', target: 'circling' },
          {
            guard: 'mayContinue',
            target: 'calling',
            reenter: true,
            actions: assign(({ context, event }) => ({
              idle: context.idle + 1,
              nudge: '' as const,
              continued: context.continued + 1,
              iteration: context.iteration + 1,
              tokens: event.output.ok ? event.output.tokens : context.tokens,
            })),
          },
          {
            guard: 'cutOff',
            target: 'failed',
            actions: {
              type: 'fail',
              params: { code: 'cut_off', message: 'the model was cut off before it finished its answer' },
            },
          },
          {
            guard: 'modelStuck',
            target: 'stuck',
            actions: emit(({ event }) => stuckEvent(event.output)),
          },
          {
            target: 'failed',
            actions: assign(({ event }) => ({ failure: event.output.ok ? null : event.output.failure })),
          },
        ],
      },
    },
    /** What does not fit the window and cannot be read again is made shorter before the model is asked. */
    compacting: {
      on: { PAUSE: { actions: assign({ stuck: true }) }, RESUME: { actions: assign({ stuck: false }) } },
      invoke: {
        src: 'compact',
        id: 'compact',
        input: ({ context }) => compactInput(context),
        onDone: [
          {
            guard: 'compactedInCircles',
            target: 'circling',
          },
          {
            guard: 'waiting',
            target: 'stuck',
            actions: assign(({ context, event }) => compacted(context, event.output)),
          },
          { target: 'calling', actions: assign(({ context, event }) => compacted(context, event.output)) },
        ],
      },
    },
    /** Nothing left to spend, or no model: waits where it is until somebody resumes. */
    stuck: { on: { RESUME: { target: 'calling', actions: assign({ stuck: false }) } } },
    acting: {
      entry: 'tell',
      always: [
        { guard: 'invalid', actions: 'skipInvalid' },
        {
          guard: 'needsQuestion',
          actions: [
            spawnChild('question', {
              id: ({ context }) => `q-${nextCall(context)!.n}`,
              input: ({ context }) => question(context, nextCall(context)!),
            }),
            { type: 'setPhase', params: { phase: 'asking' } },
            'tell',
          ],
        },
        {
          guard: 'mayRun',
          actions: [
            spawnChild('tool', {
              id: ({ context }) => `t-${nextCall(context)!.n}`,
              input: ({ context }) => toolInput(context, nextCall(context)!),
            }),
            {
              type: 'journal',
              params: ({ context }) => {
                const call = nextCall(context)!;
                return {
                  event_type: 'tool_call_started',
                  data: {
                    subtask_id: context.subtask,
                    tool: call.tool,
                    call: callName(context, call),
                    subject: call.subject.slice(0, 200),
                  },
                };
              },
            },
            { type: 'setPhase', params: { phase: 'running' } },
          ],
        },
        {
          guard: 'denied',
          actions: [
            spawnChild('note', {
              id: ({ context }) => `n-${nextCall(context)!.n}`,
              input: ({ context }) => noteInput(context, nextCall(context)!),
            }),
            { type: 'setPhase', params: { phase: 'noting' } },
          ],
        },
        { guard: 'givenDone', target: 'answered' },
        { guard: 'circling', target: 'circling' },
        {
          guard: 'outOfPatience',
          target: 'failed',
          actions: assign(({ context }) => ({ failure: barrenFailure(context) })),
        },
        {
          guard: 'outOfIterations',
          target: 'failed',
          actions: {
            type: 'fail',
            params: { code: 'out_of_iterations', message: 'the model did not finish within its iterations' },
          },
        },
        {
          guard: 'allDone',
          target: 'calling',
          actions: assign(({ context }) => nextStep(context)),
        },
      ],
      on: {
        RESUME: { actions: assign({ stuck: false }) },
        PAUSE: { actions: assign({ stuck: true }) },
        'xstate.done.actor.*': [
          {
            guard: 'isStuck',
            actions: [
              emit(({ event }) => stuckEvent(event.output)),
              assign(({ context, event }) => ({
                stuck: true,
                calls: putOff(context, callNumber(event.actorId)),
              })),
              'reap',
            ],
          },
          {
            guard: 'isUncertain',
            actions: [
              assign(({ context, event }) => ({
                calls: update(context.calls, callNumber(event.actorId), call => ({
                  ...call,
                  phase: 'unsure',
                })),
              })),
              'reap',
            ],
          },
          {
            guard: 'failed',
            actions: [
              assign(({ context, event }) => ({
                calls: update(context.calls, callNumber(event.actorId), call => ({
                  ...call,
                  phase: 'refused',
                  note: event.output.ok ? '' : event.output.failure.message,
                })),
              })),
              'reap',
            ],
          },
          {
            guard: 'isTool',
            actions: [
              assign(({ context, event }) =>
                event.output.ok ? finished(context, callNumber(event.actorId), event.output) : {},
              ),
              'reap',
            ],
          },
          {
            guard: 'isQuestion',
            actions: [
              assign(({ context, event }) => ({
                calls: update(context.calls, callNumber(event.actorId), call => answered(call, event.output)),
              })),
              'tell',
              'reap',
            ],
          },
          {
            guard: 'isNote',
            actions: [
              assign(({ context, event }) => {
                const tokens = event.output.ok ? event.output.tokens : 0;
                return finished(context, callNumber(event.actorId), { signature: 'refused', tokens });
              }),
              'reap',
            ],
          },
        ],
      },
    },
    circling: {
      always: { target: 'failed', actions: assign(({ context }) => ({ failure: loopFailure(context) })) },
    },
    answered: {
      type: 'final',
      output: ({ context }) => ended.answered(context),
    },
    failed: {
      type: 'final',
      output: ({ context }) => ended.failed(context),
    },
  },
  output: ({ event }) => event.output as TurnOutput,
});

export const turn: AnyStateMachine = machine;
