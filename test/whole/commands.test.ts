/** Every command against one finished run: what it prints for people and for scripts, and the code it exits with. */
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  DoctorLine,
  JournalEvent,
  ModelReport,
  RunResult,
  TaskDetail,
  TaskSummary,
  ToolReport,
} from '../../actors/loom.ts';
import type { FakeServer } from '../support/fake-http.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type Sandbox, sandbox, serverToml } from '../support/loom-process.ts';
import { call, calls, delivers, done, plan, script, verdict } from '../support/script.ts';

let here: Sandbox;
let run: RunResult;
let first: { stdout: string; stderr: string };
const servers: FakeServer[] = [];

beforeAll(async () => {
  here = sandbox();
  here.scenario(
    script(
      plan(
        { id: 'alpha', files: ['alpha.md'], tier: 2 },
        { id: 'beta', files: ['beta.md'], needs: ['alpha'] },
      ),
      calls('alpha', call('list_directory', { path: '.' })),
      delivers('alpha', 'alpha.md', 'alpha\n'),
      verdict('alpha', true),
      delivers('beta', 'beta.md', 'beta\n'),
    ),
  );
  const ended = await here.run(['run', 'Write two letters', '--output', 'stream-json']);
  first = ended;
  run = JSON.parse(ended.stdout.trim().split('\n').at(-1)!) as RunResult;
  expect(ended.code, ended.stderr).toBe(0);
});
afterAll(async () => {
  here.remove();
  await Promise.all(servers.map(server => server.stop()));
});

const RESULT_FIELDS = [
  'type',
  'task_id',
  'status',
  'exit_code',
  'goal',
  'workspace',
  'summary',
  'subtasks',
  'deliverables',
  'files_changed',
  'usage',
  'duration_ms',
];

test('stream-json: every line parses, events are numbered without gaps, the last line is the result', () => {
  const lines = first.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent & { type: string });
  const events = lines.slice(0, -1);
  expect(new Set(events.map(event => event.type))).toEqual(new Set(['event']));
  expect(events.map(event => event.seq)).toEqual(events.map((_, i) => i + 1));
  for (const event of events) {
    expect(event.task_id).toBe(run.task_id);
    expect(Number.isNaN(Date.parse(event.timestamp))).toBe(false);
    expect(event.data).toBeTypeOf('object');
  }
  for (const name of [
    'task_planning',
    'task_plan_ready',
    'subtask_started',
    'tool_call_completed',
    'verification_outcome',
    'subtask_completed',
    'task_completed',
  ])
    expect(events.map(event => event.event_type)).toContain(name);
  expect(Object.keys(run).sort()).toEqual([...RESULT_FIELDS].sort());
  expect(run).toMatchObject({
    type: 'result',
    status: 'completed',
    exit_code: 0,
    goal: 'Write two letters',
    workspace: here.workspace,
    deliverables: ['alpha.md', 'beta.md'],
    files_changed: ['alpha.md', 'beta.md'],
  });
  expect(run.subtasks[0]).toMatchObject({
    id: 'alpha',
    status: 'completed',
    attempts: 1,
    verification: { outcome: 'pass', reason_code: '', confidence: 0.9, independent: false },
    summary: 'alpha is done.',
  });
  expect(run.usage.model_calls).toBe(7);
  expect(run.duration_ms).toBeGreaterThan(0);
});

test('the log file holds the same events, line by line', () => {
  const streamed = first.stdout.trim().split('\n').slice(0, -1);
  const stored = readFileSync(join(here.home, 'logs', `${run.task_id}.events.jsonl`), 'utf8').trim();
  expect(
    streamed.map(line => {
      const { type: _, ...event } = JSON.parse(line) as { type: string };
      return event;
    }),
  ).toEqual(stored.split('\n').map(line => JSON.parse(line) as object));
});

test('pieces of answers are in stream-json only when asked for', async () => {
  expect(first.stdout).not.toContain('"type":"delta"');
});

