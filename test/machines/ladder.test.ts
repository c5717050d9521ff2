/** The retry ladder: which kind of failure it was, when another attempt is worth its calls, who helps, what a person reads. */
import { describe, expect, it } from 'vitest';
import { classOf } from '../../machines/ladder.ts';
import { type Drive, start } from './drive.ts';
import { calls, failed, ok, read, settled, subtaskInput, text, toolDone, verdict } from './results.ts';

const subtask = (settings = {}, more = {}): Drive =>
  start('subtask', subtaskInput({ max_retries: 3, ...settings }, more), { root: 'task/x/s:a@1' });
const prepared = (drive: Drive) => drive.settle('prepare', { ok: true, tokens: 400 });
/** One attempt that a reviewer rejects. */
const rejected = (drive: Drive, more: Parameters<typeof verdict>[1] = {}) =>
  prepared(drive)
    .settle('model', text())
    .settle('checks', verdict('pass', { tier: 1 }))
    .settle('review', verdict('fail', more));
const broken = (drive: Drive, code: string) => prepared(drive).settle('model', failed(code));
const output = (drive: Drive) =>
  drive.run.output as { attempts: number; calls: number; signature: string; failure: { message: string } };

describe('the class of a failure', () => {
  it.each([
    ['hard_invariant_failed', 'generic'],
    ['llm_semantic_failed', 'generic'],
    ['claimed_partial', 'generic'],
    ['rate_limit', 'rate_limit'],
    ['overloaded', 'rate_limit'],
    ['parse_inconclusive', 'verifier_parse'],
    ['infra_verifier_error', 'verifier_parse'],
    ['evidence_gap', 'evidence_gap'],
    ['missing_evidence', 'evidence_gap'],
    ['insufficient_evidence_targets', 'evidence_gap'],
    ['unconfirmed_claims', 'unconfirmed_data'],
    ['policy_remediation_required', 'unconfirmed_data'],
    ['partial_evidence_coverage', 'unconfirmed_data'],
    ['loop', 'loop'],
    ['out_of_iterations', 'budget'],
    ['wall_clock', 'budget'],
    ['subtask_token_budget', 'budget'],
    ['changed_since_read', 'conflict'],
  ])('%s is %s', (code, kind) => {
    expect(classOf(code, null)).toBe(kind);
  });

  it('follows the severity where the code says nothing, and a conflict of writers before all', () => {
    expect(classOf('who_knows', { severity_class: 'infra' })).toBe('verifier_parse');
    expect(classOf('who_knows', { severity_class: 'semantic' })).toBe('generic');
    expect(classOf('llm_semantic_failed', { severity_class: 'semantic', conflict: true })).toBe('conflict');
  });

  it('is written down for the next attempt and told', () => {
    const drive = broken(subtask(), 'loop');
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({ failure_class: 'loop', failure: { code: 'loop' } });
    expect(drive.journal.at(-1)?.data).toMatchObject({ attempt: 2, failure_class: 'loop' });
  });
});

