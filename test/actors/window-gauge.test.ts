/** What a prompt may take of a window, as servers count and refuse. */
import { describe, expect, it } from 'vitest';
import { WindowGauge } from '../../actors/window-gauge.ts';

describe('the share of a prompt', () => {
  it('leaves an answer a third of a small window and what it may use of a large one', () => {
    const gauge = new WindowGauge();
    expect(gauge.shares('a', 4_096, 8_192).answer).toBe(1_365);
    expect(gauge.shares('a', 131_072, 8_192).answer).toBe(8_192);
    const { answer, prompt } = gauge.shares('a', 4_096, 8_192);
    expect(answer + prompt * 1.1).toBeLessThanOrEqual(4_096);
  });

  it('falls at once when the server counts more than was estimated, and rises slowly again', () => {
    const gauge = new WindowGauge();
    const before = gauge.shares('a', 4_096, 1_000).prompt;
    gauge.counted('a', 1_000, 1_500, false);
    const low = gauge.shares('a', 4_096, 1_000).prompt;
    expect(low * 1.5).toBeLessThanOrEqual(4_096 - 1_000);
    gauge.counted('a', 1_000, 1_000, false);
    const higher = gauge.shares('a', 4_096, 1_000).prompt;
    expect(higher).toBeGreaterThan(low);
    expect(higher).toBeLessThan(before);
    expect(gauge.shares('b', 4_096, 1_000).prompt).toBe(before);
  });

  it('reserves for a server that counts much more what it has counted, and more than the estimate for any', () => {
    const gauge = new WindowGauge();
    expect(gauge.worst('a', 1_000)).toBe(1_250);
    gauge.counted('a', 1_000, 2_000, false);
    expect(gauge.worst('a', 1_000)).toBeGreaterThanOrEqual(2_300);
    expect(gauge.worst('b', 1_000)).toBe(1_250);
  });

  it('keeps to the window that a server was seen to cut at', () => {
    const gauge = new WindowGauge();
    gauge.counted('a', 9_000, 2_048, true);
    const { answer, prompt } = gauge.shares('a', 32_768, 512);
    expect(answer + prompt).toBeLessThanOrEqual(2_048);
  });
});

describe('a refusal', () => {
  it.each([
    [
      "This model's maximum context length is 4096 tokens. However, your messages resulted in 5200 tokens.",
      4_096,
    ],
    ['prompt is too long: 5200 tokens > 4096 maximum', 4_096],
    ['request (5200 tokens) exceeds the available context size (4096 tokens), try increasing it', 4_096],
    ['input is too long for this model', Math.floor((5_000 * 1.1 + 1_000) * 0.7)],
  ])('teaches the window: %s', (words, window) => {
    const gauge = new WindowGauge();
    const smaller = gauge.refused('a', 4_600, { answer: 1_000, prompt: 5_000 }, words);
    expect(smaller.prompt).toBeLessThanOrEqual(4_600 * 0.7);
    const later = gauge.shares('a', 131_072, 1_000);
    expect(later.answer + later.prompt).toBeLessThanOrEqual(window);
    expect(later.answer + later.prompt).toBeGreaterThan(window * 0.5);
  });
});