test('status: text and json, by a prefix of the id, and --wait exits with the code of the run', async () => {
  const prefix = run.task_id.slice(0, 6);
  const text = await here.run(['status', prefix]);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain('completed');
  expect(text.stdout).toContain('2 of 2 subtasks');
  const { value, ended } = await here.json<TaskDetail>(['status', prefix, '--wait']);
  expect(ended.code).toBe(0);
  expect(value).toMatchObject({ task_id: run.task_id, status: 'completed', live: false, questions: [] });
});

test('show: the result again, long after', async () => {
  const text = await here.run(['show', run.task_id]);
  expect(text.code).toBe(0);
  for (const word of ['alpha', 'beta', 'alpha.md', 'pass']) expect(text.stdout).toContain(word);
  const { value } = await here.json<TaskDetail>(['show', run.task_id]);
  expect(value.result).toEqual(run);
});

test('logs: one line per event, or the events as json; -f ends by itself after the last one', async () => {
  const text = await here.run(['logs', run.task_id]);
  expect(text.stdout.trim().split('\n').length).toBeGreaterThan(10);
  const { value } = await here.json<JournalEvent[]>(['logs', run.task_id]);
  expect(value.at(-1)?.event_type).toBe('task_completed');
  const followed = await here.run(['logs', '-f', run.task_id, '--output', 'stream-json']);
  expect(followed.code).toBe(0);
  expect(followed.stdout.trim().split('\n')).toHaveLength(value.length);
});

test('tasks: newest first, with the state of each', async () => {
  const { value, ended } = await here.json<TaskSummary[]>(['tasks']);
  expect(ended.code).toBe(0);
  expect(value.find(task => task.task_id === run.task_id)).toMatchObject({
    status: 'completed',
    exit_code: 0,
    live: false,
    goal: 'Write two letters',
  });
  const text = await here.run(['tasks']);
  expect(text.stdout).toContain(run.task_id);
});

test('tasks of a workspace that is named by a link', async () => {
  const link = join(here.folder, 'link');
  symlinkSync(here.workspace, link);
  const ended = await here.start(['tasks'], {}, link).ended;
  expect(ended.stdout).toContain(run.task_id);
});

test('a prefix that nothing has, and resume of what is finished', async () => {
  const unknown = await here.run(['logs', 'nothing']);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('"nothing"');
  const over = await here.run(['resume', run.task_id]);
  expect(over.code).toBe(0);
  expect(over.stderr).toContain('finished already');
  const last = await here.run(['resume', '--last']);
  expect(last.code).toBe(1);
  expect(last.stderr).toContain('Nothing to resume');
});

test('tool list and tool call work without any model', async () => {
  const { value } = await here.json<{ name: string; parameters: object }[]>(['tool', 'list']);
  for (const name of ['read_file', 'write_file', 'edit_file', 'shell_execute', 'ask_user'])
    expect(value.map(tool => tool.name)).toContain(name);
  here.write('letters.txt', 'one\ntwo\n');
  const read = await here.json<ToolReport>(['tool', 'call', 'read_file', '{"path": "letters.txt"}']);
  expect(read.ended.code).toBe(0);
  expect(read.value).toMatchObject({ success: true, error: null });
  expect(read.value.output).toContain('two');
  const missing = await here.json<ToolReport>(['tool', 'call', 'read_file', '{"path": "none.txt"}']);
  expect(missing.ended.code).toBe(1);
  expect(missing.value).toMatchObject({ success: false });
  expect(missing.value.error?.message).toContain('none.txt');
  const outside = await here.json<ToolReport>(['tool', 'call', 'read_file', '{"path": "../home/loom.toml"}']);
  expect(outside.value.success).toBe(false);
  const wrong = await here.json<ToolReport>(['tool', 'call', 'read_file', '{"file": 7}']);
  expect(wrong.value.success).toBe(false);
  const near = await here.run(['tool', 'call', 'read_fil', '{}']);
  expect(near.code).toBe(2);
  expect(near.stderr).toContain('read_file');
});

