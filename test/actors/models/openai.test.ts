/** OpenAI-compatible servers as they are: irregular streams, fields they refuse, windows they count differently. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import type { Message } from '../../../actors/models/model.ts';
import type { ModelConfig } from '../../../store/config.ts';
import { ask, failureOf, options, screen, user, WRITE_FILE } from '../../support/calls.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { modelConfig } from '../../support/model-config.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => void (await Promise.all(closing.splice(0).map(close => close()))));

type Answer = (body: Record<string, unknown>, response: ServerResponse) => void;

/** A server that answers exactly what a test says. */
async function raw(answer: Answer, config: Partial<ModelConfig> = {}) {
  const bodies: Record<string, unknown>[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    if (request.method === 'POST') bodies.push(body);
    answer(body, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { model: createModel(modelConfig({ provider: 'openai_compatible', base_url, ...config })), bodies };
}

const sse = (...chunks: unknown[]) =>
  chunks.map(chunk => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('');
const delta = (part: object, finish_reason: string | null = null, rest: object = {}) => ({
  id: 'x',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta: part, finish_reason }],
  ...rest,
});
const streaming =
  (text: string, keepOpen = false): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text);
    if (!keepOpen) response.end();
  };
const whole = (message: object, finish_reason = 'stop') =>
  JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message, finish_reason }],
  });
const refusing =
  (when: (body: Record<string, unknown>) => string | null): Answer =>
  (body, response) => {
    const message = when(body);
    response.writeHead(message ? 400 : 200, { 'content-type': 'application/json' });
    response.end(
      message ? JSON.stringify({ error: { message } }) : whole({ role: 'assistant', content: 'fine' }),
    );
  };

const complete = (model: ReturnType<typeof createModel>, stream = true, extra = {}) =>
  model.complete(ask('executor', [user('Hi')], { stream, ...extra }), options());

