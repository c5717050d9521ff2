/** Anthropic's Messages API, and servers that speak it. */
import type Anthropic from '@anthropic-ai/sdk';
import type {
  Message,
  MessageCreateParamsBase,
  RawMessageStreamEvent,
  Tool,
} from '@anthropic-ai/sdk/resources/messages';
import type { Stream } from '@anthropic-ai/sdk/streaming';
import type { ModelConfig } from '../../store/config.ts';
import { AnthropicAnswer } from './anthropic-answer.ts';
import { systemOf, toAnthropic, toolsForAnthropic } from './anthropic-messages.ts';
import { httpError, modelError, named } from './errors.ts';
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
import { previewer } from './preview.ts';
import { tierOf } from './tier.ts';

const HOME = 'https://api.anthropic.com';
/** The version that other servers of this wire speak too, and the last to take `temperature`; later ones refuse it. */
const API_VERSION = '2023-06-01';
const DEFAULT_WINDOW = 200_000;
const LIST_MS = 3_000;

/** Models that take a fixed thinking budget rather than deciding by effort. */
const BUDGETED = /claude-3|claude-(opus|sonnet)-4(-[015]\b|-2025|$)|claude-haiku-4/;
const BUDGETS: Record<string, number> = {
  low: 1_024,
  medium: 4_096,
  high: 12_288,
  xhigh: 24_576,
  max: 32_768,
};

type ThinkingParams = Pick<MessageCreateParamsBase, 'thinking' | 'output_config'>;

function thinkingOf(config: ModelConfig, maxTokens: number): ThinkingParams {
  const effort = config.reasoning_effort;
  if (!(effort in BUDGETS)) return {};
  if (!BUDGETED.test(config.model))
    return { thinking: { type: 'adaptive' }, output_config: { effort: effort as 'low' } };
  const budget_tokens = Math.min(BUDGETS[effort]!, maxTokens - 1);
  return budget_tokens >= 1_024 ? { thinking: { type: 'enabled', budget_tokens } } : {};
}

/** What the server turned out not to take; learned from its own 400s. */
interface Refused {
  temperature: boolean;
  forcedTool: boolean;
}

/** Event types of errors in a stream, whose HTTP status was already 200. */
const STATUS_OF: Record<string, number> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  invalid_request_error: 400,
  request_too_large: 413,
  timeout_error: 408,
};

