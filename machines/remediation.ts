/** One item of the remediation queue: tries to confirm what a verdict found unconfirmed, in the end takes it out, and says
 *  how that ended. Resolved, pruned, failed or expired: nothing stays in the queue for good. */
import { type AnyStateMachine, assign, emit, sendTo, setup } from 'xstate';
import type { SubtaskRecord } from './attempt.ts';
import type { EffectOutputs } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { ADVICE, HOPELESS, PATIENCE } from './ladder.ts';
import {
  attemptsOf,
  type FollowUp,
  itemData,
  type Phase,
  type RemediationSettings,
  type RemediationState,
  remediationRow,
  waitOf,
} from './remediation-queue.ts';
import { remote, rowActions } from './remote.ts';
import { retold, type Stuck } from './stuck.ts';
import type { SubtaskInput, SubtaskOutput } from './subtask.ts';

export interface RemediationInput extends FollowUp {
  /** How its subtask stands; null: it is completed. */
  record: SubtaskRecord | null;
  plan_version: number;
  settings: SubtaskInput['settings'];
}

export interface RemediationOutput {
  ok: boolean;
  state: RemediationState;
  /** As of a subtask that failed, for the task; only where `ok` is false. */
  attempts: number;
  calls: number;
  signature: string;
  failure: Failure | null;
  /** How its subtask would be written down, if that has not been done. */
  record: SubtaskRecord | null;
}

interface Context extends RemediationInput {
  /** Attempts begun. */
  tried: number;
  phase: Phase;
  /** All other work is done: what may end without success makes no further attempt. */
  finishing: boolean;
  /** A rejected attempt has changed what was accepted before: it must be put right, whatever else is done. */
  spoiled: boolean;
  signatures: string[];
  failure: Failure | null;
}

const rules = ({ settings }: RemediationInput): RemediationSettings => settings.remediation;
const most = (context: RemediationInput): number => attemptsOf(context.strategy, rules(context));

/** The attempt as a subtask that makes exactly one. */
const attemptInput = (context: Context): SubtaskInput => ({
  id: context.subtask,
  incarnation: context.incarnation,
  plan_version: context.plan_version,
  model_tier: context.model_tier,
  verification_tier: context.verification_tier,
  critical: context.critical,
  spent: context.calls,
  attempt: context.attempt + context.tried,
  follow_up: context.phase,
  settings: { ...context.settings, max_retries: 0, resolver: false },
});

const told = (context: Context): Record<string, unknown> => ({
  ...itemData(context),
  attempt: context.tried,
  max_attempts: most(context),
  phase: context.phase,
});

/** A settled attempt that leaves nothing open. What was accepted before must now be more than that again. */
const settledBy = ({ waits }: Context, output: SubtaskOutput): boolean =>
  output.ok && (waits || output.verdict.outcome !== 'partial_verified');

const signatureOf = (output: SubtaskOutput): string => (output.ok ? 'partial_verified' : output.signature);

const spoils = (context: Context, output: SubtaskOutput): boolean =>
  !output.ok && (context.spoiled || output.fruitful === true);

/** Nothing else waits for it, and everything else is done. */
const dispensable = ({ finishing, blocking }: Context, spoiled: boolean): boolean =>
  finishing && !blocking && !spoiled;

/** What a finished attempt changes. */
function learned(context: Context, output: SubtaskOutput): Partial<Context> {
  const signature = signatureOf(output);
  const again = context.signatures.includes(signature);
  const calls = output.ok ? context.calls : output.calls;
  return {
    calls,
    spoiled: spoils(context, output),
    signatures: [...new Set([...context.signatures, signature])].sort(),
    failure: output.ok ? null : output.failure,
    record: output.ok ? context.record : output.record,
    // The same again: confirming it leads nowhere.
    phase: again || context.tried + 1 >= most(context) ? 'prune' : 'confirm',
  };
}

/** Another attempt promises something and is affordable. */
function worthAnother(context: Context, output: SubtaskOutput): boolean {
  if (context.phase === 'prune' || dispensable(context, spoils(context, output))) return false;
  if (!output.ok && HOPELESS.includes(output.failure.code)) return false;
  const calls = output.ok ? context.calls : output.calls;
  return context.critical || calls + (calls - context.calls) <= PATIENCE;
}

const WHY: Record<RemediationState, string> = {
  resolved: 'confirmed',
  pruned: 'what could not be confirmed was taken out',
  failed: 'no attempt was accepted',
  expired: 'its time is over',
};

const ended = (context: Context, state: RemediationState): RemediationOutput => ({
  ok: state === 'resolved' || state === 'pruned',
  state,
  attempts: context.attempt + context.tried,
  calls: context.calls,
  signature: `unconfirmed_data:${context.reason_code}:${state}`,
  record: context.waits ? context.record : null,
  failure:
    state === 'resolved' || state === 'pruned'
      ? null
      : failure(
          'terminal',
          context.reason_code,
          `${context.failure?.message ?? 'what it states was not confirmed'} Its follow-up ${state} after ${context.tried} of ${most(context)} attempts: ${WHY[state]}. ${ADVICE.unconfirmed_data}`,
        ),
});

