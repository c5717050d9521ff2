/** What is special about Ollama: the window belongs to the request, and too long a prompt is cut without a word. */
import { afterEach, describe, expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import type { Message } from '../../../actors/models/model.ts';
import type { ModelConfig } from '../../../store/config.ts';
import { ask, failureOf, options, user, WRITE_FILE } from '../../support/calls.ts';
import type { FakeOptions, FakeServer } from '../../support/fake-http.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { modelConfig } from '../../support/model-config.ts';

const running: FakeServer[] = [];
afterEach(async () => void (await Promise.all(running.splice(0).map(server => server.stop()))));

async function start(scenario: string, fake: FakeOptions = {}, config: Partial<ModelConfig> = {}) {
  const server = await startFakeServer('ollama', scenario, fake);
  running.push(server);
  return { server, model: createModel(modelConfig({ provider: 'ollama', base_url: server.url, ...config })) };
}

const FINE = '- {role: executor, repeat: true, reply: fine}';
const words = (n: number) => user('word '.repeat(n));

describe('num_ctx', () => {
  test('is what /api/show reports, asked once', async () => {
    const { model, server } = await start(FINE, { window: 6_000 });
    for (let i = 0; i < 2; i++) await model.complete(ask('executor', [user('Hi')]), options());
    expect(server.calls().map(call => call.body.options.num_ctx)).toEqual([6_000, 6_000]);
    expect(server.requests.filter(request => request.path === '/api/show')).toHaveLength(1);
  });

  test('is the configured window when there is one', async () => {
    const { model, server } = await start(FINE, {}, { context_tokens: 12_000 });
    await model.complete(ask('executor', [user('Hi')]), options());
    expect(server.calls()[0]?.body.options).toMatchObject({
      num_ctx: 12_000,
      num_predict: 512,
      temperature: 0,
    });
  });

  test('a huge training length does not fill the memory of the machine unasked', async () => {
    const { model, server } = await start(FINE, { window: 262_144 });
    await model.complete(ask('executor', [user('Hi')]), options());
    expect(server.calls()[0]?.body.options.num_ctx).toBe(32_768);
  });
});

describe('a prompt that was cut silently', () => {
  test('is noticed when the server has less room than it was asked for', async () => {
    const { model } = await start(FINE, { window: 1_000 }, { context_tokens: 8_000 });
    const { prompt_truncated } = await model.complete(ask('executor', [words(500), words(2_000)]), options());
    expect(prompt_truncated).toMatchObject({ reported: 1_000 });
    expect(prompt_truncated?.sent_estimate).toBeGreaterThan(2_000);
  });

  test('is noticed when the prompt filled its window', async () => {
    const { model } = await start(FINE, { window: 2_000 });
    const { prompt_truncated } = await model.complete(ask('executor', [words(500), words(1_500)]), options());
    expect(prompt_truncated).toBeDefined();
  });

  test('is not claimed of a prompt that fits', async () => {
    const { model } = await start(FINE, { window: 8_000 });
    const response = await model.complete(
      ask('executor', [words(2_000)], { tools: [WRITE_FILE] }),
      options(),
    );
    expect(response.prompt_truncated).toBeUndefined();
  });
});

test('call ids are unique across turns', async () => {
  const { model } = await start(
    '- {role: executor, repeat: true, calls: [{name: write_file, arguments: {path: a}}]}',
  );
  const ids = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const { tool_calls } = await model.complete(ask('executor', [user('Hi')]), options());
    for (const call of tool_calls) ids.add(call.id);
  }
  expect(ids.size).toBe(3);
});

test('tool results name their tool, and malformed arguments of the past stay readable', async () => {
  const { model, server } = await start(FINE);
  const thread: Message[] = [
    user('Hi'),
    { role: 'assistant', content: '', tool_calls: [{ id: 'c', name: 'write_file', arguments: "{'path'" }] },
    { role: 'tool', tool_call_id: 'c', name: 'write_file', content: 'not valid JSON' },
  ];
  await model.complete(ask('executor', thread), options());
  const [, , assistant, result] = server.calls()[0]?.body.messages ?? [];
  expect(assistant.tool_calls[0].function.arguments).toEqual({ INVALID_JSON: "{'path'" });
  expect(result).toMatchObject({ role: 'tool', tool_name: 'write_file', content: 'not valid JSON' });
});

test('thinking is switched by the configuration', async () => {
  for (const [config, think] of [
    [{}, undefined],
    [{ reasoning_effort: 'high' }, true],
    [{ reasoning_effort: 'high', model: 'gpt-oss:20b' }, 'high'],
    [{ reasoning_effort: 'none' }, false],
    [{ capabilities: { thinking: true } }, true],
  ] as const) {
    const { model, server } = await start(FINE, {}, config);
    await model.complete(ask('executor', [user('Hi')]), options());
    expect(server.calls()[0]?.body.think).toBe(think);
  }
});

test('thinking written into the text goes back into the text', async () => {
  const { model, server } = await start(
    '[{role: executor, step: 0, reply: ok, reasoning: hm}, {role: executor, step: 1, reply: ok}]',
    { thinkInText: true },
  );
  const first = await model.complete(ask('executor', [user('Hi')], { stream: true }), options());
  expect(first).toMatchObject({ content: 'ok', reasoning: { text: 'hm', format: 'think' } });
  const said: Message = { role: 'assistant', content: 'ok', reasoning: first.reasoning! };
  await model.complete(ask('executor', [user('Hi'), said, user('more')]), options());
  expect(server.calls()[1]?.body.messages[2].content).toBe('<think>\nhm\n</think>\n\nok');
});

test('a missing model says how to get it', async () => {
  const { model } = await start(FINE, { models: ['llama3.2:latest'] });
  const error = await failureOf(model.complete(ask('executor', [user('Hi')]), options()));
  expect(error.message).toContain('ollama pull fake-model');
  expect(error.message).toContain('llama3.2:latest');
});

test('a name without a tag finds the model tagged latest', async () => {
  const { model } = await start(FINE, { models: ['llama3.2:latest'] }, { model: 'llama3.2' });
  expect((await model.check(options().signal)).model).toBe('llama3.2');
});

test('a server that cannot constrain the answer is asked without a schema from then on', async () => {
  const { model, server } = await start('- {role: verifier, repeat: true, reply: {passed: true}}', {
    refuseSchema: true,
  });
  const schema = { name: 'verdict', schema: { type: 'object', properties: {} } };
  for (let i = 0; i < 2; i++) await model.complete(ask('verifier', [user('Judge')], { schema }), options());
  expect(server.calls().map(call => call.body.format !== undefined)).toEqual([true, false, false]);
});
