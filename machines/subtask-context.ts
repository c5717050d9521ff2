/** What a subtask is given, what it knows of itself, and what it answers with. */
import { thread } from './attempt.ts';
import { type Failure, failure } from './failure.ts';
import { type Attempt, type SubtaskSettings, signatureOf } from './ladder.ts';
import type { VerdictDigest } from './verdict.ts';

export interface SubtaskInput {
  id: string;
  incarnation: number;
  plan_version: number;
  model_tier: number;
  verification_tier: number;
  critical: boolean;
  /** Model calls already spent on work that this subtask replaces. */
  spent: number;
  settings: SubtaskSettings;
}

export type SubtaskOutput =
  | { ok: true; attempts: number; verdict: VerdictDigest }
  | {
      ok: false;
      blocked: boolean;
      attempts: number;
      failure: Failure;
      /** Equal when nothing new was learned: a new plan for it would only repeat it. */
      signature: string;
      /** Model calls spent on it and on what it replaces. */
      calls: number;
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
}
/** The attempt that failed. */
export type ResolveInput = AttemptInput;
/** Of `extract` and `settle`. */
export type SettleInput = AttemptInput;

export interface Context extends Attempt, SubtaskInput {
  /** Estimated size of the attempt's first request. */
  tokens: number;
  /** The verdict was unreadable once and only the verification is repeated. */
  reverified: boolean;
  blocked: boolean;
}

export const begun = (input: SubtaskInput): Context => ({
  ...input,
  attempt: 1,
  tokens: 0,
  calls: input.spent,
  before: input.spent,
  signatures: [],
  verdict: null,
  reverified: false,
  failure: null,
  blocked: false,
});

export const attemptInput = (context: Context): AttemptInput => ({
  subtask: context.id,
  plan_version: context.plan_version,
  attempt: context.attempt,
  thread: thread(context),
});

export const outcome = {
  completed: (context: Context): SubtaskOutput => ({
    ok: true,
    attempts: context.attempt,
    verdict: context.verdict!,
  }),
  exhausted: (context: Context): SubtaskOutput => ({
    ok: false,
    blocked: context.blocked,
    attempts: context.attempt,
    failure: context.failure ?? failure('terminal', 'unknown', 'the subtask ended without a reason'),
    signature: signatureOf(context),
    calls: context.calls,
  }),
};
