/** The life of a task: planning, streaming dispatch, failing, pausing, cancelling. Subtasks are effects here. */
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../machines/react.ts';
import { catalogue, type Drive, start } from './drive.ts';
import { answer, digest, failed, givenUp, node, ok, planned, taskInput } from './results.ts';

const { subtask: _, ...machines } = catalogue.machines;
const alone: Catalogue = { ...catalogue, machines };
const task = (settings = {}): Drive => start('task', taskInput(settings), { catalogue: alone });
const done = { ok: true, attempts: 1, verdict: digest() };
const lost = (code = 'llm_semantic_failed', blocked = false) => givenUp(code, { blocked });
const output = (drive: Drive) => drive.run.output as Record<string, unknown>;
const status = (drive: Drive) => drive.context()['status'];

describe('planning', () => {
  it('runs a sound plan and completes when everything in it is verified', () => {
    const drive = task().settle('plan', planned(node('a'), node('b', ['a'])));
    expect(drive.open()).toEqual(['s:a@1']);
    drive.settle('s:a@1', done);
    expect(drive.open()).toEqual(['s:b@2']);
    drive.settle('s:b@2', done);
    expect(drive.open()).toEqual(['finalize']);
    drive.settle('finalize', ok);
    expect(output(drive)).toEqual({ status: 'completed' });
    expect(drive.events()).toEqual([
      'task_planning',
      'model_invocation',
      'task_plan_ready',
      'task_executing',
    ]);
  });

  it('sends errors back twice, then degrades to the goal as one subtask', () => {
    const drive = task();
    const input = () => drive.effect('plan').input as { repair: number; errors: string[] };
    expect(input()).toEqual({ repair: 0, errors: [] });
    drive.settle('plan', planned(node('a', ['b']), node('b', ['a'])));
    expect(input()).toMatchObject({ repair: 1, errors: [expect.stringContaining('cycle')] });
    drive.settle('plan', failed('plan_invalid', 'retryable', 'no JSON in the answer'));
    expect(input()).toEqual({ repair: 2, errors: ['no JSON in the answer'] });
    drive.settle('plan', planned(node('a'), node('a')));
    expect(drive.open()).toEqual(['s:execute-goal@1']);
    expect(drive.journal.map(line => line.event_type)).toContain('task_plan_degraded');
    expect(drive.effect('s:execute-goal@1').input).toMatchObject({ id: 'execute-goal', plan_version: 1 });
  });

  const degraded = (mode: 'deny' | 'require_approval') => {
    const drive = task({ degraded_mode: mode });
    for (let i = 0; i < 3; i++) drive.settle('plan', planned());
    return drive;
  };

  it('fails instead when the policy denies degrading', () => {
    expect(output(degraded('deny'))).toMatchObject({ status: 'failed', failure: { code: 'plan_invalid' } });
  });

  it('asks a person first when the policy says so', () => {
    expect(degraded('require_approval').effect('degrade').input).toMatchObject({ kind: 'plan' });
    expect(degraded('require_approval').settle('degrade', answer('approve')).open()).toEqual([
      's:execute-goal@1',
    ]);
    expect(output(degraded('require_approval').settle('degrade', answer('reject')))).toMatchObject({
      status: 'failed',
      failure: { code: 'plan_rejected' },
    });
  });

  it('stops after the plan when only a plan is wanted', () => {
    const drive = task({ plan_only: true }).settle('plan', planned(node('a')));
    expect(output(drive)).toEqual({ status: 'planned' });
    expect(drive.rows.get('plan/0001')).toMatchObject({ version: 1 });
  });

  it('waits for money or a model and resumes with the same repair', () => {
    const drive = task().settle('plan', planned()).settle('plan', failed('no_model', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'no_model' }]);
    expect(drive.restart().command('RESUME').effect('plan').input).toMatchObject({ repair: 1 });
  });

  it('treats a synthesis that others depend on as an ordinary subtask', () => {
    const synthesis = { is_synthesis: true };
    const drive = task().settle(
      'plan',
      planned(node('a'), node('b', ['a'], synthesis), node('c', ['b'], synthesis)),
    );
    expect(drive.rows.get('plan/0001')).toMatchObject({
      subtasks: [{ id: 'a' }, { id: 'b', is_synthesis: false }, { id: 'c', is_synthesis: true }],
    });
  });
});

