/** What is known of a subtask's failed attempts: what kind of failure, what was wrong, what somebody advised. */

import type { FailureClass } from '../../machines/ladder.ts';
import { accepted } from '../../machines/verdict.ts';
import { conflicting } from './findings.ts';
import { fixKey, type TaskRows } from './rows.ts';

export interface EarlierAttempt {
  attempt: number;
  failure_class: FailureClass;
  reason: string;
  feedback: string;
  issues: string[];
  /** Files that somebody else had changed, so that its own change was refused. */
  conflicts: string[];
  /** What the resolver advised after it; '' where nobody did. */
  fix: string;
}

/** Oldest first. */
export async function earlierAttempts(
  rows: TaskRows,
  subtask: string,
  incarnation: string,
): Promise<EarlierAttempt[]> {
  const failed = await rows.feedback(subtask, incarnation);
  return Promise.all(
    failed.map(async ({ attempt, thread, failure_class, failure, verdict }): Promise<EarlierAttempt> => {
      // What was judged before a person rejected it, or before something else failed, is not why it failed.
      const why =
        verdict?.reason_code ||
        (verdict?.outcome === 'partial_verified' ? verdict.outcome : 'verification_failed');
      const stored = verdict && why === failure?.code ? await rows.verdict(thread) : null;
      // Of several votes the last one is stored, which may have been for it.
      const judged = stored && stored.passed !== accepted(verdict!.outcome) ? null : stored;
      return {
        attempt,
        failure_class,
        reason: failure?.code ?? 'failed',
        feedback: judged?.feedback || (failure?.message ?? ''),
        issues: judged?.issues ?? [],
        conflicts: failure_class === 'conflict' ? conflicting(await rows.traces(thread)) : [],
        fix: (await rows.get<string>(fixKey(thread))) ?? '',
      };
    }),
  );
}
