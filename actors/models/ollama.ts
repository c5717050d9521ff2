/** Ollama over its own wire: the only one that lets the caller size the context window. */
import type { ChatResponse, Ollama } from 'ollama';
import type { ModelConfig } from '../../store/config.ts';
import { newCallId } from './call-id.ts';
import { httpError, modelError, named } from './errors.ts';
import { estimateRequest, estimateTokens } from './estimate.ts';
import { aborted, baseUrl, modelFetch, requestError, serverWords } from './http.ts';
import type { CallOptions, Model, ModelRequest, ModelResponse, Reasoning } from './model.ts';
import { ModelError } from './model.ts';
import { ollamaAddress } from './ollama-address.ts';
import { toOllama, toolsForOllama } from './ollama-messages.ts';
import { previewer } from './preview.ts';
import { splitThinking } from './thinking.ts';
import { tierOf } from './tier.ts';

const DEFAULT_WINDOW = 8_192;
/** A window that nobody configured is not opened wider than this: its cache would fill the memory of most machines. */
const WIDEST_UNASKED = 32_768;
const QUICK_MS = 3_000;

/** Words of an error body: `{"error": "…"}`, or plain text. */
function wordsOf(text: string): string {
  try {
    return serverWords({ error: JSON.parse(text) as unknown }) || text;
  } catch {
    return text;
  }
}

/** The window a model is served with: its `num_ctx` parameter, else its training length, bounded. */
function windowOf(shown: { parameters?: unknown; model_info?: unknown }): number | undefined {
  const own = /^\s*num_ctx\s+(\d+)/m.exec(String(shown.parameters ?? ''))?.[1];
  if (own) return Number(own);
  const trained = Object.entries((shown.model_info ?? {}) as Record<string, unknown>).find(([key]) =>
    key.endsWith('.context_length'),
  )?.[1];
  return typeof trained === 'number' && trained > 0 ? Math.min(trained, WIDEST_UNASKED) : undefined;
}

function thinkOption(config: ModelConfig): { think?: boolean | 'low' | 'medium' | 'high' } {
  const effort = config.reasoning_effort;
  if (effort === 'low' || effort === 'medium' || effort === 'high')
    // Only gpt-oss takes levels; other models know on and off.
    return { think: /gpt-oss/.test(config.model) ? effort : true };
  if (effort === 'none' || effort === 'off' || config.capabilities.thinking === false)
    return { think: false };
  return config.capabilities.thinking ? { think: true } : {};
}

/** Whether the server must have dropped a part of the prompt, judged by what it counted. */
function truncation(
  request: ModelRequest,
  reported: number,
  window: number,
): ModelResponse['prompt_truncated'] {
  const sent = estimateRequest(request);
  // Estimates may be too high by a third, so only a clear shortfall counts, or a prompt that filled the window.
  const short = sent > 512 && reported < sent * 0.6;
  const full = sent > window && reported >= window * 0.9;
  return reported > 0 && (short || full) ? { sent_estimate: sent, reported } : undefined;
}

/** Gathers stream chunks or one whole answer. */
class OllamaAnswer {
  text = '';
  thinking = '';
  readonly calls: { name: string; arguments: string }[] = [];
  last: ChatResponse | null = null;

  add(chunk: ChatResponse): string {
    const { message } = chunk;
    this.last = chunk;
    this.thinking += message?.thinking ?? '';
    this.text += message?.content ?? '';
    for (const { function: called } of message?.tool_calls ?? []) {
      const args: unknown = called.arguments;
      this.calls.push({
        name: called.name,
        arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
      });
    }
    return message?.content ?? '';
  }

  response(configured: string, sent: number, truncated: ModelResponse['prompt_truncated']): ModelResponse {
    const split = splitThinking(this.text);
    const reasoning: Reasoning | undefined = this.thinking
      ? { text: this.thinking, format: 'thinking' }
      : split.thinking
        ? { text: split.thinking, format: 'think' }
        : undefined;
    const reason = this.last?.done_reason;
    const stopped = this.calls.length > 0 ? 'tool_calls' : 'stop';
    return {
      content: split.content,
      ...(reasoning ? { reasoning } : {}),
      // Ollama's own ids are missing or repeat in every turn.
      tool_calls: this.calls.map(call => ({ id: newCallId(), ...call })),
      finish: reason === 'length' ? 'length' : reason === 'stop' || !reason ? stopped : 'unknown',
      usage: {
        input_tokens: this.last?.prompt_eval_count ?? sent,
        output_tokens: this.last?.eval_count ?? estimateTokens(this.text + this.thinking),
      },
      model: this.last?.model || configured,
      ...(truncated ? { prompt_truncated: truncated } : {}),
    };
  }
}

