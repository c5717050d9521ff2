/** Rules of a person: merged when they say the same, the most frequent offered first, forgotten when they were said once. */
import { describe, expect, it } from 'vitest';
import { wishes } from '../../../actors/learning/wishes.ts';
import { executorMessages } from '../../../actors/prompts/executor.ts';
import { sessionSystem } from '../../../actors/prompts/session.ts';
import { prunePatterns, readPatterns } from '../../../store/learned.ts';
import { lessonRow, RULE_PREFIX, type RulePattern, ruleWords } from '../../../store/lessons.ts';
import { openMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { node, planOf } from '../../machines/results.ts';
import { newHead } from '../../store/conformance.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00Z');

/** Each rule is said in a turn of its own, so many days ago. */
async function said(...rules: [rule: string, days: number][]): Promise<Store> {
  const store = openMemoryStore();
  const lease = await store.create(newHead('s1'), []);
  for (const [rev, [rule, days]] of rules.entries())
    await store.commit(lease, rev, {}, [
      lessonRow(
        `t${rev}`,
        [{ type: 'behavioral_correction', rule, words: ruleWords(rule) }],
        NOW - days * DAY,
      ),
    ]);
  return store;
}

const known = async (store: Store) =>
  (await readPatterns<RulePattern>(store, RULE_PREFIX, NOW))
    .map(({ pattern: { rule, seen } }) => `${seen} ${rule}`)
    .sort();

describe('rules that say the same', () => {
  it('are one, in the words of the first', async () => {
    const store = await said(
      ['Use YAML, not JSON', 2],
      ['Please use YAML not JSON', 1],
      ['Use tabs, not spaces', 1],
    );
    expect(await known(store)).toEqual(['1 Use tabs, not spaces', '2 Use YAML, not JSON']);
  });

  it('are not those that say the opposite', async () => {
    const store = await said(['Always run the linter', 1], ['Never run the linter', 0]);
    expect(await known(store)).toHaveLength(2);
  });
});

describe('what is offered', () => {
  it('is the most frequent fifteen, of equals the newest', async () => {
    const many = Array.from({ length: 20 }, (_, i): [string, number] => [
      `Wish ${'abcdefghijklmnopqrst'[i]}${i} here${i}`,
      i,
    ]);
    const store = await said(...many, ['Wish t19 here19', 0]);
    const offered = await wishes(store, NOW);
    expect(offered).toHaveLength(15);
    expect(offered.slice(0, 2)).toEqual(['Wish t19 here19', 'Wish a0 here0']);
  });

  it('is forgotten after 90 days when it was said once, and kept when it was said again', async () => {
    const store = await said(['Old and rare', 91], ['Answer in German', 200], ['Answer in German', 120]);
    expect(await wishes(store, NOW)).toEqual(['Answer in German']);
    expect(await prunePatterns(store, NOW)).toBe(1);
  });

  it('stands in the prompts of sessions and of executors', () => {
    expect(sessionSystem(['Use tabs'], [])).toContain('## What this person wants\n- Use tabs');
    const [, prompt] = executorMessages(
      {
        goal: 'g',
        node: node('a'),
        plan: planOf(node('a')),
        attempt: 1,
        upstream: [],
        earlier: [],
        touched: [],
        left: [],
        instructions: [],
        memory: [],
        hints: [],
        wishes: ['Use tabs'],
        follow_up: null,
      },
      4_000,
    );
    expect(prompt!.content).toContain('## How the user wants things done\n- Use tabs');
  });
});
