/** Results that stand, or could stand, but for something that nobody could confirm: what calls for a follow-up, how urgent
 *  it is, and how often it is tried. Pure.
 *
 *  A result that failed its verification never counts, not even for the time being: its subtask waits for the follow-up.
 *  One that was accepted in part counts, and the follow-up runs beside what comes next. */
import { type SubtaskRecord, thread } from './attempt.ts';
import { type Attempt, byPerson, classOf, failureClass } from './ladder.ts';
import type { FollowUp, RemediationSettings, Strategy } from './remediation-queue.ts';
import type { VerdictDigest } from './verdict.ts';

function strategyOf(verdict: VerdictDigest, { mode }: RemediationSettings): Strategy | null {
  const named = mode === 'auto' ? (verdict.remediation ?? 'queue_follow_up') : mode;
  return named === 'confirm_or_prune' || named === 'queue_follow_up' ? named : null;
}

type Judged = Attempt & { verification_tier: number };

const item = (context: Judged, strategy: Strategy | null, waits: boolean): FollowUp | null =>
  strategy && {
    id: `rem-${context.id}-${context.incarnation}`,
    subtask: context.id,
    incarnation: context.incarnation,
    attempt: context.attempt,
    thread: thread(context),
    reason_code: (waits ? context.failure?.code : context.verdict?.reason_code) || 'partial_verified',
    strategy,
    blocking: waits || context.critical,
    waits,
    critical: context.critical,
    model_tier: context.model_tier,
    verification_tier: context.verification_tier,
    // What was accepted has cost what it had to: only what its follow-up costs is counted.
    calls: waits ? context.calls : 0,
  };

/** Of a failed attempt: nothing is wrong with the work but that it states what nobody could confirm. */
export function deferred(context: Judged): FollowUp | null {
  const { verdict, settings } = context;
  if (!verdict || verdict.tier < 2 || verdict.severity_class === 'hard_invariant' || byPerson(context))
    return null;
  if (failureClass(context) !== 'unconfirmed_data') return null;
  return item(context, strategyOf(verdict, settings.remediation), true);
}

/** Of an accepted attempt: a part of it was left unconfirmed. A person's yes settles that. */
export function leftOver(context: Judged): FollowUp | null {
  const { verdict, settings } = context;
  if (!verdict || verdict.reason_code === 'accepted_by_person') return null;
  const partial =
    verdict.outcome === 'partial_verified' ||
    verdict.remediation !== undefined ||
    classOf(verdict.reason_code, null) === 'unconfirmed_data';
  return partial ? item(context, strategyOf(verdict, settings.remediation), false) : null;
}

/** An item as its task keeps it. */
export interface Item extends FollowUp {
  /** How its subtask stands; null: it is completed. */
  record: SubtaskRecord | null;
  /** An actor is at it. */
  live: boolean;
  /** It was told that all other work is done. */
  told: boolean;
}

/** The queue after a subtask has ended. */
export function queued(
  items: Item[],
  output: { follow_up?: FollowUp } & ({ ok: true } | { ok: false; record: SubtaskRecord }),
): Item[] {
  if (!output.follow_up) return items;
  const record = output.ok ? null : output.record;
  return [...items, { ...output.follow_up, record, live: false, told: false }];
}
