/** What was left unconfirmed is followed up: which verdicts call for it, how an item ends, and what the task makes of it. */
import { describe, expect, it } from 'vitest';
import type { FollowUp } from '../../machines/remediation-queue.ts';
import { catalogue, type Drive, start } from './drive.ts';
import {
  answer,
  calls,
  digest,
  failed,
  givenUp,
  node,
  ok,
  planned,
  read,
  remediationInput,
  settled,
  subtaskInput,
  taskInput,
  text,
  toolDone,
  verdict,
} from './results.ts';

const open = { reason_code: 'unconfirmed_claims' };
const item = (more = {}, settings = {}): Drive =>
  start('remediation', remediationInput(more, settings), { root: 'task/x/r:a@1' });
const worked = (drive: Drive) =>
  drive
    .settle('prepare', { ok: true, tokens: 100 })
    .settle('model', text())
    .settle('checks', verdict('pass', { tier: 1 }));
const rejected = (drive: Drive, findings = 'f') =>
  worked(drive).settle('review', verdict('fail', { ...open, findings }));
const confirmed = (drive: Drive) => worked(drive).settle('review', verdict('pass')).settle('settle', settled);
const ends = (drive: Drive) => drive.run.output as Record<string, unknown>;
const row = (drive: Drive) => drive.rows.get('rem/rem-a-1');
/** An item of a result that was accepted in part. */
const beside = { waits: false, blocking: false, record: null, reason_code: 'partial_verified', calls: 0 };