/** An adapter without connections; the SDK is loaded with the first call. */
export function anthropicModel(config: ModelConfig): Model {
  const address = baseUrl(config.base_url, HOME, 'without');
  const refused: Refused = { temperature: false, forcedTool: config.capabilities.json_schema === false };
  let client: Promise<Anthropic> | undefined;
  let window: number | undefined;

  async function connect(): Promise<Anthropic> {
    if (!config.api_key && address === HOME)
      throw modelError(
        'auth',
        `no key for ${named(config)}: set ANTHROPIC_API_KEY, or api_key in [models.${config.alias}]`,
      );
    client ??= Promise.all([import('@anthropic-ai/sdk'), modelFetch()]).then(
      ([sdk, fetch]) =>
        new sdk.default({
          // Always a key in code: without one the SDK would look for credentials of its own.
          apiKey: config.api_key || 'none',
          baseURL: address,
          maxRetries: 0,
          timeout: SDK_TIMEOUT_MS,
          logLevel: 'off',
          openTelemetry: false,
          fetch,
          defaultHeaders: {
            'anthropic-version': API_VERSION,
            Authorization: null,
            ...(config.api_key ? { 'x-api-key': config.api_key } : {}),
          },
        }),
    );
    return client;
  }

  function body(request: ModelRequest): { params: MessageCreateParamsBase; forced: string | null } {
    const thinking = thinkingOf(config, request.max_tokens);
    const tools = toolsForAnthropic(request.tools);
    // A forced call constrains the answer on every server; thinking models refuse to be forced.
    const force = request.schema && !thinking.thinking && tools.length === 0 && !refused.forcedTool;
    const answerTool: Tool[] =
      force && request.schema
        ? [
            {
              name: request.schema.name,
              description: 'Gives the answer.',
              input_schema: request.schema.schema as Tool['input_schema'],
            },
          ]
        : [];
    const offered = [...tools, ...answerTool];
    const forced = answerTool[0]?.name ?? null;
    const system = systemOf(request.messages);
    const temperature = request.temperature ?? config.temperature;
    return {
      forced,
      params: {
        model: config.model,
        max_tokens: request.max_tokens,
        messages: toAnthropic(request.messages),
        ...(system.length > 0 ? { system } : {}),
        ...(offered.length > 0 ? { tools: offered } : {}),
        ...(forced ? { tool_choice: { type: 'tool' as const, name: forced } } : {}),
        ...thinking,
        ...(thinking.thinking || refused.temperature ? {} : { temperature }),
      },
    };
  }

  async function read(request: ModelRequest, { signal, onDelta }: CallOptions): Promise<ModelResponse> {
    const { params, forced } = body(request);
    const answer = new AnthropicAnswer();
    let streaming = false;
    try {
      const sdk = await connect();
      if (request.stream) {
        const stream = await post<Stream<RawMessageStreamEvent>>(sdk, { ...params, stream: true }, signal);
        streaming = true;
        const show = previewer(onDelta);
        for await (const event of stream) {
          const piece = answer.event(event);
          if (piece) show(piece);
        }
        if (signal.aborted) throw aborted(config);
        if (answer.stop === null)
          throw modelError('cut_stream', `the answer of ${named(config)} ended without a stop reason`);
      } else {
        const whole = await post<Message>(sdk, { ...params, stream: false }, signal);
        if (!Array.isArray(whole?.content))
          throw modelError(
            'server',
            `${named({ ...config, base_url: address })} answered without content; does base_url point to a Messages API?`,
          );
        answer.whole(whole);
      }
    } catch (error) {
      const complete = streaming && answer.stop !== null && !signal.aborted && typeOf(error) === null;
      if (!complete) throw await explained(error, signal, streaming);
    }
    return answer.response(config.model, forced);
  }

  async function names(signal: AbortSignal): Promise<string[]> {
    const page = await (await connect()).models.list({}, { signal: ownSignal(signal) });
    return page.data.map(model => model.id);
  }

  async function explained(error: unknown, signal: AbortSignal, streaming: boolean): Promise<ModelError> {
    const type = typeOf(error);
    const status = (error as { status?: unknown }).status;
    if (!(error instanceof ModelError) && streaming && type !== null && status === undefined)
      return httpError(config, {
        status: STATUS_OF[type] ?? 500,
        message: serverWords(error) || type,
        cause: error,
      });
    const mapped = requestError(config, address, error, { signal, streaming });
    if (mapped.failure.code !== 'not_found' || mapped.status === undefined) return mapped;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]);
    const available = await names(limit).catch(() => []);
    return httpError(config, { status: mapped.status, message: serverWords(error), available, cause: error });
  }

  async function complete(request: ModelRequest, options: CallOptions): Promise<ModelResponse> {
    for (;;) {
      try {
        return await read(request, options);
      } catch (error) {
        if (!(error instanceof ModelError) || error.status !== 400) throw error;
        const words = serverWords(error.cause);
        if (/temperature/i.test(words) && !refused.temperature) refused.temperature = true;
        else if (request.schema && !refused.forcedTool && /tool|schema/i.test(words))
          refused.forcedTool = true;
        else throw error;
      }
    }
  }

  async function ask(signal: AbortSignal): Promise<{ id: string; window: number }> {
    const sdk = await connect();
    const info = await sdk.models.retrieve(config.model, {}, { signal: ownSignal(signal) });
    return { id: info.id, window: info.max_input_tokens || DEFAULT_WINDOW };
  }

  return {
    config,
    tier: tierOf(config.model, config.tier),
    complete,
    async window(signal) {
      if (config.context_tokens > 0) return config.context_tokens;
      if (window !== undefined) return window;
      try {
        window = (await ask(AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]))).window;
        return window;
      } catch {
        if (signal.aborted) throw aborted(config);
        return DEFAULT_WINDOW;
      }
    },
    async check(signal) {
      try {
        const { id, window: served } = await ask(signal);
        return { model: id, window: config.context_tokens || served, models: await names(signal) };
      } catch (error) {
        const mapped = await explained(error, signal, false);
        if (mapped.failure.code !== 'not_found' || (await names(signal).catch(() => null))) throw mapped;
        // A server without a model list: the cheapest answer proves the same.
        const messages = [{ role: 'user' as const, content: 'Say ok.' }];
        const { model } = await complete({ messages, max_tokens: 16, stream: false }, { signal });
        return { model, window: config.context_tokens || DEFAULT_WINDOW, models: [] };
      }
    },
  };
}

/** `messages.create` without its warnings on the console, which belongs to Loom's own screen. */
const post = <Answer>(
  sdk: Anthropic,
  body: MessageCreateParamsBase & { stream: boolean },
  signal: AbortSignal,
): Promise<Answer> =>
  sdk.post<Answer>('/v1/messages', { body, stream: body.stream, signal: ownSignal(signal) });

/** The error type a server sent in its body; null when the failure is not the server's word. */
function typeOf(error: unknown): string | null {
  const body = (error as { error?: { type?: unknown; error?: { type?: unknown } } }).error;
  const type = body?.error?.type ?? body?.type;
  return typeof type === 'string' ? type : null;
}