describe('dispatch', () => {
  it('starts a dependent the moment its dependency is done, although a slow sibling still runs', () => {
    const drive = task().settle('plan', planned(node('slow'), node('fast'), node('next', ['fast'])));
    expect(drive.open()).toEqual(['s:fast@2', 's:slow@1']);
    drive.settle('s:fast@2', done);
    expect(drive.open()).toEqual(['s:next@3', 's:slow@1']);
    expect(status(drive)).toBe('rcr');
  });

  it('never runs more than max_parallel at once', () => {
    const drive = task({ max_parallel: 3 }).settle(
      'plan',
      planned(...'abcdefg'.split('').map(id => node(id))),
    );
    for (let i = 1; i <= 7; i++) {
      expect(drive.open()).toHaveLength(Math.min(3, 8 - i));
      drive.settle(drive.open()[0]!, done);
    }
    expect(drive.open()).toEqual(['finalize']);
  });

  it('leaves a final synthesis for last', () => {
    const drive = task({ max_parallel: 3 }).settle(
      'plan',
      planned(node('report', [], { is_synthesis: true }), node('a'), node('b')),
    );
    expect(drive.open()).toEqual(['s:a@1', 's:b@2']);
    drive.settle('s:a@1', done);
    expect(drive.open()).toEqual(['s:b@2']);
    expect(drive.settle('s:b@2', done).open()).toEqual(['s:report@3']);
  });

  it.each([
    ['tier 2 switched off', { tier2_enabled: false }, { verification_tier: 2 }, 1],
    ['what the plan says', {}, { verification_tier: 2 }, 2],
    ['critical work with tier 3', { tier3_enabled: true }, { is_critical_path: true }, 3],
    ['other work with tier 3', { tier3_enabled: true }, {}, 2],
  ])('verifies by %s', (_name, settings, more, tier) => {
    const drive = task(settings).settle('plan', planned(node('a', [], more)));
    expect(drive.effect('s:a@1').input).toMatchObject({ verification_tier: tier });
  });
});

describe('failing', () => {
  it('ends at once when a critical subtask fails, and stops the others', () => {
    const drive = task({ max_replans: 0 }).settle(
      'plan',
      planned(node('a', [], { is_critical_path: true }), node('b'), node('c', ['a'])),
    );
    drive.settle('s:a@1', lost());
    expect(output(drive)).toMatchObject({
      status: 'failed',
      failure: { code: 'llm_semantic_failed', detail: { subtask_id: 'a' } },
    });
    expect(drive.stopped.map(effect => effect.id)).toEqual(['s:b@2']);
  });

  it('lets unrelated work finish first when the failed subtask is not critical, then says what is stuck', () => {
    const drive = task({ max_replans: 0 }).settle('plan', planned(node('a'), node('b'), node('c', ['a'])));
    drive.settle('s:a@1', lost());
    expect(drive.open()).toEqual(['s:b@2']);
    drive.settle('s:b@2', done);
    expect(output(drive)).toMatchObject({ status: 'failed', failure: { detail: { subtask_id: 'a' } } });
    expect(drive.journal.at(-1)).toEqual({
      event_type: 'task_stalled',
      data: { blocked_subtasks: [{ subtask_id: 'c', reasons: ['dependency_unmet:a=failed'] }] },
    });
  });

  it('never completes with a failed subtask nobody depends on', () => {
    const drive = task({ max_replans: 0 }).settle('plan', planned(node('a'), node('b')));
    drive.settle('s:a@1', lost()).settle('s:b@2', done);
    expect(output(drive)).toMatchObject({ status: 'failed' });
  });

  it('keeps the critical failure when a lesser one follows', () => {
    const drive = task({ max_replans: 0 }).settle(
      'plan',
      planned(node('a', [], { is_critical_path: true }), node('b')),
    );
    drive.command('PAUSE').settle('s:a@1', lost('first')).settle('s:b@2', lost('second')).command('RESUME');
    expect(output(drive)).toMatchObject({ failure: { code: 'first' } });
  });

  it('fails when the end of the work cannot be established', () => {
    const drive = task()
      .settle('plan', planned(node('a')))
      .settle('s:a@1', done);
    expect(output(drive.settle('finalize', failed('stale_evidence')))).toMatchObject({
      status: 'failed',
      failure: { code: 'stale_evidence' },
    });
  });
});

