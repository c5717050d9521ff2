/** A new plan for a task under way: what it may change, what it must not lose, and when it is not asked for again. */
import { describe, expect, it } from 'vitest';
import { mergePlan } from '../../machines/plan.ts';
import type { Catalogue } from '../../machines/react.ts';
import { catalogue, type Drive, start } from './drive.ts';
import { digest, failed, givenUp, node, ok, planned, planOf, taskInput } from './results.ts';

const { subtask: _, ...machines } = catalogue.machines;
const alone: Catalogue = { ...catalogue, machines };
const task = (settings = {}): Drive => start('task', taskInput(settings), { catalogue: alone });
const done = { ok: true, attempts: 1, verdict: digest() };
const lost = givenUp;
const output = (drive: Drive) => drive.run.output as Record<string, unknown>;
const status = (drive: Drive) => drive.context()['status'];
const ids = (drive: Drive) =>
  (drive.context()['plan'] as { subtasks: { id: string }[] }).subtasks.map(({ id }) => id);

describe('a failure that is not critical', () => {
  it('leads to a new plan that leaves completed and running nodes untouched', () => {
    const drive = task().settle('plan', planned(node('a'), node('b'), node('c'), node('d', ['c'])));
    drive.settle('s:a@1', done);
    drive.settle('s:b@2', lost());
    expect(drive.open()).toEqual(['replan', 's:c@3']);
    expect(drive.effect('replan').input).toEqual({ version: 1, failed: 'b', reason: 'llm_semantic_failed!' });
    const changed = node('c', ['a'], { description: 'something else' });
    drive.settle('replan', planned(node('b2', ['a']), changed, node('d', ['c', 'b2'])));
    expect(ids(drive)).toEqual(['a', 'c', 'b2', 'd']);
    expect(status(drive)).toBe('crrp');
    expect(drive.rows.get('plan/0002')).toMatchObject({
      version: 2,
      subtasks: [{}, { description: 'do c' }, {}, {}],
    });
    expect(drive.journal.at(-1)).toMatchObject({ event_type: 'task_plan_ready', data: { replanned: true } });
    drive.settle('s:c@3', done).settle('s:b2@4', done).settle('s:d@5', done).settle('finalize', ok);
    expect(output(drive)).toEqual({ status: 'completed' });
  });

  it('gives a repeated node a new incarnation', () => {
    const drive = task()
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost());
    expect(drive.settle('replan', planned(node('a'))).open()).toEqual(['s:a@2']);
  });

  it('does not lead to a second plan when it comes back with the same signature', () => {
    const drive = task({ max_replans: 3 })
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost());
    drive.settle('replan', planned(node('a'))).settle('s:a@2', lost());
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { detail: { subtask_id: 'a' } } });
  });

  it('does not lead to a second plan when what took its place under another name fails in the same way', () => {
    const drive = task({ max_replans: 3 })
      .settle('plan', planned(node('a'), node('z')))
      .settle('s:z@2', done)
      .settle('s:a@1', lost());
    drive.settle('replan', planned(node('b')));
    expect(drive.effect('s:b@3').input).toMatchObject({ spent: 7 });
    drive.settle('s:b@3', lost('llm_semantic_failed', { calls: 10 }));
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { detail: { subtask_id: 'b' } } });
    expect(drive.events().filter(name => name === 'task_replanning')).toHaveLength(1);
  });

  it('leads to a new plan once more when other work fails in the same way', () => {
    const drive = task({ max_replans: 3 }).settle('plan', planned(node('a'), node('b')));
    drive.settle('s:a@1', lost()).settle('replan', planned(node('a2')));
    expect(drive.settle('s:b@2', lost()).open()).toContain('replan');
  });

  it('keeps what was waiting anyway free of the calls that the failed work has cost', () => {
    const drive = task({ max_parallel: 1 }).settle('plan', planned(node('a'), node('b')));
    drive.settle('s:a@1', lost()).settle('replan', planned(node('b'), node('a2')));
    expect(drive.effect('s:b@2').input).toMatchObject({ spent: 0 });
    expect(drive.settle('s:b@2', done).effect('s:a2@3').input).toMatchObject({ spent: 7 });
  });

  it('does not lead to a new plan when it has cost too much already, unless the goal hangs on it', () => {
    const dear = lost('one', { calls: 16, attempts: 4 });
    const plain = task()
      .settle('plan', planned(node('a')))
      .settle('s:a@1', dear);
    expect(output(plain)).toMatchObject({ status: 'failed', failure: { code: 'one' } });
    const critical = task().settle('plan', planned(node('a', [], { is_critical_path: true })));
    expect(critical.settle('s:a@1', dear).open()).toEqual(['replan']);
  });

  it('does not lead to a new plan when nobody could read the verdict: the judge would be the same', () => {
    const drive = task({ max_replans: 3 }).settle('plan', planned(node('a')));
    drive.settle('s:a@1', lost('parse_inconclusive', { signature: 'verifier_parse:parse_inconclusive' }));
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { code: 'parse_inconclusive' } });
  });

  it('leads to a further plan when it comes back for another reason, as often as allowed', () => {
    const drive = task({ max_replans: 2 })
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost('one'));
    drive.settle('replan', planned(node('a'))).settle('s:a@2', lost('two', { calls: 9, attempts: 1 }));
    drive.settle('replan', planned(node('a'))).settle('s:a@3', lost('three', { calls: 12, attempts: 1 }));
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { code: 'three' } });
  });
});

