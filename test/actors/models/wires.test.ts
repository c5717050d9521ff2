/** What every adapter must do, over each of the three wires, streaming and not, against a real HTTP server. */
import { afterEach, describe, expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import type { Message, Model } from '../../../actors/models/model.ts';
import type { ModelConfig } from '../../../store/config.ts';
import { ask, failureOf, options, screen, user, WRITE_FILE } from '../../support/calls.ts';
import type { FakeOptions, FakeServer } from '../../support/fake-http.ts';
import { type FakeKind, startFakeServer } from '../../support/fake-server.ts';
import { modelConfig } from '../../support/model-config.ts';

const PROVIDERS: Record<FakeKind, ModelConfig['provider']> = {
  ollama: 'ollama',
  openai: 'openai_compatible',
  anthropic: 'anthropic',
};

const running: FakeServer[] = [];
afterEach(async () => void (await Promise.all(running.splice(0).map(server => server.stop()))));

async function start(
  kind: FakeKind,
  scenario: string,
  fake: FakeOptions = {},
  config: Partial<ModelConfig> = {},
): Promise<{ server: FakeServer; model: Model }> {
  const server = await startFakeServer(kind, scenario, fake);
  running.push(server);
  const settings = { provider: PROVIDERS[kind], base_url: server.url, api_key: 'k-123', ...config };
  return { server, model: createModel(modelConfig(settings)) };
}

const KINDS: FakeKind[] = ['ollama', 'openai', 'anthropic'];
const BOTH = KINDS.flatMap(kind => [
  { kind, stream: true },
  { kind, stream: false },
]);

describe.each(BOTH)('$kind, stream $stream', ({ kind, stream }) => {
  test('text arrives whole, with usage and the server’s name of the model', async () => {
    const text = 'Grüße, 世界 — a line\nand another one with "quotes" and {braces}.';
    const { model } = await start(kind, `- {role: executor, reply: ${JSON.stringify(text)}}`);
    const seen = screen();
    const response = await model.complete(ask('executor', [user('Hi')], { stream }), options(seen));
    expect(response).toMatchObject({ content: text, finish: 'stop', model: 'fake-model', tool_calls: [] });
    expect(response.usage.input_tokens).toBeGreaterThan(5);
    expect(response.usage.output_tokens).toBeGreaterThan(5);
    expect(seen.text()).toBe(stream ? text : '');
  });

  test('calls go out, results go back, and the protocol is kept', async () => {
    const { model, server } = await start(
      kind,
      `
- role: executor
  step: 0
  reply: I write both.
  calls:
    - {name: write_file, arguments: {path: a.txt, content: "x\\ny"}}
    - {name: write_file, arguments: {path: b.txt, content: ""}}
- {role: executor, step: 1, reply: Done.}
`,
    );
    const first = await model.complete(
      ask('executor', [user('Write')], { stream, tools: [WRITE_FILE] }),
      options(),
    );
    expect(first.finish).toBe('tool_calls');
    expect(first.content).toBe('I write both.');
    expect(first.tool_calls.map(call => [call.name, JSON.parse(call.arguments)])).toEqual([
      ['write_file', { path: 'a.txt', content: 'x\ny' }],
      ['write_file', { path: 'b.txt', content: '' }],
    ]);
    const [one, two] = first.tool_calls;
    expect(one?.id).toBeTruthy();
    expect(one?.id).not.toBe(two?.id);
    const thread: Message[] = [
      user('Write'),
      { role: 'assistant', content: first.content, tool_calls: first.tool_calls },
      ...first.tool_calls.map(
        (call): Message => ({
          role: 'tool',
          tool_call_id: call.id,
          name: call.name,
          content: `wrote ${call.id}`,
        }),
      ),
      user('Attempt note'),
    ];
    const second = await model.complete(ask('executor', thread, { stream, tools: [WRITE_FILE] }), options());
    expect(second.content).toBe('Done.');
    const sent = JSON.stringify(server.calls()[1]?.body);
    for (const part of [`wrote ${one?.id}`, `wrote ${two?.id}`, 'Attempt note']) expect(sent).toContain(part);
  });

  test('a cut-off answer says so', async () => {
    const { model } = await start(kind, '- {role: executor, reply: "half a sen", finish: length}');
    const response = await model.complete(ask('executor', [user('Hi')], { stream }), options());
    expect(response).toMatchObject({ content: 'half a sen', finish: 'length' });
  });

  test('reasoning is kept apart and sent back as it came', async () => {
    const { model, server } = await start(
      kind,
      `
- {role: executor, step: 0, reasoning: "First I think.", reply: "Then I say."}
- {role: executor, step: 1, reply: "Again."}
`,
    );
    const seen = screen();
    const first = await model.complete(ask('executor', [user('Hi')], { stream }), options(seen));
    expect(first.content).toBe('Then I say.');
    expect(first.reasoning?.text).toBe('First I think.');
    expect(seen.text()).toBe(stream ? 'Then I say.' : '');
    const said: Message = {
      role: 'assistant',
      content: first.content,
      ...(first.reasoning ? { reasoning: first.reasoning } : {}),
    };
    await model.complete(ask('executor', [user('Hi'), said, user('More')], { stream }), options());
    const back = server.calls()[1]?.body.messages.find((message: Message) => message.role === 'assistant');
    if (kind === 'openai') expect(back.reasoning_content).toBe('First I think.');
    if (kind === 'ollama') expect(back.thinking).toBe('First I think.');
    // The fake server refuses a thinking block whose signature it did not give to exactly this text.
    if (kind === 'anthropic')
      expect(back.content[0]).toMatchObject({ type: 'thinking', thinking: 'First I think.' });
  });

  test('an abort ends the HTTP request at once', async () => {
    const { model, server } = await start(kind, '- {role: executor, reply: never, fault: hang}');
    const controller = new AbortController();
    const call = failureOf(
      model.complete(ask('executor', [user('Hi')], { stream }), { signal: controller.signal }),
    );
    await expect.poll(() => server.calls().length).toBe(1);
    const before = Date.now();
    controller.abort();
    expect((await call).failure).toMatchObject({ code: 'aborted', kind: 'terminal' });
    expect(Date.now() - before).toBeLessThan(1_000);
    await expect.poll(() => server.calls()[0]?.aborted).toBe(true);
  });

  test('many calls under one signal leave nothing on it', async () => {
    const { model } = await start(kind, '- {role: executor, repeat: true, reply: fine}');
    const { signal } = new AbortController();
    const warnings: string[] = [];
    const listen = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', listen);
    for (let i = 0; i < 15; i++) await model.complete(ask('executor', [user('Hi')], { stream }), { signal });
    await new Promise(resolve => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  test('429 with Retry-After is one attempt, retryable, with the wait the server asked for', async () => {
    const { model, server } = await start(
      kind,
      '- {role: executor, error: {status: 429, message: slow down, retry_after: 3}}',
    );
    const error = await failureOf(model.complete(ask('executor', [user('Hi')], { stream }), options()));
    expect(error.failure).toMatchObject({ kind: 'retryable', code: 'rate_limit' });
    expect(error.retry_after_ms).toBe(3000);
    expect(error.message).toContain('slow down');
    expect(server.calls()).toHaveLength(1);
  });

  test.each([
    [500, 'server', 'retryable'],
    [503, 'overloaded', 'retryable'],
    [403, 'auth', 'terminal'],
    [400, 'bad_request', 'terminal'],
  ])('status %i is %s, %s', async (status, code, kindOfFailure) => {
    const { model } = await start(kind, `- {role: executor, error: {status: ${status}, message: no}}`);
    const error = await failureOf(model.complete(ask('executor', [user('Hi')], { stream }), options()));
    expect(error.failure).toMatchObject({ code, kind: kindOfFailure });
    expect(error.status).toBe(status);
  });

  test('a server that refuses tools is recognised', async () => {
    const { model } = await start(kind, '- {role: executor, reply: x}', { refuseTools: true });
    const error = await failureOf(
      model.complete(ask('executor', [user('Hi')], { stream, tools: [WRITE_FILE] }), options()),
    );
    expect(error.failure.code).toBe('tools_unsupported');
  });

  test('a constrained answer comes back as text', async () => {
    const schema = {
      name: 'verdict',
      schema: { type: 'object', properties: { passed: { type: 'boolean' } } },
    };
    const { model, server } = await start(kind, '- {role: verifier, reply: {passed: true}}');
    const response = await model.complete(ask('verifier', [user('Judge')], { stream, schema }), options());
    expect(JSON.parse(response.content)).toEqual({ passed: true });
    expect(response).toMatchObject({ finish: 'stop', tool_calls: [] });
    const { body } = server.calls()[0] ?? {};
    if (kind === 'ollama') expect(body.format).toEqual(schema.schema);
    if (kind === 'openai') expect(body.response_format.json_schema.schema).toEqual(schema.schema);
    if (kind === 'anthropic') expect(body.tool_choice).toEqual({ type: 'tool', name: 'verdict' });
  });
});

describe.each(KINDS)('%s', kind => {
  test('a stream that breaks off is a cut stream, whatever was shown before', async () => {
    const reply = 'a long answer that is cut in its middle and never completed';
    const { model } = await start(kind, `- {role: executor, fault: cut_stream, reply: "${reply}"}`);
    const seen = screen();
    const error = await failureOf(
      model.complete(ask('executor', [user('Hi')], { stream: true }), options(seen)),
    );
    expect(error.failure).toMatchObject({ code: 'cut_stream', kind: 'retryable' });
    expect(reply.startsWith(seen.text())).toBe(true);
    expect(seen.text().length).toBeLessThan(reply.length);
  });

  test('an error in the middle of a stream is the server’s, and can be tried again', async () => {
    const { model } = await start(
      kind,
      '- {role: executor, fault: stream_error, reply: "one two three four five"}',
    );
    const error = await failureOf(model.complete(ask('executor', [user('Hi')], { stream: true }), options()));
    expect(error.failure.kind).toBe('retryable');
    expect(['server', 'overloaded']).toContain(error.failure.code);
  });

  test('an abort in the middle of a stream ends it', async () => {
    const { model, server } = await start(kind, `- {role: executor, reply: "${'word '.repeat(200)}"}`, {
      pace_ms: 10,
    });
    const controller = new AbortController();
    const call = failureOf(
      model.complete(ask('executor', [user('Hi')], { stream: true }), {
        signal: controller.signal,
        onDelta: () => controller.abort(),
      }),
    );
    expect((await call).failure.code).toBe('aborted');
    await expect.poll(() => server.calls()[0]?.aborted).toBe(true);
  });

  test('a refused connection names the address and what to do', async () => {
    const { model, server } = await start(kind, '- {role: executor, reply: x}');
    await server.stop();
    const error = await failureOf(model.complete(ask('executor', [user('Hi')], { stream: true }), options()));
    expect(error.failure).toMatchObject({ code: 'connection', kind: 'retryable' });
    expect(error.message).toContain(server.url);
    expect(error.message).toContain('connection refused');
    expect(error.message).toContain('[models.main]');
  });

  test('an unknown model is named, with those the server has', async () => {
    const { model } = await start(kind, '- {role: executor, reply: x}', { models: ['alpha', 'beta'] });
    for (const failing of [
      () => model.complete(ask('executor', [user('Hi')]), options()),
      () => model.check(options().signal),
    ]) {
      const error = await failureOf(failing());
      expect(error.failure.code).toBe('not_found');
      for (const word of ['fake-model', 'alpha', 'beta']) expect(error.message).toContain(word);
    }
  });

  test('a wrong key is an authentication failure, in check too', async () => {
    const { model } = await start(
      kind,
      '- {role: executor, reply: x}',
      { key: 'right' },
      { api_key_source: 'env:KEY' },
    );
    for (const failing of [
      () => model.complete(ask('executor', [user('Hi')]), options()),
      () => model.check(options().signal),
    ]) {
      const error = await failureOf(failing());
      expect(error.failure).toMatchObject({ code: 'auth', kind: 'terminal' });
      expect(error.message).toContain('env:KEY');
      expect(error.message).not.toContain('k-123');
    }
  });

  test('the configured key is sent', async () => {
    const { model } = await start(
      kind,
      '- {role: executor, reply: fine}',
      { key: 'right' },
      { api_key: 'right' },
    );
    expect((await model.complete(ask('executor', [user('Hi')]), options())).content).toBe('fine');
  });

  test('check reports the window and the models without a model call', async () => {
    const { model, server } = await start(kind, '- {role: executor, reply: x}', {
      models: ['fake-model', 'other'],
      window: 12_345,
    });
    expect(await model.check(options().signal)).toEqual({
      model: 'fake-model',
      window: 12_345,
      models: ['fake-model', 'other'],
    });
    expect(server.calls()).toHaveLength(0);
  });

  test('the window is asked once, and not at all when it is configured', async () => {
    const { model, server } = await start(kind, '- {role: executor, reply: x}', { window: 9_000 });
    expect(await model.window(options().signal)).toBe(9_000);
    expect(await model.window(options().signal)).toBe(9_000);
    expect(server.requests).toHaveLength(1);
    const fixed = createModel({ ...model.config, context_tokens: 777 });
    expect(await fixed.window(options().signal)).toBe(777);
    expect(server.requests).toHaveLength(1);
  });

  test('the address works with and without /v1 and with a slash at the end', async () => {
    const { model, server } = await start(kind, '- {role: executor, repeat: true, reply: here}');
    for (const suffix of ['', '/', '/v1', '/v1/']) {
      const other = createModel({ ...model.config, base_url: server.url + suffix });
      expect((await other.complete(ask('executor', [user('Hi')]), options())).content).toBe('here');
    }
  });

  test('images travel in messages and in tool results', async () => {
    const { model, server } = await start(kind, '- {role: executor, repeat: true, reply: seen}');
    const image = { type: 'image' as const, media_type: 'image/png', data: 'iVBORw0KGgo=' };
    const call = { id: 'c1', name: 'look', arguments: '{}' };
    const thread: Message[] = [
      { role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] },
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', name: 'look', content: [{ type: 'text', text: 'page 1' }, image] },
    ];
    const response = await model.complete(ask('executor', thread), options());
    expect(response.content).toBe('seen');
    const sent = JSON.stringify(server.calls()[0]?.body.messages);
    expect(sent.split('iVBORw0KGgo=')).toHaveLength(3);
    expect(sent).toContain('page 1');
  });
});
