/** Sends a call to the right model: by role and tier, with retry by cause, and failover to the next model of the role. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, ModelConfig, Role } from '../../store/config.ts';
import type { ModelReport } from '../loom.ts';
import { backoffMs } from './backoff.ts';
import { type Candidate, candidatesFor, sameModel } from './choose.ts';
import { createModel } from './create-model.ts';
import { isRetryable, modelError } from './errors.ts';
import type { CallOptions, Model, ModelRequest, ModelResponse } from './model.ts';
import { ModelError } from './model.ts';
import { withToolsInPrompt } from './tools-in-prompt.ts';
import { seesImages, withoutImages } from './vision.ts';

/** What was learned about servers, kept by the caller across runs. */
interface Capabilities {
  get(key: string): string | undefined | Promise<string | undefined>;
  set(key: string, value: string): void | Promise<void>;
}

interface RouterCall extends CallOptions {
  /** The least tier that should do it; default 1. */
  tier?: number;
  /** Aliases to avoid as long as the role has another model. */
  exclude?: string[];
  /** Alias whose work is judged; default: the executor's. Decides `independent`. */
  author?: string;
  /** Told of each failed attempt. */
  onFailed?: (failed: FailedAttempt & { attempt: number }) => void;
  /** Asked before each further attempt, at this model or the next; throws a ModelError to prevent it. */
  again?: () => Promise<void>;
  /** The longest wait that still leaves time for an answer; default: no bound but the router's own. */
  patience_ms?: number;
  /** Makes the jitter repeatable; default: the role. */
  seed?: string;
}

/** One failed attempt on the way to the answer. */
interface FailedAttempt {
  alias: string;
  code: string;
  message: string;
}

export interface RouterAnswer {
  response: ModelResponse;
  alias: string;
  /** The model's own name as the server reports it. */
  model: string;
  config: ModelConfig;
  /** Another model than the author's. */
  independent: boolean;
  /** The schemas went into the system message; calls come as text. */
  tools_in_prompt: boolean;
  failed: FailedAttempt[];
}

export interface Router {
  call(role: Role, request: ModelRequest, options: RouterCall): Promise<RouterAnswer>;
  /** The model a call would start with. */
  pick(role: Role, options?: Pick<RouterCall, 'tier' | 'exclude'>): Model;
  /** Every model with the roles it really fills. No requests. */
  describe(): ModelReport[];
  /** The same after one cheap request each. */
  check(signal: AbortSignal): Promise<ModelReport[]>;
}

export interface RouterDeps {
  capabilities?: Capabilities;
  create?: (config: ModelConfig) => Model;
  /** Monotonic milliseconds. */
  now?: () => number;
}

const ROLES: Role[] = [
  'planner',
  'replanner',
  'executor',
  'verifier',
  'extractor',
  'compactor',
  'resolver',
  'session',
];
/** A model that just failed for good is asked last for this long, when the role has others. */
const REST_MS = 60_000;
/** A server that asks for a longer pause is not waited for: a person should know, and may rather do something else. */
const LONGEST_WAIT_MS = 300_000;
/** Another model may do what this one cannot. */
const TERMINAL_HERE = new Set(['auth', 'not_found', 'context_length']);

const toolsKey = (config: ModelConfig): string =>
  `tools|${config.provider}|${config.base_url}|${config.model}`;

function memory(): Capabilities {
  const known = new Map<string, string>();
  return { get: key => known.get(key), set: (key, value) => void known.set(key, value) };
}

