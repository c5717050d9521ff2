/** A fake Ollama: /api/chat, /api/tags, /api/show; a prompt beyond num_ctx loses its oldest messages without a word. */
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

interface OllamaMessage {
  role: ScenarioMessage['role'];
  content: string;
}

const NAME = 'qwen2.5-coder:14b';
const TRAINED = 32_768;

/** Drops the oldest messages that are not system messages until the rest fits, as the real server does. */
function truncate(messages: OllamaMessage[], tools: unknown, room: number) {
  const fixed = tools ? tokensOf(tools) : 0;
  const total = (list: OllamaMessage[]) =>
    fixed + list.reduce((sum, message) => sum + tokensOf(message.content) + 4, 0);
  const kept = [...messages];
  while (kept.length > 1 && total(kept) > room) {
    const oldest = kept.findIndex((message, i) => message.role !== 'system' && i < kept.length - 1);
    if (oldest < 0) break;
    kept.splice(oldest, 1);
  }
  return { kept, counted: Math.min(room, total(kept)) };
}

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

/** Arguments that are not JSON never become a call on this server: the text stays in the answer. */
function settle(turn: ScenarioTurn, thinkInText: boolean) {
  const calls = turn.calls.filter(call => isJson(call.arguments));
  const broken = turn.calls.filter(call => !isJson(call.arguments));
  const tail = broken.map(
    call => `<tool_call>\n{"name": "${call.name}", "arguments": ${call.arguments}}\n</tool_call>`,
  );
  const thought = thinkInText && turn.reasoning ? `<think>\n${turn.reasoning}\n</think>\n\n` : '';
  return {
    text: thought + [turn.text, ...tail].filter(Boolean).join('\n'),
    thinking: thinkInText ? '' : turn.reasoning,
    calls: calls.map((call, index) => ({
      function: { index, name: call.name, arguments: JSON.parse(call.arguments) as unknown },
    })),
  };
}

export const fakeOllama: Wire = (scenario, options) => {
  const known = (model: unknown) =>
    !options.models || options.models.some(name => name === model || name === `${String(model)}:latest`);

  const details = {
    parent_model: '',
    format: 'gguf',
    family: 'qwen2',
    families: ['qwen2'],
    parameter_size: '14.8B',
    quantization_level: 'Q4_K_M',
  };

  async function chat({ body, response }: Exchange): Promise<void> {
    const model = String(body['model']);
    if (!known(model)) return json(response, 404, { error: `model '${model}' not found` });
    const tools = body['tools'] as unknown[] | undefined;
    if (tools?.length && options.refuseTools)
      return json(response, 400, { error: `registry.ollama.ai/library/${model} does not support tools` });
    if (body['format'] && options.refuseSchema)
      return json(response, 400, { error: 'invalid JSON schema in format' });
    const asked = (body['options'] ?? {}) as { num_ctx?: number; num_predict?: number };
    const room = Math.min(asked.num_ctx ?? 4_096, options.window ?? Number.POSITIVE_INFINITY);
    const { kept, counted } = truncate(body['messages'] as OllamaMessage[], tools, room);
    const played = play(
      scenario,
      kept.map(message => ({ role: message.role, text: message.content })),
      body,
    );
    if ('missing' in played) return json(response, 418, { error: played.missing });
    if (!(await waited(played, response))) return;
    if (played.error)
      return json(response, played.error.status, { error: played.error.message }, retryAfter(played));
    const turn = limited(played, asked.num_predict ?? 0);
    const { text, thinking, calls } = settle(turn, options.thinkInText ?? false);
    const head = { model, created_at: new Date().toISOString() };
    const end = {
      done_reason: turn.finish === 'length' ? 'length' : 'stop',
      done: true,
      total_duration: 1_000_000,
      load_duration: 100_000,
      prompt_eval_count: counted,
      prompt_eval_duration: 300_000,
      eval_count: tokensOf(text + thinking + JSON.stringify(calls)),
      eval_duration: 600_000,
    };
    const withCalls = calls.length > 0 ? { tool_calls: calls } : {};
    const thought = thinking ? { thinking } : {};
    if (body['stream'] === false) {
      if (turn.fault === 'cut_stream') return void response.destroy();
      return json(response, 200, {
        ...head,
        message: { role: 'assistant', content: text, ...thought, ...withCalls },
        ...end,
      });
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const line = (message: object, rest: object) =>
      `${JSON.stringify({ ...head, message: { role: 'assistant', content: '', ...message }, ...rest })}\n`;
    const lines = [
      ...pieces(thinking, options.chunk).map(piece => line({ thinking: piece }, { done: false })),
      ...pieces(text, options.chunk).map(content => line({ content }, { done: false })),
      ...(calls.length > 0 ? [line({ tool_calls: calls }, { done: false })] : []),
    ];
    if (turn.fault === 'stream_error') {
      const half = lines.slice(0, Math.max(1, lines.length >> 1));
      half.push(`${JSON.stringify({ error: 'llama runner process has terminated: exit status 2' })}\n`);
      await stream(response, half, options);
      return void response.end();
    }
    if (turn.fault !== 'no_done') lines.push(line({}, end));
    if (await stream(response, lines, options, cutAt(turn, lines))) response.end();
  }

  return async exchange => {
    const { method, path, body, response, headers } = exchange;
    if (options.key && headers.authorization !== `Bearer ${options.key}`)
      return json(response, 401, { error: 'unauthorized' });
    if (method === 'POST' && path === '/api/chat') return chat(exchange);
    if (method === 'GET' && path === '/api/tags')
      return json(response, 200, {
        models: (options.models ?? [NAME]).map(name => ({
          name,
          model: name,
          modified_at: '2026-01-01T00:00:00Z',
          size: 9_000_000_000,
          digest: 'f'.repeat(64),
          details,
        })),
      });
    if (method === 'POST' && path === '/api/show') {
      const model = body['model'] ?? body['name'];
      if (!known(model)) return json(response, 404, { error: `model '${String(model)}' not found` });
      return json(response, 200, {
        details,
        parameters: 'stop                           "<|im_end|>"',
        template: '{{ .Prompt }}',
        model_info: {
          'general.architecture': 'qwen2',
          'qwen2.context_length': options.window ?? TRAINED,
          'qwen2.embedding_length': 5120,
        },
        capabilities: options.refuseTools ? ['completion'] : ['completion', 'tools'],
      });
    }
    if (method === 'GET' && path === '/api/version') return json(response, 200, { version: '0.12.0' });
    response.writeHead(404, { 'content-type': 'text/plain' });
    response.end('404 page not found');
  };
};
