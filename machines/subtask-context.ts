/** What a subtask is given, what it knows of itself, and what it answers with. */
import { record, type SubtaskRecord, thread } from './attempt.ts';
import type { ClaimStatus } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { deferred, leftOver } from './follow-up.ts';
import { type Attempt, patienceFor, type SubtaskSettings, signatureOf, tierOf } from './ladder.ts';
import type { FollowUp, Phase } from './remediation-queue.ts';
import type { TurnInput, TurnOutput } from './turn.ts';
import type { VerdictDigest } from './verdict.ts';
import type { VerifierInput } from './verifier.ts';

export interface SubtaskInput {
  id: string;
  incarnation: number;
  plan_version: number;
  model_tier: number;
  verification_tier: number;
  critical: boolean;
  /** Model calls already spent on work that this subtask replaces. */
  spent: number;
  /** Number of its first attempt; 1 where nothing went before. */
  attempt?: number;
  /** It follows up a result of the same subtask; absent: it is the work itself. */
  follow_up?: Phase;
  settings: SubtaskSettings;
}

export type SubtaskOutput =
  | { ok: true; attempts: number; verdict: VerdictDigest; follow_up?: FollowUp }
  | {
      ok: false;
      blocked: boolean;
      attempts: number;
      failure: Failure;
      /** Equal when nothing new was learned: a new plan for it would only repeat it. */
      signature: string;
      /** Model calls spent on it and on what it replaces. */
      calls: number;
      /** It is not over: whether it failed depends on its follow-up. */
      follow_up?: FollowUp;
      /** Its last attempt changed something, or showed something to hold. */
      fruitful?: boolean;
      /** How it would be written down. */
      record: SubtaskRecord;
    };

/** Names one attempt to the effects that work for it. */
interface AttemptInput {
  subtask: string;
  plan_version: number;
  attempt: number;
  thread: string;
}

export interface PrepareInput extends AttemptInput {
  /** As planned; the first attempt may start at another, from what runs have taught. */
  model_tier: number;
  follow_up: Phase | null;
}
/** The attempt that failed. */
export type ResolveInput = AttemptInput;
/** Of `extract` and `settle`. */
export type SettleInput = AttemptInput;

export interface Context extends Attempt, Omit<SubtaskInput, 'attempt' | 'follow_up'> {
  follow_up: Phase | null;
  /** Estimated size of the attempt's first request. */
  tokens: number;
  /** The verdict was unreadable once and only the verification is repeated. */
  reverified: boolean;
  blocked: boolean;
}

export const begun = (input: SubtaskInput): Context => ({
  ...input,
  attempt: input.attempt ?? 1,
  follow_up: input.follow_up ?? null,
  tokens: 0,
  calls: input.spent,
  before: input.spent,
  rejudged: 0,
  barren: input.spent,
  fruitful: false,
  signatures: [],
  verdict: null,
  reverified: false,
  failure: null,
  blocked: false,
});

/** A failed attempt is not tried again here, but by the queue. */
export const deferral = (context: Context): FollowUp | null =>
  context.follow_up === null ? deferred(context) : null;

/** What an accepted attempt left unconfirmed. */
export const remainder = (context: Context): FollowUp | null =>
  context.follow_up === null ? leftOver(context) : null;

export const attemptInput = (context: Context): AttemptInput => ({
  subtask: context.id,
  plan_version: context.plan_version,
  attempt: context.attempt,
  thread: thread(context),
});

export const prepareInput = (context: Context): PrepareInput => ({
  ...attemptInput(context),
  model_tier: context.model_tier,
  follow_up: context.follow_up,
});

/** Asking the model costs one call per iteration. */
export const callsOf = ({ iterations, barren }: TurnOutput) => ({ calls: iterations, barren });

/** What somebody's calls for this subtask change. `barren`: of a turn, those since it last changed or showed something. */
export function counted(
  context: Context,
  { calls, barren }: { calls: number; barren?: number },
): Partial<Context> {
  const fruitful = barren !== undefined && barren < calls;
  return {
    calls: context.calls + calls,
    barren: fruitful ? barren : context.barren + calls,
    fruitful: context.fruitful || fruitful,
  };
}

export const turnInput = (context: Context): TurnInput => ({
  thread: thread(context),
  subtask: context.id,
  role: 'executor',
  tier: tierOf(context),
  max_iterations: context.settings.max_iterations,
  ...patienceFor(context),
  tokens: context.tokens,
});

export const verifierInput = (context: Context): VerifierInput => ({
  thread: thread(context),
  subtask: context.id,
  plan_version: context.plan_version,
  attempt: context.attempt,
  tier: context.verification_tier,
  votes: context.settings.votes,
  review_tokens: context.settings.review_tokens,
});

/** What the turn ended with, in its own words. */
export const claims = (output: TurnOutput, claim: ClaimStatus): boolean =>
  output.ok && output.claim === claim;

/** The accepted attempt as one that failed for what it left unconfirmed: so the next one reads it. */
export const partly = (context: Context): Context => ({
  ...context,
  failure: failure('retryable', remainder(context)?.reason_code ?? '', context.verdict?.feedback ?? ''),
});

const following = (item: FollowUp | null) => (item ? { follow_up: item } : {});

export const outcome = {
  completed: (context: Context): SubtaskOutput => ({
    ok: true,
    attempts: context.attempt,
    verdict: context.verdict!,
    ...following(remainder(context)),
  }),
  exhausted: (context: Context): SubtaskOutput => ({
    ok: false,
    blocked: context.blocked,
    attempts: context.attempt,
    failure: context.failure ?? failure('terminal', 'unknown', 'the subtask ended without a reason'),
    signature: signatureOf(context),
    calls: context.calls,
    ...(context.fruitful ? { fruitful: true } : {}),
    record: record(context, context.blocked ? 'blocked' : 'failed'),
  }),
  /** Left to the queue: what to write down should that fail, too. */
  deferred: (context: Context): SubtaskOutput => ({
    ...(outcome.exhausted(context) as Extract<SubtaskOutput, { ok: false }>),
    ...following(deferral(context)),
  }),
};
