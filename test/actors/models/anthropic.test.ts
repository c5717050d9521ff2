/** What is special about Anthropic's wire: one system prompt, strict turns, signed thinking, forced tools. */
import { afterEach, expect, test } from 'vitest';
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
  const server = await startFakeServer('anthropic', scenario, fake);
  running.push(server);
  const settings = { provider: 'anthropic' as const, base_url: server.url, api_key: 'k', ...config };
  return { server, model: createModel(modelConfig(settings)) };
}

const FINE = '- {role: executor, repeat: true, reply: fine}';

test('system messages anywhere become one system prompt, in order, none lost', async () => {
  const { model, server } = await start(FINE);
  await model.complete(
    ask('executor', [
      user('Hi'),
      { role: 'system', content: 'Second.' },
      user('Go'),
      { role: 'system', content: 'Third.' },
    ]),
    options(),
  );
  const { system, messages } = server.calls()[0]?.body ?? {};
  expect(system[0].text).toBe('# Loom executor\nBe brief.\n\nSecond.\n\nThird.');
  expect(messages.map((message: Message) => message.role)).toEqual(['user']);
});

test('results of several calls and the word after them are one user message, results first', async () => {
  const { model, server } = await start(FINE);
  const calls = ['a', 'b'].map(id => ({ id, name: 'write_file', arguments: '{"path":"x"}' }));
  const thread: Message[] = [
    user('Hi'),
    { role: 'assistant', content: '', tool_calls: calls },
    { role: 'tool', tool_call_id: 'a', name: 'write_file', content: 'one' },
    user('A reminder.'),
    { role: 'tool', tool_call_id: 'b', name: 'write_file', content: '' },
  ];
  await model.complete(ask('executor', thread, { tools: [WRITE_FILE] }), options());
  const { messages } = server.calls()[0]?.body ?? {};
  expect(messages).toHaveLength(3);
  expect(messages[2].content.map((block: { type: string }) => block.type)).toEqual([
    'tool_result',
    'tool_result',
    'text',
  ]);
});

test('malformed arguments reach the harness as they were written, and go back as an object', async () => {
  const { model, server } = await start(
    `[{role: executor, step: 0, calls: [{name: write_file, arguments: "{'path': 'a',}"}]}, {role: executor, step: 1, reply: ok}]`,
  );
  const first = await model.complete(
    ask('executor', [user('Hi')], { stream: true, tools: [WRITE_FILE] }),
    options(),
  );
  expect(first.tool_calls[0]?.arguments).toBe("{'path': 'a',}");
  const thread: Message[] = [
    user('Hi'),
    { role: 'assistant', content: '', tool_calls: first.tool_calls },
    { role: 'tool', tool_call_id: first.tool_calls[0]!.id, name: 'write_file', content: 'bad' },
  ];
  await model.complete(ask('executor', thread, { tools: [WRITE_FILE] }), options());
  expect(server.calls()[1]?.body.messages[1].content[0].input).toEqual({ INVALID_JSON: "{'path': 'a',}" });
});

test('reasoning of another server is not sent, since it has no signature', async () => {
  const { model, server } = await start(FINE);
  const said: Message = {
    role: 'assistant',
    content: 'ok',
    reasoning: { text: 'hm', format: 'reasoning_content' },
  };
  await model.complete(ask('executor', [user('Hi'), said, user('More')]), options());
  expect(JSON.stringify(server.calls()[0]?.body)).not.toContain('hm"');
});

test('a server that refuses a forced tool is asked without one from then on', async () => {
  const { model, server } = await start('- {role: verifier, repeat: true, reply: {passed: true}}', {
    refuseSchema: true,
  });
  const schema = { name: 'verdict', schema: { type: 'object', properties: {} } };
  for (let i = 0; i < 2; i++) {
    const response = await model.complete(ask('verifier', [user('Judge')], { schema }), options());
    expect(JSON.parse(response.content)).toEqual({ passed: true });
  }
  expect(server.calls().map(call => call.body.tool_choice !== undefined)).toEqual([true, false, false]);
});

test('reasoning effort turns thinking on and temperature off', async () => {
  const { model, server } = await start(FINE, {}, { reasoning_effort: 'high', model: 'claude-opus-5' });
  await model.complete(ask('executor', [user('Hi')]), options());
  const { body } = server.calls()[0] ?? {};
  expect(body).toMatchObject({ thinking: { type: 'adaptive' }, output_config: { effort: 'high' } });
  expect(body).not.toHaveProperty('temperature');
  const older = createModel({ ...model.config, model: 'claude-sonnet-4-5' });
  await older.complete(ask('executor', [user('Hi')], { max_tokens: 4_000 }), options());
  expect(server.calls()[1]?.body.thinking).toEqual({ type: 'enabled', budget_tokens: 3_999 });
});

test('the static part of a request is marked for the prompt cache', async () => {
  const { model, server } = await start(FINE);
  await model.complete(ask('executor', [user('Hi')]), options());
  const { system, messages } = server.calls()[0]?.body ?? {};
  expect(system[0].cache_control).toEqual({ type: 'ephemeral' });
  expect(messages[0].content[0].cache_control).toEqual({ type: 'ephemeral' });
});

test('a prompt beyond the window is recognised', async () => {
  const { model } = await start(FINE, { window: 100 });
  const error = await failureOf(model.complete(ask('executor', [user('word '.repeat(500))]), options()));
  expect(error.failure.code).toBe('context_length');
});

test('without a key the real address is never asked', async () => {
  const model = createModel(modelConfig({ provider: 'anthropic', model: 'claude-x' }));
  const error = await failureOf(model.complete(ask('executor', [user('Hi')]), options()));
  expect(error.failure.code).toBe('auth');
  expect(error.message).toContain('ANTHROPIC_API_KEY');
});

test('an end of the stream after the stop reason is an end', async () => {
  const { model } = await start('- {role: executor, fault: no_done, reply: whole}');
  expect((await model.complete(ask('executor', [user('Hi')], { stream: true }), options())).content).toBe(
    'whole',
  );
});