export function createRouter(config: Config, deps: RouterDeps = {}): Router {
  const { capabilities = memory(), create = createModel, now = () => performance.now() } = deps;
  const models = Object.values(config.models).map(create);
  const byAlias = new Map(models.map(model => [model.config.alias, model]));
  const candidates: Candidate[] = models.map(model => ({ config: model.config, tier: model.tier }));
  const restingUntil = new Map<string, number>();
  const { execution } = config;
  const limits = {
    base_ms: execution.model_call_retry_base_delay_seconds * 1000,
    max_ms: execution.model_call_retry_max_delay_seconds * 1000,
    jitter_ms: execution.model_call_retry_jitter_seconds * 1000,
  };
  const attempts = Math.max(1, execution.model_call_max_attempts);

  function order(role: Role, { tier, exclude }: Pick<RouterCall, 'tier' | 'exclude'>): Model[] {
    const all = candidatesFor(role, candidates, tier).flatMap(({ config: { alias } }) => {
      const model = byAlias.get(alias);
      return model ? [model] : [];
    });
    if (all.length === 0)
      throw modelError(
        'connection',
        'no model is configured: add [models.main] to loom.toml, or start Ollama and run again',
      );
    const allowed = all.filter(model => !exclude?.includes(model.config.alias));
    const list = allowed.length > 0 ? allowed : all;
    const resting = (model: Model) => (restingUntil.get(model.config.alias) ?? 0) > now();
    return [...list.filter(model => !resting(model)), ...list.filter(resting)];
  }

  /** One attempt, with the schemas in the prompt where the server is known to refuse them. */
  async function attempt(model: Model, request: ModelRequest, options: CallOptions) {
    const key = toolsKey(model.config);
    const known = model.config.capabilities.tools === false || (await capabilities.get(key)) === 'refused';
    const seen = seesImages(model.config) ? request : withoutImages(request);
    const limited = {
      ...seen,
      max_tokens: Math.min(request.max_tokens, model.config.max_tokens || Infinity),
    };
    try {
      const sent = known ? withToolsInPrompt(limited) : limited;
      return { response: await model.complete(sent, options), tools_in_prompt: known };
    } catch (error) {
      const refused = error instanceof ModelError && error.failure.code === 'tools_unsupported';
      if (!refused || known || !request.tools?.length) throw error;
      await capabilities.set(key, 'refused');
      return { response: await model.complete(withToolsInPrompt(limited), options), tools_in_prompt: true };
    }
  }

  /** All attempts on one model. `others`: the role has another model, so that waiting long is not worth it. */
  async function tryModel(
    model: Model,
    request: ModelRequest,
    options: RouterCall,
    state: { attempt: number; failed: FailedAttempt[]; others: boolean },
  ) {
    const { signal, onDelta } = options;
    const { alias } = model.config;
    for (let n = 1; ; n++) {
      const number = ++state.attempt;
      let shown = false;
      const show: CallOptions['onDelta'] = delta => {
        shown = true;
        onDelta?.({ ...delta, attempt: number });
      };
      try {
        return await attempt(model, request, { signal, ...(onDelta ? { onDelta: show } : {}) });
      } catch (error) {
        const failure = asModelError(error, alias);
        const { code, message } = failure.failure;
        if (shown) onDelta?.({ attempt: number, reset: true });
        state.failed.push({ alias, code, message });
        options.onFailed?.({ attempt: number, alias, code, message });
        if (!isRetryable(code) || n >= attempts) throw failure;
        const wait = failure.retry_after_ms;
        if (state.others && (code === 'connection' || (wait ?? 0) > limits.max_ms)) throw failure;
        if ((wait ?? 0) > Math.max(limits.max_ms, Math.min(options.patience_ms ?? Infinity, LONGEST_WAIT_MS)))
          throw tooLong(failure, wait!);
        const ms = backoffMs(n, limits, options.seed ?? `${alias}|${request.messages.length}`, wait);
        await options.again?.();
        await pause(ms, signal);
      }
    }
  }

  async function call(role: Role, request: ModelRequest, options: RouterCall): Promise<RouterAnswer> {
    const list = order(role, options);
    const state = { attempt: 0, failed: [] as FailedAttempt[], others: false };
    const errors: ModelError[] = [];
    for (const [i, model] of list.entries()) {
      state.others = i < list.length - 1;
      try {
        if (i > 0) await options.again?.();
        const answer = await tryModel(model, request, options, state);
        restingUntil.delete(model.config.alias);
        return {
          ...answer,
          alias: model.config.alias,
          model: answer.response.model,
          config: model.config,
          independent: isIndependent(model, options),
          failed: state.failed,
        };
      } catch (error) {
        const failure = asModelError(error, model.config.alias);
        errors.push(failure);
        const { code } = failure.failure;
        if (!isRetryable(code) && !TERMINAL_HERE.has(code)) break;
        if (code !== 'context_length') restingUntil.set(model.config.alias, now() + REST_MS);
      }
    }
    throw summary(role, errors, state.failed);
  }

  function isIndependent(model: Model, { author, tier }: RouterCall): boolean {
    const judged = author ? byAlias.get(author) : order('executor', tier ? { tier } : {})[0];
    return judged !== undefined && !sameModel(judged.config, model.config);
  }

  const describe = (): ModelReport[] =>
    models.map(({ config: { alias, provider, model, base_url }, tier }) => ({
      alias,
      provider,
      model,
      base_url,
      roles: ROLES.filter(role =>
        candidatesFor(role, candidates).some(candidate => candidate.config.alias === alias),
      ),
      tier,
    }));

  async function checkOne(report: ModelReport, signal: AbortSignal): Promise<ModelReport> {
    const model = byAlias.get(report.alias);
    const started = now();
    try {
      const found = await model!.check(signal);
      return { ...report, ok: true, window: found.window, latency_ms: Math.round(now() - started) };
    } catch (error) {
      const { code, message } = asModelError(error, report.alias).failure;
      return { ...report, ok: false, latency_ms: Math.round(now() - started), error: { code, message } };
    }
  }

  return {
    call,
    pick: (role, options = {}) => order(role, options)[0]!,
    describe,
    check: signal => Promise.all(describe().map(report => checkOne(report, signal))),
  };
}

