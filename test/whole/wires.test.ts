/** The main job over every wire: the same goal, the same script, the same files, whatever the model speaks. */
import { afterEach, expect, test } from 'vitest';
import type { FakeKind } from '../support/fake-server.ts';
import { type Lab, lab, ofType, QUICK, scriptedLab, servedLab } from '../support/lab.ts';
import { type Sandbox, sandbox, serverToml } from '../support/loom-process.ts';
import { call, calls, delivers, done, plan, script, verdict } from '../support/script.ts';

const GOAL = 'Write two poems and an index';
const job = script(
  plan(
    { id: 'rain', files: ['rain.md'], tier: 2 },
    { id: 'snow', files: ['snow.md'] },
    { id: 'index', needs: ['rain', 'snow'], files: ['index.md'], tier: 2 },
  ),
  delivers('rain', 'rain.md', '# Rain\n'),
  delivers('snow', 'snow.md', '# Snow\n'),
  calls('index', call('read_file', { path: 'rain.md' }), call('read_file', { path: 'snow.md' })),
  calls('index', call('write_file', { path: 'index.md', content: '- rain\n- snow\n' })),
  done('index', ['index.md'], 'The index names both poems.'),
  verdict('rain', true),
  verdict('index', true),
);
const TREE = { 'index.md': '- rain\n- snow\n', 'rain.md': '# Rain\n', 'snow.md': '# Snow\n' };
const KINDS: FakeKind[] = ['ollama', 'openai', 'anthropic'];

const ending: { end(): Promise<void> | void }[] = [];
const keep = <T extends Lab | Promise<Lab>>(made: T): T => {
  ending.push({ end: async () => (await made).end() });
  return made;
};
afterEach(async () => {
  for (const one of ending.splice(0)) await one.end();
});

test.each(KINDS)('a goal runs to completed over the %s wire, streaming, with a loom.toml', async kind => {
  const here = await keep(servedLab(kind, job));
  const { result, events } = await here.go(GOAL);
  expect(result).toMatchObject({
    status: 'completed',
    exit_code: 0,
    goal: GOAL,
    deliverables: ['rain.md', 'snow.md', 'index.md'],
    files_changed: ['index.md', 'rain.md', 'snow.md'],
  });
  expect(result.error).toBeUndefined();
  expect(here.tree()).toEqual(TREE);
  // planner 1, executors 2 + 2 + 3, reviews 2
  expect(result.usage.model_calls).toBe(10);
  expect(result.usage.input_tokens).toBeGreaterThan(0);
  expect(here.servers[0]!.calls()).toHaveLength(10);
  expect(here.servers[0]!.calls().every(request => request.body.stream === true)).toBe(true);
  expect(events.map(event => event.seq)).toEqual(events.map((_, i) => i + 1));
  // The index needs both poems: it is begun after both are done.
  const at = (type: string, id: string) =>
    events.findIndex(event => event.event_type === type && event.data['subtask_id'] === id);
  expect(at('subtask_started', 'index')).toBeGreaterThan(at('subtask_completed', 'rain'));
  expect(at('subtask_started', 'index')).toBeGreaterThan(at('subtask_completed', 'snow'));
});

test('the same goal runs to completed with the scripted provider', async () => {
  const here = keep(scriptedLab(job));
  const { result } = await here.go(GOAL);
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual(TREE);
});

test('what is shown while an answer is written adds up to the answer', async () => {
  const here = await keep(servedLab('openai', job));
  const texts = new Map<string, string>();
  await here.go(GOAL, {
    onPreview: ({ call, offset, text, reset }) => {
      const before = reset ? '' : (texts.get(call) ?? '');
      expect(offset).toBe(before.length);
      texts.set(call, before + text);
    },
  });
  expect([...texts.values()].some(text => text.includes('The index names both poems.'))).toBe(true);
});

test('with one model the verifier is not independent, and the result says so', async () => {
  const here = await keep(servedLab('ollama', job));
  const { result } = await here.go(GOAL);
  const reviewed = result.subtasks.find(subtask => subtask.id === 'rain');
  expect(reviewed?.verification).toMatchObject({ outcome: 'pass', independent: false });
});

test('with a second model as verifier it is independent, and that model was asked', async () => {
  const here = keep(lab());
  const worker = await here.serve('openai', job);
  const judge = await here.serve('anthropic', script(verdict('rain', true), verdict('index', true)));
  here.config(`${QUICK}
[models.worker]
provider = "openai_compatible"
base_url = "${worker.url}"
model = "small"
roles = ["planner", "executor"]
context_tokens = 32768
[models.judge]
provider = "anthropic"
base_url = "${judge.url}"
api_key = "sk-test"
model = "large"
roles = ["verifier"]
context_tokens = 32768
`);
  const { result, events } = await here.go(GOAL);
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks.find(subtask => subtask.id === 'index')?.verification).toMatchObject({
    independent: true,
  });
  expect(judge.calls()).toHaveLength(2);
  expect(worker.calls()).toHaveLength(8);
  const answered = ofType(events, 'model_invocation').filter(event => event.data['phase'] === 'done');
  expect(new Set(answered.map(event => event.data['alias']))).toEqual(new Set(['worker', 'judge']));
});

test('two aliases of one and the same model are not independent of each other', async () => {
  const here = keep(lab());
  const server = await here.serve('openai', job);
  const model = (alias: string, roles: string) => `[models.${alias}]
provider = "openai_compatible"
base_url = "${server.url}"
model = "same"
roles = ${roles}
context_tokens = 32768
`;
  here.config(`${QUICK}${model('one', '["planner", "executor"]')}${model('two', '["verifier"]')}`);
  const { result } = await here.go(GOAL);
  expect(result.subtasks.find(subtask => subtask.id === 'index')?.verification).toMatchObject({
    independent: false,
  });
});

test('with no settings at all, the server where OLLAMA_HOST points is found, named on one line and used', async () => {
  const here = keep(lab());
  const server = await here.serve('ollama', job, { models: ['qwen2.5-coder:14b'], window: 32_768 });
  const ended = await here.run(['run', GOAL], { OLLAMA_HOST: server.url });
  expect(ended.code, ended.stderr).toBe(0);
  const found = ended.stderr.split('\n').filter(line => line.includes('qwen2.5-coder:14b'));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain('Ollama');
  expect(here.tree()).toEqual(TREE);
});

test('the command reports the run on stdout, progress on stderr, and exits 0', async () => {
  const box: Sandbox = sandbox();
  ending.push({ end: () => box.remove() });
  box.scenario(job);
  const ended = await box.run(['run', GOAL]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout).toContain('index.md');
  expect(ended.stdout).toContain('The index names both poems.');
  expect(ended.stderr).toContain('rain');
});

test('base_url may end in /v1 or not', async () => {
  const here = keep(lab());
  const server = await here.serve('openai', job);
  here.config(`${QUICK}${serverToml('openai', `${server.url}/v1`)}`);
  const { result } = await here.go(GOAL);
  expect(result.exit_code).toBe(0);
  expect(server.calls().every(request => request.path === '/v1/chat/completions')).toBe(true);
});

test('without any local model a cloud key is used only after a line that says so', async () => {
  const here = keep(lab());
  const server = await here.serve('anthropic', job, { key: 'sk-cloud' });
  const ended = await here.run(['run', GOAL], {
    ANTHROPIC_API_KEY: 'sk-cloud',
    ANTHROPIC_BASE_URL: server.url,
  });
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/anthropic.*ANTHROPIC_API_KEY.*is sent there/);
  expect(`${ended.stdout}${ended.stderr}`).not.toContain('sk-cloud');
});
