/** One HTTP client for all model servers, and what its failures mean. */
import type { ModelConfig } from '../../store/config.ts';
import { httpError, modelError, named } from './errors.ts';
import { ModelError } from './model.ts';

/** Handed to the SDKs, whose own clocks would otherwise end a call earlier than ours. */
export const SDK_TIMEOUT_MS = 1_800_000;

/** The HTTP client, loaded with the first call. */
export const modelFetch = async (): Promise<typeof fetch> => (await import('./http-client.ts')).clientFetch;

/** A signal of one call's own: clients hang listeners on it and forget them, which a long-lived signal would collect. */
export const ownSignal = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal]);

/** `base_url` as the SDK wants it: with exactly the version segment it needs. */
export function baseUrl(configured: string, fallback: string, version: 'with' | 'without'): string {
  const trimmed = configured.trim().replace(/\/+$/, '');
  if (!trimmed) return fallback;
  const url = /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  const bare = url.replace(/\/(chat\/completions|messages|api)$/, '');
  if (version === 'without') return bare.replace(/\/v\d+$/, '');
  return /\/v\d+[a-z]*(\/|$)/.test(new URL(bare).pathname) ? bare : `${bare}/v1`;
}

interface Cause {
  code?: unknown;
  name?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown[];
}

/** The innermost error codes and messages of a failed request. */
function causes(error: unknown): { codes: string[]; text: string } {
  const codes: string[] = [];
  const texts: string[] = [];
  for (let at = error as Cause | undefined, depth = 0; at && depth < 6; depth++) {
    if (typeof at.code === 'string') codes.push(at.code);
    for (const inner of at.errors ?? []) {
      const { code } = inner as Cause;
      if (typeof code === 'string') codes.push(code);
    }
    if (typeof at.message === 'string') texts.push(at.message);
    at = at.cause as Cause | undefined;
  }
  return { codes, text: texts.join(': ') };
}

const START: Record<ModelConfig['provider'], string> = {
  ollama: 'start it with `ollama serve`, or set OLLAMA_HOST or base_url to where it listens',
  openai_compatible: 'start the server, or correct base_url',
  anthropic: 'check the network connection, or correct base_url',
  scripted: '',
};

const WHY: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ECONNRESET: 'connection reset',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within 10 seconds',
};

export const aborted = (config: ModelConfig): ModelError =>
  modelError('aborted', `the call of ${named(config)} was aborted`);

/** Any failure of a request as a ModelError. `streaming`: the answer had begun. */
export function requestError(
  config: ModelConfig,
  address: string,
  error: unknown,
  state: { signal: AbortSignal; streaming: boolean },
): ModelError {
  if (error instanceof ModelError) return error;
  if (state.signal.aborted) return aborted(config);
  const { status, headers, message } = error as { status?: unknown; headers?: unknown; message?: unknown };
  if (typeof status === 'number' && status >= 400)
    return httpError(config, {
      status,
      message: serverWords(error) || String(message ?? ''),
      headers: headers instanceof Object && 'get' in headers ? (headers as Headers) : undefined,
      cause: error,
    });
  const { codes, text } = causes(error);
  const where = `${named({ ...config, base_url: address })}`;
  if (
    codes.some(code => /HEADERS_TIMEOUT|BODY_TIMEOUT|ETIMEDOUT/.test(code)) ||
    /request timed out/i.test(text)
  )
    return modelError('timeout', `${where} did not answer in time; it may be overloaded or still loading`, {
      cause: error,
    });
  if (state.streaming)
    return modelError(
      'cut_stream',
      `the answer of ${where} broke off: ${text || 'the connection was lost'}`,
      {
        cause: error,
      },
    );
  const known = codes.find(code => code in WHY);
  return modelError(
    'connection',
    `cannot reach ${where}: ${known ? WHY[known] : text || 'the request failed'}; ${START[config.provider]} in [models.${config.alias}]`,
    { cause: error, detail: { address } },
  );
}

/** What the server itself said in an SDK's error object. */
export function serverWords(error: unknown): string {
  const body = (error as { error?: unknown }).error;
  if (typeof body === 'string') return body;
  const inner = (body as { error?: unknown } | undefined)?.error ?? body;
  if (typeof inner === 'string') return inner;
  const { message, metadata, detail } = (inner ?? {}) as Record<string, unknown>;
  const raw = (metadata as { raw?: unknown } | undefined)?.raw;
  return [message, raw, detail].filter(part => typeof part === 'string').join(' ');
}
