/** A person at a real terminal: first start, set up, talk, decide, interrupt, run, undo, leave, go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScenarioCall, ScenarioEntry } from '../../actors/models/scenario.ts';
import { openTerminal, type Terminal } from '../cli/terminal.ts';
import type { FakeServer } from '../support/fake-http.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type Sandbox, sandbox, serverToml } from '../support/loom-process.ts';
import { call, done, plan, script, writes } from '../support/script.ts';

const LOOM = fileURLToPath(new URL('../../dist/loom.js', import.meta.url));
const says = (reply: string, more: Partial<ScenarioEntry> = {}): ScenarioEntry => ({
  role: 'session',
  reply,
  ...more,
});
const calling = (...calls: ScenarioCall[]): ScenarioEntry => ({ role: 'session', calls });

let here: Sandbox;
let server: FakeServer;
let terminal: Terminal | null = null;
let n = 0;

beforeEach(() => {
  here = sandbox();
});
afterEach(async () => {
  terminal?.close();
  terminal = null;
  await server.stop();
  here.remove();
});

async function serve(...entries: ScenarioEntry[]): Promise<void> {
  server = await startFakeServer('ollama', script(...entries), {
    models: ['qwen2.5-coder:7b', 'test-model'],
  });
  here.env['OLLAMA_HOST'] = server.url;
}

/** `loom` in a terminal of its own. */
function launch(args = ''): Terminal {
  terminal?.close();
  const env = Object.entries(here.env).filter(([name]) => name !== 'CI');
  const words = env.map(([name, value]) => `${name}='${value}'`).join(' ');
  const command = `cd '${here.workspace}' && env -u CI TERM=xterm-256color ${words} '${process.execPath}' '${LOOM}' ${args}`;
  terminal = openTerminal(command, { columns: 100, rows: 40, rawFile: join(here.folder, `raw${n++}`) });
  return terminal;
}

const type = (text: string): void => {
  terminal!.keys('-l', text);
  terminal!.keys('Enter');
};
/** The visible lines without what differs between two runs. */
const screen = (): string[] =>
  terminal!
    .screen()
    .map(line => line.replace(/\d+(\.\d+)? (ms|s)\b/g, 'TIME').replace(/session [0-9a-z]{6}/i, 'session ID'));