describe('streams', () => {
  test('without [DONE] a stream ends normally when its finish mark was seen', async () => {
    const { model, bodies } = await raw(streaming(sse(delta({ content: 'hello' }), delta({}, 'stop'))));
    expect(await complete(model)).toMatchObject({ content: 'hello', finish: 'stop' });
    expect(bodies).toHaveLength(1);
  });

  test('a server that never closes its stream is left soon after the finish mark', async () => {
    const { model } = await raw(streaming(sse(delta({ content: 'hello' }), delta({}, 'stop')), true));
    const before = Date.now();
    expect((await complete(model)).content).toBe('hello');
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  test('without a finish mark a stream is cut, [DONE] or not', async () => {
    for (const end of [sse(delta({ content: 'hel' })), sse(delta({ content: 'hel' }), '[DONE]')]) {
      const { model } = await raw(streaming(end));
      expect((await failureOf(complete(model))).failure.code).toBe('cut_stream');
    }
  });

  test('a usage chunk with no choices counts', async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 5 } };
    const { model } = await raw(
      streaming(
        sse(
          delta({ content: 'x' }),
          delta({}, 'stop'),
          { id: 'x', model: 'm', choices: [], usage },
          '[DONE]',
        ),
      ),
    );
    expect((await complete(model)).usage).toEqual({ input_tokens: 11, output_tokens: 7, cached_tokens: 5 });
  });

  test('usage on the finish chunk counts', async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 7 };
    const { model } = await raw(
      streaming(sse(delta({ content: 'x' }), delta({}, 'stop', { usage }), '[DONE]')),
    );
    expect((await complete(model)).usage).toEqual({ input_tokens: 11, output_tokens: 7 });
  });

  test('without any usage it is estimated', async () => {
    const { model } = await raw(
      streaming(sse(delta({ content: 'x'.repeat(400) }), delta({}, 'stop'), '[DONE]')),
    );
    const { usage } = await complete(model);
    expect(usage.output_tokens).toBe(100);
    expect(usage.input_tokens).toBeGreaterThan(0);
  });

  const call = (fields: object, fn: object) => delta({ tool_calls: [{ ...fields, function: fn }] });
  test.each([
    [
      'interleaved by index',
      [
        call({ index: 0, id: 'a' }, { name: 'one', arguments: '' }),
        call({ index: 1, id: 'b' }, { name: 'two', arguments: '{"y"' }),
        call({ index: 0 }, { arguments: '{"x":1}' }),
        call({ index: 1 }, { arguments: ':2}' }),
      ],
    ],
    [
      'without indexes',
      [
        call({ id: 'a' }, { name: 'one', arguments: '{"x"' }),
        call({}, { arguments: ':1}' }),
        call({ id: 'b' }, { name: 'two', arguments: '{"y":2}' }),
      ],
    ],
    [
      'with index 0 for all, told apart by id',
      [
        call({ index: 0, id: 'a' }, { name: 'one', arguments: '{"x":1}' }),
        call({ index: 0, id: 'b' }, { name: 'two', arguments: '{"y":2}' }),
      ],
    ],
    [
      'without ids',
      [
        call({ index: 0 }, { name: 'one', arguments: '{"x":1}' }),
        call({ index: 1 }, { name: 'two', arguments: '{"y":2}' }),
      ],
    ],
    [
      'with the name repeated in every delta',
      [
        call({ index: 0, id: 'a' }, { name: 'one', arguments: '{"x"' }),
        call({ index: 0, id: 'a' }, { name: 'one', arguments: ':1}' }),
        call({ index: 1, id: 'b' }, { name: 'two', arguments: '{"y":2}' }),
      ],
    ],
    [
      'with arguments as an object',
      [
        call({ index: 0, id: 'a' }, { name: 'one', arguments: { x: 1 } }),
        call({ index: 1, id: 'b' }, { name: 'two', arguments: { y: 2 } }),
      ],
    ],
  ])('calls %s', async (_, chunks) => {
    const { model } = await raw(streaming(sse(...chunks, delta({}, 'stop'), '[DONE]')));
    const { tool_calls, finish } = await complete(model);
    expect(tool_calls.map(({ name, arguments: args }) => [name, args])).toEqual([
      ['one', '{"x":1}'],
      ['two', '{"y":2}'],
    ]);
    expect(new Set(tool_calls.map(({ id }) => id)).size).toBe(2);
    expect(tool_calls.every(({ id }) => id !== '')).toBe(true);
    expect(finish).toBe('tool_calls');
  });

  test('thinking in the text is kept apart and never shown', async () => {
    const { model } = await raw(
      streaming(
        sse(
          ...['<th', 'ink>sec', 'ret</thi', 'nk>\n\nvis', 'ible'].map(content => delta({ content })),
          delta({}, 'stop'),
        ),
      ),
    );
    const seen = screen();
    const response = await model.complete(ask('executor', [user('Hi')], { stream: true }), options(seen));
    expect(response).toMatchObject({ content: 'visible', reasoning: { text: 'secret', format: 'think' } });
    expect(seen.text()).toBe('visible');
  });
});

describe('fields a server refuses are left out from then on', () => {
  const schema = { name: 'plan', schema: { type: 'object', properties: {} } };
  test.each([
    [
      'response_format',
      "'response_format' of type json_schema is not supported",
      { schema },
      'response_format',
    ],
    [
      'temperature',
      "Unsupported value: 'temperature' does not support 0.5 with this model.",
      { temperature: 0.5 },
      'temperature',
    ],
    ['stream_options', 'stream_options: extra fields not permitted', { stream: true }, 'stream_options'],
  ])('%s', async (_, message, request, field) => {
    const { model, bodies } = await raw((body, response) => {
      if (field in body) return refusing(() => message)(body, response);
      if (body['stream'])
        return streaming(sse(delta({ content: 'fine' }), delta({}, 'stop')))(body, response);
      refusing(() => null)(body, response);
    });
    for (let i = 0; i < 2; i++) expect((await complete(model, false, request)).content).toBe('fine');
    expect(bodies.map(body => field in body)).toEqual([true, false, false]);
  });

  test('max_tokens becomes max_completion_tokens', async () => {
    const { model, bodies } = await raw(
      refusing(body =>
        'max_tokens' in body
          ? "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
          : null,
      ),
    );
    await complete(model, false);
    expect(bodies.at(-1)).toMatchObject({ max_completion_tokens: 512 });
  });

  const thought: Message[] = [
    user('Hi'),
    { role: 'assistant', content: 'Hm.', reasoning: { text: 'why', format: 'reasoning_content' } },
    user('And?'),
  ];
  test('reasoning_content is left out where it is refused', async () => {
    const { model, bodies } = await raw(
      refusing(body =>
        JSON.stringify(body).includes('reasoning_content')
          ? 'reasoning_content is not allowed in input'
          : null,
      ),
    );
    await model.complete(ask('executor', thought), options());
    expect(bodies).toHaveLength(2);
  });

  test('reasoning_content is filled in where it is required', async () => {
    const plain: Message[] = [user('Hi'), { role: 'assistant', content: 'Hm.' }, user('And?')];
    const { model, bodies } = await raw(
      refusing(body =>
        JSON.stringify(body).includes('"reasoning_content":""')
          ? null
          : 'Missing `reasoning_content` field in the assistant message',
      ),
    );
    expect((await model.complete(ask('executor', plain), options())).content).toBe('fine');
    expect(bodies).toHaveLength(2);
  });

  test('a 400 that teaches nothing is not repeated', async () => {
    const { model, bodies } = await raw(refusing(() => 'this is nonsense'));
    expect((await failureOf(complete(model, false))).failure.code).toBe('bad_request');
    expect(bodies).toHaveLength(1);
  });

  test('a model configured without json_schema is never asked for it', async () => {
    const { model, bodies } = await raw(
      refusing(() => null),
      { capabilities: { json_schema: false } },
    );
    await complete(model, false, { schema });
    expect(bodies[0]).not.toHaveProperty('response_format');
  });
});