/** Adapters throw ModelError only; anything else is a defect that must still end as a stated failure. */
function asModelError(error: unknown, alias: string): ModelError {
  if (error instanceof ModelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return modelError('bad_request', `model "${alias}" failed unexpectedly: ${message}`, { cause: error });
}

/** The same failure, with the time from which it is worth trying again. */
function tooLong({ failure, status }: ModelError, wait: number): ModelError {
  const from = new Date(Date.now() + wait).toISOString().replace(/\.\d+Z$/, 'Z');
  const message = `${failure.message} · it asks to be left alone for ${Math.ceil(wait / 1_000)} s: resume after ${from}`;
  return new ModelError(
    { ...failure, message },
    { retry_after_ms: wait, ...(status === undefined ? {} : { status }) },
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (cause) {
    throw modelError('aborted', 'the model call was aborted while waiting to try again', { cause });
  }
}

/** One failure that says everything that was tried; its code is the first model's, an abort's if it was one. */
function summary(role: Role, errors: ModelError[], failed: FailedAttempt[]): ModelError {
  const last = errors.at(-1)!;
  if (last.failure.code === 'aborted' || last.failure.code === 'budget') return last;
  const counted = (alias: string) => failed.filter(attempt => attempt.alias === alias).length;
  const aliases = [...new Set(failed.map(attempt => attempt.alias))];
  const detail = { role, tried: failed };
  if (aliases.length <= 1) {
    const times = failed.length > 1 ? ` (${failed.length} attempts)` : '';
    const { kind, code, message } = last.failure;
    return new ModelError({ kind, code, message: message + times, detail }, options(last));
  }
  const parts = errors.map((error, i) => {
    const times = counted(aliases[i] ?? '');
    return `${error.failure.message}${times > 1 ? ` (${times} attempts)` : ''}`;
  });
  const first = errors[0]!;
  const kind = errors.some(error => error.failure.kind === 'retryable') ? 'retryable' : 'terminal';
  const message = `no model could do the ${role} call: ${parts.join(' · ')}`;
  return new ModelError({ kind, code: first.failure.code, message, detail }, options(first));
}

const options = (error: ModelError) => ({
  cause: error,
  ...(error.status === undefined ? {} : { status: error.status }),
  ...(error.retry_after_ms === undefined ? {} : { retry_after_ms: error.retry_after_ms }),
});
