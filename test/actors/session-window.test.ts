/** The window of a session: whatever was said, what is shown fits, keeps the newest, and never parts a call from its result. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateRequest } from '../../actors/models/estimate.ts';
import type { Message } from '../../actors/models/model.ts';
import { sessionWindow } from '../../actors/session/window.ts';

const text = (role: 'user' | 'assistant', content: string): Message => ({ role, content });
const system: Message = { role: 'system', content: '# Loom session' };

/** A turn: a text, steps with calls and results, an answer. */
const turn = fc
  .record({
    said: fc.integer({ min: 1, max: 1_200 }),
    steps: fc.array(fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 3 }), {
      maxLength: 4,
    }),
    answer: fc.integer({ min: 1, max: 900 }),
  })
  .map(({ said, steps, answer }): Message[] => [
    text('user', 'u'.repeat(said)),
    ...steps.flatMap((results, step): Message[] => [
      {
        role: 'assistant',
        content: '',
        tool_calls: results.map((_, n) => ({ id: `${step}.${n}`, name: 'read_file', arguments: '{}' })),
      },
      ...results.map(
        (size, n): Message => ({
          role: 'tool',
          tool_call_id: `${step}.${n}`,
          name: 'read_file',
          content: 'r'.repeat(size),
        }),
      ),
    ]),
    text('assistant', 'a'.repeat(answer)),
  ]);

function paired(messages: Message[]): boolean {
  const open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) return false;
    } else if (open.size > 0) return false;
    if (message.role === 'assistant') for (const { id } of message.tool_calls ?? []) open.add(id);
  }
  return open.size === 0;
}

function shown(turns: Message[][], budget: number, before = 0) {
  const window = sessionWindow();
  const messages = [system, ...turns.flat()];
  const keys = new Map(messages.map((message, i) => [message, `m/${String(i).padStart(6, '0')}`]));
  window.know(keys, gone => `[${gone} earlier messages]`, before);
  return window.fit(messages, [], budget);
}

describe('what is shown', () => {
  it('fits, begins with the prompt, ends with the newest, and keeps calls with their results', () => {
    fc.assert(
      fc.property(
        fc.array(turn, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 700, max: 6_000 }),
        (turns, budget) => {
          const fitted = shown(turns, budget);
          expect(fitted.tokens).toBeLessThanOrEqual(budget);
          expect(fitted.tokens).toBe(estimateRequest({ messages: fitted.messages, tools: [] }));
          expect(fitted.messages[0]).toBe(system);
          expect(fitted.messages.at(-1)!.role).toBe('assistant');
          expect(paired(fitted.messages)).toBe(true);
          const said = turns.at(-1)![0]!.content as string;
          const texts = fitted.messages
            .filter(message => message.role === 'user')
            .map(message => String(message.content));
          expect(texts.some(one => one.startsWith(said.slice(0, 40)))).toBe(true);
        },
      ),
      { numRuns: 400, seed: 11 },
    );
  });

  it('is everything when there is room, and says how much is not', () => {
    const turns = [[text('user', 'one'), text('assistant', 'two')], [text('user', 'three')]];
    expect(shown(turns, 1_000).messages).toHaveLength(4);
    const cut = shown(turns, 1_000, 40).messages;
    expect(cut[1]).toEqual({ role: 'user', content: '[40 earlier messages]' });
  });

  it('begins at the same message until the freed quarter is used up', () => {
    const window = sessionWindow();
    const all: Message[] = [];
    const keys = new Map<Message, string>();
    const begins: string[] = [];
    for (let i = 0; i < 60; i++) {
      for (const message of [text('user', `${i} ${'u'.repeat(100)}`), text('assistant', 'a'.repeat(100))]) {
        keys.set(message, `m/${String(all.length).padStart(6, '0')}`);
        all.push(message);
      }
      window.know(keys, gone => `[${gone}]`, 0);
      const { messages } = window.fit([system, ...all], [], 1_000);
      const first = messages.find(message => keys.has(message))!;
      begins.push(keys.get(first)!);
    }
    const moves = begins.filter((begin, i) => i > 0 && begin !== begins[i - 1]).length;
    expect(begins.at(-1)).not.toBe(begins[0]);
    expect(moves).toBeLessThan(20);
  });
});
