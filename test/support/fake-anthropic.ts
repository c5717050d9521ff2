/** A fake Anthropic server: /v1/messages (SSE and plain) and /v1/models, as strict as the real one. */
import type { ScenarioMessage, ScenarioTurn } from '../../actors/models/scenario.ts';
import {
  cutAt,
  type Exchange,
  json,
  limited,
  pieces,
  play,
  retryAfter,
  stream,
  tokensOf,
  type Wire,
  waited,
} from './fake-http.ts';

interface Block {
  type: string;
  text?: string;
  content?: string | Block[];
  tool_use_id?: string;
  id?: string;
  signature?: string;
  thinking?: string;
}

interface AnthropicMessage {
  role: 'user' | 'assistant';
  content: string | Block[];
}

const blocksOf = (content: string | Block[] | undefined): Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);

const textOf = (blocks: Block[]): string => blocks.map(block => block.text ?? '').join('');

/** The first rule of the protocol that a message list breaks; '' when it keeps all of them. */
function protocolError(messages: AnthropicMessage[], signed: Map<string, string>): string {
  if (messages.length === 0) return 'messages: at least one message is required';
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role !== 'user' && message.role !== 'assistant')
      return `messages.${i}.role: Input should be 'user' or 'assistant'`;
    const blocks = blocksOf(message.content);
    if (blocks.length === 0) return `messages.${i}: all messages must have non-empty content`;
    if (blocks.some(block => block.type === 'text' && !block.text))
      return 'messages: text content blocks must be non-empty';
    const results = blocks
      .filter(block => block.type === 'tool_result')
      .map(block => block.tool_use_id ?? '');
    const missing = open.filter(id => !results.includes(id));
    if (missing.length > 0)
      return `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`;
    const orphan = results.find(id => !open.includes(id));
    if (orphan !== undefined)
      return `messages.${i}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}`;
    const forged = blocks.find(
      block => block.type === 'thinking' && signed.get(block.signature ?? '') !== block.thinking,
    );
    if (forged) return `messages.${i}.content: Invalid \`signature\` in \`thinking\` block`;
    open = blocks.filter(block => block.type === 'tool_use').map(block => block.id ?? '');
  }
  return open.length > 0 ? `\`tool_use\` ids without \`tool_result\` blocks: ${open.join(', ')}` : '';
}

function forScenario(system: unknown, messages: AnthropicMessage[]): ScenarioMessage[] {
  const out: ScenarioMessage[] = [{ role: 'system', text: textOf(blocksOf(system as string | Block[])) }];
  for (const message of messages) {
    const blocks = blocksOf(message.content);
    for (const block of blocks)
      if (block.type === 'tool_result') out.push({ role: 'tool', text: textOf(blocksOf(block.content)) });
    const text = textOf(blocks.filter(block => block.type === 'text'));
    if (text || message.role === 'assistant') out.push({ role: message.role, text });
  }
  return out;
}

const STOP = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use', refusal: 'refusal' } as const;

let count = 0;