describe('a session at a terminal', () => {
  it('is set up at the first start, talks, changes files, and goes on another day', async () => {
    await serve(
      { role: 'session', calls: [call('report_ready', { ready: true })] },
      says('Hello **there**.\n\nWhat shall we do?'),
      calling(call('write_file', { path: 'notes.md', content: 'first\nsecond\n' })),
      says('Written.'),
      calling(call('edit_file', { path: 'notes.md', old_str: 'second', new_str: 'third' })),
      says('Changed.'),
    );
    launch();
    await terminal!.until(/Where is the model\?/);
    terminal!.keys('Enter');
    await terminal!.until(/Which model does the work\?/);
    terminal!.keys('Enter');
    await terminal!.until(/Who judges/);
    terminal!.keys('Enter');
    await terminal!.until(/Write it\?/);
    terminal!.keys('y');
    await terminal!.until(/New session/);
    expect(existsSync(join(here.home, 'loom.toml'))).toBe(true);
    type('hi');
    await terminal!.until(/What shall we do\?\n─/);
    type('make notes');
    await terminal!.until(/Written\.\n─/);
    type('change them');
    await terminal!.until(/Changed\.\n─/);
    expect(screen().slice(screen().indexOf('› hi'))).toEqual([
      '› hi',
      'Hello there.',
      '',
      'What shall we do?',
      expect.stringMatching(/^─ main · window \d+ % · .* tokens · TIME$/),
      '› make notes',
      expect.stringMatching(/^✓ write_file notes\.md {2}TIME {2}\+2 {2}\[1\]$/),
      '    @@ -0,0 +1,2 @@',
      '    +first',
      '    +second',
      'Written.',
      expect.stringMatching(/^─ 1 tool · main · /),
      '› change them',
      expect.stringMatching(/^✓ edit_file notes\.md {2}TIME {2}\+1 −1 {2}\[2\]$/),
      '    @@ -1,2 +1,2 @@',
      '     first',
      '    -second',
      '    +third',
      'Changed.',
      expect.stringMatching(/^─ 1 tool · main · /),
      '›',
    ]);
    type('/undo');
    await terminal!.until(/undone: notes\.md/);
    expect(readFileSync(join(here.workspace, 'notes.md'), 'utf8')).toBe('first\nsecond\n');
    type('/quit');
    await terminal!.until(/exit 0/);
    launch('--continue');
    await terminal!.until(/› change them\n✓ edit_file .*\nChanged\./);
    type('/quit');
    await terminal!.until(/exit 0/);
  });

  const configured = async (...entries: ScenarioEntry[]) => {
    await serve(...entries);
    here.config(serverToml('ollama', server.url));
  };
  const idle = () => terminal!.until(/\n›$/);

  it('asks before what is dangerous, takes a no with its reason, a rule, and a wave', async () => {
    const remove = (what: string) => calling(call('shell_execute', { command: `rm -rf ${what}` }));
    await configured(
      remove('build'),
      says('Left alone.'),
      remove('dist'),
      remove('dist'),
      says('Gone.'),
      remove('build'),
      remove('other'),
      says('All gone.'),
    );
    for (const folder of ['build', 'dist', 'other']) mkdirSync(join(here.workspace, folder));
    launch();
    await idle();
    type('clean');
    await terminal!.until(/rm -rf build[\s\S]*Let it\?/);
    terminal!.keys('Down');
    terminal!.keys('Enter');
    await terminal!.until(/Why not\?/);
    type('build is precious');
    await terminal!.until(/Left alone\.\n─/);
    expect(existsSync(join(here.workspace, 'build'))).toBe(true);
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('build is precious');
    type('clean dist');
    await terminal!.until(/rm -rf dist[\s\S]*Let it\?/);
    terminal!.keys('Down', 'Down', 'Down', 'Enter');
    await terminal!.until(/What is always fine\?/);
    terminal!.keys('Down', 'Enter');
    await terminal!.until(/Gone\.\n─/);
    type('/rules');
    await terminal!.until(/1 {2}allow shell_execute\(rm -rf dist\) {2}\(this folder\)/);
    type('clean all');
    await terminal!.until(/rm -rf build[\s\S]*Let it\?[\s\S]*rm -rf build[\s\S]*Let it\?/);
    terminal!.keys('Up', 'Enter');
    await terminal!.until(/All gone\.\n─/);
    for (const folder of ['build', 'dist', 'other'])
      expect(existsSync(join(here.workspace, folder))).toBe(false);
    type('/quit');
    await terminal!.until(/exit 0/);
  });

  it('a command is edited before it is allowed; the model is told, and what it asked for stays stored', async () => {
    await configured(
      calling(call('shell_execute', { command: 'rm -rf build dist' })),
      says('Only dist, then.'),
    );
    for (const folder of ['build', 'dist']) mkdirSync(join(here.workspace, folder));
    here.env['EDITOR'] = 'sed -i s/build.//';
    launch();
    await idle();
    type('clean');
    await terminal!.until(/rm -rf build dist[\s\S]*Let it\?/);
    terminal!.keys('Down', 'Down', 'Enter');
    await terminal!.until(/Only dist, then\.\n─/);
    expect(['build', 'dist'].map(folder => existsSync(join(here.workspace, folder)))).toEqual([true, false]);
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('The person changed the arguments');
    expect(screen().join('\n')).toMatch(/✓ shell_execute rm -rf dist/);
    type('/export talk.md');
    await terminal!.until(/wrote .*talk\.md/);
    expect(readFileSync(join(here.workspace, 'talk.md'), 'utf8')).toContain('rm -rf build dist');
    type('/quit');
    await terminal!.until(/exit 0/);
  });

  it('is stopped in the middle, takes what is typed meanwhile, and runs a task behind the prompt', async () => {
    await configured(
      says(`${'A long story about rain. '.repeat(60)}`, { delay_ms: 400 }),
      says('The second answer.'),
      plan({ id: 'notes', files: ['notes.md'] }),
      writes('notes', 'notes.md'),
      { ...(done('notes', ['notes.md']) as ScenarioEntry), delay_ms: 300 },
      says('While it runs.'),
    );
    launch();
    await idle();
    type('tell me');
    await terminal!.until(/thinking|writing/);
    type('and then this');
    await terminal!.until(/waits for its turn/);
    terminal!.keys('C-c');
    await terminal!.until(/\(interrupted\)/);
    await terminal!.until(/The second answer\.\n─/);
    await idle();
    type('/run write the notes');
    await terminal!.until(/plan: 1 subtask/);
    type('are you there?');
    await terminal!.until(/While it runs\./);
    await terminal!.until(/completed: write the notes/);
    expect(readFileSync(join(here.workspace, 'notes.md'), 'utf8')).toBe('notes.md\n');
    type('/runs');
    await terminal!.until(/✓ [0-9a-z]{6} {2}completed/);
    type('/hlep');
    await terminal!.until(/did you mean \/help/);
    expect(server.requests.filter(request => JSON.stringify(request.body).includes('hlep'))).toEqual([]);
    type('/quit');
    await terminal!.until(/exit 0/);
  });

  it('without a terminal every line is a text; what has to be asked is refused, and a rule lets it pass', async () => {
    const remove = calling(call('shell_execute', { command: 'rm -rf build' }));
    await configured(says('Hello.'), remove, says('Left alone.'), remove, says('Gone.'));
    mkdirSync(join(here.workspace, 'build'));
    const say = async (args: string[], words: string) => {
      const child = spawn(process.execPath, [LOOM, ...args], { cwd: here.workspace, env: here.env });
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].on('data', (piece: Buffer) => {
          said[name] += piece.toString();
        });
      child.stdin.end(words);
      const [code] = (await once(child, 'close')) as [number];
      return { code, ...said };
    };
    const first = await say([], 'hi\nclean\n');
    expect([first.code, first.stdout]).toEqual([3, 'Hello.\nLeft alone.\n']);
    expect(first.stderr).toContain('--allow "shell_execute(rm -rf build)"');
    expect(existsSync(join(here.workspace, 'build'))).toBe(true);
    const second = await say(['--continue', '--allow', 'shell_execute(rm -rf build)'], 'again\n');
    expect([second.code, second.stdout]).toEqual([0, 'Gone.\n']);
    expect(existsSync(join(here.workspace, 'build'))).toBe(false);
  });
});
