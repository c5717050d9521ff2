/** `loom config`: what is in effect and where it comes from, everything that is wrong at once, and a schema. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConfigReport } from '../../actors/loom.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { ONE_GOAL, oneSubtask } from '../support/one-subtask.ts';

let box: Sandbox;
beforeEach(() => {
  box = sandbox();
});
afterEach(() => box.remove());

const BROKEN = `[execution]
max_subtask_retries = -1
max_subtask_retrys = 2
enable_streaming = true

[models.a]
provider = "openai"
model = "x"
api_key = "env:NOWHERE"

[models.b]
model = "y"
`;

test('show prints every value with the file and line it comes from, and keys only as their place', async () => {
  box.config(
    `[approval]\nmode = "manual"\n\n[server]\nport = 9001\n\n[models.a]\nprovider = "openai"\napi_key = "sk-secret"\n`,
  );
  const file = join(box.home, 'loom.toml');
  const text = await box.run(['config', 'show']);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(new RegExp(`^approval\\.mode +"manual" +${file}:2$`, 'm'));
  expect(text.stdout).toMatch(/^retention\.days +90 +default$/m);
  expect(text.stdout).toMatch(new RegExp(`^server\\.port +9001 +${file}:5, no effect: `, 'm'));
  expect(text.stdout).toMatch(new RegExp(`^models\\.a\\.api_key +"models\\.a\\.api_key" +${file}:9$`, 'm'));
  expect(text.stdout + text.stderr).not.toContain('sk-secret');

  const { value } = await box.json<ConfigReport>(['config', 'show'], { OPENAI_API_KEY: 'sk-other' });
  expect(JSON.stringify(value)).not.toContain('sk-');
  expect(value.settings).toContainEqual({
    key: 'models.a.roles',
    value: ['planner', 'executor', 'verifier', 'extractor', 'compactor'],
    source: 'default',
    line: null,
  });
});

test('show says of a key from the environment which variable has it', async () => {
  box.config('[models.a]\nprovider = "anthropic"\nmodel = "x"\n');
  const { value } = await box.json<ConfigReport>(['config', 'show'], { ANTHROPIC_API_KEY: 'sk-1' });
  expect(value.settings).toContainEqual({
    key: 'models.a.api_key',
    value: 'env:ANTHROPIC_API_KEY',
    source: 'environment',
    line: null,
  });
});

test('check ends with 2 and names all problems at once, with file, key and line', async () => {
  box.config(BROKEN);
  const file = join(box.home, 'loom.toml');
  const { value, ended } = await box.json<{ ok: boolean; problems: object[]; warnings: object[] }>([
    'config',
    'check',
  ]);
  expect(ended.code).toBe(2);
  expect(value.problems).toEqual([
    expect.objectContaining({ file, line: 2, key: 'execution.max_subtask_retries' }),
    expect.objectContaining({ file, line: 9, key: 'models.a.api_key' }),
    expect.objectContaining({ file, line: 11, key: 'models.b.provider' }),
  ]);
  expect(value.warnings).toEqual([
    expect.objectContaining({ file, line: 3, key: 'execution.max_subtask_retrys' }),
    expect.objectContaining({ file, line: 4, key: 'execution.enable_streaming' }),
  ]);
  const text = await box.run(['config', 'check']);
  expect(text.code).toBe(2);
  expect(text.stdout).toContain('3 problems, 2 warnings');
  expect(text.stdout).toContain(`${file}:2: execution.max_subtask_retries must be a whole number`);
});

test('check ends with 0 when nothing is wrong, also without a file, and with 2 for broken TOML', async () => {
  const none = await box.run(['config', 'check']);
  expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('no loom.toml found')]);
  box.config('[store]\nmin_free_mb = 1\n');
  expect((await box.run(['config', 'check'])).code).toBe(0);
  box.config('[store\n');
  const broken = await box.run(['config', 'check']);
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain('loom.toml:1: not valid TOML');
});

test('schema is JSON, whatever the file says', async () => {
  box.config('[store\n');
  const { stdout, code } = await box.run(['config', 'schema']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ title: 'loom.toml', properties: { retention: {} } });
});

test('another action is refused with the nearest one', async () => {
  const { code, stderr } = await box.run(['config', 'chek']);
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean check?');
});

test('settings that cannot be read keep nobody from their runs: one notice, and what acts by them refuses', async () => {
  const command = { name: 'shell_execute', arguments: { command: 'rm -rf old' } };
  box.scenario(oneSubtask([{ calls: [command] }, { reply: 'Done.' }]));
  const stopped = await box.run(['run', ONE_GOAL]);
  expect(stopped.code, stopped.stderr).toBe(3);
  const id = /loom resume (\w+)/.exec(stopped.stdout)![1]!;
  box.config('[execution\n');
  for (const words of [['tasks'], ['status', id], ['show', id], ['logs', id], ['diff', id], ['cancel', id]]) {
    const ended = await box.run(words);
    expect([words[0], ended.code, ended.stderr.trim().split('\n')]).toEqual([
      words[0],
      words[0] === 'status' || words[0] === 'show' ? expect.any(Number) : 0,
      [expect.stringMatching(/loom\.toml:1: not valid TOML.*Going on with the defaults/)],
    ]);
  }
  const { value } = await box.json<{ status: string }>(['show', id]);
  expect(value.status).toBe('cancelled');
  for (const words of [['run', 'Again'], ['models']]) {
    const ended = await box.run(words);
    expect([words[0], ended.code]).toEqual([words[0], 2]);
    expect(ended.stderr).toMatch(/loom\.toml:1: not valid TOML/);
  }
  const examined = await box.run(['doctor']);
  expect([examined.code, examined.stdout]).toEqual([1, expect.stringMatching(/config .*not valid TOML/)]);
});