/** An adapter without connections; the SDK is loaded with the first call. */
export function ollamaModel(config: ModelConfig): Model {
  const address = baseUrl(config.base_url, ollamaAddress(process.env['OLLAMA_HOST']), 'without');
  const placed = { ...config, base_url: address };
  /** What the server turned out not to take; learned from its own refusals. */
  const refused = { schema: config.capabilities.json_schema === false, think: false };
  let window: number | undefined;

  /** A client whose every request ends with the signal, and whose refusals keep status and headers. */
  async function connect(signal: AbortSignal): Promise<Ollama> {
    const [sdk, fetch] = await Promise.all([import('ollama'), modelFetch()]);
    const call: typeof fetch = async (url, init) => {
      const theirs = init?.signal ? [init.signal] : [];
      const response = await fetch(url, { ...init, signal: AbortSignal.any([signal, ...theirs]) });
      if (response.ok) return response;
      const message = wordsOf(await response.text());
      throw httpError(placed, { status: response.status, message, headers: response.headers });
    };
    const headers = config.api_key ? { Authorization: `Bearer ${config.api_key}` } : {};
    return new sdk.Ollama({ host: address, fetch: call, headers });
  }

  async function names(signal: AbortSignal): Promise<string[]> {
    const { models } = await (await connect(signal)).list();
    return (models ?? []).map(model => model.name ?? model.model);
  }

  async function served(signal: AbortSignal): Promise<number> {
    if (config.context_tokens > 0) return config.context_tokens;
    if (window !== undefined) return window;
    try {
      const quick = AbortSignal.any([signal, AbortSignal.timeout(QUICK_MS)]);
      const shown = await (await connect(quick)).show({ model: config.model });
      window = windowOf(shown) ?? DEFAULT_WINDOW;
      return window;
    } catch {
      // The call that follows reports what is wrong; here only the size is unknown.
      if (signal.aborted) throw aborted(placed);
      return DEFAULT_WINDOW;
    }
  }

  async function explained(error: unknown, signal: AbortSignal, streaming: boolean): Promise<ModelError> {
    const mapped = requestError(config, address, error, { signal, streaming });
    if (mapped.failure.code !== 'not_found' || mapped.status === undefined) return mapped;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(QUICK_MS)]);
    const available = await names(limit).catch(() => []);
    return httpError(placed, { status: mapped.status, message: 'model not found', available, cause: error });
  }

  async function read(request: ModelRequest, { signal, onDelta }: CallOptions): Promise<ModelResponse> {
    const num_ctx = await served(signal);
    const answer = new OllamaAnswer();
    const tools = toolsForOllama(request.tools);
    const body = {
      model: config.model,
      messages: toOllama(request.messages),
      ...(tools.length > 0 ? { tools } : {}),
      ...(request.schema && !refused.schema ? { format: request.schema.schema } : {}),
      ...(refused.think ? {} : thinkOption(config)),
      options: {
        num_ctx,
        num_predict: request.max_tokens,
        temperature: request.temperature ?? config.temperature,
      },
    };
    let streaming = false;
    try {
      const sdk = await connect(signal);
      if (request.stream) {
        const stream = await sdk.chat({ ...body, stream: true });
        streaming = true;
        const show = previewer(onDelta);
        for await (const chunk of stream) {
          const piece = answer.add(chunk);
          if (piece) show(piece);
        }
      } else answer.add(await sdk.chat({ ...body, stream: false }));
    } catch (error) {
      throw await explained(asServerError(error, streaming), signal, streaming);
    }
    if (signal.aborted) throw aborted(placed);
    if (!answer.last?.done) throw modelError('cut_stream', `the answer of ${named(placed)} broke off`);
    const sent = estimateRequest(request);
    const counted = answer.last.prompt_eval_count ?? 0;
    return answer.response(config.model, sent, truncation(request, counted, num_ctx));
  }

  async function complete(request: ModelRequest, options: CallOptions): Promise<ModelResponse> {
    for (;;) {
      try {
        return await read(request, options);
      } catch (error) {
        const { status, message } = error instanceof ModelError ? error : { status: 0, message: '' };
        if (status !== 400 && status !== 500) throw error;
        const thinks = 'think' in thinkOption(config) && !refused.think;
        if (thinks && /support think/i.test(message)) refused.think = true;
        else if (request.schema && !refused.schema && /format|grammar|schema/i.test(message))
          refused.schema = true;
        else throw error;
      }
    }
  }

  /** The SDK throws a bare Error for an error line in the stream. */
  function asServerError(error: unknown, streaming: boolean): unknown {
    const plain = streaming && error instanceof Error && error.constructor === Error && !error.cause;
    if (!plain || /^Did not receive done/.test(error.message)) return error;
    return httpError(placed, { status: 500, message: error.message, cause: error });
  }

  return {
    config,
    tier: tierOf(config.model, config.tier),
    window: served,
    complete,
    async check(signal) {
      try {
        const models = await names(signal);
        const wanted = new Set([config.model, `${config.model}:latest`]);
        if (!models.some(name => wanted.has(name)))
          throw httpError(placed, { status: 404, message: 'not installed', available: models });
        return { model: config.model, window: await served(signal), models };
      } catch (error) {
        throw requestError(config, address, error, { signal, streaming: false });
      }
    },
  };
}