/** Every item ends with one event of its own and one that all ends share. */
function closing(state: RemediationState) {
  const data = (context: Context) => ({ ...told(context), state, outcome: state, reason: WHY[state] });
  const line = (event_type: string) => ({
    type: 'journal' as const,
    params: ({ context }: { context: Context }) => ({ event_type, data: data(context) }),
  });
  return [
    line(`remediation_${state === 'pruned' ? 'resolved' : state}`),
    line('remediation_terminal'),
    {
      type: 'put' as const,
      params: ({ context }: { context: Context }) => remediationRow(context, state, context.tried),
    },
  ];
}

const machine = setup({
  types: {} as {
    context: Context;
    input: RemediationInput;
    output: RemediationOutput;
    events: { type: 'PAUSE' } | { type: 'RESUME' } | { type: 'FINISH' } | (Stuck & { from: string });
    emitted: Stuck;
  },
  actors: {
    subtask: remote<SubtaskInput, SubtaskOutput>(),
    alarm: remote<{ ms: number }, EffectOutputs['alarm']>(),
  },
  actions: {
    ...rowActions,
    tellStuck: emit(({ event }) => retold(event)),
    finish: assign({ finishing: true }),
    learn: assign(({ context, event }) =>
      learned(context, (event as unknown as { output: SubtaskOutput }).output),
    ),
  },
  guards: {
    mustWait: ({ context }) => waitOf(context.tried + 1, context.strategy, rules(context)) > 0,
    mayEnd: ({ context }) => !context.blocking && !context.spoiled,
    confirmed: ({ context, event }) =>
      context.phase === 'confirm' &&
      settledBy(context, (event as unknown as { output: SubtaskOutput }).output),
    pruned: ({ context, event }) =>
      settledBy(context, (event as unknown as { output: SubtaskOutput }).output),
    worthAnother: ({ context, event }) =>
      worthAnother(context, (event as unknown as { output: SubtaskOutput }).output),
    workIsDone: ({ context, event }) =>
      context.phase === 'confirm' &&
      dispensable(context, spoils(context, (event as unknown as { output: SubtaskOutput }).output)),
  },
}).createMachine({
  id: 'remediation',
  context: ({ input }) => ({
    ...input,
    tried: 0,
    phase: most(input) <= 1 ? 'prune' : 'confirm',
    finishing: false,
    spoiled: false,
    signatures: [],
    failure: null,
  }),
  initial: 'due',
  options: { maxIterations: 1000 },
  entry: [
    {
      type: 'journal',
      params: ({ context }) => ({ event_type: 'remediation_started', data: told(context) }),
    },
    { type: 'put', params: ({ context }) => remediationRow(context, 'running', 0) },
  ],
  invoke: {
    src: 'alarm',
    id: 'ttl',
    input: ({ context }) => ({ ms: rules(context).ttl_ms }),
    onDone: '.expired',
  },
  on: { FINISH: { actions: 'finish' } },
  states: {
    due: { always: [{ guard: 'mustWait', target: 'waiting' }, { target: 'attempting' }] },
    waiting: {
      invoke: {
        src: 'alarm',
        id: 'backoff',
        input: ({ context }) => ({ ms: waitOf(context.tried + 1, context.strategy, rules(context)) }),
        onDone: 'attempting',
      },
      on: { FINISH: [{ guard: 'mayEnd', target: 'expired' }, { actions: 'finish' }] },
    },
    /** A subtask that makes one attempt, with the words of the verdict before it, judged like any other. */
    attempting: {
      entry: [
        assign(({ context }) => ({ tried: context.tried + 1 })),
        {
          type: 'journal',
          params: ({ context }) => ({ event_type: 'remediation_attempt', data: told(context) }),
        },
      ],
      invoke: {
        src: 'subtask',
        id: 'attempt',
        input: ({ context }) => attemptInput(context),
        onDone: [
          { guard: 'confirmed', target: 'resolved' },
          { guard: 'pruned', target: 'pruned' },
          { guard: 'worthAnother', target: 'due', actions: 'learn' },
          { guard: 'workIsDone', target: 'expired', actions: 'learn' },
          { target: 'failed', actions: 'learn' },
        ],
      },
      on: {
        STUCK: { actions: 'tellStuck' },
        RESUME: { actions: sendTo('attempt', { type: 'RESUME' }) },
        PAUSE: { actions: sendTo('attempt', { type: 'PAUSE' }) },
      },
    },
    resolved: {
      type: 'final',
      entry: closing('resolved'),
      output: ({ context }) => ended(context, 'resolved'),
    },
    /** What could not be confirmed was taken out, and the rest was accepted. */
    pruned: {
      type: 'final',
      entry: closing('pruned'),
      output: ({ context }) => ended(context, 'pruned'),
    },
    failed: {
      type: 'final',
      entry: closing('failed'),
      output: ({ context }) => ended(context, 'failed'),
    },
    expired: {
      type: 'final',
      entry: closing('expired'),
      output: ({ context }) => ended(context, 'expired'),
    },
  },
  output: ({ event }) => event.output as RemediationOutput,
});

export const remediation: AnyStateMachine = machine;