describe('a new plan that is not sound', () => {
  it.each([
    ['depends on what is not there', planned(node('b', ['x'])), 'not in the plan'],
    ['drops the failed work', planned(), 'without replacing'],
    ['is none', failed('plan_invalid', 'retryable', 'no JSON'), 'no JSON'],
  ])('ends the task when it %s, with the reason in the journal', (_name, answered, reason) => {
    const drive = task()
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost())
      .settle('replan', answered);
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { code: 'llm_semantic_failed' } });
    expect(drive.journal.at(-1)).toMatchObject({ event_type: 'task_replan_rejected' });
    expect(String(drive.journal.at(-1)?.data['validation_error'])).toContain(reason);
  });

  it('may not drop the failed work because something else still runs', () => {
    const drive = task()
      .settle('plan', planned(node('a'), node('b')))
      .settle('s:a@1', lost());
    drive.settle('replan', planned());
    expect(output(drive)).toMatchObject({ status: 'failed' });
  });

  it('takes a synthesis that others depend on for an ordinary subtask, as the first plan does', () => {
    const drive = task()
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost());
    const synthesis = { is_synthesis: true };
    drive.settle('replan', planned(node('b', [], synthesis), node('c', ['b'], synthesis)));
    expect(drive.rows.get('plan/0002')).toMatchObject({
      subtasks: [{ is_synthesis: false }, { is_synthesis: true }],
    });
  });
});

describe('what fails while the planner thinks', () => {
  it('is not lost with the new plan', () => {
    const drive = task({ max_replans: 2 }).settle('plan', planned(node('a'), node('b')));
    drive.settle('s:a@1', lost()).settle('s:b@2', lost());
    drive.settle('replan', planned(node('a2')));
    expect(ids(drive)).toEqual(['b', 'a2']);
    expect(drive.effect('replan').input).toMatchObject({ version: 2, failed: 'b' });
    drive.settle('replan', planned(node('b2'), node('a2')));
    drive.settle('s:b2@3', done).settle('s:a2@4', done).settle('finalize', ok);
    expect(output(drive)).toEqual({ status: 'completed' });
  });

  it('fails the task when no further plan is allowed', () => {
    const drive = task({ max_replans: 1 }).settle('plan', planned(node('a'), node('b')));
    drive
      .settle('s:a@1', lost())
      .settle('s:b@2', lost('other'))
      .settle('replan', planned(node('a2')));
    drive.settle('s:a2@3', done);
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { code: 'other' } });
  });

  it('completes into the new plan when it succeeds meanwhile', () => {
    const drive = task()
      .settle('plan', planned(node('a'), node('b')))
      .settle('s:a@1', lost());
    drive.settle('s:b@2', done).settle('replan', planned(node('a2')));
    expect(status(drive)).toBe('cr');
  });
});

describe('a planner without money or model', () => {
  it('leaves the task waiting, and is asked again on RESUME without counting twice', () => {
    const drive = task({ max_replans: 1 })
      .settle('plan', planned(node('a')))
      .settle('s:a@1', lost());
    drive.settle('replan', failed('budget', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(drive.open()).toEqual([]);
    drive.restart().command('RESUME');
    expect(drive.effect('replan').input).toMatchObject({ failed: 'a' });
    expect(drive.events().filter(name => name === 'task_replanning')).toHaveLength(1);
    expect(drive.settle('replan', planned(node('a2'))).open()).toEqual(['s:a2@2']);
  });
});

describe('merging', () => {
  it('keeps the goal criteria and raises the version', () => {
    const current = { ...planOf(node('a')), goal_criteria: ['it works'], version: 4 };
    const { plan, errors } = mergePlan(current, 'f', planOf(node('b')));
    expect(plan).toMatchObject({ version: 5, goal_criteria: ['it works'] });
    expect(errors).toEqual([]);
  });
});
