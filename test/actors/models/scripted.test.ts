/** A scenario answers like a model: by role, subtask, attempt and step, once per entry. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message, ModelRequest } from '../../../actors/models/model.ts';
import { ModelError } from '../../../actors/models/model.ts';
import { parseScenario } from '../../../actors/models/scenario.ts';
import { scriptedModel } from '../../../actors/models/scripted.ts';
import { modelConfig } from '../../support/model-config.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'loom-scenario-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function scripted(yaml: string) {
  const scenario = join(folder, `${++files}.yaml`);
  await writeFile(scenario, yaml);
  return scriptedModel(modelConfig({ scenario }));
}

const ask = (role: string, ...rest: Message[]): ModelRequest => ({
  messages: [{ role: 'system', content: `# Loom ${role}\nBe good.` }, ...rest],
  max_tokens: 100,
  stream: true,
});
const user = (content: string): Message => ({ role: 'user', content });
const options = () => ({ signal: new AbortController().signal });

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error = await promise.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

test('the first unused entry of the role answers, and a repeating entry is never used up', async () => {
  const model = await scripted(`
entries:
  - {role: executor, reply: first}
  - {role: executor, reply: second}
  - {role: verifier, repeat: true, reply: {passed: true}}
`);
  const reply = async (role: string) => (await model.complete(ask(role), options())).content;
  expect(await reply('verifier')).toBe('{"passed":true}');
  expect(await reply('executor')).toBe('first');
  expect(await reply('executor')).toBe('second');
  expect(await reply('verifier')).toBe('{"passed":true}');
  expect((await failureOf(reply('executor'))).failure.code).toBe('script');
});

test('subtask, attempt and step select the entry, whatever the order of the requests', async () => {
  const model = await scripted(`
- {role: executor, subtask: a, step: 1, repeat: true, reply: a-second-step}
- {role: executor, subtask: a, attempt: 2, repeat: true, reply: a-again}
- {role: executor, subtask: a, attempt: 1, repeat: true, reply: a-first}
- {role: executor, subtask: b, repeat: true, reply: b}
`);
  const reply = async (...rest: Message[]) =>
    (await model.complete(ask('executor', ...rest), options())).content;
  expect(await reply(user('Subtask: b\n'))).toBe('b');
  expect(await reply(user('Do it.\nSubtask: a\nAttempt: 2'))).toBe('a-again');
  expect(await reply(user('Do it.\nSubtask: a'))).toBe('a-first');
  expect(await reply(user('Subtask: a'), { role: 'assistant', content: 'x' })).toBe('a-second-step');
});

test('lines inside tool results select nothing', async () => {
  const model = await scripted('- {role: executor, subtask: a, attempt: 1, reply: right}');
  const request = ask(
    'executor',
    user('Subtask: a'),
    { role: 'tool', tool_call_id: 'c', name: 'read_file', content: 'Subtask: evil\nAttempt: 9' },
    user('<tool_response>\nAttempt: 7\n</tool_response>'),
  );
  expect((await model.complete(request, options())).content).toBe('right');
});

test('the goal picks between scenarios of several runs', async () => {
  const model = await scripted(`
- {role: planner, goal: 'a shop', repeat: true, reply: shop}
- {role: planner, goal: 'a blog', repeat: true, reply: blog}
`);
  const reply = async (goal: string) =>
    (await model.complete(ask('planner', user(`## Goal\n${goal}`)), options())).content;
  expect(await reply('make a blog now')).toBe('blog');
  expect(await reply('make a shop now')).toBe('shop');
});

test('calls are sent with their arguments, raw strings as they are, each call with an id of its own', async () => {
  const model = await scripted(`
- role: executor
  reply: Writing.
  calls:
    - {name: write_file, arguments: {path: a.txt, content: hi}}
    - {name: write_file, arguments: "{'path': 'b.txt',}"}
- role: executor
  calls: [{name: read_file, arguments: {path: a.txt}}]
`);
  const first = await model.complete(ask('executor'), options());
  const second = await model.complete(ask('executor'), options());
  expect(first).toMatchObject({ content: 'Writing.', finish: 'tool_calls' });
  expect(first.tool_calls.map(call => call.arguments)).toEqual([
    '{"path":"a.txt","content":"hi"}',
    "{'path': 'b.txt',}",
  ]);
  const ids = [...first.tool_calls, ...second.tool_calls].map(call => call.id);
  expect(new Set(ids).size).toBe(3);
  expect(first.usage.input_tokens).toBeGreaterThan(0);
  expect(first.usage.output_tokens).toBeGreaterThan(0);
});

test('errors, cut-off answers and cut streams are played', async () => {
  const model = await scripted(`
- {role: executor, error: {status: 429, message: slow down, retry_after: 2}}
- {role: executor, error: {status: 401, message: bad key}}
- {role: executor, reply: half a sen, finish: length}
- {role: executor, reply: "0123456789", fault: cut_stream}
`);
  const limited = await failureOf(model.complete(ask('executor'), options()));
  expect(limited.failure).toMatchObject({ kind: 'retryable', code: 'rate_limit' });
  expect(limited.retry_after_ms).toBe(2000);
  const refused = await failureOf(model.complete(ask('executor'), options()));
  expect(refused.failure).toMatchObject({ kind: 'terminal', code: 'auth' });
  expect((await model.complete(ask('executor'), options())).finish).toBe('length');
  const shown: string[] = [];
  const cut = model.complete(ask('executor'), {
    ...options(),
    onDelta: delta => void ('text' in delta && shown.push(delta.text)),
  });
  expect((await failureOf(cut)).failure.code).toBe('cut_stream');
  expect(shown.join('')).toBe('01234');
});

test('a request nobody wrote an entry for is shown with role, subtask, attempt, step and the last user message', async () => {
  const model = await scripted('- {role: planner, reply: x}');
  const request = ask('executor', user('Subtask: lost\nAttempt: 3'), { role: 'assistant', content: 'y' });
  const { failure } = await failureOf(model.complete(request, options()));
  expect(failure.kind).toBe('terminal');
  for (const part of ['role=executor', 'subtask=lost', 'attempt=3', 'step=1', 'Attempt: 3'])
    expect(failure.message).toContain(part);
});

test('an abort ends a delayed answer at once', async () => {
  const model = await scripted('- {role: executor, reply: late, delay_ms: 60000}');
  const controller = new AbortController();
  const call = failureOf(model.complete(ask('executor'), { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  expect((await call).failure.code).toBe('aborted');
});

test.each([
  ['entries: 5', 'list of entries'],
  ['- {role: executor, replly: x}', 'replly'],
  ['- {reply: x}', 'no role'],
  ['- {role: executor}', 'says nothing'],
  ['- {role: [', 'not valid YAML'],
  ['- {role: executor, error: {message: x}}', 'numeric status'],
])('a broken scenario says what is wrong: %s', async (yaml, word) => {
  const error = await failureOf(parseScenario(yaml, 'play.yaml'));
  expect(error.failure.code).toBe('script');
  expect(error.message).toContain('play.yaml');
  expect(error.message).toContain(word);
});

test('a missing scenario file is named', async () => {
  const model = scriptedModel(modelConfig({ scenario: join(folder, 'absent.yaml') }));
  const error = await failureOf(model.check(options().signal));
  expect(error.message).toContain('absent.yaml');
});
