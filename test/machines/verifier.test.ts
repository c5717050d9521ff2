/** The judge of one attempt: tiers, repairs, votes, and failing closed. */
import { describe, expect, it } from 'vitest';
import { type Drive, start } from './drive.ts';
import { failed, unestablished, verdict, verifierInput } from './results.ts';

const verifier = (more: Parameters<typeof verifierInput>[0] = {}, limits = {}): Drive =>
  start('verifier', verifierInput(more), { limits });
const judged = (drive: Drive) => (drive.run.output as { verdict: Record<string, unknown> }).verdict;
const checked = (tier: number, votes = 3) =>
  verifier({ tier, votes }).settle('checks', verdict('pass', { tier: 1 }));

describe('tier 1', () => {
  it('concludes with what the checks say and asks no model', () => {
    expect(judged(checked(1))).toMatchObject({ outcome: 'pass', tier: 1 });
  });

  it('rejects at failing checks, whatever the tier', () => {
    const drive = verifier({ tier: 3 }).settle(
      'checks',
      verdict('fail', { reason_code: 'hard_invariant_failed' }),
    );
    expect(judged(drive)).toMatchObject({ outcome: 'fail', reason_code: 'hard_invariant_failed' });
  });

  it('has what checks could not establish reviewed, whatever the tier', () => {
    const drive = verifier({ tier: 1 }).settle('checks', unestablished);
    expect(drive.open()).toEqual(['review']);
    expect(judged(drive.settle('review', verdict('pass')))).toMatchObject({ outcome: 'pass', tier: 2 });
  });

  it('fails closed when nobody can say what checks could not establish', () => {
    const drive = verifier({ tier: 1 })
      .settle('checks', unestablished)
      .settle('review', failed('connection'));
    expect(judged(drive)).toMatchObject({ outcome: 'inconclusive', reason_code: 'infra_verifier_error' });
  });

  it('asks nobody about what was established', () => {
    const drive = verifier({ tier: 1 }).settle('checks', verdict('pass', { tier: 1, established: true }));
    expect(judged(drive)).toMatchObject({ outcome: 'pass', tier: 1 });
  });

  it('is inconclusive, not passed, when the checks themselves break', () => {
    const drive = verifier({ tier: 1 }).settle('checks', failed('aborted'));
    expect(judged(drive)).toMatchObject({ outcome: 'inconclusive', reason_code: 'infra_verifier_error' });
  });
});

describe('tier 2', () => {
  it.each(['pass', 'pass_with_warnings', 'partial_verified', 'fail', 'inconclusive'] as const)(
    'concludes with the review: %s',
    outcome => {
      const drive = checked(2).settle('review', verdict(outcome, { independent: true }));
      expect(judged(drive)).toMatchObject({ outcome, independent: true, tier: 2 });
    },
  );

  it('has an unreadable verdict repaired twice and then is inconclusive', () => {
    const drive = checked(2);
    const repair = () => (drive.effect('review').input as { repair: number }).repair;
    expect(repair()).toBe(0);
    drive.settle('review', failed('unreadable'));
    expect(repair()).toBe(1);
    drive.settle('review', failed('unreadable'));
    expect(repair()).toBe(2);
    drive.settle('review', failed('unreadable'));
    expect(judged(drive)).toMatchObject({ outcome: 'inconclusive', reason_code: 'parse_inconclusive' });
  });

  it('keeps what the checks measured, which a review says nothing about', () => {
    const measured = { checks_passed: 0.5, tools_succeeded: 0.25, destructive: true };
    const drive = verifier({ tier: 2 }).settle('checks', verdict('pass', { tier: 1, ...measured }));
    expect(judged(drive.settle('review', verdict('pass')))).toMatchObject({ tier: 2, ...measured });
    const unread = verifier({ tier: 2 }).settle('checks', verdict('pass', { tier: 1, ...measured }));
    expect(judged(unread.settle('review', failed('connection')))).toMatchObject(measured);
  });

  it('takes a repaired verdict', () => {
    const drive = checked(2).settle('review', failed('unreadable')).settle('review', verdict('pass'));
    expect(judged(drive)).toMatchObject({ outcome: 'pass' });
  });

  it('is inconclusive when the reviewer cannot be reached', () => {
    const drive = checked(2).settle('review', failed('connection'));
    expect(judged(drive)).toMatchObject({
      outcome: 'inconclusive',
      reason_code: 'infra_verifier_error',
      severity_class: 'infra',
    });
  });

  it.each(['budget', 'no_model', 'auth'])('waits at %s until RESUME', code => {
    const drive = checked(2).settle('review', failed(code, 'terminal'));
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: code }]);
    expect(drive.open()).toEqual([]);
    expect(drive.restart().command('RESUME').open()).toEqual(['review']);
  });
});

