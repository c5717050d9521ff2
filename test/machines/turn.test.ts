/** The model/tool loop: what it asks for, in which order, and how it ends. */
import { describe, expect, it } from 'vitest';
import { type Drive, start } from './drive.ts';
import {
  answer,
  asking,
  askUser,
  calls,
  cut,
  denying,
  failed,
  noted,
  pressure,
  read,
  shell,
  shrunk,
  text,
  toolDone,
  turnInput,
  write,
} from './results.ts';

const turn = (more: Parameters<typeof turnInput>[0] = {}, limits = {}): Drive =>
  start('turn', turnInput(more), { limits });
const output = (drive: Drive) => drive.run.output as Record<string, unknown>;
/** Where a turn is, it tells as well. */
const stuckOf = (drive: Drive) => drive.emitted.filter(({ type }) => type === 'STUCK');
const asked = (drive: Drive, id: string) => drive.effect(id).input as Record<string, unknown>;

describe('an answer without calls', () => {
  it('ends the turn with what the model claims', () => {
    const drive = turn().settle('model', text('partial', 'half of it'));
    expect(output(drive)).toEqual({
      ok: true,
      claim: 'partial',
      reason: 'half of it',
      iterations: 1,
      barren: 1,
    });
    expect(drive.run.effects).toEqual({});
  });
});

describe('the order of tool calls', () => {
  it('runs reads side by side and asks the model again when all are done', () => {
    const drive = turn().settle('model', calls(read(0), read(1), read(2)));
    expect(drive.open()).toEqual(['t-0', 't-1', 't-2']);
    drive.settle('t-2', toolDone()).settle('t-0', toolDone());
    expect(drive.open()).toEqual(['t-1']);
    drive.settle('t-1', toolDone());
    expect(drive.open()).toEqual(['model']);
    expect(asked(drive, 'model')).toMatchObject({ iteration: 2, tokens: 130, continue: false });
  });

  it('keeps mutating calls in order, as barriers for what stands before and after', () => {
    const drive = turn().settle('model', calls(read(0), read(1), write(2), write(3), read(4), read(5)));
    expect(drive.open()).toEqual(['t-0', 't-1']);
    drive.settle('t-0', toolDone());
    expect(drive.open()).toEqual(['t-1']);
    drive.settle('t-1', toolDone());
    expect(drive.open()).toEqual(['t-2']);
    drive.settle('t-2', toolDone());
    expect(drive.open()).toEqual(['t-3']);
    drive.settle('t-3', toolDone());
    expect(drive.open()).toEqual(['t-4', 't-5']);
  });

  it('lets an invalid call not sink its siblings', () => {
    const drive = turn().settle(
      'model',
      calls(read(0), read(1, { valid: false }), write(2, { valid: false }), read(3)),
    );
    expect(drive.open()).toEqual(['t-0']);
    drive.settle('t-0', toolDone());
    expect(drive.open()).toEqual(['t-3']);
    drive.settle('t-3', toolDone());
    expect(drive.open()).toEqual(['model']);
  });

  it('asks the model again at once when every call is invalid', () => {
    const drive = turn().settle('model', calls(read(0, { valid: false })));
    expect(drive.open()).toEqual(['model']);
  });

  it('writes one journal line per call that starts, and none for a refused one', () => {
    const drive = turn().settle('model', calls(read(0), read(1, denying)));
    expect(drive.journal).toEqual([
      { event_type: 'model_invocation', data: { phase: 'start', role: 'executor', subtask_id: 'a' } },
      {
        event_type: 'tool_call_started',
        data: { subtask_id: 'a', tool: 'read_file', call: 'a@1.1.1.0', subject: 'file-0' },
      },
    ]);
  });

  it('tells the model about a tool that failed and goes on', () => {
    const drive = turn()
      .settle('model', calls(read(0)))
      .settle('t-0', failed('aborted', 'retryable', 'it hung'));
    expect(asked(drive, 'n-0')).toMatchObject({ text: 'it hung', tool: 'read_file' });
    expect(drive.settle('n-0', noted).open()).toEqual(['model']);
  });
});

