/** One subtask: prepare, work, have it verified, settle; what makes it try again and what ends it. */
import { describe, expect, it } from 'vitest';
import { type Drive, start } from './drive.ts';
import {
  answer,
  calls,
  type digest,
  failed,
  ok,
  read,
  settled,
  shell,
  subtaskInput,
  text,
  verdict,
} from './results.ts';

const subtask = (settings = {}, more = {}, limits = {}): Drive =>
  start('subtask', subtaskInput(settings, more), { root: 'task/x/s:a@1', limits });
const output = (drive: Drive) => drive.run.output as Record<string, unknown>;
const prepared = (drive: Drive) => drive.settle('prepare', { ok: true, tokens: 400 });
const worked = (drive: Drive) => prepared(drive).settle('model', text());
const toReview = (drive: Drive) =>
  worked(drive).settle('checks', verdict('pass', { tier: 1, checks_passed: 1 }));
const rejectedOnce = (drive: Drive) => toReview(drive).settle('review', verdict('fail'));
const attempt = (drive: Drive) => drive.context()['attempt'];

describe('the good path', () => {
  it('prepares, works, is verified, settles and says so', () => {
    const drive = subtask();
    expect(drive.open()).toEqual(['prepare']);
    prepared(drive);
    expect(drive.open()).toEqual(['deadline', 'turn/model']);
    drive.settle('model', text());
    expect(drive.open()).toEqual(['verify/checks']);
    expect(drive.stopped.map(effect => effect.id)).toEqual(['deadline']);
    // a clock does nothing that could settle: it is gone with the reaction that stops it
    expect(Object.values(drive.run.effects).map(effect => effect.id)).not.toContain('deadline');
    drive.settle('checks', verdict('pass')).settle('review', verdict('pass'));
    expect(drive.open()).toEqual(['settle']);
    drive.settle('settle', settled);
    expect(output(drive)).toMatchObject({ ok: true, attempts: 1, verdict: { outcome: 'pass' } });
    expect(drive.run.effects).toEqual({});
    expect(drive.rows.get('s/a')).toMatchObject({ status: 'completed', attempts: 1, failure: null });
    expect(drive.events()).toEqual([
      'subtask_started',
      'model_invocation',
      'model_invocation',
      'subtask_completed',
    ]);
    expect(drive.journal.at(-1)?.data).toMatchObject({
      summary: 'what was done',
      verification_outcome: 'pass',
    });
  });

  it('hands the turn its thread, tier and size, and the verifier its tier', () => {
    const drive = prepared(subtask({ max_iterations: 7 }, { model_tier: 2, verification_tier: 1 }));
    expect(drive.effect('model').input).toMatchObject({ thread: 'a@1.1', tier: 2, tokens: 400 });
    expect(drive.context('turn')['max_iterations']).toBe(7);
    drive.settle('model', text()).settle('checks', verdict('pass', { tier: 1 }));
    expect(drive.open()).toEqual(['settle']);
  });
});

describe('what earlier runs taught', () => {
  it('moves the start of the first attempt, from which later ones climb', () => {
    const drive = subtask({ max_retries: 3 }).settle('prepare', { ok: true, tokens: 400, tier: 2 });
    const tiers = [(drive.effect('model').input as { tier: number }).tier];
    for (const code of ['one', 'two', 'three']) {
      drive.settle('model', failed(code));
      expect(drive.effect('prepare').input).toMatchObject({ model_tier: 2 });
      tiers.push((prepared(drive).effect('model').input as { tier: number }).tier);
    }
    expect(tiers).toEqual([2, 2, 3, 3]);
  });
});

describe('a model of its own for what others should know', () => {
  const accepted = () =>
    worked(subtask({ extract: true }, { verification_tier: 1 })).settle(
      'checks',
      verdict('pass', { tier: 1 }),
    );

  it.each([
    ['has read it', { ok: true, entries: 2 }],
    ['has no budget', failed('budget', 'terminal')],
    ['does not answer', failed('no_model')],
  ])('is asked before the subtask settles, which goes on when it %s', (_, result) => {
    const drive = accepted();
    expect(drive.open()).toEqual(['extract']);
    expect(drive.effect('extract').input).toMatchObject({ subtask: 'a', thread: 'a@1.1', plan_version: 1 });
    drive.settle('extract', result);
    expect(drive.open()).toEqual(['settle']);
    drive.settle('settle', settled);
    expect(output(drive)).toMatchObject({ ok: true });
  });
});

