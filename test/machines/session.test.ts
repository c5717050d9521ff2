/** A conversation: texts become turns in order, wait or steer meanwhile, and a turn can be stopped at any point. */
import { describe, expect, it } from 'vitest';
import { type Drive, start } from './drive.ts';
import {
  asking,
  askUser,
  calls,
  composed,
  failed,
  ok,
  read,
  sessionInput,
  shell,
  text,
  toolDone,
} from './results.ts';

const session = (more: Parameters<typeof sessionInput>[0] = {}): Drive =>
  start('session', sessionInput(more));
const say = (drive: Drive, words: string, type = 'USER') =>
  drive.command(type, { id: words, at: '2026-01-01', text: words });
/** One text, written as the first message of a turn. */
const talking = () => say(session(), 'hello').settle('compose', composed());
const ended = (drive: Drive) =>
  drive.journal.filter(line => line.event_type === 'turn_ended').map(line => line.data);

describe('what a person types', () => {
  it('is stored before anything is done with it, and becomes a turn', () => {
    const drive = say(session(), 'hello');
    expect(drive.rows.get('q/2026-01-01-hello')).toEqual({
      text: 'hello',
      attachments: [],
      at: '2026-01-01',
    });
    expect(drive.value()).toBe('composing');
    drive.settle('compose', composed());
    expect(drive.value()).toEqual({ working: 'thinking' });
    expect(drive.effect('model').input).toMatchObject({ thread: 't0000001', role: 'session', tokens: 500 });
    drive.settle('model', text());
    expect(drive.value()).toBe('idle');
    expect(ended(drive)).toEqual([{ turn: 1, ok: true, interrupted: false }]);
  });

  it('waits while a turn runs, and is taken up in order', () => {
    const drive = say(say(talking(), 'second'), 'third');
    expect(drive.context()['queued']).toBe(2);
    drive.settle('model', text());
    expect(drive.effect('compose').input).toEqual({ thread: 't0000002', previous: 't0000001' });
    drive.settle('compose', composed()).settle('model', text()).settle('compose', composed());
    expect(drive.context()).toMatchObject({ turns: 3, queued: 0 });
  });

  it('steers the turn that runs; what it did not hear any more becomes a turn', () => {
    const drive = say(talking(), 'shorter', 'STEER');
    expect(drive.rows.get('steer/t0000001/2026-01-01-shorter')).toBe('shorter');
    drive.settle('model', text());
    expect(drive.value()).toBe('composing');
    drive.settle('compose', composed({ empty: true, took: 0 }));
    expect(drive.value()).toBe('idle');
    expect(drive.context()['steered']).toBe(0);
  });

  it('is an ordinary text where nothing runs that it could steer', () => {
    expect(say(session(), 'shorter', 'STEER').value()).toBe('composing');
  });

  it('is not tried over and over when it cannot be written', () => {
    const drive = say(session(), 'hello').settle('compose', failed('internal', 'terminal'));
    expect(drive.value()).toBe('idle');
    expect(drive.events()).toContain('turn_failed');
    expect(drive.context()['queued']).toBe(0);
  });
});

describe('where a turn is', () => {
  it('is told by the session: thinking, streaming, acting, approving, awaiting', () => {
    const drive = talking().command('STREAMING');
    expect(drive.value()).toEqual({ working: 'streaming' });
    drive.settle('model', calls(read(0), shell(1, asking), askUser(2)));
    expect(drive.value()).toEqual({ working: 'acting' });
    drive.settle('t-0', toolDone());
    expect(drive.value()).toEqual({ working: 'approving' });
    drive.settle('q-1', { ok: true, answer: 'approve', reason: '' });
    expect(drive.value()).toEqual({ working: 'acting' });
    drive.settle('t-1', toolDone());
    expect(drive.value()).toEqual({ working: 'awaiting' });
    drive.settle('q-2', { ok: true, answer: 'blue', reason: '' }).settle('n-2', { ok: true, tokens: 0 });
    expect(drive.value()).toEqual({ working: 'thinking' });
  });
});

