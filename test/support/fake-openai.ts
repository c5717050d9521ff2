/** A fake OpenAI-compatible server: /v1/chat/completions (SSE and plain) and /v1/models, as strict as the real one. */
import type { ScenarioMessage, ScenarioTurn } from '../../actors/models/scenario.ts';
import {
  cutAt,
  type Exchange,
  type FakeOptions,
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

interface OpenAIMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content?: string | null | { type: string; text?: string }[];
  tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

const textOf = (content: OpenAIMessage['content']): string =>
  typeof content === 'string' ? content : (content ?? []).map(part => part.text ?? '').join('');

/** The first rule of the protocol that a message list breaks; '' when it keeps all of them. */
function protocolError(messages: OpenAIMessage[]): string {
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      const id = message.tool_call_id ?? '';
      if (!open.includes(id))
        return `Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls' (messages[${i}]).`;
      open = open.filter(other => other !== id);
      continue;
    }
    if (open.length > 0)
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`;
    if (message.role === 'assistant') {
      if (!message.tool_calls && typeof message.content !== 'string')
        return `Invalid value for 'content' of messages[${i}]`;
      if (message.tool_calls?.length === 0) return `[] is too short - 'messages.${i}.tool_calls'`;
      open = (message.tool_calls ?? []).map(call => call.id);
    }
  }
  return open.length > 0 ? `tool_call_ids did not have response messages: ${open.join(', ')}` : '';
}

const FINISH = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
} as const;

function written(turn: ScenarioTurn, options: FakeOptions) {
  const inText = options.thinkInText && turn.reasoning ? `<think>\n${turn.reasoning}\n</think>\n\n` : '';
  return { text: inText + turn.text, reasoning: options.thinkInText ? '' : turn.reasoning };
}

let count = 0;

export const fakeOpenAI: Wire = (scenario, options) => {
  const refuse = (exchange: Exchange, status: number, message: string, code: string | null = null) =>
    json(exchange.response, status, {
      error: { message, type: 'invalid_request_error', param: null, code },
    });

  async function chat(exchange: Exchange): Promise<void> {
    const { body, response } = exchange;
    const model = String(body['model']);
    if (options.models && !options.models.includes(model))
      return refuse(exchange, 404, `The model \`${model}\` does not exist.`, 'model_not_found');
    const messages = body['messages'] as OpenAIMessage[];
    const broken = protocolError(messages);
    if (broken) return refuse(exchange, 400, broken);
    const tools = body['tools'] as unknown[] | undefined;
    if (tools?.length && options.refuseTools)
      return refuse(
        exchange,
        400,
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
      );
    if (body['response_format'] && options.refuseSchema)
      return refuse(exchange, 400, "This model does not support 'response_format' of type 'json_schema'.");
    const prompt = tokensOf(messages) + (tools ? tokensOf(tools) : 0);
    if (options.window && prompt > options.window)
      return refuse(
        exchange,
        400,
        `This model's maximum context length is ${options.window} tokens. However, your messages resulted in ${prompt} tokens. Please reduce the length of the messages.`,
        'context_length_exceeded',
      );
    const asked = Number(body['max_tokens'] ?? body['max_completion_tokens'] ?? 0);
    if (options.window && prompt + asked > options.window)
      return refuse(
        exchange,
        400,
        `This model's maximum context length is ${options.window} tokens. However, you requested ${prompt + asked} tokens (${prompt} in the messages, ${asked} in the completion). Please reduce the length of the messages or completion.`,
        'context_length_exceeded',
      );
    const played = play(
      scenario,
      messages.map(
        (message): ScenarioMessage => ({
          role: message.role === 'developer' ? 'system' : message.role,
          text: textOf(message.content),
        }),
      ),
      body,
    );
    if ('missing' in played) return refuse(exchange, 418, played.missing);
    if (!(await waited(played, response))) return;
    if (played.error)
      return json(
        response,
        played.error.status,
        { error: { message: played.error.message, type: 'server_error', param: null, code: null } },
        retryAfter(played),
      );
    const turn = limited(played, asked);
    if (turn.fault === 'cut_stream' && !body['stream']) return void response.destroy();
    await (body['stream'] ? streamed : plain)(exchange, turn, usageOf(turn, prompt, asked));
  }

  const usageOf = (turn: ScenarioTurn, prompt: number, most: number) => {
    const written = tokensOf(turn.text + turn.reasoning + turn.calls.map(call => call.arguments).join(''));
    const { input, output } = options.bill?.(prompt, most) ?? { input: prompt, output: written };
    return {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: 0 },
    };
  };

  type Usage = ReturnType<typeof usageOf>;

  const callsOf = (turn: ScenarioTurn) =>
    turn.calls.map(call => ({
      id: `call_${(++count).toString(36).padStart(8, '0')}`,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    }));

  async function plain({ body, response }: Exchange, turn: ScenarioTurn, usage: Usage): Promise<void> {
    const { text, reasoning } = written(turn, options);
    const calls = callsOf(turn);
    json(response, 200, {
      id: `chatcmpl-${++count}`,
      object: 'chat.completion',
      created: 1_770_000_000,
      model: body['model'],
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: text || (calls.length > 0 ? null : ''),
            refusal: null,
            ...(reasoning ? { reasoning_content: reasoning } : {}),
            ...(calls.length > 0 ? { tool_calls: calls } : {}),
          },
          logprobs: null,
          finish_reason: FINISH[turn.finish],
        },
      ],
      usage,
    });
  }

  async function streamed({ body, response }: Exchange, turn: ScenarioTurn, used: Usage): Promise<void> {
    const { text, reasoning } = written(turn, options);
    const head = {
      id: `chatcmpl-${++count}`,
      object: 'chat.completion.chunk',
      created: 1_770_000_000,
      model: body['model'],
    };
    const event = (rest: object) => `data: ${JSON.stringify({ ...head, ...rest })}\n\n`;
    const delta = (part: object, finish_reason: string | null = null) => ({
      choices: [{ index: 0, delta: part, logprobs: null, finish_reason }],
    });
    const parts = [event(delta({ role: 'assistant', content: '' }))];
    for (const piece of pieces(reasoning, options.chunk))
      parts.push(event(delta({ reasoning_content: piece })));
    for (const piece of pieces(text, options.chunk)) parts.push(event(delta({ content: piece })));
    for (const [index, call] of callsOf(turn).entries()) {
      const { name, arguments: args } = call.function;
      parts.push(
        event(
          delta({
            tool_calls: [{ index, id: call.id, type: 'function', function: { name, arguments: '' } }],
          }),
        ),
      );
      for (const piece of pieces(args, options.chunk))
        parts.push(event(delta({ tool_calls: [{ index, function: { arguments: piece } }] })));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    if (turn.fault === 'stream_error') {
      const half = parts.slice(0, Math.max(2, parts.length >> 1));
      half.push(`data: ${JSON.stringify({ error: { message: 'Upstream failed', code: 502 } })}\n\n`);
      await stream(response, half, options);
      return void response.end();
    }
    const wanted = (body['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage;
    const usage = wanted ? used : undefined;
    const finish = delta({}, FINISH[turn.finish]);
    if (options.usageOnFinish) parts.push(event({ ...finish, usage }));
    else {
      parts.push(event(finish));
      if (usage) parts.push(event({ choices: [], usage }));
    }
    if (turn.fault !== 'no_done') parts.push('data: [DONE]\n\n');
    if (await stream(response, parts, options, cutAt(turn, parts))) response.end();
  }

  return async exchange => {
    const { method, path, headers } = exchange;
    if (options.key && headers.authorization !== `Bearer ${options.key}`)
      return refuse(exchange, 401, 'Incorrect API key provided.', 'invalid_api_key');
    if (method === 'POST' && path === '/v1/chat/completions') return chat(exchange);
    if (method === 'GET' && path === '/v1/models')
      return json(exchange.response, 200, {
        object: 'list',
        data: (options.models ?? ['fake-model']).map(id => ({
          id,
          object: 'model',
          created: 1_770_000_000,
          owned_by: 'fake',
          ...(options.window ? { max_model_len: options.window } : {}),
        })),
      });
    return refuse(exchange, 404, `Invalid URL (${method} ${path})`);
  };
};