describe('the same failure again', () => {
  it('ends the ladder at the second attempt', () => {
    const drive = rejected(rejected(subtask(), { findings: 'x' }), { findings: 'x' });
    expect(output(drive)).toMatchObject({
      attempts: 2,
      calls: 4,
      signature: 'generic:llm_semantic_failed:x',
    });
    expect(output(drive).failure.message).toContain(
      'Given up after 2 attempts: attempt 2 failed exactly like',
    );
  });

  it('is another one when something else was found', () => {
    const drive = rejected(rejected(subtask(), { findings: 'x' }), { findings: 'y' });
    expect(drive.open()).toEqual(['prepare']);
    expect(output(rejected(drive, { findings: 'x' }))).toMatchObject({ attempts: 3 });
  });

  it('does not end it while a stronger model has not been asked', () => {
    const drive = broken(broken(subtask({ top_tier: 3 }), 'loop'), 'loop');
    expect(prepared(drive).effect('model').input).toMatchObject({ tier: 2 });
    drive.settle('model', failed('loop'));
    expect(prepared(drive).effect('model').input).toMatchObject({ tier: 3 });
    expect(output(drive.settle('model', failed('loop')))).toMatchObject({ attempts: 4 });
  });

  it('does not end it where time alone may help, or a person says what is wrong', () => {
    const waiting = broken(subtask(), 'rate_limit').settle('backoff', ok);
    expect(broken(waiting, 'rate_limit').open()).toEqual(['backoff']);
    const person = (drive: Drive) =>
      prepared(drive)
        .settle('model', text())
        .settle('checks', verdict('pass', { checks_passed: 0 }))
        .settle('review', verdict('pass', { confidence: 0, checks_passed: 0, destructive: true }))
        .settle('result', { ok: true, answer: 'reject', reason: 'not like that' });
    expect(person(person(subtask({ result_gate: true }))).open()).toEqual(['prepare']);
  });
});

describe('what an attempt may cost', () => {
  it('ends work that is not critical when a further attempt would go beyond it, after three attempts', () => {
    const cost = (critical: boolean) => {
      const drive = subtask({ max_retries: 9 }, { critical });
      for (let n = 0; n < 10 && drive.run.output === undefined; n++) {
        prepared(drive);
        for (let call = 0; call < 4; call++)
          drive.settle('model', {
            ok: true,
            answer: 'calls',
            calls: [],
            claim: 'success',
            reason: '',
            tokens: 1,
          });
        drive.settle('model', failed(`c${'abcdefghij'[n]}`));
      }
      return output(drive);
    };
    expect(cost(false)).toMatchObject({ attempts: 3, calls: 15 });
    expect(cost(false).failure.message).toContain('15 model calls were spent on it');
    expect(cost(true)).toMatchObject({ attempts: 10, calls: 50 });
  });

  const looks = (drive: Drive, times: number, progress = false) => {
    prepared(drive);
    for (let i = 0; i < times; i++)
      drive
        .settle('model', calls(read(0, { signature: `${i}` })))
        .settle('t-0', { ...toolDone(`new ${drive.run.step}`), ...(progress ? { progress } : {}) });
    return drive;
  };

  const refused = (drive: Drive) =>
    drive
      .settle('model', text())
      .settle('checks', verdict('pass', { tier: 1 }))
      .settle('review', verdict('fail'));

  it('ends work within it that only looks around, however new each look is', () => {
    const drive = looks(subtask({ max_iterations: 20 }), 17);
    expect(output(drive)).toMatchObject({ attempts: 1, calls: 17, failure: { code: 'no_progress' } });
    expect(output(drive).failure.message).toMatch(
      /17 calls in a row.*17 model calls were spent.*another model/,
    );
    const critical = looks(subtask({ max_iterations: 20 }, { critical: true }), 19);
    expect(critical.open()).toContain('turn/model');
  });

  it('holds a further attempt to what is left, and lets those look longer who may make more calls', () => {
    const drive = refused(looks(subtask({ max_iterations: 20 }), 9));
    expect(prepared(drive).context('turn')['patience']).toBe(6);
    expect(prepared(subtask({ max_iterations: 50 })).context('turn')['patience']).toBe(47);
  });

  it('does not cut off work that changes something, and tries it again with what was learned', () => {
    const drive = refused(looks(subtask({ max_iterations: 20 }), 19, true));
    expect(drive.open()).toEqual(['prepare']);
    expect(prepared(drive).context('turn')['patience']).toBe(15);
  });

  it('counts what the work cost that it replaces', () => {
    expect(output(rejected(subtask({}, { spent: 15 })))).toMatchObject({ attempts: 1, calls: 17 });
    expect(rejected(subtask({}, { spent: 14 })).open()).toEqual(['prepare']);
  });
});

