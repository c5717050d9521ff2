/** Any server that speaks OpenAI's Chat Completions: LM Studio, vLLM, llama.cpp, OpenRouter, OpenAI itself. */
import type OpenAI from 'openai';
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { ModelConfig } from '../../store/config.ts';
import { httpError, modelError, named } from './errors.ts';
import { estimateRequest, estimateTokens } from './estimate.ts';
import {
  aborted,
  baseUrl,
  modelFetch,
  ownSignal,
  requestError,
  SDK_TIMEOUT_MS,
  serverWords,
} from './http.ts';
import type { CallOptions, Model, ModelRequest, ModelResponse } from './model.ts';
import { ModelError } from './model.ts';
import { AnswerBuilder, type WireAnswer } from './openai-answer.ts';
import { fitsStrict, toOpenAI, toolsForOpenAI } from './openai-messages.ts';
import { learnFrom, noQuirks, type Quirks } from './openai-quirks.ts';
import { previewer } from './preview.ts';
import { tierOf } from './tier.ts';
import { windowOfListing } from './windows.ts';

/** After the finish mark: how long to wait for the usage chunk of a server that never closes its stream. */
const AFTER_FINISH_MS = 1_500;
const LIST_MS = 1_500;
const DEFAULT_WINDOW = 8_192;

/** An adapter without connections; the SDK is loaded with the first call. */
export function openaiModel(config: ModelConfig): Model {
  const address = baseUrl(config.base_url, 'https://api.openai.com/v1', 'with');
  let quirks: Quirks = { ...noQuirks(), schema: config.capabilities.json_schema !== false };
  let client: Promise<OpenAI> | undefined;
  let window: number | undefined;

  const connect = () =>
    (client ??= Promise.all([import('openai'), modelFetch()]).then(
      ([sdk, fetch]) =>
        new sdk.default({
          apiKey: config.api_key || 'none',
          // Never what the environment says: only the configured key, to the configured address.
          organization: null,
          project: null,
          webhookSecret: null,
          baseURL: address,
          maxRetries: 0,
          timeout: SDK_TIMEOUT_MS,
          logLevel: 'off',
          fetch,
          ...(config.api_key ? {} : { defaultHeaders: { Authorization: null } }),
        }),
    ));

  function body(request: ModelRequest): ChatCompletionCreateParams {
    const temperature = request.temperature ?? config.temperature;
    const tools = toolsForOpenAI(request.tools);
    const format = quirks.schema ? request.schema : undefined;
    return {
      model: config.model,
      messages: toOpenAI(request.messages, quirks.reasoning),
      [quirks.tokens]: request.max_tokens,
      ...(quirks.temperature ? { temperature } : {}),
      ...(tools.length > 0 ? { tools } : {}),
      ...(config.reasoning_effort && quirks.effort
        ? { reasoning_effort: config.reasoning_effort as 'low' }
        : {}),
      ...(format
        ? {
            response_format: {
              type: 'json_schema',
              json_schema: { name: format.name, schema: format.schema, strict: fitsStrict(format.schema) },
            },
          }
        : {}),
      stream: request.stream,
      ...(request.stream && quirks.stream_options ? { stream_options: { include_usage: true } } : {}),
    };
  }

  /** Model names of the server with what it says of each; [] when it does not tell. */
  async function listing(signal: AbortSignal): Promise<Record<string, unknown>[]> {
    const sdk = await connect();
    const page = await sdk.models.list({ signal: ownSignal(signal) });
    const { data } = page as unknown as { data?: unknown };
    return Array.isArray(data) ? (data as Record<string, unknown>[]) : [];
  }

  async function read(request: ModelRequest, { signal, onDelta }: CallOptions): Promise<ModelResponse> {
    const sdk = await connect();
    const answer = new AnswerBuilder();
    let text = '';
    let streaming = false;
    try {
      const params = body(request);
      if (params.stream) {
        const stream = await sdk.chat.completions.create(params, { signal: ownSignal(signal) });
        streaming = true;
        const show = previewer(onDelta);
        for await (const chunk of untilFinished(stream, () => answer.finish !== null)) {
          const piece = answer.add(chunk as unknown as WireAnswer);
          text += piece;
          if (piece) show(piece);
        }
        if (signal.aborted) throw aborted(config);
        if (answer.finish === null)
          throw modelError('cut_stream', `the answer of ${named(config)} ended without a finish mark`);
      } else {
        const whole = await sdk.chat.completions.create(
          { ...params, stream: false },
          { signal: ownSignal(signal) },
        );
        if (!Array.isArray(whole?.choices) || whole.choices.length === 0) throw notOpenAI(whole);
        answer.add(whole as unknown as WireAnswer);
      }
    } catch (error) {
      // An answer whose finish mark was seen is whole, whatever happens to the connection afterwards.
      if (!(streaming && answer.finish !== null && !signal.aborted && !isServerError(error)))
        throw await explained(error, signal, streaming);
    }
    return answer.response(config.model, () => ({
      input_tokens: estimateRequest(request),
      output_tokens: estimateTokens(text),
    }));
  }

  const notOpenAI = (answer: unknown) => {
    const words = serverWords(answer ?? {}) || JSON.stringify(answer ?? null).slice(0, 120);
    return modelError(
      'server',
      `${named({ ...config, base_url: address })} answered without choices (${words}); does base_url point to an OpenAI-compatible API?`,
    );
  };

  async function explained(error: unknown, signal: AbortSignal, streaming: boolean): Promise<ModelError> {
    if (!(error instanceof ModelError) && streaming && isServerError(error)) {
      const code = Number((error as { code?: unknown }).code);
      const status = code >= 400 && code < 600 ? code : 500;
      return httpError(config, { status, message: serverWords(error), cause: error });
    }
    const mapped = requestError(config, address, error, { signal, streaming });
    if (mapped.failure.code !== 'not_found' || mapped.status === undefined) return mapped;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]);
    const available = await listing(limit).then(
      list => list.map(entry => String(entry['id'])),
      () => [],
    );
    return httpError(config, { status: mapped.status, message: serverWords(error), available, cause: error });
  }

  async function complete(request: ModelRequest, options: CallOptions): Promise<ModelResponse> {
    let limit = request.max_tokens;
    for (let lessons = 0; ; lessons++) {
      try {
        return await read({ ...request, max_tokens: limit }, options);
      } catch (error) {
        const known = error instanceof ModelError ? error : null;
        const room =
          known?.failure.code === 'context_length' ? roomLeft(serverWords(known.cause), limit) : null;
        if (room !== null && lessons < 4) {
          limit = room;
          continue;
        }
        const teaches =
          known && (known.status === 400 || known.status === 422) && known.failure.code !== 'context_length';
        const words = teaches ? serverWords(known.cause) : '';
        const sentSchema = request.schema !== undefined && known?.failure.code === 'bad_request';
        const lesson = teaches && lessons < 4 ? learnFrom(words, quirks, sentSchema) : null;
        if (!lesson || known?.failure.code === 'tools_unsupported') throw error;
        quirks = { ...quirks, ...lesson };
      }
    }
  }

  async function askWindow(signal: AbortSignal): Promise<number> {
    const list = await listing(signal);
    return windowOfListing(list, config.model) ?? DEFAULT_WINDOW;
  }

  return {
    config,
    tier: tierOf(config.model, config.tier),
    complete,
    async window(signal) {
      if (config.context_tokens > 0) return config.context_tokens;
      if (window !== undefined) return window;
      try {
        return (window = await askWindow(AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)])));
      } catch {
        if (signal.aborted) throw aborted(config);
        return windowOfListing([], config.model) ?? DEFAULT_WINDOW;
      }
    },
    async check(signal) {
      let list: Record<string, unknown>[];
      try {
        list = await listing(signal);
      } catch (error) {
        const mapped = requestError(config, address, error, { signal, streaming: false });
        if (mapped.failure.code !== 'not_found') throw mapped;
        // No listing on this server: the cheapest answer proves the same.
        const messages = [{ role: 'user' as const, content: 'Say ok.' }];
        const { model } = await complete({ messages, max_tokens: 16, stream: false }, { signal });
        return { model, window: await this.window(signal), models: [] };
      }
      const models = list.map(entry => String(entry['id']));
      if (models.length > 0 && !models.includes(config.model))
        throw httpError(config, { status: 404, message: 'the server does not list it', available: models });
      const known = config.context_tokens || windowOfListing(list, config.model);
      return { model: config.model, window: known || DEFAULT_WINDOW, models };
    },
  };
}