describe('a turn that is stopped', () => {
  it('leaves every call with a result that says what is known of it', () => {
    const drive = talking()
      .settle('model', calls(shell(0)))
      .command('INTERRUPT');
    expect(drive.value()).toBe('mending');
    // Not before the command has settled: until then nobody knows what it did.
    expect(drive.open()).toEqual([]);
    drive.settle('t-0', toolDone());
    expect(drive.open()).toEqual(['mend']);
    drive.settle('mend', ok);
    expect(drive.value()).toBe('idle');
    expect(ended(drive)).toEqual([{ turn: 1, ok: false, interrupted: true }]);
  });

  it('goes on with what was typed meanwhile, and not with what was meant to steer it', () => {
    const drive = say(say(talking(), 'shorter', 'STEER').command('INTERRUPT'), 'next');
    drive.settle('mend', ok);
    expect(drive.effect('compose').input).toMatchObject({ previous: 't0000001' });
    expect(say(talking(), 'shorter', 'STEER').command('INTERRUPT').settle('mend', ok).value()).toBe('idle');
  });

  it('says why when there is no model', () => {
    const drive = talking().settle('model', failed('no_model', 'terminal')).settle('mend', ok);
    expect(ended(drive)).toMatchObject([{ ok: false, interrupted: false, error: { code: 'no_model' } }]);
  });

  it('that failed by itself is over at once', () => {
    const drive = talking().settle('model', failed('refused'));
    expect(drive.value()).toBe('idle');
    expect(ended(drive)).toMatchObject([{ ok: false, error: { code: 'refused' } }]);
  });
});

describe('a session that is taken up after a crash', () => {
  it('does not go on by itself, in the middle of a turn', () => {
    const drive = say(talking(), 'waiting').restart().command('RESUME').settle('mend', ok);
    expect(drive.value()).toBe('idle');
    expect(drive.context()).toMatchObject({ halted: true, queued: 1 });
    expect(ended(drive)).toEqual([{ turn: 1, ok: false, interrupted: true }]);
    say(drive, 'go on');
    expect(drive.value()).toBe('composing');
  });

  it('writes what was typed, and does not ask the model for it', () => {
    const drive = say(session(), 'hello').restart().command('RESUME').settle('compose', composed());
    expect(drive.value()).toBe('idle');
    expect(drive.context()).toMatchObject({ turns: 1, queued: 0 });
  });

  it('keeps what a closed one had not taken up', () => {
    expect(session({ turns: 3, queued: 1 }).value()).toBe('idle');
    expect(say(session({ turns: 3, queued: 1 }), 'go on').effect('compose').input).toMatchObject({
      thread: 't0000004',
    });
  });
});

describe('learning from what was said', () => {
  const reflecting = () =>
    say(session(), 'no, tabs')
      .settle('compose', composed({ reflect: true }))
      .settle('model', text());

  it('happens after the turn, and never keeps anybody waiting', () => {
    expect(reflecting().value()).toBe('reflecting');
    expect(reflecting().settle('reflect', ok).value()).toBe('idle');
    expect(reflecting().command('INTERRUPT').value()).toBe('idle');
    expect(say(reflecting(), 'next').value()).toBe('composing');
  });

  it('does not happen after a turn that failed or was stopped', () => {
    const begun = () => say(session(), 'no, tabs').settle('compose', composed({ reflect: true }));
    expect(begun().settle('model', failed('refused')).value()).toBe('idle');
    expect(begun().command('INTERRUPT').settle('mend', ok).value()).toBe('idle');
  });
});

describe('closing', () => {
  it('is called off when it is taken up again before its end, whatever was halted before', () => {
    const drive = talking().restart().command('RESUME').settle('mend', ok).command('CLOSE');
    expect(drive.context()['halted']).toBe(false);
    expect(drive.restart().command('RESUME').settle('mend', ok).value()).toBe('idle');
    expect(drive.command('CLOSE').settle('mend', ok).run.output).toEqual({ status: 'closed', turns: 1 });
  });

  it('ends what runs, mends it and keeps what is typed still', () => {
    const drive = say(talking().command('CLOSE'), 'late').command('CLOSE');
    expect(drive.value()).toBe('closing');
    expect(drive.rows.get('q/2026-01-01-late')).toMatchObject({ text: 'late' });
    drive.settle('mend', ok);
    expect(drive.run.output).toEqual({ status: 'closed', turns: 1 });
    expect(drive.events().at(-1)).toBe('session_closed');
  });
});
