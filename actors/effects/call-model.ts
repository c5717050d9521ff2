/** One routed model call for any role: fits the window, shows previews, journals start, retries and end. */
import { LoomError } from '../../machines/failure.ts';
import type { JournalLine } from '../../machines/react.ts';
import type { Role } from '../../store/config.ts';
import { type Fitted, type FitWindow, fitWindow } from '../context-window.ts';
import type { EffectContext } from '../effect.ts';
import { messageText } from '../models/estimate.ts';
import { type Message, type Model, ModelError, type ModelRequest, type ToolSchema } from '../models/model.ts';
import type { RouterAnswer } from '../models/router.ts';
import { gaugeOf, type Shares } from '../window-gauge.ts';
import { meterCall } from './call-cost.ts';
import type { TaskDeps } from './deps.ts';

export interface CallRequest {
  history: Message[];
  tools?: ToolSchema[];
  schema?: ModelRequest['schema'];
  tier: number;
  subtask: string | null;
  /** Aliases not to use when another model has the role. */
  avoid?: string[];
  max_tokens?: number;
  /** What a compaction kept of the oldest messages. */
  memory?: string;
  /** How it is fitted to the window; by default as the work on a subtask is. */
  fitting?: FitWindow;
}

/** The request as it would be sent. */
interface Planned {
  model: Model;
  shares: Shares;
  fitted: Fitted;
}

/** Fits a request to the window of the model it would go to. Throws ModelError. */
export async function planCall(
  deps: TaskDeps,
  role: Role,
  request: CallRequest,
  signal: AbortSignal,
): Promise<Planned> {
  const model = deps.router.pick(role, choiceOf(request));
  const most = Math.min(request.max_tokens ?? Number.POSITIVE_INFINITY, model.config.max_tokens);
  const window = await model.window(signal);
  const shares = gaugeOf(deps.router).shares(model.config.alias, window, most);
  return { model, shares, fitted: fitTo(request, shares.prompt) };
}

const choiceOf = ({ tier, avoid }: CallRequest) => ({ tier, ...(avoid ? { exclude: avoid } : {}) });
const fitTo = ({ history, tools = [], memory, fitting }: CallRequest, budget: number): Fitted =>
  fitting ? fitting(history, tools, budget) : fitWindow(history, tools, budget, memory);

export interface Called {
  routed: RouterAnswer;
  journal: JournalLine[];
  /** Tokens of the request, as counted by the server or estimated. */
  tokens: number;
}

/** Failures of the model itself become data the machines know: `auth` and `no_model` make the run wait, resumable. */
const CODES: Record<string, string> = {
  auth: 'auth',
  connection: 'no_model',
  timeout: 'no_model',
  overloaded: 'no_model',
  server: 'no_model',
  rate_limit: 'no_model',
  cut_stream: 'no_model',
  not_found: 'no_model',
};

/** A failed call in words and codes that the machines know. */
export function stated(error: unknown, context: EffectContext, about: Record<string, unknown>): unknown {
  if (!(error instanceof ModelError)) return error;
  if (context.signal.aborted) return new LoomError('retryable', 'aborted', 'the model call was stopped');
  const code = CODES[error.failure.code] ?? error.failure.code;
  const kind = code === error.failure.code ? error.failure.kind : 'retryable';
  return new LoomError(kind, code, error.failure.message, {
    cause: error.failure.code,
    ...about,
    ...error.failure.detail,
  });
}

export async function callModel(
  deps: TaskDeps,
  context: EffectContext,
  role: Role,
  request: CallRequest,
): Promise<Called> {
  const about = { role, ...(request.subtask ? { subtask_id: request.subtask } : {}) };
  const gauge = gaugeOf(deps.router);
  const able = deps.router.describe().filter(({ roles }) => roles.includes(role));
  const models = able.flatMap(({ alias }) => deps.config.models[alias] ?? []);
  const send = async ({ model, shares, fitted: { messages, tokens } }: Planned) => {
    const worst = (alias: string) => gauge.worst(alias, tokens);
    const meter = meterCall(context, models, { prompt: tokens, worst, answer: shares.answer });
    await meter.room();
    return deps.router.call(
      role,
      {
        messages,
        max_tokens: shares.answer,
        temperature: model.config.temperature,
        stream: true,
        ...(request.tools ? { tools: request.tools } : {}),
        ...(request.schema ? { schema: request.schema } : {}),
      },
      {
        signal: context.signal,
        ...choiceOf(request),
        ...(request.avoid?.[0] ? { author: request.avoid[0] } : {}),
        onFailed: ({ alias, code, attempt }) => meter.failed(alias, code, attempt),
        again: meter.room,
        patience_ms: context.left(),
        onDelta: delta => {
          if ('reset' in delta)
            return context.preview({ attempt: delta.attempt, offset: 0, text: '', reset: true });
          meter.received(delta.attempt, delta.offset + delta.text.length);
          context.preview(delta);
        },
      },
    );
  };
  try {
    let planned = await planCall(deps, role, request, context.signal);
    const overflow: JournalLine[] = [];
    const routed = await send(planned).catch(error => {
      if (!(error instanceof ModelError) || error.failure.code !== 'context_length') throw error;
      // The provider knows its window better: shrunk once, and never sent as large again.
      const { model, shares, fitted: before } = planned;
      const smaller = gauge.refused(model.config.alias, before.tokens, shares, error.message);
      const after = fitTo(request, smaller.prompt);
      if (after.tokens >= before.tokens && smaller.answer >= shares.answer) throw error;
      overflow.push({
        event_type: 'overflow_fallback_applied',
        data: { ...about, ...shrinkage(before, after) },
      });
      planned = { model, shares: smaller, fitted: after };
      return send(planned);
    });
    const { gone, shortened, tokens } = planned.fitted;
    const truncated = routed.response.prompt_truncated !== undefined;
    gauge.counted(routed.alias, tokens, routed.response.usage.input_tokens, truncated);
    const { usage, prompt_truncated, finish } = routed.response;
    return {
      routed,
      tokens: usage.input_tokens,
      journal: [
        ...routed.failed.map(attempt => ({
          event_type: 'model_invocation',
          data: {
            phase: 'retry',
            ...about,
            alias: attempt.alias,
            error: `${attempt.code}: ${attempt.message}`.slice(0, 500),
          },
        })),
        ...overflow,
        ...(gone.length + shortened > 0
          ? [
              {
                event_type: 'compaction_policy_decision',
                data: {
                  ...about,
                  decision: gone.length > 0 ? 'drop_oldest' : 'compact_tool',
                  dropped: gone.length,
                  shortened,
                },
              },
            ]
          : []),
        {
          event_type: 'model_invocation',
          data: {
            phase: 'done',
            ...about,
            alias: routed.alias,
            model: routed.model,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            finish,
            ...(prompt_truncated ? { prompt_truncated } : {}),
          },
        },
      ],
    };
  } catch (error) {
    throw stated(error, context, about);
  }
}

/** What shrinking a refused request did to it. */
function shrinkage(before: Fitted, after: Fitted): Record<string, unknown> {
  const chars = ({ messages }: Fitted) =>
    messages.reduce((sum, message) => sum + messageText(message).length, 0);
  return {
    dropped: after.gone.length - before.gone.length,
    rewritten_messages: after.shortened,
    chars_reduced: chars(before) - chars(after),
    preserved_recent_messages: after.messages.length,
  };
}