export const fakeAnthropic: Wire = (scenario, options) => {
  /** What this server signed, to see whether it comes back as it was. */
  const signed = new Map<string, string>();

  const refuse = (
    { response }: Exchange,
    status: number,
    type: string,
    message: string,
    headers: Record<string, string> = {},
  ) =>
    json(
      response,
      status,
      { type: 'error', error: { type, message }, request_id: `req_${++count}` },
      headers,
    );

  /** The answer as content blocks; a constrained answer is a call of the tool that was forced. */
  function contentOf(turn: ScenarioTurn, forced: string | undefined) {
    const blocks: ({ type: string; raw?: string } & Record<string, unknown>)[] = [];
    if (turn.reasoning) {
      const signature = `sig-${++count}-${Buffer.from(turn.reasoning).toString('base64').slice(0, 24)}`;
      signed.set(signature, turn.reasoning);
      blocks.push({ type: 'thinking', thinking: turn.reasoning, signature });
    }
    const asCall = forced && turn.calls.length === 0;
    if (turn.text && !asCall) blocks.push({ type: 'text', text: turn.text });
    const calls = asCall ? [{ name: forced, arguments: turn.text }] : turn.calls;
    for (const call of calls)
      blocks.push({ type: 'tool_use', id: `toolu_${++count}`, name: call.name, raw: call.arguments });
    return { blocks, stop: asCall && turn.finish === 'stop' ? 'tool_use' : STOP[turn.finish] };
  }

  async function messages(exchange: Exchange): Promise<void> {
    const { body, response } = exchange;
    const bad = (message: string) => refuse(exchange, 400, 'invalid_request_error', message);
    const model = String(body['model']);
    if (options.models && !options.models.includes(model))
      return refuse(exchange, 404, 'not_found_error', `model: ${model}`);
    if (typeof body['max_tokens'] !== 'number') return bad('max_tokens: Field required');
    const list = body['messages'] as AnthropicMessage[];
    const broken = protocolError(list, signed);
    if (broken) return bad(broken);
    const tools = body['tools'] as unknown[] | undefined;
    const choice = body['tool_choice'] as { type: string; name?: string } | undefined;
    if (tools?.length && options.refuseTools && !choice)
      return bad('tools: this model does not support tools');
    if (choice && options.refuseSchema) return bad('tool_choice: forced tool use is not supported');
    const prompt = tokensOf(list) + tokensOf(body['system'] ?? '') + (tools ? tokensOf(tools) : 0);
    if (options.window && prompt > options.window)
      return bad(`prompt is too long: ${prompt} tokens > ${options.window} maximum`);
    const played = play(scenario, forScenario(body['system'], list), body);
    if ('missing' in played) return refuse(exchange, 418, 'invalid_request_error', played.missing);
    if (!(await waited(played, response))) return;
    if (played.error) {
      const { status, message } = played.error;
      const type = status === 429 ? 'rate_limit_error' : status === 529 ? 'overloaded_error' : 'api_error';
      return refuse(exchange, status, type, message, retryAfter(played));
    }
    const turn = limited(played, body['max_tokens']);
    if (turn.fault === 'cut_stream' && !body['stream']) return void response.destroy();
    const { blocks, stop } = contentOf(turn, choice?.name);
    const usage = {
      input_tokens: prompt,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: tokensOf(turn.text + turn.reasoning + turn.calls.map(call => call.arguments).join('')),
    };
    const head = { id: `msg_${++count}`, type: 'message', role: 'assistant', model };
    if (!body['stream'])
      return json(response, 200, {
        ...head,
        content: blocks.map(({ raw, ...block }) =>
          raw === undefined ? block : { ...block, input: input(raw) },
        ),
        stop_reason: stop,
        stop_sequence: null,
        usage,
      });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const parts = events(head, blocks, stop, usage, options.chunk);
    if (turn.fault === 'stream_error') {
      const half = parts.slice(0, Math.max(2, parts.length >> 1));
      half.push(event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }));
      await stream(response, half, options);
      return void response.end();
    }
    if (turn.fault === 'no_done') parts.pop();
    if (await stream(response, parts, options, cutAt(turn, parts))) response.end();
  }

  return async exchange => {
    const { method, path, headers, response } = exchange;
    if (options.key && headers['x-api-key'] !== options.key)
      return refuse(exchange, 401, 'authentication_error', 'invalid x-api-key');
    if (!headers['anthropic-version'])
      return refuse(exchange, 400, 'invalid_request_error', 'anthropic-version: header is required');
    if (method === 'POST' && path === '/v1/messages') return messages(exchange);
    const listed = (id: string) => ({
      type: 'model',
      id,
      display_name: id,
      created_at: '2026-01-01T00:00:00Z',
      max_input_tokens: options.window ?? 200_000,
      max_tokens: 8_192,
    });
    const names = options.models ?? ['fake-model'];
    if (method === 'GET' && path === '/v1/models')
      return json(response, 200, {
        data: names.map(listed),
        has_more: false,
        first_id: names[0],
        last_id: names.at(-1),
      });
    const asked = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
    if (method === 'GET' && asked && names.includes(decodeURIComponent(asked)))
      return json(response, 200, listed(decodeURIComponent(asked)));
    return refuse(exchange, 404, 'not_found_error', asked ? `model: ${asked}` : 'Not found');
  };
};

/** Without a stream the server can only send an object. */
function input(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return { INVALID_JSON: raw };
  }
}

const event = (type: string, rest: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

function events(
  head: object,
  blocks: ({ type: string; raw?: string } & Record<string, unknown>)[],
  stop: string,
  usage: { output_tokens: number; [key: string]: number },
  chunk: number | undefined,
): string[] {
  const parts = [
    event('message_start', {
      message: {
        ...head,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      },
    }),
    event('ping', {}),
  ];
  for (const [index, { raw, ...block }] of blocks.entries()) {
    const delta = (rest: object) => parts.push(event('content_block_delta', { index, delta: rest }));
    const empty =
      block.type === 'text'
        ? { type: 'text', text: '' }
        : block.type === 'thinking'
          ? { type: 'thinking', thinking: '', signature: '' }
          : { ...block, input: {} };
    parts.push(event('content_block_start', { index, content_block: empty }));
    for (const text of pieces(String(block['text'] ?? ''), chunk)) delta({ type: 'text_delta', text });
    for (const thinking of pieces(String(block['thinking'] ?? ''), chunk))
      delta({ type: 'thinking_delta', thinking });
    if (block['signature']) delta({ type: 'signature_delta', signature: block['signature'] });
    for (const partial_json of pieces(raw ?? '', chunk)) delta({ type: 'input_json_delta', partial_json });
    parts.push(event('content_block_stop', { index }));
  }
  parts.push(
    event('message_delta', {
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
  );
  parts.push(event('message_stop', {}));
  return parts;
}