/** The least room for an answer that is worth a call. */
const LEAST_ANSWER = 256;

/** Some servers count the answer's limit against the window: how much the prompt leaves of it. Null when that is not the trouble. */
function roomLeft(words: string, limit: number): number | null {
  const window = Number(/maximum context length (?:is|of) (\d+)/i.exec(words)?.[1] ?? 0);
  const prompt = Number(
    /(\d+)(?: tokens)? (?:in|from) the (?:messages|input|prompt)|(\d+) input tokens/i
      .exec(words)
      ?.slice(1)
      .find(Boolean) ?? 0,
  );
  const room = window - prompt - 16;
  return window > 0 && prompt > 0 && room >= LEAST_ANSWER && room < limit ? room : null;
}

/** An error the server itself sent in the stream, as opposed to a broken connection. */
const isServerError = (error: unknown): boolean =>
  error !== null && typeof error === 'object' && (error as { error?: unknown }).error instanceof Object;

/** Ends a stream that stays open after its finish mark. */
async function* untilFinished<Chunk>(
  stream: AsyncIterable<Chunk>,
  finished: () => boolean,
): AsyncGenerator<Chunk> {
  const iterator = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = iterator.next();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<IteratorResult<Chunk>>(resolve => {
        if (finished()) timer = setTimeout(() => resolve({ done: true, value: undefined }), AFTER_FINISH_MS);
      });
      const result = await Promise.race([next, late]).finally(() => clearTimeout(timer));
      if (result.done) {
        next.catch(() => {});
        return;
      }
      yield result.value;
    }
  } finally {
    if (finished()) (stream as { controller?: AbortController }).controller?.abort();
  }
}
