/** The remediation queue: what an item is, how often it is tried and after what wait, what is written of it. Pure. */
import type { RemediationMode } from './verdict.ts';

export interface RemediationSettings {
  /** `auto`: as the verdict says, `queue_follow_up` where it says nothing; `off`: never. */
  mode: RemediationMode | 'auto' | 'off';
  max_attempts: number;
  /** Before the second attempt, doubled with each further one. */
  backoff_ms: number;
  max_backoff_ms: number;
  /** Of the strategy `confirm_or_prune`. */
  confirm_attempts: number;
  confirm_backoff_ms: number;
  /** An item ends after this time, whatever it is doing. */
  ttl_ms: number;
}

/** The ways of following up; the other modes of a verdict are what the retry ladder does anyway. */
export type Strategy = 'confirm_or_prune' | 'queue_follow_up';

/** `confirm`: look up what was not confirmed · `prune`: take out what cannot be. The last attempt prunes. */
export type Phase = 'confirm' | 'prune';

/** One item of the queue. */
export interface FollowUp {
  /** `rem-<subtask>-<incarnation>`, used once. */
  id: string;
  subtask: string;
  incarnation: number;
  /** The attempt that is followed up; the follow-up goes on counting from there. */
  attempt: number;
  thread: string;
  reason_code: string;
  strategy: Strategy;
  /** The task is not completed without it. */
  blocking: boolean;
  /** The subtask is not completed without it. */
  waits: boolean;
  critical: boolean;
  model_tier: number;
  verification_tier: number;
  /** Model calls spent on the subtask so far. */
  calls: number;
}

export const DEFAULT_REMEDIATION: RemediationSettings = {
  mode: 'auto',
  max_attempts: 3,
  backoff_ms: 2_000,
  max_backoff_ms: 30_000,
  confirm_attempts: 2,
  confirm_backoff_ms: 2_000,
  ttl_ms: 6 * 3_600_000,
};

export const attemptsOf = (strategy: Strategy, settings: RemediationSettings): number =>
  strategy === 'confirm_or_prune' ? settings.confirm_attempts : settings.max_attempts;

/** How long to wait before the attempt with this number, from 1; the first begins at once. */
export function waitOf(attempt: number, strategy: Strategy, settings: RemediationSettings): number {
  if (attempt <= 1) return 0;
  if (strategy === 'confirm_or_prune') return settings.confirm_backoff_ms;
  return Math.min(settings.max_backoff_ms, settings.backoff_ms * 2 ** (attempt - 2));
}

export type RemediationState = 'resolved' | 'pruned' | 'failed' | 'expired';

/** The row `rem/<id>`. */
export interface RemediationRecord
  extends Pick<FollowUp, 'subtask' | 'strategy' | 'reason_code' | 'blocking'> {
  state: RemediationState | 'queued' | 'running';
  attempts: number;
}

/** What events and rows say of an item. */
export const itemData = (item: FollowUp): Record<string, unknown> => ({
  remediation_id: item.id,
  subtask_id: item.subtask,
  strategy: item.strategy,
  reason_code: item.reason_code,
  blocking: item.blocking,
  critical_path: item.critical,
});

export const remediationRow = (
  item: FollowUp,
  state: RemediationRecord['state'],
  attempts: number,
): { key: string; value: RemediationRecord } => {
  const { subtask, strategy, reason_code, blocking } = item;
  return { key: `rem/${item.id}`, value: { subtask, strategy, reason_code, blocking, state, attempts } };
};