describe('tier 3', () => {
  it('counts the first review as a vote and asks for the rest side by side', () => {
    const drive = checked(3, 5).settle('review', verdict('pass'));
    expect(drive.open()).toEqual(['vote-2', 'vote-3', 'vote-4', 'vote-5']);
  });

  it('ends at an early majority and stops the votes it no longer needs', () => {
    const drive = checked(3)
      .settle('review', verdict('pass'))
      .settle('vote-3', verdict('pass_with_warnings'));
    expect(judged(drive)).toMatchObject({ outcome: 'pass_with_warnings', tier: 3, confidence: 1 });
    expect(drive.stopped.map(effect => effect.id)).toEqual(['vote-2']);
  });

  it('loses by majority', () => {
    const drive = checked(3)
      .settle('review', verdict('fail'))
      .settle('vote-2', verdict('pass'))
      .settle('vote-3', verdict('fail'));
    expect(judged(drive)).toMatchObject({ outcome: 'fail', reason_code: 'voted_down' });
    expect(judged(drive)['confidence']).toBeCloseTo(2 / 3);
  });

  it('is split when no side can have a majority', () => {
    const drive = checked(3)
      .settle('review', verdict('pass'))
      .settle('vote-2', verdict('fail'))
      .settle('vote-3', failed('unreadable'))
      .settle('vote-3', failed('unreadable'));
    expect(judged(drive)).toMatchObject({ outcome: 'inconclusive', reason_code: 'vote_split' });
  });

  it('does not count an inconclusive vote for either side', () => {
    const drive = checked(3).settle('review', verdict('inconclusive')).settle('vote-2', verdict('pass'));
    expect(drive.run.output).toBeUndefined();
    expect(judged(drive.settle('vote-3', verdict('pass')))).toMatchObject({ outcome: 'pass' });
  });

  it('shows a voter once more an answer that nobody could read, and counts what is said then', () => {
    const drive = checked(3).settle('review', verdict('pass')).settle('vote-2', verdict('fail'));
    drive.settle('vote-3', failed('unreadable'));
    expect(drive.restart().open()).toEqual(['vote-3']);
    expect(drive.effect('vote-3').input).toMatchObject({ vote: 3, repair: 1 });
    drive.settle('vote-3', verdict('pass'));
    expect(judged(drive)).toMatchObject({ outcome: 'pass', tier: 3 });
    expect(drive.run.output).toMatchObject({ calls: 4 });
  });

  it('asks a voter again for an answer nobody could read, for no other failure', () => {
    const drive = checked(3).settle('review', verdict('pass')).settle('vote-2', failed('connection'));
    expect(drive.open()).toEqual(['vote-3']);
    drive.settle('vote-3', failed('no_model', 'terminal')).command('RESUME');
    expect(drive.effect('vote-3').input).toMatchObject({ repair: 0 });
    drive.settle('vote-3', failed('unreadable')).settle('vote-3', failed('no_model', 'terminal'));
    expect(drive.command('RESUME').effect('vote-3').input).toMatchObject({ repair: 1 });
    expect(judged(drive.settle('vote-3', failed('unreadable')))).toMatchObject({ reason_code: 'vote_split' });
  });

  it('says of work that was voted down what the first vote against it said', () => {
    const against = verdict('fail', { feedback: 'no moons', findings: 'f', conflict: true });
    const drive = checked(3).settle('review', verdict('pass')).settle('vote-2', against);
    drive.settle('vote-3', verdict('fail', { feedback: 'bad', findings: 'g' }));
    expect(judged(drive)).toMatchObject({
      outcome: 'fail',
      reason_code: 'voted_down',
      feedback: 'no moons',
      findings: 'f',
      conflict: true,
    });
  });

  it('needs no vote with a single voter', () => {
    expect(judged(checked(3, 1).settle('review', verdict('pass')))).toMatchObject({ outcome: 'pass' });
  });

  it('does not lose votes to an empty budget: they wait for RESUME', () => {
    const drive = verifier({ tier: 3, votes: 3 }, { model_calls: 2 }).settle('checks', verdict('pass'));
    drive.settle('review', verdict('fail'), { tokens: 0, usd: 0, model_calls: 1, tool_calls: 0 });
    expect(drive.open()).toEqual(['vote-2']);
    drive.settle('vote-2', verdict('pass'), { tokens: 0, usd: 0, model_calls: 1, tool_calls: 0 });
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(drive.run.output).toBeUndefined();
    drive.run = { ...drive.run, ledger: { ...drive.run.ledger, limits: {} } };
    expect(drive.restart().command('RESUME').open()).toEqual(['vote-3']);
    expect(judged(drive.settle('vote-3', verdict('pass')))).toMatchObject({ outcome: 'pass' });
  });
});