describe('the effect gate', () => {
  it('asks a person and runs the call once approved', () => {
    const drive = turn().settle('model', calls(shell(0, { ...asking, subject: 'rm -r build' })));
    expect(drive.open()).toEqual(['q-0']);
    expect(asked(drive, 'q-0')).toEqual({
      kind: 'approval',
      subtask: 'a',
      call: 'a@1.1.1.0',
      prompt: 'shell_execute rm -r build',
      choices: ['approve', 'reject'],
      rule: 'shell_execute(rm -r build)',
      risk: 'exec: may destroy data',
    });
    drive.settle('q-0', answer('approve'));
    expect(drive.open()).toEqual(['t-0']);
    expect(asked(drive, 't-0')).toMatchObject({ tool: 'shell_execute', effect: 'unknowable' });
  });

  it('tells the model when a person refused, and why', () => {
    const drive = turn()
      .settle('model', calls(write(0, asking)))
      .settle('q-0', answer('reject', 'not there'));
    expect(drive.open()).toEqual(['n-0']);
    expect(asked(drive, 'n-0')['text']).toContain('not there');
    expect(drive.settle('n-0', noted).open()).toEqual(['model']);
  });

  it('holds back what mutates while a question is open, but not the reads before it', () => {
    const drive = turn().settle('model', calls(read(0), write(1, asking), read(2)));
    expect(drive.open()).toEqual(['t-0']);
    drive.settle('t-0', toolDone());
    expect(drive.open()).toEqual(['q-1']);
    drive.settle('q-1', answer('reject')).settle('n-1', noted);
    expect(drive.open()).toEqual(['t-2']);
  });

  it('refuses a denied call without running it', () => {
    const drive = turn().settle('model', calls(shell(0, denying)));
    expect(drive.open()).toEqual(['n-0']);
    expect(asked(drive, 'n-0')['text']).toContain('denied by rule x');
  });

  it('asks nobody for a denied ask_user', () => {
    const drive = turn().settle('model', calls({ ...askUser(0), ...denying }));
    expect(drive.open()).toEqual(['n-0']);
  });

  it('never runs a denied call because the note about it failed', () => {
    const drive = turn()
      .settle('model', calls(shell(0, denying)))
      .settle('n-0', failed('budget', 'terminal'));
    expect(drive.open()).toEqual(['model']);
  });

  it('hands the answer of a person to the model', () => {
    const drive = turn().settle('model', calls(askUser(0)));
    expect(asked(drive, 'q-0')).toMatchObject({ kind: 'ask_user', prompt: 'Which colour?' });
    drive.settle('q-0', answer('green'));
    expect(asked(drive, 'n-0')['text']).toBe('green');
  });

  it('does not present an empty answer as a refusal', () => {
    const drive = turn()
      .settle('model', calls(askUser(0)))
      .settle('q-0', answer(''));
    expect(asked(drive, 'n-0')['text']).not.toContain('not allowed');
  });
});

describe('a call whose fate nobody knows', () => {
  const uncertain = () =>
    turn()
      .settle('model', calls(shell(0), shell(1)))
      .settle('t-0', failed('in_flight', 'uncertain'));

  it('asks, and holds back what comes after', () => {
    const drive = uncertain();
    expect(drive.open()).toEqual(['q-0']);
    expect(asked(drive, 'q-0')).toMatchObject({ kind: 'uncertain', choices: ['retry', 'skip', 'done'] });
  });

  it('runs again under a new key on retry', () => {
    const drive = turn().settle('model', calls(shell(0)));
    const first = drive.effect('t-0').key;
    drive.settle('t-0', failed('in_flight', 'uncertain')).settle('q-0', answer('retry'));
    expect(drive.open()).toEqual(['t-0']);
    expect(drive.effect('t-0').key).not.toBe(first);
  });

  it.each([
    ['skip', 'partial effects'],
    ['done', 'did finish'],
  ])('tells the model on %s and goes on', (word, said) => {
    const drive = uncertain().settle('q-0', answer(word));
    expect(asked(drive, 'n-0')['text']).toContain(said);
    expect(drive.settle('n-0', noted).open()).toEqual(['t-1']);
  });
});