describe('cancelling', () => {
  const a = () => planned(node('a'), node('b', ['a']));
  const repaired = () => task({ degraded_mode: 'require_approval' });
  const states: [string, () => Drive][] = [
    ['planning', () => task()],
    ['stuck', () => task().settle('plan', failed('auth', 'terminal'))],
    ['askingToDegrade', () => [1, 2, 3].reduce(drive => drive.settle('plan', planned()), repaired())],
    ['executing.dispatching', () => task().settle('plan', a())],
    ['executing.paused', () => task().settle('plan', a()).command('PAUSE')],
    ['executing.replanning', () => task().settle('plan', a()).settle('s:a@1', lost())],
    [
      'executing.replanStuck',
      () => task().settle('plan', a()).settle('s:a@1', lost()).settle('replan', failed('budget', 'terminal')),
    ],
    [
      'finalizing',
      () =>
        task()
          .settle('plan', planned(node('a')))
          .settle('s:a@1', done),
    ],
  ];
  it.each(states)('works in %s and stops everything', (state, arrive) => {
    const drive = arrive();
    const value = drive.value();
    expect(
      typeof value === 'string' ? value : `executing.${(value as { executing: string }).executing}`,
    ).toBe(state);
    const running = drive.open();
    drive.restart().command('CANCEL');
    expect(output(drive)).toEqual({ status: 'cancelled' });
    expect(drive.open()).toEqual([]);
    expect(drive.stopped.map(effect => effect.id).sort()).toEqual(running);
  });

  it('is without effect once the task has ended', () => {
    const drive = task({ plan_only: true })
      .settle('plan', planned(node('a')))
      .command('CANCEL');
    expect(output(drive)).toEqual({ status: 'planned' });
  });
});

describe('pausing', () => {
  it('starts nothing new, lets running work end, and goes on at RESUME', () => {
    const drive = task()
      .settle('plan', planned(node('a'), node('b', ['a'])))
      .command('PAUSE');
    drive.settle('s:a@1', done);
    expect(drive.open()).toEqual([]);
    expect(drive.events().at(-1)).toBe('task_paused');
    expect(drive.restart().command('RESUME').open()).toEqual(['s:b@2']);
  });

  it.each([
    ['while planning', (drive: Drive) => drive.command('PAUSE').settle('plan', planned(node('a')))],
    [
      'while replanning',
      (drive: Drive) =>
        drive
          .settle('plan', planned(node('b')))
          .settle('s:b@1', lost())
          .command('PAUSE')
          .settle('replan', planned(node('a'))),
    ],
  ])('is heeded %s, as soon as there is something to hold back', (_name, arrive) => {
    const drive = arrive(task());
    expect(drive.open()).toEqual([]);
    expect(drive.value()).toEqual({ executing: 'paused' });
    expect(drive.command('RESUME').open()).toHaveLength(1);
  });

  it('is not reported as resumed when it ends in a cancellation', () => {
    const drive = task()
      .settle('plan', planned(node('a')))
      .command('PAUSE')
      .command('CANCEL');
    expect(drive.events().filter(name => /paused|resumed/.test(name))).toEqual(['task_paused']);
    const other = task()
      .settle('plan', planned(node('a')))
      .command('PAUSE')
      .command('RESUME');
    expect(other.events().filter(name => /paused|resumed/.test(name))).toEqual([
      'task_paused',
      'task_resumed',
    ]);
  });

  it('is taken back by RESUME before it took hold', () => {
    const drive = task()
      .command('PAUSE')
      .command('RESUME')
      .settle('plan', planned(node('a')));
    expect(drive.open()).toEqual(['s:a@1']);
  });
});
