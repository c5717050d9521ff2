/** Fitting a conversation: whole exchanges go, calls are never separated from their results. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitWindow } from '../../actors/context-window.ts';
import { estimateRequest } from '../../actors/models/estimate.ts';
import type { Message } from '../../actors/models/model.ts';
import { NUDGES } from '../../actors/prompts/executor.ts';

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
          // The newest exchange stays word for word, unless it alone is more than fits.
          if (fitted.shortened === 0) expect(fitted.messages.slice(-2)).toEqual(messages.slice(-2));
          else expect(sizes.at(-1)! / 4).toBeGreaterThan(budget * 0.5);
          const calls = fitted.messages.flatMap(message =>
            message.role === 'assistant' ? (message.tool_calls ?? []) : [],
          );
          const results = fitted.messages.filter(message => message.role === 'tool');
          expect(results.map(message => message.tool_call_id)).toEqual(calls.map(call => call.id));
          const kept = (fitted.messages.length - 2 - (fitted.gone.length > 0 ? 1 : 0)) / 2;
          expect(kept + fitted.gone.length / 2).toBe(sizes.length);
          if (budget > 400) expect(fitted.tokens).toBeLessThanOrEqual(budget);
          expect(fitted.tokens).toBe(estimateRequest({ messages: fitted.messages }));
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  const call = (id: string, name: string, args: object, result: string): Message[] => [
    {
      role: 'assistant',
      content: '',
      tool_calls: [{ id, name, arguments: JSON.stringify(args) }],
    },
    { role: 'tool', tool_call_id: id, name, content: result },
  ];
  const old = [
    ...call('a', 'write_file', { path: 'a.md', content: 'y'.repeat(3_000) }, 'Created a.md\n+y'),
    ...call('b', 'shell_execute', { command: 'npm test' }, `${'ok\n'.repeat(900)}3 failing\n[exit code 1]`),
    ...call('c', 'ask_user', { question: 'Which port?' }, '8080, and nothing else'),
    { role: 'user', content: `${NUDGES.repeats}\n\nNew instruction: never touch b.md` } satisfies Message,
    ...call('d', 'read_file', { path: 'd.md' }, 'z'.repeat(3_000)),
  ];
  const note = (budget: number) => String(fitWindow([...head, ...old], [], budget).messages[2]?.content);

  it('keeps a line of each step it leaves out: the call, how it ended, long contents by their length', () => {
    const said = note(1_200);
    expect(said).toContain('write_file(path: a.md, content: yyyy');
    expect(said).toContain('3000 characters): Created a.md');
    expect(said).toContain('shell_execute(command: npm test): 3 failing [exit code 1]');
  });

  it('repeats word for word what a person said, and not what Loom said', () => {
    for (const budget of [800, 850]) {
      expect(note(budget)).toContain('To your question the user answered: 8080, and nothing else');
      expect(note(budget)).toContain('New instruction: never touch b.md');
      expect(note(budget)).not.toContain(NUDGES.repeats);
    }
  });

  it('shortens the results of the newest exchange only when that alone is too large, each by its share', () => {
    const many: Message[] = [
      {
        role: 'assistant',
        content: '',
        tool_calls: ['a', 'b', 'c'].map(id => ({ id, name: 'read_file', arguments: '{}' })),
      },
      ...['x'.repeat(6_000), 'short', 'z'.repeat(6_000)].map(
        (content, n): Message => ({ role: 'tool', tool_call_id: 'abc'[n]!, name: 'read_file', content }),
      ),
    ];
    const fitted = fitWindow([...head, ...many], [], 1_000);
    expect(fitted).toMatchObject({ gone: [], shortened: 2 });
    expect(fitted.tokens).toBeLessThanOrEqual(1_000);
    expect(fitted.messages[4]?.content).toBe('short');
    expect(String(fitted.messages[3]?.content)).toMatch(/x\n\[… \d+ characters not shown\]\nx/);
  });
});