test('an answer limit that does not fit the window is lowered to what is left', async () => {
  const server = await startFakeServer('openai', '- {role: executor, reply: short}', { window: 1_000 });
  closing.push(server.stop);
  const model = createModel(modelConfig({ provider: 'openai_compatible', base_url: server.url }));
  const response = await model.complete(ask('executor', [user('Hi')], { max_tokens: 8_192 }), options());
  expect(response.content).toBe('short');
  expect(server.calls()).toHaveLength(2);
  expect(server.calls()[1]?.body.max_tokens).toBeLessThan(1_000);
});

test.each([
  ["This model's maximum context length is 4096 tokens.", 'context_length'],
  ['the request exceeds the available context size. try increasing the context size', 'context_length'],
  ['Trying to keep the first 9000 tokens when context the overflows. n_ctx 4096', 'context_length'],
  ['model does not support tools', 'tools_unsupported'],
  ['tool calling is not supported by this model', 'tools_unsupported'],
  ['Tools are not supported in streaming mode.', 'tools_unsupported'],
  ['No endpoints found that support tool use', 'tools_unsupported'],
  [
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    'tools_unsupported',
  ],
  ['Input validation error: messages is empty', 'bad_request'],
])('400 "%s" is %s', async (message, code) => {
  const { model } = await raw(refusing(() => message));
  const error = await failureOf(complete(model, false, { tools: [WRITE_FILE] }));
  expect(error.failure.code).toBe(code);
});

test('a page of HTML is explained as a wrong address', async () => {
  const { model } = await raw((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<html>It works!</html>');
  });
  expect((await failureOf(complete(model, false))).message).toContain(
    'does base_url point to an OpenAI-compatible API?',
  );
});

test.each([
  ['retry-after', '2', 2_000],
  ['retry-after-ms', '150', 150],
  ['retry-after', new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
  ['retry-after', 'soon', undefined],
])('%s: %s is a wait of %s ms', async (header, value, wait) => {
  const { model } = await raw((_, response) => {
    response.writeHead(429, { 'content-type': 'application/json', [header]: value });
    response.end('{"error":{"message":"slow down"}}');
  });
  const { retry_after_ms } = await failureOf(complete(model, false));
  if (wait === undefined) expect(retry_after_ms).toBeUndefined();
  else expect(Math.abs((retry_after_ms ?? 0) - wait)).toBeLessThan(60_000 * Number(wait > 60_000) + 1);
});

test('without a key no key is sent, whatever the environment holds', async () => {
  const server = await startFakeServer('openai', '- {role: executor, repeat: true, reply: x}');
  closing.push(server.stop);
  process.env['OPENAI_API_KEY'] = 'sk-from-environment';
  try {
    const model = createModel(modelConfig({ provider: 'openai_compatible', base_url: server.url }));
    await complete(model, false);
  } finally {
    delete process.env['OPENAI_API_KEY'];
  }
  expect(JSON.stringify(server.calls()[0]?.headers)).not.toContain('sk-from-environment');
  expect(server.calls()[0]?.headers['authorization']).toBeUndefined();
});
