/** Setting Loom up: found servers, one tried model, a loom.toml that loads. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findServers, withoutModels } from '../../actors/setup.ts';
import { openTerminal } from '../cli/terminal.ts';
import { ending } from '../support/ending.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { sandbox } from '../support/loom-process.ts';

const { later } = ending();
const LOOM = fileURLToPath(new URL('../../dist/loom.js', import.meta.url));
const READY = '- {role: session, repeat: true, calls: [{name: report_ready, arguments: {ready: true}}]}';
const SILENT = '- {role: session, repeat: true, reply: "I am ready."}';

async function place(scenario = READY, models = ['qwen2.5-coder:7b', 'nomic-embed-text', 'llama3.1:8b']) {
  const server = await startFakeServer('ollama', scenario, { models });
  const here = sandbox();
  later(async () => {
    await server.stop();
    here.remove();
  });
  here.env['OLLAMA_HOST'] = server.url;
  return { server, here, file: join(here.home, 'loom.toml') };
}

test('without a question: the best local model is tried, written, and readable', async () => {
  const { here, file } = await place();
  const done = await here.run(['setup', '--non-interactive']);
  expect(done.stderr).toBe('');
  expect(done.code).toBe(0);
  expect(done.stdout).toContain(`Wrote ${file}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { value } = await here.json<{ alias: string; model: string; roles: string[] }[]>(['models']);
  expect(value).toMatchObject([{ alias: 'main', model: 'qwen2.5-coder:7b' }]);
  expect(value[0]?.roles).toContain('verifier');
});

test('what else stands in loom.toml is kept, keys before the first table included, and the file before it too', async () => {
  const { here, file } = await place();
  const before =
    '# mine\n[execution]\nmax_parallel_subtasks = 7 # seven\n\n[models.old]\nprovider = "ollama"\nmodel = "gone"\n\n[models.old.capabilities]\nvision = true\n\n[approval]\nmode = "manual"\n';
  writeFileSync(file, before);
  expect((await here.run(['setup', '--non-interactive', '--judge-model', 'llama3.1:8b'])).code).toBe(0);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('# mine\n[execution]\nmax_parallel_subtasks = 7 # seven');
  expect(text).not.toContain('gone');
  expect(readFileSync(`${file}.bak`, 'utf8')).toBe(before);
  expect((await here.run(['config', 'check'])).code).toBe(0);
  const { value } = await here.json<{ alias: string; roles: string[] }[]>(['models']);
  expect(value.map(({ alias, roles }) => [alias, roles.includes('verifier')])).toEqual([
    ['main', false],
    ['judge', true],
  ]);
  expect(withoutModels('x = 1\n[models.a]\ny = 2\n[[other]]\nz = 3')).toBe('x = 1\n[[other]]\nz = 3');
});

test('a loom.toml that cannot be read is what setup repairs', async () => {
  const { here, file } = await place();
  writeFileSync(file, '[models.main\nprovider = ');
  expect((await here.run(['setup', '--non-interactive'])).code).toBe(0);
  expect((await here.run(['models', '--check'])).code).toBe(0);
  expect(existsSync(`${file}.bak`)).toBe(true);
});

test('a model that does not answer is not written, and no server is said with what to do', async () => {
  const { here, file } = await place('- {role: session, repeat: true, error: {status: 404}}');
  const refused = await here.run(['setup', '--non-interactive']);
  expect([refused.code, existsSync(file)]).toEqual([5, false]);
  expect(refused.stderr).toContain('nothing was written');
  here.env['OLLAMA_HOST'] = 'http://127.0.0.1:9';
  const none = await here.run(['setup', '--non-interactive']);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain('--base-url');
});

test('a model that calls no tool is said to be weak, not refused', async () => {
  const { here } = await place(SILENT);
  const { value } = await here.json<{ trial: { ok: boolean; message: string } }>([
    'setup',
    '--non-interactive',
  ]);
  expect(value.trial).toMatchObject({ ok: true, message: expect.stringContaining('called no tool') });
});

test('a key stays a reference, and no cloud is asked without a yes', async () => {
  const { here, server, file } = await place();
  const openai = await startFakeServer('openai', READY);
  later(() => openai.stop());
  const args = ['setup', '--non-interactive', '--provider', 'openai_compatible', '--base-url', openai.url];
  const done = await here.run([...args, '--chat-model', 'm', '--key-env', 'MY_KEY'], { MY_KEY: 'sk-secret' });
  expect([done.stderr, done.code]).toEqual(['', 0]);
  expect(readFileSync(file, 'utf8')).toContain('api_key = "env:MY_KEY"');
  expect(readFileSync(file, 'utf8') + done.stdout).not.toContain('sk-secret');
  const env = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: openai.url, OLLAMA_HOST: server.url };
  const before = openai.requests.length;
  const found = await findServers({ env, signal: AbortSignal.timeout(5_000), memory: 8e9 });
  expect(openai.requests.length).toBe(before);
  expect(found.find(one => one.name === 'Anthropic')).toMatchObject({
    models: [],
    key_variable: 'ANTHROPIC_API_KEY',
  });
  // The fake's files are 9 GB: more than a machine of 8 GB holds.
  expect(found.find(one => one.name === 'Ollama')?.models.map(model => [model.name, model.fits])).toEqual([
    ['qwen2.5-coder:7b', false],
    ['llama3.1:8b', false],
  ]);
});

test('the conversation: server, model, one real call, a judge, and only then the file', async () => {
  const { here, file } = await place();
  mkdirSync(here.folder, { recursive: true });
  const env = Object.entries(here.env).filter(([name]) => name !== 'CI' && name !== 'NO_COLOR');
  const words = env.map(([name, value]) => `${name}='${value}'`).join(' ');
  const command = `cd '${here.workspace}' && env -u CI TERM=xterm-256color ${words} ${process.execPath} ${LOOM} setup`;
  const terminal = openTerminal(command, { columns: 110, rows: 30, rawFile: join(here.folder, 'raw') });
  try {
    await terminal.until(/Where is the model\?/);
    terminal.keys('Enter');
    await terminal.until(/Which model does the work\?/);
    terminal.keys('Enter');
    await terminal.until(/calls tools/);
    await terminal.until(/Who judges the results\?/);
    expect(existsSync(file)).toBe(false);
    terminal.keys('Down');
    terminal.keys('Enter');
    await terminal.until(/Write it\?/);
    terminal.keys('y');
    const text = await terminal.until(/exit 0/);
    expect(text).toContain('qwen2.5-coder:7b');
    expect(text).toContain(`Wrote ${file}`);
    expect(readFileSync(file, 'utf8')).toContain('[models.judge]');
  } finally {
    terminal.close();
  }
});