describe('work whose files somebody else writes at the same time', () => {
  const overtaken = (drive: Drive) =>
    drive.settle('settle', failed('overtaken', 'retryable', 'x.md was changed'));
  const passing = (drive: Drive) =>
    drive.settle('checks', verdict('pass', { tier: 1 })).settle('review', verdict('pass'));
  const accepted = (drive: Drive) => passing(prepared(drive).settle('model', text()));

  it('is judged again, not done again, and counts when it still holds', () => {
    const drive = overtaken(accepted(subtask()));
    expect(drive.open()).toEqual(['verify/checks']);
    passing(drive.restart()).settle('settle', settled);
    expect(drive.run.output).toMatchObject({ ok: true, attempts: 1 });
  });

  it('is done again when it no longer holds, knowing that somebody else was there', () => {
    const drive = overtaken(accepted(subtask())).settle('checks', verdict('pass', { tier: 1 }));
    drive.settle('review', verdict('fail'));
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({ failure_class: 'conflict' });
    accepted(drive).settle('settle', settled);
    expect(drive.run.output).toMatchObject({ ok: true, attempts: 2 });
  });

  it('is done again when others never stop writing', () => {
    const drive = overtaken(passing(overtaken(passing(overtaken(accepted(subtask()))))));
    expect(drive.open()).toEqual(['prepare']);
    expect(drive.rows.get('fb/a@1/001')).toMatchObject({
      failure_class: 'conflict',
      failure: { code: 'overtaken' },
    });
    expect(overtaken(accepted(drive)).open()).toEqual(['verify/checks']);
  });

  it('is not given up because it came second twice', () => {
    const second = (drive: Drive) => rejected(drive, { conflict: true, findings: 'same' });
    expect(second(second(subtask())).open()).toEqual(['prepare']);
    expect(output(second(second(second(second(subtask())))))).toMatchObject({ attempts: 4 });
  });
});

describe('the resolver', () => {
  const advised = (code: string) => broken(subtask({ resolver: true }), code);
  it('is asked after each failed attempt, and the next one waits for it', () => {
    const drive = advised('one');
    expect(drive.open()).toEqual(['resolve']);
    expect(drive.effect('resolve').input).toMatchObject({ subtask: 'a', attempt: 1, thread: 'a@1.1' });
    drive.settle('resolve', ok);
    expect(drive.effect('prepare').input).toMatchObject({ attempt: 2, thread: 'a@1.2' });
    expect(drive.context()['calls']).toBe(2);
    expect(broken(drive, 'two').open()).toEqual(['resolve']);
  });

  it.each(['no_model', 'budget', 'unreadable', 'script'])(
    'may fail with %s without failing the ladder',
    code => {
      const drive = advised('one').settle('resolve', failed(code, 'terminal'));
      expect(drive.open()).toEqual(['prepare']);
      expect(drive.emitted).toEqual([]);
    },
  );

  it('is not asked where waiting is all there is to do, nor where there is none', () => {
    expect(advised('rate_limit').open()).toEqual(['backoff']);
    expect(broken(subtask(), 'one').open()).toEqual(['prepare']);
  });

  it('survives a restart while it thinks', () => {
    expect(advised('one').restart().settle('resolve', ok).open()).toEqual(['prepare']);
  });
});

describe('the last word', () => {
  it.each([
    ['loop', /another model/],
    ['out_of_iterations', /max_tool_iterations/],
    ['changed_since_read', /same files/],
    ['evidence_gap', /file or a command/],
    ['unconfirmed_claims', /sources/],
    ['hard_invariant_failed', /more exactly/],
  ])('after %s says what happened, why it ended, and what to do', (code, advice) => {
    const { failure } = output(broken(broken(subtask({ max_retries: 1 }), code), code));
    expect(failure.message).toMatch(/^\S+!? ?.*Given up after 2 attempts: .+\. /);
    expect(failure.message).toMatch(advice);
    expect(failure).toMatchObject({ code, detail: { attempts: 2, model_calls: 2 } });
  });
});
