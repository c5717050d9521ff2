/** Fitting a conversation: whole exchanges go, calls are never separated from their results. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitWindow } from '../../actors/context-window.ts';
import { estimateRequest } from '../../actors/models/estimate.ts';
import type { Message } from '../../actors/models/model.ts';

const head: Message[] = [
  { role: 'system', content: '# Loom executor' },
  { role: 'user', content: 'Subtask: a' },
];
const exchange = (n: number, size: number): Message[] => [
  { role: 'assistant', content: '', tool_calls: [{ id: `c${n}`, name: 'read_file', arguments: '{}' }] },
  { role: 'tool', tool_call_id: `c${n}`, name: 'read_file', content: 'x'.repeat(size) },
];

describe('a conversation', () => {
  it('that fits is left as it is', () => {
    const messages = [...head, ...exchange(1, 100)];
    expect(fitWindow(messages, [], 10_000).messages).toEqual(messages);
  });

  it('that does not fit loses its oldest exchanges, keeps its prompt and its newest, and has no orphans', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 200, max: 6_000 }),
        (sizes, budget) => {
          const messages = [...head, ...sizes.flatMap((size, n) => exchange(n, size))];
          const fitted = fitWindow(messages, [], budget);
          expect(fitted.messages.slice(0, 2)).toEqual(head);
          expect(fitted.messages.slice(-2)).toEqual(messages.slice(-2));
          const calls = fitted.messages.flatMap(message =>
            message.role === 'assistant' ? (message.tool_calls ?? []) : [],
          );
          const results = fitted.messages.filter(message => message.role === 'tool');
          expect(results.map(message => message.tool_call_id)).toEqual(calls.map(call => call.id));
          const kept = (fitted.messages.length - 2 - (fitted.dropped > 0 ? 1 : 0)) / 2;
          expect(kept + fitted.dropped / 2).toBe(sizes.length);
          if (kept > 1)
            expect(estimateRequest({ messages: fitted.messages })).toBeLessThanOrEqual(budget + 40);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });
});