test('models and models --check: roles, windows, and the exit code of what is wrong', async () => {
  const good = await startFakeServer('openai', '[]', { models: ['test-model'], window: 16_384 });
  const closed = await startFakeServer('openai', '[]', { key: 'other' });
  servers.push(good, closed);
  const box = sandbox();
  try {
    box.config(serverToml('openai', good.url));
    const plain = await box.json<ModelReport[]>(['models']);
    expect(plain.value).toMatchObject([{ alias: 'main', model: 'test-model' }]);
    expect(plain.value[0]?.roles).toContain('verifier');
    expect(good.requests).toHaveLength(0);
    const checked = await box.json<ModelReport[]>(['models', '--check']);
    expect(checked.ended.code, checked.ended.stderr).toBe(0);
    expect(checked.value).toMatchObject([{ ok: true, window: 32_768 }]);
    box.config(serverToml('openai', closed.url));
    const denied = await box.json<ModelReport[]>(['models', '--check']);
    expect(denied.ended.code).toBe(4);
    expect(denied.value).toMatchObject([{ ok: false, error: { code: 'auth' } }]);
    await closed.stop();
    const down = await box.run(['models', '--check']);
    expect(down.code).toBe(5);
    expect(down.stdout).toContain(closed.url);
  } finally {
    box.remove();
  }
});

test('doctor looks at everything and names what is missing', async () => {
  const { value, ended } = await here.json<DoctorLine[]>(['doctor']);
  expect(value.length).toBeGreaterThan(4);
  for (const line of value) {
    expect(['ok', 'warn', 'fail']).toContain(line.status);
    expect(line.message).not.toBe('');
  }
  expect(ended.code).toBe(value.some(line => line.status === 'fail') ? 1 : 0);
  const text = await here.run(['doctor']);
  expect(text.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(value.length);
});

test('store verify reads every row', async () => {
  const { value, ended } = await here.json<{ runs: number; rows: number; problems: string[] }>([
    'store',
    'verify',
  ]);
  expect(ended.code).toBe(0);
  expect(value).toMatchObject({ problems: [] });
  expect(value.runs).toBeGreaterThanOrEqual(1);
  expect(value.rows).toBeGreaterThan(20);
});

test('version and help, also without a home', async () => {
  const version = await here.run(['--version'], { LOOM_HOME: '/nowhere/at/all' });
  expect(version.code).toBe(0);
  expect(version.stdout).toMatch(/^loom \d+\.\d+\.\d+/);
  const help = await here.run(['--help'], { LOOM_HOME: '/nowhere/at/all' });
  expect(help.code).toBe(0);
  for (const word of ['run', 'resume', 'undo', 'doctor']) expect(help.stdout).toContain(word);
});

test('commands that only read work while there is no store yet', async () => {
  const box = sandbox();
  try {
    const tasks = await box.json<TaskSummary[]>(['tasks']);
    expect(tasks.ended.code, tasks.ended.stderr).toBe(0);
    expect(tasks.value).toEqual([]);
    expect((await box.run(['store', 'verify'])).code).toBe(0);
    const show = await box.run(['show', 'abc']);
    expect(show.code).toBe(1);
    expect(show.stderr).toContain('no task "abc"');
  } finally {
    box.remove();
  }
});

test('two runs with the same beginning of an id are told apart', async () => {
  const { value } = await here.json<TaskSummary[]>(['tasks']);
  const common = await here.run(['show', '']);
  expect(value.length).toBeGreaterThan(0);
  expect(common.code).not.toBe(0);
});

test('a run without a terminal asks nothing and never waits for input', async () => {
  here.scenario(
    script(plan({ id: 'ask' }), calls('ask', call('ask_user', { question: 'Which?' })), done('ask')),
  );
  const ended = await here.run(['run', 'Ask']);
  expect(ended.code).toBe(3);
  expect(ended.stdout).toContain('Which?');
});
