/** Recorded traffic of real servers through the adapters; and the fake servers held to the same shapes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import type { ModelResponse } from '../../../actors/models/model.ts';
import { ModelError } from '../../../actors/models/model.ts';
import { splitThinking } from '../../../actors/models/thinking.ts';
import { ask, options, user, WRITE_FILE } from '../../support/calls.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { modelConfig } from '../../support/model-config.ts';
import { sharedRows } from '../../support/shared-data.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies of other people's APIs, looked into field by field
type Body = any;

interface WireRow {
  source: string;
  api: string;
  path: string;
  status: number;
  stream: boolean;
  content_type: string;
  request: Body;
  response: Body;
  response_raw: string | null;
}

const rows = sharedRows<WireRow>('wire.jsonl');
const chat = rows.filter(row => row.api === 'openai.chat');
const messages = rows.filter(row => row.api === 'anthropic.messages' && !row.path.includes('count_tokens'));

let current: WireRow;
let url = '';
const server = createServer((request, response) => {
  request.resume();
  // A listing is not part of what was recorded.
  if (request.method === 'GET') return void response.writeHead(404).end('{}');
  response.writeHead(current.status, { 'content-type': current.content_type });
  response.end(current.response_raw || JSON.stringify(current.response));
});
beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function replay(row: WireRow): Promise<ModelResponse | ModelError> {
  current = row;
  const provider = row.api === 'openai.chat' ? ('openai_compatible' as const) : ('anthropic' as const);
  const model = createModel(modelConfig({ provider, base_url: url, api_key: 'k', model: 'asked' }));
  try {
    return await model.complete(ask('session', [user('Hi')], { stream: row.stream }), options());
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

const events = (raw: string): Body[] =>
  raw
    .split(/\r?\n/)
    .filter(line => line.startsWith('data:') && !line.includes('[DONE]'))
    .map(line => JSON.parse(line.slice(5)) as Body);

/** What a plain reading of the recorded OpenAI answer says. */
function expectedChat(row: WireRow) {
  const list = row.stream ? events(row.response_raw ?? '') : [row.response];
  const choices = list.flatMap(item => item.choices?.slice(0, 1) ?? []);
  const pieces = choices.map(choice => choice.delta ?? choice.message);
  const usage =
    list.findLast(item => item.usage)?.usage ?? list.findLast(item => item.x_groq?.usage)?.x_groq.usage;
  const content = pieces.map(piece => (typeof piece.content === 'string' ? piece.content : '')).join('');
  return {
    content,
    names: pieces.flatMap(piece => piece.tool_calls ?? []).flatMap(call => call.function?.name || []),
    args: pieces
      .flatMap(piece => piece.tool_calls ?? [])
      .map(call => call.function?.arguments ?? '')
      .join(''),
    reasoning: pieces.map(piece => piece.reasoning_content ?? piece.reasoning ?? '').join(''),
    usage,
    finish: choices.findLast(choice => choice.finish_reason)?.finish_reason,
    parts: pieces.some(piece => Array.isArray(piece.content)),
  };
}

describe.runIf(chat.length > 0)('recorded OpenAI-compatible answers', () => {
  test.each(chat.filter(row => row.status === 200).map(row => [row.source, row] as const))(
    '%s',
    async (_, row) => {
      if (!row.stream && !row.response?.choices) {
        const error = (await replay(row)) as ModelError;
        expect(error.failure?.code).toBe('server');
        return expect(error.message).toContain('does base_url point to');
      }
      const expected = expectedChat(row);
      const broken = row.stream && events(row.response_raw ?? '').some(event => event.error);
      const got = await replay(row);
      if (broken || row.response?.error || expected.finish === 'error')
        return expect(got).toBeInstanceOf(ModelError);
      expect(got).not.toBeInstanceOf(ModelError);
      const response = got as ModelResponse;
      if (!expected.parts)
        expect(response.content.trim()).toBe(splitThinking(expected.content).content.trim());
      expect(response.tool_calls.map(call => call.name)).toEqual(expected.names);
      expect(response.tool_calls.map(call => call.arguments).join('')).toBe(expected.args);
      if (expected.reasoning) expect(response.reasoning?.text).toBe(expected.reasoning);
      if (expected.usage) {
        expect(response.usage.input_tokens).toBe(expected.usage.prompt_tokens);
        expect(response.usage.output_tokens).toBe(expected.usage.completion_tokens);
      }
      if (expected.finish === 'length') expect(response.finish).toBe('length');
      if (expected.names.length > 0) expect(response.finish).toBe('tool_calls');
      expect(response.tool_calls.every(call => call.id !== '')).toBe(true);
    },
  );

  test.each(chat.filter(row => row.status >= 400).map(row => [row.source, row] as const))(
    'error: %s',
    async (_, row) => {
      const error = (await replay(row)) as ModelError;
      expect(error).toBeInstanceOf(ModelError);
      expect(error.status).toBe(row.status);
      const code = { 400: 'bad_request', 404: 'not_found', 429: 'rate_limit' }[row.status];
      expect(error.failure.code).toBe(code);
      const words = row.response.error.message as string;
      expect(error.message).toContain(words.slice(0, 40));
    },
  );
});

