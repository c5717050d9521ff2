/** Every way a model call fails, mapped to one stable code and a sentence that says what to do. */
import type { FailureKind } from '../../machines/failure.ts';
import type { ModelConfig } from '../../store/config.ts';
import { ModelError } from './model.ts';

export type ModelErrorCode =
  | 'auth'
  | 'not_found'
  | 'bad_request'
  | 'context_length'
  | 'rate_limit'
  | 'overloaded'
  | 'server'
  | 'timeout'
  | 'connection'
  | 'cut_stream'
  | 'aborted'
  | 'tools_unsupported'
  | 'script';

/** Trying the same model again may help with these, and with no other. */
const RETRYABLE = new Set<ModelErrorCode>([
  'rate_limit',
  'overloaded',
  'server',
  'timeout',
  'connection',
  'cut_stream',
]);

export const isRetryable = (code: string): boolean => RETRYABLE.has(code as ModelErrorCode);

export function modelError(
  code: ModelErrorCode,
  message: string,
  options: {
    status?: number;
    retry_after_ms?: number;
    cause?: unknown;
    detail?: Record<string, unknown>;
  } = {},
): ModelError {
  const { detail, ...rest } = options;
  const kind: FailureKind = RETRYABLE.has(code) ? 'retryable' : 'terminal';
  return new ModelError({ kind, code, message, ...(detail ? { detail } : {}) }, rest);
}

/** What an adapter knows of a failed HTTP answer. */
interface HttpFailure {
  status: number;
  /** The server's own words. */
  message: string;
  headers?: { get(name: string): string | null } | undefined;
  /** Names to offer when the model is unknown. */
  available?: string[];
  cause?: unknown;
}

const CONTEXT_LENGTH =
  /context[ _-]?(length|window|size)|maximum context|too many (input )?tokens|prompt is too long|input (is )?too long|exceeds? .{0,40}\b(context|tokens?)\b|request too large|n_ctx/i;
const TOOLS_REFUSED =
  /no endpoints found that support tool|(does not|doesn't|do not|don't|not) (currently )?support[^.]{0,40}\b(tools?|function)|\b(tools?|tool[ _-]?(use|calls?|calling|choice)|function[ _-]?calling)\b[^.]{0,60}(not (supported|available|enabled)|unsupported|is only supported|requires? --)/i;
const MODEL_UNKNOWN =
  /model.{0,80}(not found|does not exist|not exist|unknown|not loaded|invalid)|(no|unknown|invalid) (such )?model/i;

/** `alias` (`model` at `base_url`), as every message names the model. */
export const named = (config: ModelConfig): string =>
  `model "${config.alias}" (${config.model}${config.base_url ? ` at ${config.base_url}` : ''})`;

/** Milliseconds of a `Retry-After` header (seconds or a date), or of `retry-after-ms`; undefined when there is none. */
function retryAfterMs(headers: HttpFailure['headers'], now = Date.now()): number | undefined {
  const ms = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const value = headers?.get('retry-after');
  if (!value) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function codeOf({ status, message }: HttpFailure): ModelErrorCode {
  // 402: the account behind the key has no credit.
  if (status === 401 || status === 402 || status === 403) return 'auth';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 413) return 'context_length';
  if (status === 429) return 'rate_limit';
  if (status === 503 || status === 529) return 'overloaded';
  if (status === 409 || status >= 500) {
    // llama.cpp answers 500 where others answer 400, for a request that no retry can save.
    if (TOOLS_REFUSED.test(message)) return 'tools_unsupported';
    return CONTEXT_LENGTH.test(message) && status === 500 ? 'context_length' : 'server';
  }
  if (TOOLS_REFUSED.test(message)) return 'tools_unsupported';
  if (CONTEXT_LENGTH.test(message)) return 'context_length';
  return MODEL_UNKNOWN.test(message) ? 'not_found' : 'bad_request';
}

const PULL: Partial<Record<ModelConfig['provider'], string>> = { ollama: 'ollama pull' };

function advice(code: ModelErrorCode, config: ModelConfig, failure: HttpFailure): string {
  switch (code) {
    case 'auth':
      return config.api_key
        ? `check the key from ${config.api_key_source || 'the configuration'}`
        : `no key is configured: set api_key for [models.${config.alias}], or the provider's usual variable`;
    case 'not_found': {
      const available = failure.available?.length
        ? `available: ${failure.available.slice(0, 8).join(', ')}`
        : 'run `loom models --check` to see what the server offers';
      const pull = PULL[config.provider];
      return `check "model" in [models.${config.alias}]${pull ? `, or run \`${pull} ${config.model}\`` : ''}; ${available}`;
    }
    case 'context_length':
      return `the request is larger than the model's window: set context_tokens for [models.${config.alias}] to what the server really offers, or use a model with a larger window`;
    case 'tools_unsupported':
      return 'the server refuses tools for this model';
    case 'bad_request':
      return 'the server refused the request as it is; trying again would not help';
    default:
      return 'the server may recover: try again later, or configure a second model for the role';
  }
}

const shorten = (text: string, limit = 300): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}…`;

/** A failed HTTP answer as a ModelError. */
export function httpError(config: ModelConfig, failure: HttpFailure): ModelError {
  const code = codeOf(failure);
  const wait = retryAfterMs(failure.headers);
  const said = failure.message.trim() ? `: ${shorten(failure.message.trim())}` : '';
  return modelError(
    code,
    `${named(config)} answered ${failure.status}${said}; ${advice(code, config, failure)}`,
    {
      status: failure.status,
      ...(wait === undefined ? {} : { retry_after_ms: wait }),
      ...(failure.cause === undefined ? {} : { cause: failure.cause }),
    },
  );
}
