/** What makes two failed attempts the same failure: the names of the checks, or what a reviewer objected to. */
import { createHash } from 'node:crypto';
import type { Verdict } from '../../machines/verdict.ts';
import type { Check } from './checks/check.ts';
import type { ToolTrace } from './rows.ts';

const hash = (parts: string[]): string =>
  createHash('sha256')
    .update([...new Set(parts)].sort().join('\n'))
    .digest('base64url')
    .slice(0, 12);

/** Of the checks that were not passed. */
export const checkFindings = (checks: Check[]): string =>
  hash(
    checks.filter(check => check.result === 'failed' || check.result === 'unsure').map(({ name }) => name),
  );

/** Of a reviewer: the objections without numbers, punctuation and case. */
export function reviewFindings({ issues, feedback }: Pick<Verdict, 'issues' | 'feedback'>): string {
  const said = issues.length > 0 ? issues : [feedback];
  return hash(
    said.map(text =>
      text
        .toLowerCase()
        .replace(/[^\p{L}]+/gu, ' ')
        .trim(),
    ),
  );
}

const CONFLICTS = ['changed_since_read', 'conflict', 'file_changed_meanwhile'];

/** A change was refused because somebody else had changed the same file, and no later call made it after all. */
export const inConflict = (traces: ToolTrace[]): boolean => conflicting(traces).length > 0;

/** The files where that was so. */
export function conflicting(traces: ToolTrace[]): string[] {
  const refused = new Set<string>();
  for (const trace of traces) {
    if (trace.success) for (const path of [trace.subject, ...trace.files_changed]) refused.delete(path);
    else if (CONFLICTS.includes(trace.error ?? '')) refused.add(trace.subject);
  }
  return [...refused];
}
