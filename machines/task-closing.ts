/** The last steps of a task: commands that are run once more, the goal judged over the work of all, what is not shown named. */
import type { EffectOutputs } from './effects.ts';
import type { Failure } from './failure.ts';
import { classOf } from './ladder.ts';
import { GOAL } from './obligations.ts';
import type { Context, FailedNode } from './task-context.ts';
import type { TurnInput } from './turn.ts';
import type { VerifierInput } from './verifier.ts';

/** Code of a task that cannot be completed because something owed is not shown. */
export const UNMET = 'obligation_unmet';

export const failureIn = (output: EffectOutputs['finalize']): Failure | null =>
  output.ok ? null : output.failure;

/** All work is completed, but something owed is not shown: a failure like that of a critical subtask. */
export function unmetObligation(output: EffectOutputs['finalize']): Partial<Context> {
  if (output.ok) return {};
  const { code, message, detail = {} } = output.failure;
  const unmet = Array.isArray(detail['obligations']) ? detail['obligations'].map(String) : [];
  const open: FailedNode = {
    id: GOAL,
    critical: true,
    code,
    message,
    signature: `${classOf(code, null)}:${code}:${unmet.join(',').slice(0, 200)}`,
    replacement: false,
    unmet,
    calls: 0,
    attempt_calls: 0,
  };
  return { open };
}

/** The thread whose stored calls are commands that were evidence. */
export const recheckThread = (version: number): string => `${GOAL}-again@${version}.1`;

export const recheckInput = (context: Context, output: EffectOutputs['finalize']): TurnInput => ({
  thread: recheckThread(context.plan!.version),
  subtask: null,
  role: 'executor',
  tier: 1,
  max_iterations: 1,
  tokens: 0,
  given: output.ok ? (output.calls ?? []) : [],
});

/** The goal is judged like a subtask of its own, whose work is that of all. */
export const goalVerifierInput = (context: Context): VerifierInput => ({
  thread: `${GOAL}@${context.plan!.version}.1`,
  subtask: GOAL,
  plan_version: context.plan!.version,
  attempt: 1,
  tier: context.settings.tier2_enabled ? 2 : 1,
  votes: context.settings.subtask.votes,
  review_tokens: context.settings.subtask.review_tokens,
});