describe('an item of the queue', () => {
  it('makes an attempt that goes on counting where the work stopped, and is resolved by an accepted one', () => {
    const drive = item();
    expect(drive.open()).toEqual(['attempt/prepare', 'ttl']);
    expect(drive.effect('prepare').input).toMatchObject({
      thread: 'a@1.2',
      attempt: 2,
      follow_up: 'confirm',
    });
    expect(row(drive)).toMatchObject({ state: 'running', subtask: 'a', blocking: true });
    confirmed(drive.restart());
    expect(ends(drive)).toMatchObject({ ok: true, state: 'resolved', failure: null });
    expect(row(drive)).toMatchObject({ state: 'resolved', attempts: 1 });
    expect(drive.rows.get('s/a')).toMatchObject({ status: 'completed', attempts: 2 });
    expect(drive.run.effects).toEqual({ [drive.stopped[0]!.key]: drive.run.effects[drive.stopped[0]!.key] });
    expect(drive.events().filter(name => !name.startsWith('model'))).toEqual([
      'remediation_started',
      'remediation_attempt',
      'subtask_completed',
      'remediation_resolved',
      'remediation_terminal',
    ]);
    expect(drive.journal.at(-1)?.data).toMatchObject({
      remediation_id: 'rem-a-1',
      subtask_id: 'a',
      attempt: 1,
    });
  });

  it('waits longer after each attempt, and takes out with the last one what could not be confirmed', () => {
    const drive = rejected(item(), 'one');
    expect(drive.effect('backoff').input).toEqual({ ms: 2_000 });
    rejected(drive.restart().settle('backoff', ok), 'two');
    expect(drive.effect('backoff').input).toEqual({ ms: 4_000 });
    drive.settle('backoff', ok);
    expect(drive.effect('prepare').input).toMatchObject({ thread: 'a@1.4', follow_up: 'prune' });
    confirmed(drive);
    expect(ends(drive)).toMatchObject({ ok: true, state: 'pruned' });
    expect(row(drive)).toMatchObject({ state: 'pruned', attempts: 3 });
    const last = drive.journal.at(-2)!;
    expect(last).toMatchObject({
      event_type: 'remediation_resolved',
      data: { outcome: 'pruned', phase: 'prune' },
    });
    const waits = drive.journal.filter(line => line.event_type === 'remediation_attempt');
    expect(waits.map(line => line.data['phase'])).toEqual(['confirm', 'confirm', 'prune']);
  });

  it('never waits longer than allowed', () => {
    const drive = item({ critical: true }, { max_attempts: 9, max_backoff_ms: 5_000 });
    for (const findings of ['one', 'two', 'three']) {
      rejected(drive, findings);
      if (findings !== 'three') drive.settle('backoff', ok);
    }
    expect(drive.effect('backoff').input).toEqual({ ms: 5_000 });
  });

  it('fails when no attempt was accepted, and says how its subtask is to be written down', () => {
    const drive = rejected(item({}, { max_attempts: 2 }), 'one');
    rejected(drive.settle('backoff', ok), 'two');
    expect(ends(drive)).toMatchObject({
      ok: false,
      state: 'failed',
      failure: { code: 'unconfirmed_claims' },
    });
    expect(ends(drive)).toMatchObject({
      record: { status: 'failed', attempts: 3, thread: 'a@1.3' },
      calls: 7,
    });
    expect(String((ends(drive)['failure'] as Error).message)).toMatch(/2 of 2 attempts.*sources/);
    expect(row(drive)).toMatchObject({ state: 'failed', attempts: 2 });
    expect(drive.events().slice(-2)).toEqual(['remediation_failed', 'remediation_terminal']);
    // Nobody is told that the subtask failed or began: that is for its task to say.
    expect(drive.rows.has('s/a')).toBe(false);
    expect(drive.events()).not.toContain('subtask_started');
    expect(drive.events()).not.toContain('subtask_failed');
    expect(drive.rows.get('fb/a@1/003')).toMatchObject({ failure_class: 'unconfirmed_data' });
  });

  it('has one attempt only where no more are allowed, which prunes', () => {
    const drive = item({}, { max_attempts: 1 });
    expect(drive.effect('prepare').input).toMatchObject({ follow_up: 'prune' });
    rejected(drive);
    expect(ends(drive)).toMatchObject({ state: 'failed' });
  });

  it('confirms in place as often and with the wait of its strategy', () => {
    const drive = rejected(item({ strategy: 'confirm_or_prune' }, { confirm_backoff_ms: 700 }));
    expect(drive.effect('backoff').input).toEqual({ ms: 700 });
    drive.settle('backoff', ok);
    expect(drive.effect('prepare').input).toMatchObject({ follow_up: 'prune' });
  });

  it('prunes as soon as the same is found wrong again', () => {
    const drive = item({ critical: true }, { max_attempts: 9 });
    rejected(rejected(drive).settle('backoff', ok)).settle('backoff', ok);
    expect(drive.effect('prepare').input).toMatchObject({ follow_up: 'prune' });
  });

  it('makes no further attempt that could change nothing', () => {
    const drive = item({ critical: true }).settle('prepare', { ok: true, tokens: 9 });
    expect(ends(drive.settle('model', failed('not_found', 'terminal')))).toMatchObject({ state: 'failed' });
  });

  it('ends before work that is not critical has cost too much', () => {
    const dear = { calls: 17 };
    expect(ends(rejected(item(dear)))).toMatchObject({ state: 'failed' });
    expect(rejected(item({ ...dear, critical: true })).open()).toEqual(['backoff', 'ttl']);
  });

  it.each([
    ['while it waits', (drive: Drive) => rejected(drive), []],
    [
      'while an attempt runs',
      (drive: Drive) => drive.settle('prepare', { ok: true, tokens: 9 }),
      ['model', 'deadline'],
    ],
  ] as const)('expires %s', (_, arrive, stopped) => {
    const drive = arrive(item()).settle('ttl', ok);
    expect(ends(drive)).toMatchObject({ ok: false, state: 'expired' });
    expect(row(drive)).toMatchObject({ state: 'expired' });
    expect(drive.events().slice(-2)).toEqual(['remediation_expired', 'remediation_terminal']);
    for (const id of stopped) expect(drive.stopped.map(effect => effect.id)).toContain(id);
  });

  it('that nothing waits for makes no further attempt once all other work is done', () => {
    const waiting = rejected(item(beside)).command('FINISH');
    expect(ends(waiting)).toMatchObject({ state: 'expired' });
    const working = item(beside).command('FINISH');
    expect(working.open()).toContain('attempt/prepare');
    expect(ends(rejected(working))).toMatchObject({ state: 'expired' });
    expect(ends(confirmed(item(beside).command('FINISH')))).toMatchObject({ state: 'resolved' });
    const last = item(beside, { max_attempts: 1 }).command('FINISH');
    expect(ends(rejected(last))).toMatchObject({ state: 'failed' });
  });

  it('that spoiled what was accepted puts it right, whatever else is done', () => {
    const spoiling = (drive: Drive) => {
      drive.settle('prepare', { ok: true, tokens: 9 }).settle('model', calls(read(0)));
      drive.settle('t-0', { ...toolDone('x'), progress: true }).settle('model', text());
      return drive.settle('checks', verdict('pass', { tier: 1 })).settle('review', verdict('fail', open));
    };
    const waiting = spoiling(item(beside)).command('FINISH');
    expect(waiting.open()).toEqual(['backoff', 'ttl']);
    const working = spoiling(item(beside).command('FINISH'));
    expect(working.open()).toEqual(['backoff', 'ttl']);
    expect(ends(confirmed(working.settle('backoff', ok)))).toMatchObject({ state: 'resolved' });
  });

  it('that blocks goes on whatever else is done', () => {
    const drive = rejected(item()).command('FINISH');
    expect(drive.open()).toEqual(['backoff', 'ttl']);
    const working = rejected(item().command('FINISH'));
    expect(working.open()).toEqual(['backoff', 'ttl']);
  });

  it('is not resolved by being accepted in part once more, unless its subtask waits for any acceptance', () => {
    const partly = (drive: Drive) =>
      worked(drive).settle('review', verdict('partial_verified')).settle('settle', settled);
    expect(partly(item(beside)).open()).toEqual(['backoff', 'ttl']);
    expect(ends(partly(item()))).toMatchObject({ state: 'resolved' });
    expect(ends(partly(item(beside, { max_attempts: 1 })))).toMatchObject({ state: 'failed', record: null });
  });

  it('waits without money or model, tells so, and goes on at RESUME; PAUSE reaches its turn', () => {
    const drive = item()
      .settle('prepare', { ok: true, tokens: 9 })
      .settle('model', failed('no_model', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'no_model' }]);
    expect(drive.restart().command('RESUME').open()).toContain('attempt/turn/model');
    expect(drive.command('PAUSE').context('turn')['stuck']).toBe(true);
  });

  it('books its calls on the account of its subtask', () => {
    const drive = item().settle('prepare', { ok: true, tokens: 9 });
    drive.settle('model', text(), { tokens: 5, usd: 0, model_calls: 1, tool_calls: 0 });
    expect(drive.run.ledger.subtasks['a']).toMatchObject({ spent: { model_calls: 1 } });
  });
});

