/** What is learned and what is made of it, apart from any run: kinds of work, rates, where to start, plans alike. */
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../actors/learning/kind.ts';
import { wilson } from '../../../actors/learning/rate.ts';
import { startTier } from '../../../actors/learning/start-tier.ts';
import { goalWords, shapeOf, shapeText } from '../../../actors/learning/templates.ts';
import type { Config } from '../../../store/config.ts';
import { type RatePattern, rateKey } from '../../../store/lessons.ts';
import { node, planOf } from '../../machines/results.ts';
import { loomConfig } from '../../support/loom-config.ts';
import { modelConfig } from '../../support/model-config.ts';

describe('the kind of a subtask', () => {
  const kind = (description: string, deliverables: string[] = [], acceptance_criteria = '') =>
    kindOf({ description, deliverables, acceptance_criteria });

  it.each([
    ['code/create', 'Write the parser', ['src/parser.ts']],
    ['code/change', 'Fix the off-by-one in the parser', ['src/parser.ts']],
    ['tests/create', 'Add tests for the parser', ['test/parser.test.ts']],
    ['tests/create', 'Cover dates', ['tests/test_dates.py']],
    ['docs/create', 'Write the report', ['report.md']],
    ['data/create', 'Export the rows', ['out/rows.csv']],
    ['config/change', 'Update the pipeline', ['.github/ci.yml']],
    ['web/create', 'Make the page', ['index.html', 'style.css']],
  ])('is %s by its deliverables', (expected, description, files) => {
    expect(kind(description, files)).toBe(expected);
  });

  it('comes from the files it names, where it leaves none', () => {
    expect(kind('Repair src/date.py')).toBe('code/change');
    expect(kind('Make it pass', [], 'README.md says how to start')).toBe('docs/create');
  });

  it('comes from its words, where it names no file', () => {
    expect(kind('Run the build')).toBe('command');
    expect(kind('Compare the two approaches')).toBe('analysis');
    expect(kind('Refactor the class hierarchy')).toBe('code/change');
    expect(kind('Do what must be done')).toBe('general');
  });

  it('is that of most of its files, the first area when they are level', () => {
    expect(kind('Write them', ['a.md', 'b.md', 'c.ts'])).toBe('docs/create');
    expect(kind('Write them', ['a.md', 'c.ts'])).toBe('code/create');
  });

  it('does not depend on ids, dependencies or tiers', () => {
    const a = node('a', [], { description: 'Write notes', deliverables: ['n.md'] });
    const b = node('b', ['a'], { ...a, id: 'b', model_tier: 3, verification_tier: 1 });
    expect(kindOf(b)).toBe(kindOf(a));
  });
});

describe('the interval of a rate', () => {
  it('is everything when nothing was seen, and narrows with what is', () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
    const few = wilson(1, 3);
    const many = wilson(25, 75);
    expect(few.high - few.low).toBeGreaterThan(many.high - many.low);
  });

  it.each([
    // Computed by hand from the formula of 1927 with z = 1.96.
    [0, 4, 0, 0.4899],
    [0, 3, 0, 0.5615],
    [5, 15, 0.1119, 0.4687],
    [10, 10, 0.2993, 0.7007],
    [20, 0, 0.8389, 1],
  ])('of %i passed and %i failed is known', (passed, failed, low, high) => {
    const found = wilson(passed, failed);
    expect(found.low).toBeCloseTo(low, 3);
    expect(found.high).toBeCloseTo(high, 3);
  });
});

const NOW = Date.parse('2026-06-01T00:00:00Z');
const small = modelConfig({ alias: 'small', model: 's', roles: ['executor'], tier: 1 });
const big = modelConfig({ alias: 'big', model: 'b', roles: ['executor'], tier: 2 });
const huge = modelConfig({ alias: 'huge', model: 'h', roles: ['executor'], tier: 3 });
const config = (...models: (typeof small)[]): Config => loomConfig(models);

