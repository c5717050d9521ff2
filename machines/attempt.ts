/** One attempt at a subtask, in words and numbers: its thread, what a person is asked about it, what is written of it. */
import { band, confidence } from './confidence.ts';
import type { QuestionInput } from './effects.ts';
import type { Failure } from './failure.ts';
import { type Attempt, type FailureClass, failureClass } from './ladder.ts';
import { accepted, type VerdictDigest } from './verdict.ts';

/** Names the conversation of one attempt. */
export const thread = (context: Attempt): string => `${context.id}@${context.incarnation}.${context.attempt}`;

/** What the next attempt is told about this one. */
export interface Feedback {
  attempt: number;
  thread: string;
  failure_class: FailureClass;
  failure: Failure | null;
  verdict: VerdictDigest | null;
}

export const feedback = (context: Attempt): Feedback => ({
  attempt: context.attempt,
  failure_class: failureClass(context),
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

/** What the events of a subtask's life carry. */
export const told = {
  started: (context: Attempt) => ({ subtask_id: context.id }),
  retrying: (context: Attempt) => ({
    subtask_id: context.id,
    attempt: context.attempt + 1,
    failure_class: failureClass(context),
    reason_code: context.failure?.code ?? '',
    feedback: context.failure?.message ?? '',
  }),
  completed: (context: Attempt, summary: string) => ({
    subtask_id: context.id,
    status: 'completed',
    attempts: context.attempt,
    summary,
    verification_outcome: context.verdict?.outcome ?? '',
    reason_code: context.verdict?.reason_code ?? '',
  }),
  failed: (context: Attempt & { verification_tier: number }) => ({
    subtask_id: context.id,
    attempts: context.attempt,
    verification_tier: context.verification_tier,
    verification_outcome: context.verdict?.outcome ?? '',
    failure_class: failureClass(context),
    reason_code: context.failure?.code ?? '',
    feedback: context.failure?.message ?? '',
  }),
};
