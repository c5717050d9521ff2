/** One subtask: prepare, work, have it verified, settle; retry with feedback, then give up with a reason. */
import { type AnyStateMachine, assign, emit, sendTo, setup } from 'xstate';
import {
  approvedByPerson,
  type Feedback,
  feedback,
  feedbackKey,
  record,
  resultQuestion,
  type SubtaskRecord,
  told,
} from './attempt.ts';
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { backoffMs, givenUp, type SubtaskSettings, signaturesWith } from './ladder.ts';
import { remote, rowActions } from './remote.ts';
import { retold, type Stuck } from './stuck.ts';
import {
  attemptInput,
  begun,
  type Context,
  callsOf,
  counted,
  outcome,
  type PrepareInput,
  partly,
  prepareInput,
  type ResolveInput,
  type SettleInput,
  type SubtaskInput,
  type SubtaskOutput,
  turnInput,
  verifierInput,
} from './subtask-context.ts';
import { guards } from './subtask-guards.ts';
import type { TurnInput, TurnOutput } from './turn.ts';
import type { VerifierInput, VerifierOutput } from './verifier.ts';

export type {
  Feedback,
  PrepareInput,
  ResolveInput,
  SettleInput,
  SubtaskInput,
  SubtaskOutput,
  SubtaskRecord,
  SubtaskSettings,
};

const summaryOf = (event: unknown): string =>
  (event as { output?: { summary?: string } }).output?.summary ?? '';

const turned = {
  type: 'count' as const,
  params: ({ event }: { event: { output: TurnOutput } }) => callsOf(event.output),
};
const verified = {
  type: 'count' as const,
  params: ({ event }: { event: { output: VerifierOutput } }) => ({ calls: event.output.calls }),
};

const tellNext = {
  type: 'put' as const,
  params: ({ context }: { context: Context }) => ({ key: feedbackKey(context), value: feedback(context) }),
};

const says = (event_type: string, data: (context: Context) => Record<string, unknown>) => ({
  type: 'journal' as const,
  params: ({ context }: { context: Context }) => ({ event_type, data: data(context) }),
});