describe('waiting for money, a model or a key', () => {
  it.each(['budget', 'no_model', 'auth'])('stops at %s, says so, and asks again on RESUME', code => {
    const drive = turn().settle('model', failed(code, 'terminal'));
    expect(drive.value()).toBe('stuck');
    expect(drive.open()).toEqual([]);
    expect(stuckOf(drive)).toEqual([{ type: 'STUCK', reason: code, message: `${code}!` }]);
    drive.restart().command('RESUME');
    expect(drive.open()).toEqual(['model']);
    expect(asked(drive, 'model')['iteration']).toBe(1);
  });

  it('keeps a tool that the budget refuses, and what is already approved, for RESUME', () => {
    const drive = turn({}, { tool_calls: 1 }).settle('model', calls(read(0), write(1, asking)));
    drive.settle('t-0', toolDone(), { tokens: 0, usd: 0, model_calls: 0, tool_calls: 1 });
    drive.settle('q-1', answer('approve'));
    expect(drive.open()).toEqual([]);
    expect(stuckOf(drive)).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    drive.run = { ...drive.run, ledger: { ...drive.run.ledger, limits: {} } };
    expect(drive.command('RESUME').open()).toEqual(['t-1']);
  });

  it('does not run what is still to be asked', () => {
    const drive = turn()
      .settle('model', calls(read(0), read(1, asking)))
      .settle('t-0', failed('auth', 'terminal'));
    expect(drive.open()).toEqual(['q-1']);
    expect(drive.command('RESUME').open()).toEqual(['q-1', 't-0']);
  });

  it('ends at any other failure of the model', () => {
    const drive = turn().settle('model', failed('overloaded'));
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'overloaded' } });
  });
});

describe('compaction', () => {
  const mayCompact = (drive: Drive) => asked(drive, 'model')['may_compact'];

  it('comes before the model is asked, once a step', () => {
    const drive = turn().settle('model', pressure);
    expect(asked(drive, 'compact')).toEqual({
      thread: 'a@1.1',
      subtask: 'a',
      role: 'executor',
      tier: 1,
      iteration: 1,
    });
    drive.settle('compact', shrunk(1_000, 200));
    expect(drive.open()).toEqual(['model']);
    expect(asked(drive, 'model')).toMatchObject({ iteration: 1, may_compact: false });
    drive.settle('model', calls(read(0))).settle('t-0', toolDone());
    expect(asked(drive, 'model')).toMatchObject({ iteration: 2, may_compact: true });
  });

  it('is a circle where it is asked for again at once', () => {
    const drive = turn().settle('model', pressure).settle('compact', shrunk(1_000, 200));
    expect(output(drive.settle('model', pressure))).toMatchObject({ ok: false, failure: { code: 'loop' } });
  });

  it('is done three times at most', () => {
    const drive = turn({ max_iterations: 50 });
    for (let i = 0; i < 3; i++) {
      expect(mayCompact(drive)).toBe(true);
      drive.settle('model', pressure).settle('compact', shrunk(1_000, 200));
      drive.settle('model', calls(read(i))).settle(`t-${i}`, toolDone());
    }
    expect(mayCompact(drive)).toBe(false);
  });

  it.each([
    ['shrinks by less than a twentieth', shrunk(1_000, 951), 1],
    ['fails', failed('no_model'), 0],
  ])('that %s is not tried again, and only the useless one counts for the loop guard', (_, result, idle) => {
    const drive = turn().settle('model', pressure).settle('compact', result);
    expect(drive.context()).toMatchObject({ compaction: 'off', idle });
    drive.settle('model', calls(read(0))).settle('t-0', toolDone());
    expect(mayCompact(drive)).toBe(false);
  });

  it('that does not shrink ends a turn that was about to be ended for its circle', () => {
    const drive = turn({ max_iterations: 50 });
    for (let i = 0; i < 6; i++) drive.settle('model', calls(read(0))).settle('t-0', toolDone());
    expect(drive.context()).toMatchObject({ idle: 5 });
    drive.settle('model', pressure).settle('compact', shrunk(1_000, 990));
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'loop' } });
  });

  it('does not begin while the run is paused, and nothing begins after it then', () => {
    const before = turn().command('PAUSE').settle('model', pressure);
    expect(before.open()).toEqual([]);
    expect(before.command('RESUME').open()).toEqual(['model']);
    const meanwhile = turn().settle('model', pressure).command('PAUSE').settle('compact', shrunk(9, 1));
    expect(meanwhile.open()).toEqual([]);
    meanwhile.command('RESUME');
    expect(asked(meanwhile, 'model')).toMatchObject({ may_compact: false });
    const resumed = turn().settle('model', pressure).command('PAUSE').command('RESUME');
    expect(resumed.settle('compact', shrunk(9, 1)).open()).toEqual(['model']);
  });

  it('goes on where it was after a pause and a wait for a model', () => {
    const drive = turn().command('PAUSE').settle('model', failed('no_model', 'terminal'));
    drive.command('RESUME').settle('model', calls(read(0)));
    expect(drive.open()).toEqual(['t-0']);
  });
});

