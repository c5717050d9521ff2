/** One subtask: prepare, work, have it verified, settle; retry with feedback, then give up with a reason. */
import { type AnyStateMachine, assign, emit, sendTo, setup } from 'xstate';
import {
  approvedByPerson,
  backoffMs,
  completedLine,
  type Feedback,
  failedLine,
  feedback,
  feedbackKey,
  HOPELESS,
  record,
  resultQuestion,
  type SubtaskRecord,
  type SubtaskSettings,
  thread,
  tierOf,
  wantsPerson,
} from './attempt.ts';
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { remote, rowActions } from './remote.ts';
import type { TurnInput, TurnOutput } from './turn.ts';
import { accepted, type VerdictDigest } from './verdict.ts';
import type { VerifierInput, VerifierOutput } from './verifier.ts';

export type { Feedback, SubtaskRecord, SubtaskSettings };

export interface SubtaskInput {
  id: string;
  incarnation: number;
  plan_version: number;
  model_tier: number;
  verification_tier: number;
  settings: SubtaskSettings;
}

export type SubtaskOutput =
  | { ok: true; attempts: number; verdict: VerdictDigest }
  | { ok: false; blocked: boolean; attempts: number; failure: Failure };

export interface PrepareInput {
  subtask: string;
  plan_version: number;
  attempt: number;
  thread: string;
  /** As planned; the first attempt may start at another, from what runs have taught. */
  model_tier: number;
}

/** Of `extract` and `settle`. */
export interface SettleInput {
  subtask: string;
  plan_version: number;
  attempt: number;
  thread: string;
}

interface Context extends SubtaskInput {
  attempt: number;
  tokens: number;
  verdict: VerdictDigest | null;
  /** The verdict was unreadable once and only the verification is repeated. */
  reverified: boolean;
  failure: Failure | null;
  blocked: boolean;
}

const settleInput = (context: Context): SettleInput => ({
  subtask: context.id,
  plan_version: context.plan_version,
  attempt: context.attempt,
  thread: thread(context),
});

const summaryOf = (event: unknown): string =>
  (event as { output?: { summary?: string } }).output?.summary ?? '';

