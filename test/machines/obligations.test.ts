/** What a task owes, and that a new plan never forgets any of it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GOAL, type Obligations, obligationsOf, reassigned } from '../../machines/obligations.ts';
import { mergePlan, type Plan, type PlanNode } from '../../machines/plan.ts';
import type { Catalogue } from '../../machines/react.ts';
import { catalogue, type Drive, start } from './drive.ts';
import { digest, failed, givenUp, node, ok, planned, planOf, shell, taskInput, toolDone } from './results.ts';

const owing = (id: string, criteria: string, deliverables: string[] = [], depends_on: string[] = []) =>
  node(id, depends_on, { acceptance_criteria: criteria, deliverables });
const briefly = ({ list }: Obligations) => list.map(({ text, subtask, paths }) => [text, subtask, paths]);

describe('an accepted plan', () => {
  it('makes every line of the criteria, every deliverable and every goal criterion an obligation', () => {
    const plan: Plan = {
      ...planOf(owing('a', '- ./x.md is short\n2. `npm test` passes\n', ['./x.md'])),
      goal_criteria: ['It all fits.'],
    };
    expect(briefly(obligationsOf(plan))).toEqual([
      ['It all fits.', GOAL, null],
      ['./x.md is short', 'a', ['x.md']],
      ['`npm test` passes', 'a', null],
      ['x.md is there', 'a', ['x.md']],
    ]);
    const ids = obligationsOf(plan).list.map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });
});

/** The failed `a` is replaced by `nodes`; `b` is completed. */
function replanned(nodes: PlanNode[], unmet: string[] = []) {
  const before = planOf(owing('a', 'It works.', ['x.md']), owing('b', 'It is told.'));
  const known = obligationsOf(before);
  const { plan } = mergePlan(before, 'fc', planOf(...nodes));
  return reassigned(known, before, plan, unmet);
}

describe('a new plan', () => {
  it('gives what failed work owed to whoever leaves its file, bears its name, or comes last', () => {
    const owners = (nodes: PlanNode[]) =>
      replanned(nodes)
        .list.slice(0, 2)
        .map(({ subtask }) => subtask);
    expect(owners([owing('c', '', ['x.md']), owing('d', '')])).toEqual(['d', 'c']);
    expect(owners([owing('a', ''), owing('d', '')])).toEqual(['a', 'a']);
    expect(owners([owing('c', ''), owing('d', '')])).toEqual(['d', 'd']);
  });

  it('leaves the judge of the goal what nobody is left to do', () => {
    const before = planOf(owing('a', 'It works.'), owing('b', ''));
    expect(
      reassigned(obligationsOf(before), before, { ...before, version: 2, subtasks: [] }, []).list,
    ).toMatchObject([{ subtask: GOAL }]);
  });

  it('owes once what is asked for in the same words', () => {
    const { list } = replanned([owing('c', 'It works.', ['x.md'])]);
    expect(list.map(({ text }) => text)).toEqual(['It works.', 'x.md is there', 'It is told.']);
  });

  it('takes from completed work only what is not shown to hold', () => {
    const { list } = replanned([owing('c', '')], ['b@1.0']);
    expect(list.find(({ id }) => id === 'b@1.0')).toMatchObject({ subtask: 'c' });
    expect(replanned([owing('c', '')]).list.find(({ id }) => id === 'b@1.0')).toMatchObject({ subtask: 'b' });
  });

  it('never loses one, however often and whatever is planned', () => {
    const word = fc.constantFrom('It works.', 'It is told.', 'It is short.\nIt is kind.', '');
    const files = fc.subarray(['x.md', 'y.md']);
    const nodes = fc.uniqueArray(fc.tuple(fc.constantFrom(...'abcdef'), word, files), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        nodes,
        fc.array(fc.tuple(nodes, fc.array(fc.constantFrom(...'cfp'))), { maxLength: 4 }),
        (first, rest) => {
          const make = (list: typeof first) =>
            planOf(...list.map(([id, text, paths]) => owing(id, text, paths)));
          let plan = make(first);
          let owed = obligationsOf(plan);
          for (const [list, letters] of rest) {
            const status = plan.subtasks.map((_, i) => letters[i] ?? 'f').join('');
            const next = mergePlan(plan, status, make(list)).plan;
            const after = reassigned(owed, plan, next, []);
            const ids = after.list.map(({ id }) => id);
            expect(ids).toEqual(expect.arrayContaining(owed.list.map(({ id }) => id)));
            expect(new Set(ids).size).toBe(ids.length);
            const names = [GOAL, ...next.subtasks.map(({ id }) => id)];
            for (const { subtask } of after.list) expect(names).toContain(subtask);
            [plan, owed] = [next, after];
          }
        },
      ),
      { seed: 7, numRuns: process.env['LOOM_DEEP'] === '1' ? 5_000 : 300 },
    );
  });
});