describe('a subtask', () => {
  const subtask = (settings = {}, more = {}) =>
    start('subtask', subtaskInput(settings, more), { root: 'task/x/s:a@1' });
  const mode = (name: string) => ({
    remediation: { ...remediationInput().settings.remediation, mode: name },
  });
  const unconfirmed = (drive: Drive, more = {}) =>
    worked(drive).settle('review', verdict('fail', { ...open, ...more }));

  it('whose statements nobody could confirm is left to the queue, and waits for it', () => {
    const drive = unconfirmed(subtask());
    expect(ends(drive)).toMatchObject({
      ok: false,
      follow_up: {
        id: 'rem-a-1',
        attempt: 1,
        waits: true,
        blocking: true,
        strategy: 'queue_follow_up',
        calls: 2,
      },
      record: { status: 'failed' },
    });
    expect(drive.events().at(-1)).toBe('unconfirmed_data_queued');
    expect(drive.events()).not.toContain('subtask_failed');
    expect(drive.rows.has('s/a')).toBe(false);
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({ failure: { code: 'unconfirmed_claims' } });
  });

  it('is followed up in the way its verdict or the configuration names', () => {
    const named = unconfirmed(subtask(), { remediation: 'confirm_or_prune' });
    expect(ends(named)).toMatchObject({ follow_up: { strategy: 'confirm_or_prune' } });
    const configured = unconfirmed(subtask(mode('confirm_or_prune')), { remediation: 'queue_follow_up' });
    expect(ends(configured)).toMatchObject({ follow_up: { strategy: 'confirm_or_prune' } });
  });

  it.each([
    ['the verdict asks for a plain retry', subtask(), { remediation: 'targeted_remediation' }],
    ['the verdict asks for a new attempt', subtask(), { remediation: 'remediate_and_retry' }],
    ['the queue is off', subtask(mode('off')), {}],
    ['the configuration asks for a plain retry', subtask(mode('remediate_and_retry')), {}],
    ['a hard rule is broken', subtask(), { severity_class: 'hard_invariant' }],
    ['only the checks have looked', subtask(), { tier: 1 }],
    ['something else is wrong', subtask(), { reason_code: 'llm_semantic_failed' }],
  ])('is tried again at once when %s', (_, drive, more) => {
    unconfirmed(drive, more);
    expect(drive.open()).toEqual(['prepare']);
    expect(drive.events()).toContain('subtask_retrying');
  });

  it('that a person rejects is tried again at once', () => {
    const drive = worked(subtask({ result_gate: true }));
    drive.settle('review', verdict('pass_with_warnings', { ...open, confidence: 0, checks_passed: 0 }));
    drive.settle('result', answer('reject'));
    expect(drive.events()).toContain('subtask_retrying');
  });

  it('accepted in part is completed, and what is left of it is followed up', () => {
    const drive = worked(subtask()).settle(
      'review',
      verdict('partial_verified', { feedback: 'claim 3 is open' }),
    );
    drive.settle('settle', settled);
    expect(ends(drive)).toMatchObject({ ok: true, follow_up: { waits: false, blocking: false, calls: 0 } });
    expect(drive.rows.get('s/a')).toMatchObject({ status: 'completed' });
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({
      failure: { code: 'partial_verified', message: 'claim 3 is open' },
      failure_class: 'unconfirmed_data',
    });
    const critical = worked(subtask({}, { critical: true })).settle('review', verdict('partial_verified'));
    expect(ends(critical.settle('settle', settled))).toMatchObject({ follow_up: { blocking: true } });
  });

  it.each([
    ['nothing was left open', subtask(), verdict('pass')],
    ['the queue is off', subtask(mode('off')), verdict('partial_verified')],
  ])('leaves nothing to follow up when %s', (_, drive, review) => {
    worked(drive).settle('review', review).settle('settle', settled);
    expect(ends(drive)['follow_up']).toBeUndefined();
    expect(drive.rows.has('fb/a@1/001')).toBe(false);
  });

  it('leaves nothing to follow up when a person accepted it', () => {
    const drive = worked(subtask({}, { verification_tier: 3 })).settle('review', verdict('pass'));
    drive.settle('vote-2', verdict('fail')).settle('vote-3', failed('connection'));
    drive.settle('result', answer('approve')).settle('settle', settled);
    expect(ends(drive)).toMatchObject({ ok: true });
    expect(ends(drive)['follow_up']).toBeUndefined();
  });
});