const machine = setup({
  types: {} as {
    context: Context;
    input: SubtaskInput;
    output: SubtaskOutput;
    events:
      | { type: 'RESUME' }
      | { type: 'PAUSE' }
      | { type: 'STUCK'; reason: string; message: string; from: string };
    emitted: { type: 'STUCK'; reason: string; message: string };
  },
  actors: {
    prepare: remote<PrepareInput, EffectOutputs['prepare']>(),
    turn: remote<TurnInput, TurnOutput>(),
    verifier: remote<VerifierInput, VerifierOutput>(),
    extract: remote<SettleInput, EffectOutputs['extract']>(),
    settle: remote<SettleInput, EffectOutputs['settle']>(),
    question: remote<QuestionInput, EffectOutputs['question']>(),
    alarm: remote<{ ms: number }, EffectOutputs['alarm']>(),
  },
  actions: {
    ...rowActions,
    fail: assign((_, params: { failure: Failure }) => ({ failure: params.failure })),
    tellStuck: emit(({ event }) => {
      const { reason, message } = event as unknown as { reason: string; message: string };
      return { type: 'STUCK' as const, reason, message };
    }),
  },
  guards: {
    retriesLeft: ({ context }) =>
      context.attempt <= context.settings.max_retries && !HOPELESS.includes(context.failure?.code ?? ''),
    mustWait: ({ context }) => backoffMs(context) > 0,
    wantsPerson: ({ context }) => wantsPerson(context),
    mayExtract: ({ context }) => context.settings.extract,
  },
}).createMachine({
  id: 'subtask',
  context: ({ input }) => ({
    ...input,
    attempt: 1,
    tokens: 0,
    verdict: null,
    reverified: false,
    failure: null,
    blocked: false,
  }),
  initial: 'preparing',
  options: { maxIterations: 1000 },
  entry: {
    type: 'journal',
    params: ({ context }) => ({ event_type: 'subtask_started', data: { subtask_id: context.id } }),
  },
  states: {
    /** Writes the first messages of this attempt: the task, what its dependencies left, feedback of earlier attempts. */
    preparing: {
      invoke: {
        src: 'prepare',
        id: 'prepare',
        input: ({ context }) => ({
          subtask: context.id,
          plan_version: context.plan_version,
          attempt: context.attempt,
          thread: thread(context),
          model_tier: context.model_tier,
        }),
        onDone: [
          {
            guard: ({ event }) => event.output.ok,
            target: 'working',
            actions: assign(({ context, event: { output } }) =>
              output.ok ? { tokens: output.tokens, model_tier: output.tier ?? context.model_tier } : {},
            ),
          },
          {
            target: 'exhausted',
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
          input: ({ context }) => ({
            thread: thread(context),
            subtask: context.id,
            role: 'executor' as const,
            tier: tierOf(context),
            max_iterations: context.settings.max_iterations,
            tokens: context.tokens,
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.ok && event.output.claim === 'success',
              target: 'verifying',
              actions: assign({ reverified: false }),
            },
            {
              guard: ({ event }) => event.output.ok && event.output.claim === 'blocked',
              target: 'exhausted',
              actions: assign(({ event }) => ({
                blocked: true,
                failure: failure('terminal', 'blocked', event.output.ok ? event.output.reason : ''),
              })),
            },
            {
              target: 'attemptFailed',
              actions: {
                type: 'fail',
                params: ({ event }) => ({
                  failure: event.output.ok
                    ? failure('retryable', `claimed_${event.output.claim}`, event.output.reason)
                    : event.output.failure,
                }),
              },
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
        input: ({ context }) => ({
          thread: thread(context),
          subtask: context.id,
          plan_version: context.plan_version,
          attempt: context.attempt,
          tier: context.verification_tier,
          votes: context.settings.votes,
          review_tokens: context.settings.review_tokens,
        }),
        onDone: [
          {
            guard: ({ event }) => accepted(event.output.verdict.outcome),
            target: 'judged',
            actions: assign(({ event }) => ({ verdict: event.output.verdict })),
          },
          {
            guard: ({ event }) => event.output.verdict.reason_code === 'vote_split',
            target: 'askingPerson',
            actions: assign(({ event }) => ({ verdict: event.output.verdict })),
          },
          {
            // An unreadable verdict says nothing about the work: the judge is asked once more before it is redone.
            guard: ({ context, event }) =>
              event.output.verdict.outcome === 'inconclusive' && !context.reverified,
            target: 'verifying',
            reenter: true,
            actions: assign({ reverified: true }),
          },
          {
            target: 'attemptFailed',
            actions: assign(({ event }) => ({
              verdict: event.output.verdict,
              failure: failure(
                'retryable',
                event.output.verdict.reason_code || 'verification_failed',
                event.output.verdict.feedback || `verification: ${event.output.verdict.outcome}`,
              ),
            })),
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
            guard: ({ event }) => event.output.ok && event.output.answer === 'approve',
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
        input: ({ context }) => settleInput(context),
        onDone: 'settling',
      },
    },
    /** Summary, artifacts and memory are committed with the completion, so dependents always see them. */
    settling: {
      invoke: {
        src: 'settle',
        id: 'settle',
        input: ({ context }) => settleInput(context),
        onDone: [
          { guard: ({ event }) => event.output.ok, target: 'done' },
          {
            target: 'exhausted',
            actions: assign(({ event }) => ({ failure: event.output.ok ? null : event.output.failure })),
          },
        ],
      },
    },
    attemptFailed: { always: [{ guard: 'retriesLeft', target: 'retrying' }, { target: 'exhausted' }] },
    retrying: {
      entry: [
        {
          type: 'journal',
          params: ({ context }) => ({
            event_type: 'subtask_retrying',
            data: {
              subtask_id: context.id,
              attempt: context.attempt + 1,
              reason_code: context.failure?.code ?? '',
              feedback: context.failure?.message ?? '',
            },
          }),
        },
        {
          type: 'put',
          params: ({ context }) => ({ key: feedbackKey(context), value: feedback(context) }),
        },
        assign(({ context }) => ({ attempt: context.attempt + 1, verdict: null })),
      ],
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
      output: ({ context }): SubtaskOutput => ({
        ok: true,
        attempts: context.attempt,
        verdict: context.verdict!,
      }),
      entry: [
        {
          type: 'put',
          params: ({ context }) => ({ key: `s/${context.id}`, value: record(context, 'completed') }),
        },
        { type: 'journal', params: ({ context, event }) => completedLine(context, summaryOf(event)) },
      ],
    },
    exhausted: {
      type: 'final',
      output: ({ context }): SubtaskOutput => ({
        ok: false,
        blocked: context.blocked,
        attempts: context.attempt,
        failure: context.failure ?? failure('terminal', 'unknown', 'the subtask ended without a reason'),
      }),
      entry: [
        {
          type: 'put',
          params: ({ context }) => ({
            key: `s/${context.id}`,
            value: record(context, context.blocked ? 'blocked' : 'failed'),
          }),
        },
        { type: 'journal', params: ({ context }) => failedLine(context) },
      ],
    },
  },
  output: ({ event }) => event.output as SubtaskOutput,
});

export const subtask: AnyStateMachine = machine;
