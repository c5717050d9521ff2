/** A conversation over real parts: turns with tools, decisions, interruption, steering, taking up, recall, export. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ScenarioCall, ScenarioEntry } from '../../actors/models/scenario.ts';
import { type Lab, servedLab, wordsOf } from '../support/lab.ts';
import { call, script } from '../support/script.ts';
import { type Talk, talk } from '../support/talk.ts';

const says = (reply: string, more: Partial<ScenarioEntry> = {}): ScenarioEntry => ({
  role: 'session',
  reply,
  ...more,
});
const calling = (...calls: ScenarioCall[]): ScenarioEntry => ({ role: 'session', calls });

let lab: Lab;
const at = async (entries: ScenarioEntry[], options = {}): Promise<Talk> => {
  lab = await servedLab('ollama', script(...entries), options);
  await lab.reopen();
  return talk(lab.loom);
};
const again = async (options: Parameters<typeof talk>[1]): Promise<Talk> => {
  await lab.reopen();
  return talk(lab.loom, options);
};
const requests = () => lab.servers[0]!.requests.filter(({ path }) => path === '/api/chat').map(wordsOf);
const file = (name: string) => join(lab.workspace, name);
const texts = async ({ session }: Talk) =>
  (await session.history()).map(({ role, text }) => `${role}: ${text}`);

afterEach(async () => lab.end());

describe('a turn', () => {
  it('streams its answer, and tells it once it is stored', async () => {
    const { session, say, told, preview } = await at([says('Hello, I am here.')]);
    await say('hi there');
    expect(preview()).toBe('Hello, I am here.');
    expect(told('assistant_message')).toMatchObject([{ text: 'Hello, I am here.' }]);
    expect(told('turn_ended')).toEqual([{ turn: 1, ok: true, interrupted: false }]);
    expect(await session.title()).toBe('hi there');
    expect(requests()[0]).toContain('# Loom session');
    expect(await session.usage()).toMatchObject({ model_calls: 1, context: { window: 32_768 } });
  });

  it('runs tools through the gate; what is refused reaches the model with the reason', async () => {
    const { say, session, decide, told } = await at([
      calling(call('write_file', { path: 'a.txt', content: 'one\n' })),
      calling(call('shell_execute', { command: 'rm -rf build' })),
      says('Left it alone.'),
    ]);
    const turn = say('clean up');
    await decide({ answer: 'no', reason: 'build is precious' });
    await turn;
    expect(readFileSync(file('a.txt'), 'utf8')).toBe('one\n');
    expect(requests()[2]).toContain('build is precious');
    expect(told('tool_call_completed')).toMatchObject([{ tool: 'write_file', files_changed: ['a.txt'] }]);
    expect((await session.history()).map(entry => entry.role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
      'tool',
      'assistant',
    ]);
    expect((await lab.loom.changes(session.id)).map(change => change.path)).toEqual(['a.txt']);
  });

  it('is not asked about what a rule of the session allows, also after it was taken up again', async () => {
    const remove = calling(call('shell_execute', { command: 'rm -rf build' }));
    const first = await at([remove, says('Gone.'), remove, says('Gone again.')]);
    await first.session.allow('shell_execute(rm -rf build)');
    await first.say('clean up');
    await first.session.close();
    const second = await again({ continue: true });
    expect(second.session.rules().allow).toEqual(['shell_execute(rm -rf build)']);
    await second.say('once more');
    expect(await texts(second)).toContain('assistant: Gone again.');
    expect(await second.session.forget('shell_execute(rm -rf build)')).toBe(true);
    await expect(second.session.allow('shell_execut(x)')).rejects.toMatchObject({
      failure: { code: 'usage' },
    });
    await second.session.close();
  });

  it('asks a person what only they know', async () => {
    const { say, decide } = await at([
      calling(call('ask_user', { question: 'Which colour?' })),
      says('Blue it is.'),
    ]);
    const turn = say('paint it');
    await decide({ answer: 'blue' });
    await turn;
    expect(requests()[1]).toContain('blue');
  });

  it('is given what was attached', async () => {
    const { say } = await at([says('Read.')]);
    writeFileSync(file('notes.md'), 'the harbour is open');
    await say('read @notes.md', { attachments: ['notes.md', '.', 'nowhere.txt'] });
    expect(requests()[0]).toContain('the harbour is open');
    expect(requests()[0]).toContain('nowhere.txt could not be attached');
  });

  it('says why when the model cannot be reached, and the next text tries again', async () => {
    const { say, told } = await at([
      { role: 'session', error: { status: 401, message: 'bad key' } } as ScenarioEntry,
      says('Here now.'),
    ]);
    await say('hello');
    expect(told('turn_ended')).toMatchObject([{ ok: false, error: { code: 'auth' } }]);
    await say('hello again');
    expect(told('turn_ended')[1]).toMatchObject({ ok: true });
    expect(requests()[1]).toContain('hello');
  });
});

describe('while a turn runs', () => {
  it('texts wait for their turn, in order', async () => {
    const { session, quiet, told } = await at([says('one', { delay_ms: 150 }), says('two'), says('three')]);
    await session.send('first');
    await session.send('second');
    await session.send('third');
    expect(session.state().queued).toBeGreaterThan(0);
    await quiet();
    expect(told('user_message').map(data => data['text'])).toEqual(['first', 'second', 'third']);
    expect(told('assistant_message').map(data => data['text'])).toEqual(['one', 'two', 'three']);
  });

  it('it can be steered: the next request says so, and what came too late gets an answer of its own', async () => {
    const { session, until, quiet, told } = await at([
      calling(call('shell_execute', { command: 'sleep 0.3' })),
      says('Short.', { delay_ms: 300 }),
      says('In French: court.'),
    ]);
    await session.send('tell me');
    await until(() => session.state().phase === 'acting', 'it acts');
    await session.steer('be short');
    await until(() => session.state().phase === 'thinking', 'it thinks');
    await session.steer('in French');
    await quiet();
    expect(requests()[1]).toContain('be short');
    expect(requests()[1]).not.toContain('in French');
    expect(requests()[2]).toContain('in French');
    expect(told('user_message').map(data => data['text'])).toEqual(['tell me', 'in French']);
  });

  it('it can be stopped: what was written stays and is marked, nothing is left half done', async () => {
    const { session, until, quiet, told, preview, say } = await at(
      [says('A long answer that goes on and on and on.'), says('Fine.')],
      { options: { pace_ms: 60, chunk: 4 } },
    );
    await session.send('tell me everything');
    await until(() => preview().length > 8, 'it speaks');
    expect(session.state().phase).toBe('streaming');
    await session.interrupt();
    await quiet();
    expect(told('turn_ended')).toMatchObject([{ ok: false, interrupted: true }]);
    const [, answer] = await session.history();
    expect(answer).toMatchObject({ role: 'assistant', interrupted: true });
    expect('A long answer that goes on and on and on.').toContain(answer!.text);
    expect(answer!.text.length).toBeGreaterThan(8);
    await say('shorter');
    expect(requests()[1]).toContain('cut off here');
  });

  it('a stopped command and the calls behind it get results that say so', async () => {
    const { session, until, quiet } = await at([
      calling(
        call('shell_execute', { command: 'touch begun; sleep 20; touch finished' }),
        call('write_file', { path: 'late.txt', content: 'x' }),
      ),
    ]);
    await session.send('work');
    await until(() => session.state().phase === 'acting', 'it works');
    await new Promise(resolve => setTimeout(resolve, 300));
    await session.interrupt();
    await quiet();
    const results = (await session.history()).filter(entry => entry.role === 'tool');
    expect(results.map(entry => entry.tool)).toEqual(['shell_execute', 'write_file']);
    expect(results[1]!.text).toContain('was not carried out');
    expect(existsSync(file('late.txt'))).toBe(false);
    expect(existsSync(file('finished'))).toBe(false);
  });
});

describe('a session taken up again', () => {
  it('shows its tail and goes on, by its id, by a prefix, or as the newest of the workspace', async () => {
    const first = await at([says('one'), says('two'), says('three')]);
    await first.say('first');
    await first.session.close();
    expect(first.session.state().phase).toBe('closed');
    const second = await again({ resume: first.session.id.slice(0, 5) });
    expect(second.session.resumed).toBe(true);
    expect(await texts(second)).toEqual(['user: first', 'assistant: one']);
    await second.say('second');
    await second.session.close();
    const third = await again({ continue: true });
    await third.say('third');
    expect(await texts(third)).toEqual([
      'user: first',
      'assistant: one',
      'user: second',
      'assistant: two',
      'user: third',
      'assistant: three',
    ]);
    expect(requests()[2]).toContain('first');
    await third.session.close();
    const [listed] = await lab.loom.sessions();
    expect(listed).toMatchObject({ session_id: first.session.id, title: 'first', messages: 6, live: false });
    const markdown = await lab.loom.exportSession(first.session.id, 'markdown');
    expect(markdown).toContain('## You\n\nsecond');
    expect(JSON.parse(await lab.loom.exportSession(first.session.id, 'json'))).toMatchObject({
      messages: [{ n: 1, turn: 1, text: 'first' }, {}, {}, {}, {}, { n: 6, turn: 3, text: 'three' }],
    });
    await expect(talk(lab.loom, { resume: 'zzz' })).rejects.toMatchObject({
      failure: { code: 'unknown_id' },
    });
  });

  it('is open in one place at a time', async () => {
    const { session } = await at([]);
    await expect(talk(lab.loom, { resume: session.id })).rejects.toMatchObject({
      failure: { code: 'owned_elsewhere' },
    });
    await session.close();
  });
});

describe('conversation_recall', () => {
  it('finds what was said, in this session and in others of the workspace', async () => {
    const first = await at([
      says('Noted.'),
      calling(call('conversation_recall', { action: 'search', query: 'lighthouse', scope: 'workspace' })),
      says('It is 42.'),
      calling(
        call('conversation_recall', { action: 'range', start_turn: 1, end_turn: 2 }),
        call('conversation_recall', { action: 'tool_calls', tool_name: 'conversation_recall' }),
        call('conversation_recall', { action: 'summary' }),
        call('conversation_recall', { action: 'search' }),
      ),
      says('Done.'),
    ]);
    await first.say('the lighthouse has number 42');
    await first.session.close();
    const second = await again({});
    await second.say('which number had it?');
    expect(requests()[2]).toContain('the lighthouse has number 42');
    await second.say('look again');
    const results = (await second.session.history()).filter(entry => entry.role === 'tool').slice(1);
    expect(results[0]!.text).toContain('message 1, user]\nwhich number had it?');
    expect(results[1]!.text).toContain('lighthouse');
    expect(results[2]!.text).toContain('What the user asked last');
    expect(results[3]!.text).toContain('needs a query');
    await second.session.close();
  });
});

describe('learning', () => {
  it('puts a correction into the next prompt, of sessions and of executors, and into the list', async () => {
    const { say, session, told } = await at([says('{}'), says('a: 1'), says('ok')]);
    await say('write me the settings');
    await say('No, use YAML instead of JSON.');
    expect(told('pattern_learned')).toEqual([{ type: 'behavioral_correction', rule: 'Use YAML, not JSON' }]);
    expect(requests()[1]).toContain('Use YAML, not JSON');
    expect(await lab.loom.learned()).toMatchObject([
      { type: 'behavioral_correction', description: 'Use YAML, not JSON', seen: 1, active: true },
    ]);
    await say('no, use YAML not JSON please');
    expect(await lab.loom.learned()).toMatchObject([{ description: 'Use YAML, not JSON', seen: 2 }]);
    await session.close();
  });
});