/** A store that knows these rates of documents. */
function knowing(rates: Record<string, [passed: number, failed: number]>, last = '2026-05-30T00:00:00Z') {
  const rows = new Map(
    Object.entries(rates).map(([alias, [passed, failed]]) => {
      const about = { role: 'executor', kind: 'docs/create', alias, model: alias[0]! };
      const row: RatePattern = {
        ...about,
        type: 'success_rate',
        passed,
        failed,
        seen: passed + failed,
        first: last,
        last,
      };
      return [rateKey(about), row];
    }),
  );
  return { getGlobal: async <T>(key: string) => (rows.get(key) ?? null) as T | null };
}

describe('where a subtask starts', () => {
  const start = (
    store: ReturnType<typeof knowing>,
    models = config(small, big, huge),
    planned = 1,
    kind = 'docs/create',
  ) => startTier(store, models, { role: 'executor', kind, planned }, NOW);

  it('is where the plan says, while nothing or little is known', async () => {
    expect(await start(knowing({}))).toMatchObject({ tier: 1, alias: 'small', reason: 'planned', why: '' });
    expect(await start(knowing({ small: [0, 3] }))).toMatchObject({ tier: 1, reason: 'planned' });
    expect(await start(knowing({ small: [10, 10] }))).toMatchObject({ tier: 1, reason: 'planned' });
  });

  it('is a tier higher, once the model there surely does fewer than half', async () => {
    const found = await start(knowing({ small: [0, 4] }));
    expect(found).toMatchObject({ tier: 2, planned: 1, alias: 'big', reason: 'learned' });
    expect(found.why).toBe('docs/create: small did 0 of 4 (at most 49 %, as sure as 95 %)');
    expect(await start(knowing({ small: [5, 15] }))).toMatchObject({ tier: 2 });
  });

  it('passes over every model that fails, and never goes below the plan', async () => {
    expect(await start(knowing({ small: [0, 9], big: [0, 9] }))).toMatchObject({ tier: 3, alias: 'huge' });
    expect(await start(knowing({ big: [0, 9] }), config(small, big, huge), 2)).toMatchObject({ tier: 3 });
    expect(await start(knowing({ small: [99, 0] }), config(small, big), 2)).toMatchObject({ tier: 2 });
  });

  it('is the least bad one when all fail, the planned one when they fail alike', async () => {
    const two = config(small, big);
    expect(await start(knowing({ small: [0, 20], big: [3, 17] }), two)).toMatchObject({ alias: 'big' });
    expect(await start(knowing({ small: [0, 20], big: [0, 20] }), two)).toMatchObject({ tier: 1 });
  });

  it('is not touched by what is known of other kinds, of one model alone, or long ago', async () => {
    const known = { small: [0, 20] as [number, number] };
    expect(await start(knowing(known), undefined, 1, 'code/create')).toMatchObject({ tier: 1 });
    expect(await start(knowing(known), config(small))).toMatchObject({ tier: 1, reason: 'planned' });
    expect(await start(knowing(known, '2026-02-01T00:00:00Z'))).toMatchObject({ tier: 1 });
  });
});

describe('the shape of a plan', () => {
  it('has kinds, order and tiers, and none of its words', () => {
    const plan = planOf(
      node('secret-name', [], { description: 'Write the secret', deliverables: ['secret.ts'] }),
      node('tell', ['secret-name'], {
        description: 'Document the secret',
        deliverables: ['doc.md'],
        verification_tier: 3,
      }),
    );
    const text = shapeText(shapeOf(plan));
    expect(text).toBe(
      '1 code/create (model_tier 1, verification_tier 2) · 2 docs/create after 1 (model_tier 1, verification_tier 3)',
    );
    expect(text).not.toContain('secret');
  });

  it('belongs to the words of its goal that say something, in any order', () => {
    expect(goalWords('Write the report about parser 7, and the report on dates')).toEqual([
      'about',
      'dates',
      'parser',
      'report',
      'write',
    ]);
    expect(goalWords('dates: write a parser report about')).toEqual(
      goalWords('About report parser, write dates'),
    );
  });
});
