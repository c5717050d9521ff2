/** Pure policy the machines rest on: the plan graph, the confidence of a result. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { band, confidence } from '../../machines/confidence.ts';
import { nextRunnable, planErrors, setStatus, stallReasons } from '../../machines/plan.ts';
import { digest, node, planOf } from './results.ts';

describe('the plan graph', () => {
  it.each([
    ['no subtasks', [], 'no subtasks'],
    ['a bad id', [node('Bad Id')], 'must match'],
    ['an id used twice', [node('a'), node('a')], 'used twice'],
    ['itself as a dependency', [node('a', ['a'])], 'depends on itself'],
    ['a missing dependency', [node('a', ['b'])], '"b", which is not in the plan'],
    ['a cycle', [node('a', ['c']), node('b', ['a']), node('c', ['b'])], 'form a cycle: a -> c -> b -> a'],
  ])('is refused with %s', (_name, nodes, said) => {
    expect(planErrors(planOf(...nodes)).join('\n')).toContain(said);
  });

  it('may be a chain of a thousand nodes, and a cycle is found at its very end', () => {
    const chain = Array.from({ length: 1_000 }, (_, i) => node(`n${i}`, i < 999 ? [`n${i + 1}`] : []));
    expect(planErrors(planOf(...chain))).toEqual([]);
    chain[999] = node('n999', ['n0']);
    expect(planErrors(planOf(...chain))).toHaveLength(1);
  });

  it('runs every node exactly once, each after its dependencies, in whatever order they finish', () => {
    const graphs = fc
      .integer({ min: 1, max: 12 })
      .chain(count =>
        fc.tuple(
          fc.array(fc.array(fc.nat(11), { maxLength: 3 }), { minLength: count, maxLength: count }),
          fc.array(fc.nat(1_000), { minLength: 12, maxLength: 12 }),
        ),
      );
    fc.assert(
      fc.property(graphs, ([edges, picks]) => {
        const plan = planOf(
          ...edges.map((above, i) => node(`n${i}`, [...new Set(above.filter(j => j < i).map(j => `n${j}`))])),
        );
        expect(planErrors(plan)).toEqual([]);
        let status = 'p'.repeat(edges.length);
        for (const pick of [...picks, ...picks]) {
          for (let i = nextRunnable(plan, status); i >= 0; i = nextRunnable(plan, status)) {
            for (const dep of plan.subtasks[i]!.depends_on) expect(status[Number(dep.slice(1))]).toBe('c');
            status = setStatus(status, i, 'r');
          }
          const running = [...status].flatMap((letter, i) => (letter === 'r' ? [i] : []));
          if (running.length > 0) status = setStatus(status, running[pick % running.length]!, 'c');
        }
        expect(status).toBe('c'.repeat(edges.length));
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('says per node why it cannot start', () => {
    const plan = planOf(node('a'), node('b', ['a']), node('end', [], { is_synthesis: true }));
    expect(stallReasons(plan, 'fpp')).toEqual([
      { subtask_id: 'b', reasons: ['dependency_unmet:a=failed'] },
      { subtask_id: 'end', reasons: ['synthesis_waiting_on_non_synthesis'] },
    ]);
  });
});

describe('the confidence of a result', () => {
  it('is full for a clean first attempt and falls with what speaks against it', () => {
    const clean = digest('pass', { confidence: 1, checks_passed: 1, tools_succeeded: 1 });
    const score = (more: Parameters<typeof digest>[1], retries = 0) =>
      confidence({ ...clean, ...more }, retries, 2);
    expect(score({})).toBe(1);
    expect(score({ checks_passed: 0 })).toBeCloseTo(0.7);
    expect(score({ confidence: 0 })).toBeCloseTo(0.7);
    expect(score({ destructive: true })).toBeCloseTo(0.9);
    expect(score({ tools_succeeded: 0 })).toBeCloseTo(0.9);
    expect(score({}, 2)).toBeCloseTo(0.8);
    expect(score({}, 9)).toBeCloseTo(0.8);
  });

  it('leaves the reviewer out where none answered', () => {
    const checksOnly = digest('pass', { tier: 1, confidence: 0, checks_passed: 1 });
    expect(confidence(checksOnly, 0, 0)).toBe(1);
  });

  it.each([
    [0.8, 'high'],
    [0.79, 'medium'],
    [0.5, 'medium'],
    [0.49, 'low'],
    [0.2, 'low'],
    [0.19, 'zero'],
  ])('of %d is %s', (score, name) => {
    expect(band(score)).toBe(name);
  });
});