const { subtask: _, ...machines } = catalogue.machines;
const alone: Catalogue = { ...catalogue, machines };
const done = { ok: true, attempts: 1, verdict: digest() };
const closing = (settings = {}): Drive =>
  start('task', taskInput(settings), { catalogue: alone })
    .settle('plan', planned(owing('a', 'It works.')))
    .settle('s:a@1', done);
const unmet = {
  ok: false,
  failure: { ...failed('obligation_unmet', 'terminal').failure, detail: { obligations: ['a@1.0'] } },
};

describe('the end of the work', () => {
  it('runs commands that were evidence once more, through the gate, and then looks again', () => {
    const drive = closing().settle('finalize', {
      ok: true,
      next: 'recheck',
      calls: [shell(0), shell(1, { gate: { decision: 'ask', reason: 'manual' } })],
    });
    expect(drive.open()).toEqual(['recheck/t-0']);
    expect(drive.effect('t-0').input).toMatchObject({
      thread: '*goal-again@1.1',
      subtask: null,
      iteration: 1,
    });
    expect(drive.restart().settle('t-0', toolDone()).open()).toEqual(['recheck/q-1']);
    drive.settle('q-1', { ok: true, answer: 'reject', reason: '' }).settle('n-1', { ok: true, tokens: 1 });
    expect(drive.effect('finalize').input).toEqual({ version: 1, rechecked: true, goal: null });
    expect(drive.settle('finalize', ok).run.output).toEqual({ status: 'completed' });
    expect(drive.events().filter(name => name === 'model_invocation')).toHaveLength(1);
  });

  it('has the goal judged, and hands the verdict to the last look', () => {
    const drive = closing().settle('finalize', { ok: true, next: 'judge' });
    expect(drive.effect('checks').input).toMatchObject({ subtask: GOAL, tier: 2 });
    drive.settle('checks', { ok: true, verdict: digest('pass', { tier: 1 }) });
    drive.settle('review', { ok: true, verdict: digest('fail') });
    expect(drive.effect('finalize').input).toMatchObject({ goal: { outcome: 'fail' } });
  });

  it('waits for money or a model, and goes on where it was', () => {
    const drive = closing().settle('finalize', { ok: true, next: 'judge' });
    drive.settle('checks', { ok: true, verdict: digest('pass', { tier: 1 }) });
    drive.settle('review', failed('no_model', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'no_model' }]);
    expect(drive.restart().command('RESUME').open()).toEqual(['goal/review']);
  });

  it('asks for a new plan when something is not shown, which owes it, and looks at everything again', () => {
    const drive = closing().settle('finalize', { ok: true, next: 'judge' });
    drive.settle('checks', { ok: true, verdict: digest('pass', { tier: 1 }) });
    drive.settle('review', { ok: true, verdict: digest() }).settle('finalize', unmet);
    expect(drive.effect('replan').input).toMatchObject({ failed: GOAL, reason: 'obligation_unmet!' });
    drive.settle('replan', planned(node('b')));
    expect(drive.rows.get('ob/0002')).toMatchObject({ list: [{ id: 'a@1.0', subtask: 'b' }] });
    drive.settle('s:b@2', done);
    expect(drive.effect('finalize').input).toEqual({ version: 2, rechecked: false, goal: null });
  });

  it('fails with the words of what is missing when no plan is left, or when it is missing again', () => {
    const output = (drive: Drive) => drive.run.output as { failure: object };
    expect(output(closing({ max_replans: 0 }).settle('finalize', unmet)).failure).toMatchObject({
      code: 'obligation_unmet',
      message: 'obligation_unmet!',
    });
    const drive = closing({ max_replans: 3 })
      .settle('finalize', unmet)
      .settle('replan', planned(node('b')));
    drive.settle('s:b@2', done).settle('finalize', unmet);
    expect(output(drive).failure).toMatchObject({ code: 'obligation_unmet' });
  });

  it('is not reached while failed work is owed', () => {
    const drive = start('task', taskInput({ max_replans: 0 }), { catalogue: alone });
    drive.settle('plan', planned(node('a'))).settle('s:a@1', givenUp());
    expect(drive.run.output).toMatchObject({ status: 'failed' });
  });
});
