/** A plan of a thousand nodes costs a completion about what a plan of a hundred does, and its row stays small. */
import { describe, expect, it } from 'vitest';
import { newLedger } from '../../machines/budget.ts';
import type { PlanNode } from '../../machines/plan.ts';
import { actorRow, type Catalogue, newRun, type Run, react } from '../../machines/react.ts';
import { catalogue, type Drive, start } from './drive.ts';
import { digest, node, planned, taskInput } from './results.ts';

const { subtask: _, ...machines } = catalogue.machines;
const alone: Catalogue = { ...catalogue, machines };
const done = { ok: true, attempts: 1, verdict: digest() };

/** Layers of ten: each node depends on two of the layer before. */
const layered = (count: number): PlanNode[] =>
  Array.from({ length: count }, (_, i) => {
    const above = Math.floor(i / 10) * 10 - 10;
    return node(`step-${i}`, above < 0 ? [] : [`step-${above + (i % 10)}`, `step-${above + ((i + 3) % 10)}`]);
  });

/** Milliseconds per completion over the middle of a run, where both plans look alike. */
function completions(count: number, measured: number): number[] {
  let run: Run = newRun('x', 'task/x', newLedger({}));
  const commit = (outside: Parameters<typeof react>[2]) => {
    const { next, fault } = react(alone, run, outside);
    if (fault) throw new Error(fault.message);
    run = next;
  };
  commit({ type: 'start', machine: 'task', input: taskInput({ max_parallel: 4 }) });
  commit({ type: 'settled', key: Object.keys(run.effects)[0]!, output: planned(...layered(count)) });
  const times: number[] = [];
  while (times.length < measured) {
    const key = Object.keys(run.effects)[0]!;
    const began = performance.now();
    commit({ type: 'settled', key, output: done });
    times.push(performance.now() - began);
  }
  return times;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

describe('a plan of a thousand nodes', () => {
  it('keeps the row of the task under 16 KB, with the longest ids and as many live children as allowed', () => {
    const long = (i: number) => `${'n'.repeat(44)}${String(i).padStart(4, '0')}`;
    const owed = { acceptance_criteria: 'It works.\nIt is written down.', deliverables: ['a/b.md'] };
    const nodes = Array.from({ length: 1_000 }, (_, i) => node(long(i), [], owed));
    const drive: Drive = start('task', taskInput({ max_parallel: 64 }), { catalogue: alone });
    drive.settle('plan', planned(...nodes));
    expect(drive.open()).toHaveLength(64);
    const row = actorRow(alone, drive.run.actors['task/x']!);
    const bytes = JSON.stringify(row).length;
    expect(bytes).toBeLessThanOrEqual(16 * 1024);
    expect(row.apart).toEqual({ plan: 'plan/0001', obligations: 'ob/0001' });
    expect((drive.rows.get('ob/0001') as { list: object[] }).list).toHaveLength(3_000);
  });

  it('costs a completion at most half as much again as a plan of a hundred', () => {
    completions(100, 90);
    completions(1_000, 300);
    // Interleaved rounds and medians of medians: a busy machine slows both sizes alike.
    const ratios = Array.from({ length: 9 }, () => {
      const small = median(Array.from({ length: 6 }, () => completions(100, 90)).flat());
      return median(completions(1_000, 900)) / small;
    });
    console.log(`time per completion, 1,000 nodes against 100: ${ratios.map(r => r.toFixed(2)).join(' ')}`);
    expect(median(ratios)).toBeLessThanOrEqual(1.5);
  });
});
