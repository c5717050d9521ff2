/** What the next attempt is told of the ones before it. */
import { expect, test } from 'vitest';
import type { EarlierAttempt } from '../../../actors/effects/earlier.ts';
import { feedbackOf } from '../../../actors/prompts/feedback.ts';
import type { FailureClass } from '../../../machines/ladder.ts';

const attempt = (n: number, more: Partial<EarlierAttempt> = {}): EarlierAttempt => ({
  attempt: n,
  failure_class: 'generic',
  reason: 'llm_semantic_failed',
  feedback: `wrong in the way ${n}`,
  issues: [],
  conflicts: [],
  fix: '',
  ...more,
});

test('a first attempt is told nothing', () => {
  expect(feedbackOf([], ['a.md'])).toEqual({ told: '', fix: '' });
});

test('the newest comes first and what was advised after it stands by itself', () => {
  const { told, fix } = feedbackOf(
    [attempt(1, { fix: 'old advice' }), attempt(2, { issues: ['no title'], fix: '1. Add a title.' })],
    ['a.md'],
  );
  expect(told.indexOf('way 2')).toBeLessThan(told.indexOf('way 1'));
  expect(told).toContain('- no title');
  expect(told).toContain('Files you already changed: a.md');
  expect(fix).toBe('1. Add a title.');
});

test('however many and long they were, it stays bounded, and the newest has most of it', () => {
  const long = 'x'.repeat(20_000);
  const { told } = feedbackOf(
    Array.from({ length: 9 }, (_, i) => attempt(i + 1, { feedback: `${i + 1}: ${long}` })),
    Array.from({ length: 90 }, (_, i) => `file-${i}.md`),
  );
  expect(told.length).toBeLessThan(7_000);
  expect(told).toContain('(6 earlier attempts not shown)');
  const at = (n: number) => told.indexOf(`Attempt ${n} failed`);
  expect(at(8) - at(9)).toBeGreaterThan(at(7) - at(8));
  expect(at(6)).toBe(-1);
});

test('the advice follows the kind of failure', () => {
  const kinds: FailureClass[] = [
    'generic',
    'rate_limit',
    'verifier_parse',
    'evidence_gap',
    'unconfirmed_data',
    'loop',
    'budget',
    'conflict',
  ];
  const lines = kinds.map(
    failure_class => feedbackOf([attempt(1, { failure_class })], []).told.split('\n')[0],
  );
  expect(new Set(lines).size).toBe(kinds.length);
});