describe('limits', () => {
  it('continues a cut-off answer twice and then fails', () => {
    const drive = turn().settle('model', cut);
    expect(asked(drive, 'model')).toMatchObject({ continue: true, iteration: 2 });
    drive.settle('model', cut).settle('model', cut);
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'cut_off' }, iterations: 3 });
  });

  it('takes a continued answer as complete and starts counting anew', () => {
    const drive = turn()
      .settle('model', cut)
      .settle('model', calls(read(0)))
      .settle('t-0', toolDone());
    expect(asked(drive, 'model')).toMatchObject({ continue: false });
    drive.settle('model', cut).settle('model', cut);
    expect(drive.open()).toEqual(['model']);
  });

  it('asks the model max_iterations times and not once more', () => {
    const drive = turn({ max_iterations: 3 });
    for (let i = 0; i < 3; i++) drive.settle('model', calls(read(i))).settle(`t-${i}`, toolDone(`new ${i}`));
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'out_of_iterations' }, iterations: 3 });
  });

  it('lets a model look around only as long as there is patience, and tells it before', () => {
    const drive = turn({ max_iterations: 50, patience: 8 });
    const nudges: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      nudges.push(asked(drive, 'model')['nudge']);
      drive
        .settle('model', calls(read(i, { signature: `call ${i}` })))
        .settle(`t-${i}`, toolDone(`new ${i}`));
    }
    expect(nudges).toEqual(['', '', '', 'undecided', '', '', '', '']);
    expect(output(drive)).toMatchObject({
      ok: false,
      failure: { code: 'no_progress' },
      iterations: 8,
      barren: 8,
    });
    expect(String((output(drive)['failure'] as Error).message)).toContain('8 calls in a row');
  });

  it('begins to count anew when something was changed', () => {
    const drive = turn({ max_iterations: 50, patience: 3 });
    const made = (i: number, more = {}) =>
      drive.settle('model', calls(read(0))).settle('t-0', { ...toolDone(`new ${i}`), ...more });
    made(1);
    made(2, { progress: true });
    made(3);
    made(4);
    expect(drive.restart().open()).toEqual(['model']);
    made(5);
    expect(output(drive)).toMatchObject({ failure: { code: 'no_progress' }, iterations: 5, barren: 3 });
  });

  it('does not continue a cut-off answer beyond the iterations', () => {
    expect(output(turn({ max_iterations: 1 }).settle('model', cut))).toMatchObject({ ok: false });
  });

  it('nudges a model that repeats itself once, then fails with what it repeated', () => {
    const drive = turn({ max_iterations: 50 });
    const nudges: unknown[] = [];
    for (let i = 0; i < 7; i++) {
      nudges.push(asked(drive, 'model')['nudge']);
      drive.settle('model', calls(read(0))).settle('t-0', toolDone('same'));
    }
    expect(nudges).toEqual(['', '', '', 'repeats', '', '', '']);
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'loop' }, iterations: 7 });
    expect((output(drive)['failure'] as { message: string }).message).toContain('read_file file-0');
  });

  it('counts an answer that was cut off among the calls that bring nothing', () => {
    const drive = turn({ max_iterations: 50 });
    const loop = () => drive.settle('model', calls(read(0))).settle('t-0', toolDone('same'));
    loop();
    for (let i = 0; i < 2; i++) {
      loop();
      drive.settle('model', cut).settle('model', cut);
    }
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'loop' }, iterations: 7 });
  });

  it('takes the same call with new results for progress', () => {
    const drive = turn({ max_iterations: 50 });
    for (let i = 0; i < 20; i++) drive.settle('model', calls(read(0))).settle('t-0', toolDone(`line ${i}`));
    expect(asked(drive, 'model')['nudge']).toBe('');
  });

  it('notices a model that sends the same refused call over and over', () => {
    const drive = turn({ max_iterations: 50 });
    for (let i = 0; i < 7; i++) drive.settle('model', calls(shell(0, denying))).settle('n-0', noted);
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'loop' } });
  });

  it('tells a model that sends nothing but unreadable calls so, and then fails', () => {
    const drive = turn({ max_iterations: 50 });
    for (let i = 0; i < 2; i++) drive.settle('model', calls(write(0, { valid: false })));
    expect(asked(drive, 'model')['nudge']).toBe('unreadable');
    for (let i = 0; i < 4; i++) drive.settle('model', calls(read(0, { valid: false, tool: 'write_file' })));
    expect(output(drive)).toMatchObject({ ok: false, failure: { code: 'loop' } });
    expect((output(drive)['failure'] as { message: string }).message).toContain('cannot be read');
  });
});
