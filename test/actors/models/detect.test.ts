/** Without a configuration: what runs on this machine is found, the right model is picked, and clouds wait to be chosen. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import { detectModels, localServers, pickModel } from '../../../actors/models/detect.ts';
import { ollamaAddress } from '../../../actors/models/ollama-address.ts';
import { ask, options, user } from '../../support/calls.ts';
import { type FakeKind, startFakeServer } from '../../support/fake-server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => void (await Promise.all(closing.splice(0).map(close => close()))));

async function fake(kind: FakeKind, models: string[]) {
  const server = await startFakeServer(kind, '- {role: session, repeat: true, reply: hello}', { models });
  closing.push(server.stop);
  return server;
}

/** A web server that is something else. */
async function stranger(answer: (respond: (status: number, body: string) => void) => void): Promise<string> {
  const server = createServer((_, response) =>
    answer((status, body) => {
      response.writeHead(status, { 'content-type': 'text/html' });
      response.end(body);
    }),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const signal = new AbortController().signal;
const ollama = (base_url: string) => ({ name: 'Ollama', provider: 'ollama' as const, base_url });
const studio = (base_url: string) => ({
  name: 'LM Studio',
  provider: 'openai_compatible' as const,
  base_url,
});

test('a server where OLLAMA_HOST points is found and its model works at once', async () => {
  const server = await fake('ollama', ['nomic-embed-text:latest', 'qwen2.5-coder:14b']);
  const env = { OLLAMA_HOST: server.url.replace('http://', '') };
  const servers = localServers(env).slice(0, 1);
  const found = await detectModels({ env, signal, servers });
  expect(found.models).toMatchObject([
    {
      provider: 'ollama',
      base_url: server.url,
      model: 'qwen2.5-coder:14b',
      roles: expect.arrayContaining(['planner', 'verifier']),
    },
  ]);
  expect(found.lines.join('\n')).toMatch(/Ollama at .* 2 models; using qwen2\.5-coder:14b/);
  const reply = await createModel(found.models[0]!).complete(ask('session', [user('Hi')]), options());
  expect(reply.content).toBe('hello');
});

test('the first server in order with a usable model is used, the others are named', async () => {
  const [empty, lm] = [await fake('ollama', ['bge-m3']), await fake('openai', ['mistral-small'])];
  const second = await fake('openai', ['other']);
  const found = await detectModels({
    env: {},
    signal,
    servers: [ollama(empty.url), studio(lm.url), { ...studio(second.url), name: 'vLLM' }],
  });
  expect(found.models).toMatchObject([
    { provider: 'openai_compatible', base_url: lm.url, model: 'mistral-small' },
  ]);
  const text = found.lines.join('\n');
  for (const part of ['no chat model', 'ollama pull', 'using mistral-small', 'also found vLLM'])
    expect(text).toContain(part);
});

test('servers that are something else, silent or dead are passed over without a wait', async () => {
  const html = await stranger(respond => respond(200, '<html>hello</html>'));
  const missing = await stranger(respond => respond(404, 'no'));
  const silent = await stranger(() => {});
  const before = Date.now();
  const found = await detectModels({
    env: {},
    signal,
    servers: [ollama('http://127.0.0.1:1'), ollama(html), studio(missing), studio(silent)],
  });
  expect(Date.now() - before).toBeLessThan(3_000);
  expect(found.models).toEqual([]);
  expect(found.lines.join('\n')).toMatch(/no model server found.*\nstart Ollama, or add \[models\.main\]/);
});

test('keys in the environment are candidates only, and the lines never show them', async () => {
  const env = { ANTHROPIC_API_KEY: 'sk-ant-secret', OPENAI_API_KEY: 'sk-secret' };
  const found = await detectModels({ env, signal, servers: [] });
  expect(found.models).toEqual([]);
  expect(found.cloud.map(model => [model.provider, model.api_key_source])).toEqual([
    ['anthropic', 'env:ANTHROPIC_API_KEY'],
    ['openai_compatible', 'env:OPENAI_API_KEY'],
  ]);
  expect(found.lines.join('\n')).toContain('ANTHROPIC_API_KEY is set');
  expect(found.lines.join('\n')).not.toContain('secret');
});

test('only this machine is asked by default', () => {
  for (const server of localServers({})) expect(new URL(server.base_url).hostname).toBe('127.0.0.1');
});

describe('OLLAMA_HOST', () => {
  test.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    ['myhost', 'http://myhost:11434'],
    ['myhost:1234', 'http://myhost:1234'],
    [':1234', 'http://127.0.0.1:1234'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:9999', 'http://127.0.0.1:9999'],
    ['http://0.0.0.0:9999', 'http://127.0.0.1:9999'],
    ['http://myhost:1234', 'http://myhost:1234'],
    ['http://myhost:1234/', 'http://myhost:1234'],
    ['http://myhost', 'http://myhost:80'],
    ['https://myhost', 'https://myhost:443'],
    ['[::]:5000', 'http://127.0.0.1:5000'],
    ['[::1]:5000', 'http://[::1]:5000'],
    ['"127.0.0.1:5000"', 'http://127.0.0.1:5000'],
  ])('%s', (value, address) => {
    expect(ollamaAddress(value)).toBe(address);
  });
});

test.each([
  [['llama3.2:1b', 'qwen2.5-coder:7b', 'qwen2.5-coder:14b'], 'qwen2.5-coder:14b'],
  [['phi:latest', 'llama-3.1-8b-instruct'], 'llama-3.1-8b-instruct'],
  [['nomic-embed-text', 'gemma:2b'], 'gemma:2b'],
  [['bge-large', 'all-minilm'], null],
  [[], null],
])('of %j the choice is %s', (names, choice) => {
  const models = names.map(name => ({ name, bytes: null, billions: Number(/(\d+)b/.exec(name)?.[1] ?? 0) }));
  expect(pickModel(models)).toBe(choice);
});