describe('the queue of a task', () => {
  const { subtask: _s, remediation: _r, ...machines } = catalogue.machines;
  const followUp = (id: string, more: Partial<FollowUp> = {}): FollowUp => {
    const { settings: _, plan_version: __, record: ___, ...base } = remediationInput();
    const own = { id: `rem-${id}-1`, subtask: id, thread: `${id}@1.1`, ...more };
    return { ...base, ...own, incarnation: more.incarnation ?? 1 };
  };
  const part = { waits: false, blocking: false };
  const done = (follow_up?: FollowUp) => ({
    ok: true,
    attempts: 1,
    verdict: digest(),
    ...(follow_up ? { follow_up } : {}),
  });
  const waits = (id: string, more = {}) => ({
    ...givenUp('unconfirmed_claims'),
    attempts: 1,
    calls: 3,
    follow_up: followUp(id, more),
    record: remediationInput().record,
  });
  const ended = (state: string, more = {}) => ({
    ok: state === 'resolved' || state === 'pruned',
    state,
    attempts: 2,
    calls: 6,
    signature: `unconfirmed_data:unconfirmed_claims:${state}`,
    failure: { kind: 'terminal', code: 'unconfirmed_claims', message: 'two claims are open' },
    record: null,
    ...more,
  });
  const task = (settings = {}, ...nodes: ReturnType<typeof node>[]): Drive =>
    start('task', taskInput({ max_replans: 0, ...settings }), {
      catalogue: { ...catalogue, machines },
    }).settle('plan', planned(...nodes));

  it('keeps those that depend on an unconfirmed result waiting until it is settled', () => {
    const drive = task({}, node('a'), node('b', ['a'])).settle('s:a@1', waits('a'));
    expect(drive.open()).toEqual(['r:a@1']);
    expect(drive.rows.get('rem/rem-a-1')).toMatchObject({ state: 'queued', blocking: true });
    expect(drive.events()).toContain('remediation_queued');
    expect(drive.effect('r:a@1').input).toMatchObject({
      subtask: 'a',
      plan_version: 1,
      record: { status: 'failed' },
    });
    drive.restart().settle('r:a@1', ended('resolved'));
    expect(drive.open()).toEqual(['s:b@2']);
    drive.settle('s:b@2', done()).settle('finalize', ok);
    expect(drive.run.output).toEqual({ status: 'completed' });
  });

  it('fails the subtask with its follow-up, once and for all', () => {
    const drive = task({}, node('a')).settle('s:a@1', waits('a'));
    drive.settle('r:a@1', ended('failed', { record: remediationInput().record }));
    expect(drive.run.output).toMatchObject({ status: 'failed', failure: { code: 'unconfirmed_claims' } });
    expect(drive.rows.get('s/a')).toMatchObject({ status: 'failed' });
    expect(drive.events().filter(name => name === 'subtask_failed')).toHaveLength(1);
  });

  it('has a new plan made for a critical subtask whose follow-up failed', () => {
    const drive = task({ max_replans: 1 }, node('a', [], { is_critical_path: true })).settle(
      's:a@1',
      waits('a', { critical: true }),
    );
    drive.settle('r:a@1', ended('expired'));
    expect(drive.open()).toEqual(['replan']);
  });

  it('runs what is only left over beside the work, never before it, and the end waits for neither success', () => {
    const drive = task({ max_parallel: 1 }, node('a'), node('b')).settle('s:a@1', done(followUp('a', part)));
    expect(drive.open()).toEqual(['s:b@2']);
    drive.settle('s:b@2', done());
    expect(drive.open()).toEqual(['r:a@1']);
    drive.restart().settle('r:a@1', ended('failed')).settle('finalize', ok);
    expect(drive.run.output).toEqual({ status: 'completed' });
  });

  it('takes what is waited for first, within the room there is', () => {
    const drive = task({ max_parallel: 2 }, node('a'), node('b'));
    drive.settle('s:a@1', done(followUp('a', part)));
    expect(drive.open()).toEqual(['r:a@1', 's:b@2']);
    const full = task({ max_parallel: 1 }, node('a'), node('b')).settle('s:a@1', done(followUp('a', part)));
    full.settle('s:b@2', waits('b', { incarnation: 2 }));
    expect(full.open()).toEqual(['r:b@2']);
  });

  it('does not complete a task whose blocking follow-up failed, and no plan can change that', () => {
    const blocking = followUp('a', { waits: false, blocking: true, critical: true });
    const drive = task({ max_replans: 3 }, node('a'), node('b')).settle('s:a@1', done(blocking));
    drive.settle('r:a@1', ended('failed'));
    expect(drive.run.output).toMatchObject({
      status: 'failed',
      failure: { detail: { blocking_remediation_failures: ['a'] } },
    });
  });

  it('tells what nothing waits for, once, that everything else is done', () => {
    const real = start('task', taskInput({ max_replans: 0 })).settle('plan', planned(node('a'), node('b')));
    const at = (id: string) => ({ in: id, id: 'review' });
    for (const id of ['s:a@', 's:b@']) {
      real.settle({ in: id, id: 'prepare' }, { ok: true, tokens: 9 }).settle({ in: id, id: 'model' }, text());
      real.settle({ in: id, id: 'checks' }, verdict('pass', { tier: 1 }));
    }
    real.settle(at('s:a@'), verdict('partial_verified')).settle({ in: 's:a@', id: 'settle' }, settled);
    expect(real.actors()).toContain('r:a@1/attempt');
    expect(real.context('r:a@1')['finishing']).toBe(false);
    real.settle(at('s:b@'), verdict('pass')).settle({ in: 's:b@', id: 'settle' }, settled);
    expect(real.restart().context('r:a@1')['finishing']).toBe(true);
    real.settle({ in: 'r:a@', id: 'prepare' }, { ok: true, tokens: 9 });
    real.settle({ in: 'r:a@', id: 'model' }, text('failed')).settle('finalize', ok);
    expect(real.run.output).toEqual({ status: 'completed' });
    expect(real.rows.get('s/a')).toMatchObject({ status: 'completed' });
    expect(real.rows.get('rem/rem-a-1')).toMatchObject({ state: 'expired' });
  });

  it.each(['CANCEL', 'failure'])('leaves no item behind at the end: %s', way => {
    const drive = task({ max_parallel: 1 }, node('a'), node('b'), node('c'));
    drive.settle('s:a@1', done(followUp('a', part)));
    if (way === 'CANCEL') drive.command('CANCEL');
    else drive.settle('s:b@2', givenUp()).settle('s:c@3', done()).settle('r:a@1', ended('expired'));
    expect(drive.run.output).toMatchObject({ status: way === 'CANCEL' ? 'cancelled' : 'failed' });
    if (way !== 'CANCEL') return;
    expect(drive.rows.get('rem/rem-a-1')).toMatchObject({ state: 'expired' });
    expect(drive.events()).toEqual(expect.arrayContaining(['remediation_expired', 'remediation_terminal']));
  });

  it('keeps what its items wait for through a new plan', () => {
    const drive = task(
      { max_replans: 1, max_parallel: 2 },
      node('a'),
      node('b', [], { is_critical_path: true }),
    );
    drive.settle('s:a@1', waits('a')).settle('s:b@2', givenUp());
    expect(drive.open()).toEqual(['r:a@1', 'replan']);
    drive.settle('r:a@1', ended('failed')).settle('replan', planned(node('b2')));
    expect(drive.run.output).toBeUndefined();
    expect(drive.context()['status']).toBe('fr');
  });
});