const machine = setup({
  types: {} as {
    context: Context;
    input: SubtaskInput;
    output: SubtaskOutput;
    events: { type: 'RESUME' } | { type: 'PAUSE' } | (Stuck & { from: string });
    emitted: Stuck;
  },
  actors: {
    prepare: remote<PrepareInput, EffectOutputs['prepare']>(),
    turn: remote<TurnInput, TurnOutput>(),
    resolve: remote<ResolveInput, EffectOutputs['resolve']>(),
    verifier: remote<VerifierInput, VerifierOutput>(),
    extract: remote<SettleInput, EffectOutputs['extract']>(),
    settle: remote<SettleInput, EffectOutputs['settle']>(),
    question: remote<QuestionInput, EffectOutputs['question']>(),
    alarm: remote<{ ms: number }, EffectOutputs['alarm']>(),
  },
  actions: {
    ...rowActions,
    fail: assign((_, params: { failure: Failure }) => ({ failure: params.failure })),
    count: assign(({ context }, params: { calls: number; barren?: number }) => counted(context, params)),
    tellStuck: emit(({ event }) => retold(event)),
  },
  guards,
}).createMachine({
  id: 'subtask',
  context: ({ input }) => begun(input),
  initial: 'beginning',
  options: { maxIterations: 1000 },
  states: {
    beginning: {
      always: [
        { guard: 'followsUp', target: 'preparing' },
        {
          target: 'preparing',
          actions: says('subtask_started', told.started),
        },
      ],
    },
    /** Writes the first messages of this attempt: the task, what its dependencies left, feedback of earlier attempts. */
    preparing: {
      invoke: {
        src: 'prepare',
        id: 'prepare',
        input: ({ context }) => prepareInput(context),
        onDone: [
          {
            guard: 'prepared',
            target: 'working',
            actions: assign(({ context, event: { output } }) =>
              output.ok ? { tokens: output.tokens, model_tier: output.tier ?? context.model_tier } : {},
            ),
          },
          {
            target: 'over',
            actions: assign(({ event }) => ({ failure: event.output.ok ? null : event.output.failure })),
          },
        ],
      },
    },
    working: {
      invoke: [
        {
          src: 'turn',
          id: 'turn',
          input: ({ context }) => turnInput(context),
          onDone: [
            {
              guard: 'claimsSuccess',
              target: 'verifying',
              actions: [turned, assign({ reverified: false })],
            },
            {
              guard: 'claimsBlocked',
              target: 'over',
              actions: [
                turned,
                assign(({ event }) => ({
                  blocked: true,
                  failure: failure('terminal', 'blocked', event.output.ok ? event.output.reason : ''),
                })),
              ],
            },
            {
              target: 'attemptFailed',
              actions: [
                turned,
                {
                  type: 'fail',
                  params: ({ event }) => ({
                    failure: event.output.ok
                      ? failure('retryable', `claimed_${event.output.claim}`, event.output.reason)
                      : event.output.failure,
                  }),
                },
              ],
            },
          ],
        },
        {
          src: 'alarm',
          id: 'deadline',
          input: ({ context }) => ({ ms: context.settings.wall_clock_ms }),
          onDone: {
            target: 'attemptFailed',
            actions: {
              type: 'fail',
              params: ({ context }) => ({
                failure: failure(
                  'retryable',
                  'wall_clock',
                  `the attempt took longer than ${Math.round(context.settings.wall_clock_ms / 1000)} s`,
                ),
              }),
            },
          },
        },
      ],
      on: {
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: sendTo('turn', { type: 'RESUME' }) },
        // The turn ends the step it is in; a verification under way is one step and ends by itself.
        PAUSE: { actions: sendTo('turn', { type: 'PAUSE' }) },
      },
    },
    verifying: {
      invoke: {
        src: 'verifier',
        id: 'verify',
        input: ({ context }) => verifierInput(context),
        onDone: [
          {
            guard: 'acceptable',
            target: 'judged',
            actions: [verified, assign(({ event }) => ({ verdict: event.output.verdict }))],
          },
          {
            guard: 'voteSplit',
            target: 'askingPerson',
            actions: [verified, assign(({ event }) => ({ verdict: event.output.verdict }))],
          },
          {
            guard: 'unreadable',
            target: 'verifying',
            reenter: true,
            actions: [verified, assign({ reverified: true })],
          },
          {
            target: 'attemptFailed',
            actions: [
              verified,
              assign(({ event }) => ({
                verdict: event.output.verdict,
                failure: failure(
                  'retryable',
                  event.output.verdict.reason_code || 'verification_failed',
                  event.output.verdict.feedback || `verification: ${event.output.verdict.outcome}`,
                ),
              })),
            ],
          },
        ],
      },
      on: {
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: sendTo('verify', { type: 'RESUME' }) },
      },
    },
    /** The result gate: after the verdict, before dependents start. */
    judged: { always: [{ guard: 'wantsPerson', target: 'askingPerson' }, { target: 'accepted' }] },
    askingPerson: {
      invoke: {
        src: 'question',
        id: 'result',
        input: ({ context }) => resultQuestion(context),
        onDone: [
          {
            guard: 'approved',
            target: 'accepted',
            actions: assign(({ context }) => ({ verdict: approvedByPerson(context.verdict) })),
          },
          {
            target: 'attemptFailed',
            actions: assign(({ event }) => ({
              failure: failure(
                'retryable',
                'rejected_by_person',
                event.output.ok && event.output.reason ? event.output.reason : 'a person rejected the result',
              ),
            })),
          },
        ],
      },
    },
    accepted: { always: [{ guard: 'mayExtract', target: 'extracting' }, { target: 'settling' }] },
    /** Whatever comes of it, the subtask is done: what could not be extracted is not missed. */
    extracting: {
      invoke: {
        src: 'extract',
        id: 'extract',
        input: ({ context }) => attemptInput(context),
        onDone: 'settling',
      },
    },
    /** Summary, artifacts and memory are committed with the completion, so dependents always see them. */
    settling: {
      invoke: {
        src: 'settle',
        id: 'settle',
        input: ({ context }) => attemptInput(context),
        onDone: [
          {
            guard: 'overtaken',
            target: 'verifying',
            actions: assign(({ context }) => ({ rejudged: context.rejudged + 1 })),
          },
          {
            guard: 'overtakenAgain',
            target: 'attemptFailed',
            actions: assign(({ event }) => ({ failure: event.output.ok ? null : event.output.failure })),
          },
          {
            guard: 'settledInPart',
            target: 'done',
            actions: {
              type: 'put',
              params: ({ context }) => ({ key: feedbackKey(context), value: feedback(partly(context)) }),
            },
          },
          { guard: 'settled', target: 'done' },
          {
            target: 'over',
            actions: assign(({ event }) => ({ failure: event.output.ok ? null : event.output.failure })),
          },
        ],
      },
    },
    attemptFailed: {
      always: [
        { guard: 'followsUp', target: 'unresolved' },
        { guard: 'mayFollowUp', target: 'deferred' },
        { guard: 'worthAnother', target: 'retrying' },
        { target: 'over', actions: assign(({ context }) => ({ failure: givenUp(context) })) },
      ],
    },
    retrying: {
      entry: [says('subtask_retrying', told.retrying), tellNext],
      always: [{ guard: 'wantsResolver', target: 'resolving' }, { target: 'nextAttempt' }],
    },
    /** Somebody with more insight says in a few lines what to do differently. Without an answer it goes on all the same. */
    resolving: {
      invoke: {
        src: 'resolve',
        id: 'resolve',
        input: ({ context }) => attemptInput(context),
        onDone: { target: 'nextAttempt', actions: { type: 'count', params: { calls: 1 } } },
      },
    },
    nextAttempt: {
      entry: assign(({ context }) => ({
        signatures: signaturesWith(context),
        before: context.calls,
        fruitful: false,
        rejudged: 0,
        attempt: context.attempt + 1,
        verdict: null,
      })),
      always: [{ guard: 'mustWait', target: 'backingOff' }, { target: 'preparing' }],
    },
    backingOff: {
      invoke: {
        src: 'alarm',
        id: 'backoff',
        input: ({ context }) => ({ ms: backoffMs(context) }),
        onDone: 'preparing',
      },
    },
    done: {
      type: 'final',
      output: ({ context }) => outcome.completed(context),
      entry: [
        {
          type: 'put',
          params: ({ context }) => ({ key: `s/${context.id}`, value: record(context, 'completed') }),
        },
        {
          type: 'journal',
          params: ({ context, event }) => ({
            event_type: 'subtask_completed',
            data: told.completed(context, summaryOf(event)),
          }),
        },
      ],
    },
    /** What it stated could not be confirmed: whether it is completed is for its follow-up to say. */
    deferred: {
      type: 'final',
      output: ({ context }) => outcome.deferred(context),
      entry: [tellNext, says('unconfirmed_data_queued', told.failed)],
    },
    over: { always: [{ guard: 'followsUp', target: 'unresolved' }, { target: 'exhausted' }] },
    /** Only one attempt of a follow-up: what becomes of its subtask is decided there. */
    unresolved: {
      type: 'final',
      entry: tellNext,
      output: ({ context }) => outcome.exhausted(context),
    },
    exhausted: {
      type: 'final',
      output: ({ context }) => outcome.exhausted(context),
      entry: [
        {
          type: 'put',
          params: ({ context }) => ({
            key: `s/${context.id}`,
            value: record(context, context.blocked ? 'blocked' : 'failed'),
          }),
        },
        says('subtask_failed', told.failed),
      ],
    },
  },
  output: ({ event }) => event.output as SubtaskOutput,
});

export const subtask: AnyStateMachine = machine;
