/** When two failures are the same one. */
import { describe, expect, it } from 'vitest';
import { advisory, failed, passed, unsure } from '../../../actors/effects/checks/check.ts';
import { checkFindings, inConflict, reviewFindings } from '../../../actors/effects/findings.ts';
import type { ToolTrace } from '../../../actors/effects/rows.ts';

describe('what checks found', () => {
  it('is the same whatever the words and the order, and whatever else held', () => {
    const once = checkFindings([failed('deliverable_a.md', 'missing'), unsure('npm test', 'not run')]);
    const again = [passed('x', ''), unsure('npm test', 'again not'), failed('deliverable_a.md', 'gone')];
    expect(checkFindings([...again, advisory('y', '')])).toBe(once);
    expect(checkFindings([failed('deliverable_b.md', 'missing'), unsure('npm test', 'not run')])).not.toBe(
      once,
    );
  });
});

describe('what a reviewer found', () => {
  const found = (...issues: string[]) => reviewFindings({ issues, feedback: 'no' });
  it('is the same without case, numbers and punctuation', () => {
    expect(found('Line 12: missing title.', 'No date!')).toBe(found('no date', 'line 14 — missing TITLE'));
    expect(found('missing title')).not.toBe(found('missing date'));
  });

  it('is the feedback where no issues are listed', () => {
    expect(reviewFindings({ issues: [], feedback: 'a' })).not.toBe(
      reviewFindings({ issues: [], feedback: 'b' }),
    );
  });
});

describe('a conflict with another writer', () => {
  const edit = (success: boolean, error?: string): ToolTrace => ({
    tool: 'edit_file',
    subject: 'a.md',
    success,
    files_changed: success ? ['a.md'] : [],
    destructive: false,
    ...(error ? { error } : {}),
  });
  it('stands until a later call has made the change', () => {
    expect(inConflict([edit(false, 'changed_since_read')])).toBe(true);
    expect(inConflict([edit(false, 'changed_since_read'), edit(true)])).toBe(false);
    expect(inConflict([edit(false, 'not_found')])).toBe(false);
  });
});
