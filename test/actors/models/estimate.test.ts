/** Sizes and tiers guessed without asking anybody. */
import { expect, test } from 'vitest';
import { estimateRequest, estimateTokens } from '../../../actors/models/estimate.ts';
import { tierOf } from '../../../actors/models/tier.ts';
import { windowOfListing } from '../../../actors/models/windows.ts';
import { ask, user, WRITE_FILE } from '../../support/calls.ts';

test.each([
  ['', 0],
  ['The quick brown fox jumps over the lazy dog.', 11],
  ['Привет мир', 5],
  ['你好世界', 4],
])('%j is about %i tokens', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});

test('tools, calls, reasoning and images count', () => {
  const plain = estimateRequest(ask('executor', [user('Hi')]));
  const withTools = estimateRequest(ask('executor', [user('Hi')], { tools: [WRITE_FILE] }));
  const withImage = estimateRequest(
    ask('executor', [{ role: 'user', content: [{ type: 'image', media_type: 'image/png', data: 'x' }] }]),
  );
  const call = { id: 'c', name: 'write_file', arguments: 'x'.repeat(400) };
  const withCall = estimateRequest(
    ask('executor', [user('Hi'), { role: 'assistant', content: '', tool_calls: [call] }]),
  );
  expect(withTools - plain).toBeGreaterThan(30);
  expect(withImage).toBeGreaterThan(900);
  expect(withCall - plain).toBeGreaterThanOrEqual(100);
});

test.each([
  ['qwen2.5-coder:7b', 1],
  ['qwen3:14b', 2],
  ['qwen3-30b-a3b', 2],
  ['llama3.3:70b', 3],
  ['mixtral:8x7b', 3],
  ['claude-haiku-4-5', 1],
  ['claude-sonnet-5-5', 2],
  ['claude-opus-5', 3],
  ['gpt-5.4', 3],
  ['gpt-5.4-mini', 2],
  ['something-else', 1],
])('%s is of tier %i', (name, tier) => {
  expect(tierOf(name, 0)).toBe(tier);
  expect(tierOf(name, 2)).toBe(2);
});

test.each([
  [[{ id: 'm', max_model_len: 4096 }], 4096],
  [[{ id: 'x' }, { id: 'm', context_length: 8000 }], 8000],
  [[{ id: 'other', meta: { n_ctx: 2048 } }], 2048],
  [[{ id: 'a', max_model_len: 1 }, { id: 'b' }], undefined],
  [[], undefined],
])('the window in a listing %j is %s', (list, window) => {
  expect(windowOfListing(list, 'm')).toBe(window);
});
