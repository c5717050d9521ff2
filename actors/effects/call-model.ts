/** One routed model call for any role: fits the window, shows previews, journals start, retries and end. */
import { LoomError } from '../../machines/failure.ts';
import type { JournalLine } from '../../machines/react.ts';
import type { Role } from '../../store/config.ts';
import { fitWindow } from '../context-window.ts';
import type { EffectContext } from '../effect.ts';
import { type Message, ModelError, type ModelRequest, type ToolSchema } from '../models/model.ts';
import type { RouterAnswer } from '../models/router.ts';
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
}

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

export async function callModel(
  deps: TaskDeps,
  context: EffectContext,
  role: Role,
  request: CallRequest,
): Promise<Called> {
  const about = { role, ...(request.subtask ? { subtask_id: request.subtask } : {}) };
  const choice = { tier: request.tier, ...(request.avoid ? { exclude: request.avoid } : {}) };
  try {
    const model = deps.router.pick(role, choice);
    const window = await model.window(context.signal);
    // The answer gets what it may use, but never more than half of a small window.
    const room = Math.min(
      request.max_tokens ?? Number.POSITIVE_INFINITY,
      model.config.max_tokens,
      Math.floor(window / 2),
    );
    const fitted = fitWindow(request.history, request.tools ?? [], window - room);
    const routed = await deps.router.call(
      role,
      {
        messages: fitted.messages,
        max_tokens: room,
        temperature: model.config.temperature,
        stream: true,
        ...(request.tools ? { tools: request.tools } : {}),
        ...(request.schema ? { schema: request.schema } : {}),
      },
      {
        signal: context.signal,
        ...choice,
        ...(request.avoid?.[0] ? { author: request.avoid[0] } : {}),
        onDelta: delta =>
          context.preview(
            'reset' in delta ? { attempt: delta.attempt, offset: 0, text: '', reset: true } : delta,
          ),
      },
    );
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
        ...(fitted.dropped > 0
          ? [
              {
                event_type: 'compaction_policy_decision',
                data: { ...about, decision: 'drop_oldest', dropped: fitted.dropped },
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
    if (!(error instanceof ModelError)) throw error;
    if (context.signal.aborted) throw new LoomError('retryable', 'aborted', 'the model call was stopped');
    const code = CODES[error.failure.code] ?? error.failure.code;
    const kind = code === error.failure.code ? error.failure.kind : 'retryable';
    throw new LoomError(kind, code, error.failure.message, { cause: error.failure.code, ...about });
  }
}