describe('another attempt', () => {
  it('begins on a new thread, with what went wrong as a row', () => {
    const drive = rejectedOnce(subtask());
    expect(drive.effect('prepare').input).toMatchObject({ attempt: 2, thread: 'a@1.2' });
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({
      attempt: 1,
      thread: 'a@1.1',
      failure: { code: 'llm_semantic_failed' },
      verdict: { outcome: 'fail' },
    });
    expect(drive.journal.at(-1)).toMatchObject({
      event_type: 'subtask_retrying',
      data: { subtask_id: 'a', attempt: 2, reason_code: 'llm_semantic_failed' },
    });
  });

  it('asks for a stronger model from the third attempt on', () => {
    const drive = subtask({ max_retries: 3 });
    const tiers = ['one', 'two', 'three', 'four'].map(code => {
      const { tier } = prepared(drive).effect('model').input as { tier: number };
      drive.settle('model', failed(code));
      return tier;
    });
    expect(tiers).toEqual([1, 1, 2, 3]);
  });

  it.each(['partial', 'failed'] as const)('follows when the executor claims no more than %s', claim => {
    const drive = prepared(subtask()).settle('model', text(claim, 'half'));
    expect(drive.open()).toEqual(['prepare']);
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({
      failure: { code: `claimed_${claim}`, message: 'half' },
    });
  });

  it('follows when the turn fails', () => {
    const drive = prepared(subtask()).settle('model', failed('context_length'));
    expect(attempt(drive)).toBe(2);
  });

  it('ends the ladder when the retries are used up', () => {
    const drive = subtask({ max_retries: 1 });
    rejectedOnce(rejectedOnce(drive));
    expect(output(drive)).toMatchObject({ ok: false, blocked: false, attempts: 2 });
    expect(drive.rows.get('s/a')).toMatchObject({
      status: 'failed',
      failure: { code: 'llm_semantic_failed' },
    });
    expect(drive.journal.at(-1)).toMatchObject({ event_type: 'subtask_failed', data: { attempts: 2 } });
  });

  it.each(['not_found', 'bad_request', 'script', 'no_plan'])('is not made after %s', code => {
    const drive = prepared(subtask()).settle('model', failed(code, 'terminal'));
    expect(output(drive)).toMatchObject({ ok: false, attempts: 1, failure: { code } });
  });

  it('is not made when the executor says it is blocked', () => {
    const drive = prepared(subtask()).settle('model', text('blocked', 'no access'));
    expect(output(drive)).toMatchObject({ ok: false, blocked: true, failure: { message: 'no access' } });
    expect(drive.rows.get('s/a')).toMatchObject({ status: 'blocked' });
  });

  it('is not made when nothing can be prepared', () => {
    expect(output(subtask().settle('prepare', failed('no_plan')))).toMatchObject({ ok: false, attempts: 1 });
  });

  it('waits first when the cause passes with time, longer each time', () => {
    const drive = subtask({ max_retries: 3 });
    const waits = [1, 2, 3].map(() => {
      prepared(drive).settle('model', failed('rate_limit'));
      expect(drive.open()).toEqual(['backoff']);
      const { ms } = drive.effect('backoff').input as { ms: number };
      drive.settle('backoff', ok);
      return ms;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    expect(drive.open()).toEqual(['prepare']);
  });
});

describe('the deadline of an attempt', () => {
  it('stops the work and tries again', () => {
    const drive = prepared(subtask()).settle('model', calls(read(0)));
    drive.settle('deadline', ok);
    expect(drive.actors()).toEqual([]);
    expect(drive.stopped.map(effect => effect.id)).toEqual(['t-0']);
    expect(drive.open()).toEqual(['prepare']);
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({ failure: { code: 'wall_clock' } });
  });

  it('holds the next attempt until a command that cannot be repeated has ended', () => {
    const drive = prepared(subtask()).settle('model', calls(shell(0)));
    drive.settle('deadline', ok);
    expect(drive.open()).toEqual([]);
    expect(drive.started).toEqual([]);
    expect(drive.effect('prepare').state).toBe('held');
    drive.restart().settle('t-0', failed('aborted'));
    expect(drive.open()).toEqual(['prepare']);
    expect(drive.started.map(effect => effect.id)).toEqual(['prepare']);
  });

  it('does not run while the result is verified', () => {
    const drive = worked(subtask());
    expect(drive.open()).toEqual(['verify/checks']);
  });
});

describe('verification', () => {
  it('is repeated once when the verdict was unreadable, without redoing the work', () => {
    const drive = toReview(subtask()).settle(
      'review',
      verdict('inconclusive', { reason_code: 'parse_inconclusive' }),
    );
    expect(drive.open()).toEqual(['verify/checks']);
    expect(attempt(drive)).toBe(1);
    drive.settle('checks', verdict('pass')).settle('review', verdict('pass'));
    expect(drive.open()).toEqual(['settle']);
  });

  it('ends the subtask when it is unreadable again: the work would only be done anew for the same judge', () => {
    const unreadable = verdict('inconclusive', { reason_code: 'parse_inconclusive' });
    const drive = toReview(subtask()).settle('review', unreadable);
    drive.settle('checks', verdict('pass')).settle('review', unreadable);
    expect(output(drive)).toMatchObject({
      ok: false,
      attempts: 1,
      signature: 'verifier_parse:parse_inconclusive',
      failure: { code: 'parse_inconclusive', message: expect.stringContaining('could not be judged, twice') },
    });
  });

  it('goes to a person when the votes are split', () => {
    const split = () =>
      worked(subtask({}, { verification_tier: 3 }))
        .settle('checks', verdict('pass'))
        .settle('review', verdict('pass'))
        .settle('vote-2', verdict('fail'))
        .settle('vote-3', verdict('inconclusive'));
    expect(split().open()).toEqual(['result']);
    const approved = split().settle('result', answer('approve')).settle('settle', settled);
    expect(output(approved)).toMatchObject({
      ok: true,
      verdict: { outcome: 'pass_with_warnings', reason_code: 'accepted_by_person' },
    });
    const rejected = split().settle('result', answer('reject', 'wrong colour'));
    expect(rejected.rows.get('fb/a@1/001')).toMatchObject({
      failure: { code: 'rejected_by_person', message: 'wrong colour' },
    });
    expect(attempt(rejected)).toBe(2);
  });
});

describe('the result gate', () => {
  const judged = (settings: object, more: Parameters<typeof digest>[1]) =>
    toReview(subtask({ max_retries: 2, ...settings })).settle('review', verdict('pass', more));
  const sure = { checks_passed: 1, tools_succeeded: 1, confidence: 1 };
  const unsure = { checks_passed: 0.4, tools_succeeded: 0.5, confidence: 0.4, destructive: true };

  it('lets a result of high confidence pass', () => {
    expect(judged({ result_gate: true }, sure).open()).toEqual(['settle']);
  });

  it('asks a person below the threshold', () => {
    const drive = judged({ result_gate: true }, unsure);
    expect(drive.open()).toEqual(['result']);
    expect(drive.effect('result').input).toMatchObject({ kind: 'result', subtask: 'a' });
    drive.settle('result', answer('approve')).settle('settle', settled);
    expect(output(drive)).toMatchObject({ ok: true, verdict: { outcome: 'pass' } });
  });

  it('follows the configured threshold', () => {
    expect(
      judged({ result_gate: true, confidence_threshold: 0.99 }, { ...sure, confidence: 0.8 }).open(),
    ).toEqual(['result']);
  });

  it('counts used retries against the result', () => {
    const good = { checks_passed: 1, tools_succeeded: 1, confidence: 0.7 };
    expect(judged({ result_gate: true }, good).open()).toEqual(['settle']);
    const second = rejectedOnce(subtask({ max_retries: 1, result_gate: true }));
    expect(toReview(second).settle('review', verdict('pass', good)).open()).toEqual(['result']);
  });

  it('ends the subtask when a person rejects the last attempt', () => {
    const drive = judged({ result_gate: true, max_retries: 0 }, unsure).settle(
      'result',
      answer('reject', 'no'),
    );
    expect(output(drive)).toMatchObject({
      ok: false,
      failure: {
        code: 'rejected_by_person',
        message: expect.stringMatching(/^no\. Given up after 1 attempt/),
      },
    });
  });

  it('is silent when switched off', () => {
    expect(judged({ result_gate: false }, unsure).open()).toEqual(['settle']);
  });
});

describe('waiting for money or a model', () => {
  it('passes the word up while working, and RESUME down', () => {
    const drive = prepared(subtask()).settle('model', failed('no_model', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'no_model' }]);
    expect(drive.open()).toEqual(['deadline']);
    expect(drive.restart().command('RESUME').open()).toEqual(['deadline', 'turn/model']);
  });

  it('does the same while verifying', () => {
    const drive = toReview(subtask()).settle('review', failed('budget', 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(drive.restart().command('RESUME').open()).toEqual(['verify/review']);
  });
});