describe.runIf(messages.length > 0)('recorded Anthropic answers', () => {
  test.each(messages.filter(row => row.status === 200).map(row => [row.source, row] as const))(
    '%s',
    async (_, row) => {
      const list = row.stream ? events(row.response_raw ?? '') : [];
      const deltas = list.filter(event => event.type === 'content_block_delta').map(event => event.delta);
      const blocks: Body[] = row.stream
        ? list.filter(event => event.type === 'content_block_start').map(event => event.content_block)
        : row.response.content;
      const text = row.stream
        ? deltas.map(delta => (delta.type === 'text_delta' ? delta.text : '')).join('')
        : blocks.map(block => (block.type === 'text' ? block.text : '')).join('');
      const usage = row.stream
        ? list.findLast(event => event.type === 'message_delta')?.usage
        : row.response.usage;
      const got = await replay(row);
      expect(got).not.toBeInstanceOf(ModelError);
      const response = got as ModelResponse;
      expect(response.content).toBe(text);
      const called = blocks.filter(block => block.type === 'tool_use');
      expect(response.tool_calls.map(call => [call.id, call.name])).toEqual(
        called.map(block => [block.id, block.name]),
      );
      if (!row.stream)
        expect(response.tool_calls.map(call => JSON.parse(call.arguments))).toEqual(
          called.map(block => block.input),
        );
      expect(response.usage.output_tokens).toBe(usage.output_tokens);
      const thoughts = blocks.filter(block => /thinking$/.test(block.type));
      expect(response.reasoning?.blocks ?? []).toHaveLength(thoughts.length);
      if (!row.stream && thoughts.length > 0) expect(response.reasoning?.blocks).toEqual(thoughts);
      if (row.stream && thoughts.length > 0) {
        const signatures = deltas.flatMap(delta =>
          delta.type === 'signature_delta' ? [delta.signature] : [],
        );
        const kept = response.reasoning?.blocks as Body[];
        expect(kept.flatMap(block => block.signature || [])).toEqual(signatures);
      }
    },
  );

  test.each(messages.filter(row => row.status >= 400).map(row => [row.source, row] as const))(
    'error: %s',
    async (_, row) => {
      const error = (await replay(row)) as ModelError;
      expect(error).toBeInstanceOf(ModelError);
      expect(error.failure.code).toBe(row.status === 404 ? 'not_found' : 'bad_request');
      expect(error.message).toContain((row.response.error.message as string).slice(0, 40));
    },
  );
});

/** Every key path of a JSON value, array positions left out. */
function paths(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.flatMap(item => paths(item, `${at}[]`));
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([key, inner]) => paths(inner, at ? `${at}.${key}` : key));
}

/** Paths the fake server sends that no real server was seen to send. */
const unseen = (fake: unknown[], real: unknown[]): string[] => {
  const known = new Set(real.flatMap(item => paths(item)));
  // An object that holds anything is known by its parents too.
  const open = [...known].join('\n');
  return [...new Set(fake.flatMap(item => paths(item)))].filter(
    path => !known.has(path) && !/\.input\b|arguments/.test(path) && !open.includes(`${path}.`),
  );
};

const SCENARIO = `
- {role: executor, step: 0, reply: "I write.", reasoning: "Hm.", calls: [{name: write_file, arguments: {path: a, content: b}}]}
- {role: executor, step: 0, reply: "I write.", reasoning: "Hm.", calls: [{name: write_file, arguments: {path: a, content: b}}]}
`;

async function fakeAnswers(kind: 'openai' | 'anthropic', path: string, body: object) {
  const fake = await startFakeServer(kind, SCENARIO);
  const send = async (stream: boolean) => {
    const response = await fetch(fake.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'm', max_tokens: 100, stream, ...body }),
    });
    return response.text();
  };
  try {
    const plain = JSON.parse(await send(false)) as Body;
    const streamed = await send(true);
    return { plain, streamed };
  } finally {
    await fake.stop();
  }
}

test.runIf(chat.length > 0)('the fake OpenAI server sends nothing that real ones do not', async () => {
  const { plain, streamed } = await fakeAnswers('openai', '/v1/chat/completions', {
    messages: [
      { role: 'system', content: '# Loom executor' },
      { role: 'user', content: 'Hi' },
    ],
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: WRITE_FILE }],
  });
  const ok = chat.filter(row => row.status === 200);
  expect(
    unseen(
      [plain],
      ok.filter(row => !row.stream).map(row => row.response),
    ),
  ).toEqual([]);
  const real = ok.filter(row => row.stream).flatMap(row => events(row.response_raw ?? ''));
  const calls = /tool_calls|reasoning_content/;
  expect(unseen(events(streamed), real).filter(path => !calls.test(path))).toEqual([]);
  expect(streamed.trimEnd().endsWith('data: [DONE]')).toBe(true);
});

test.runIf(messages.length > 0)(
  'the fake Anthropic server sends the events of the real one, in its order',
  async () => {
    const { plain, streamed } = await fakeAnswers('anthropic', '/v1/messages', {
      system: '# Loom executor',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ name: WRITE_FILE.name, input_schema: WRITE_FILE.parameters }],
    });
    const ok = messages.filter(row => row.status === 200);
    expect(
      unseen(
        [plain],
        ok.filter(row => !row.stream).map(row => row.response),
      ),
    ).toEqual([]);
    const real = ok.filter(row => row.stream).flatMap(row => events(row.response_raw ?? ''));
    expect(unseen(events(streamed), real)).toEqual([]);
    const order = (list: Body[]) =>
      [...new Set(list.map(event => event.type as string))].filter(type => type !== 'ping');
    expect(order(events(streamed))).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  },
);
