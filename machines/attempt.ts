/** One attempt at a subtask, in words and numbers: its thread, its tier, how long the next one waits, what is written. */
import { band, confidence } from './confidence.ts';
import type { QuestionInput } from './effects.ts';
import type { Failure } from './failure.ts';
import { accepted, type VerdictDigest } from './verdict.ts';

export interface SubtaskSettings {
  max_retries: number;
  max_iterations: number;
  wall_clock_ms: number;
  votes: number;
  review_tokens: number;
  /** A model of its own reads what each completed subtask leaves for later ones. */
  extract: boolean;
  /** The result gate is on (approval mode `confidence_threshold`). */
  result_gate: boolean;
  confidence_threshold: number;
}

/** The part of a subtask's context that describes its newest attempt. */
export interface Attempt {
  id: string;
  incarnation: number;
  plan_version: number;
  /** From 1. */
  attempt: number;
  model_tier: number;
  verdict: VerdictDigest | null;
  failure: Failure | null;
  settings: SubtaskSettings;
}

/** Names the conversation of one attempt. */
export const thread = (context: Attempt): string => `${context.id}@${context.incarnation}.${context.attempt}`;

/** Later attempts ask for a stronger model: the third one tier up, the fourth and later the top. */
export const tierOf = (context: Attempt): number =>
  context.attempt <= 2 ? context.model_tier : context.attempt === 3 ? Math.min(3, context.model_tier + 1) : 3;

/** Failures no further attempt can change. */
export const HOPELESS = ['not_found', 'bad_request', 'script', 'no_plan'];

/** Failures that pass with time. */
const TRANSIENT = ['rate_limit', 'overloaded', 'timeout', 'infra_verifier_error'];

/** 2 s, doubled with each further attempt, at most 30 s; other failures need no wait. */
export const backoffMs = (context: Attempt): number =>
  TRANSIENT.includes(context.failure?.code ?? '') ? Math.min(30_000, 1_000 * 2 ** (context.attempt - 1)) : 0;

/** What the next attempt is told about this one. */
export interface Feedback {
  attempt: number;
  thread: string;
  failure: Failure | null;
  verdict: VerdictDigest | null;
}

export const feedback = (context: Attempt): Feedback => ({
  attempt: context.attempt,
  thread: thread(context),
  failure: context.failure,
  verdict: context.verdict,
});

export const feedbackKey = (context: Attempt): string =>
  `fb/${context.id}@${context.incarnation}/${String(context.attempt).padStart(3, '0')}`;

export const resultQuestion = (context: Attempt): QuestionInput => ({
  kind: 'result',
  call: '',
  subtask: context.id,
  prompt: `Accept the result of ${context.id}? ${describe(context.verdict)}`,
  choices: ['approve', 'reject'],
  rule: '',
  risk: 'result',
});

/** The result gate: a split vote always, otherwise whatever is below the band `high`. */
export function wantsPerson({ verdict, attempt, settings }: Attempt): boolean {
  if (verdict?.reason_code === 'vote_split') return true;
  if (!settings.result_gate || !verdict) return false;
  const score = confidence(verdict, attempt - 1, settings.max_retries);
  return band(score, settings.confidence_threshold) !== 'high';
}

/** A person's yes makes a result acceptable that the judge did not accept. */
export const approvedByPerson = (verdict: VerdictDigest | null): VerdictDigest | null =>
  verdict && !accepted(verdict.outcome)
    ? { ...verdict, outcome: 'pass_with_warnings', reason_code: 'accepted_by_person' }
    : verdict;

const describe = (verdict: VerdictDigest | null): string =>
  verdict
    ? `${verdict.outcome}${verdict.reason_code ? ` (${verdict.reason_code})` : ''}, confidence ${verdict.confidence.toFixed(2)}`
    : '';

/** What status commands read of a subtask that has ended. */
export interface SubtaskRecord {
  status: 'completed' | 'failed' | 'blocked';
  attempts: number;
  /** Of the last attempt. */
  thread: string;
  plan_version: number;
  verification: VerdictDigest | null;
  failure: Failure | null;
}

export const record = (context: Attempt, status: SubtaskRecord['status']): SubtaskRecord => ({
  status,
  attempts: context.attempt,
  thread: thread(context),
  plan_version: context.plan_version,
  verification: context.verdict,
  failure: status === 'completed' ? null : context.failure,
});

/** The last lines of a subtask in the journal. */
export const completedLine = (context: Attempt, summary: string) => ({
  event_type: 'subtask_completed',
  data: {
    subtask_id: context.id,
    status: 'completed',
    attempts: context.attempt,
    summary,
    verification_outcome: context.verdict?.outcome ?? '',
    reason_code: context.verdict?.reason_code ?? '',
  },
});

export const failedLine = (context: Attempt & { verification_tier: number }) => ({
  event_type: 'subtask_failed',
  data: {
    subtask_id: context.id,
    attempts: context.attempt,
    verification_tier: context.verification_tier,
    verification_outcome: context.verdict?.outcome ?? '',
    reason_code: context.failure?.code ?? '',
    feedback: context.failure?.message ?? '',
  },
});
