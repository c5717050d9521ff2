/** One routed model call for any role: fits the window, shows previews, journals start, retries and end. */
import { LoomError } from '../../machines/failure.ts';
import type { JournalLine } from '../../machines/react.ts';
import type { Role } from '../../store/config.ts';
import { fitWindow } from '../context-window.ts';
import type { EffectContext } from '../effect.ts';
import { type Message, ModelError, type ModelRequest, type ToolSchema } from '../models/model.ts';
import type { Routed } from '../models/router.ts';
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
  routed: Routed;
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
  try {
    const routed = await deps.router.call(
      role,
      {
        // The router knows which model will answer; only it can say how large the window is.
        prepare: (window, maxTokens) => {
          const room = Math.min(request.max_tokens ?? maxTokens, Math.floor(window / 2));
          const fitted = fitWindow(request.history, request.tools ?? [], window - room);
          return {
            messages: fitted.messages,
            max_tokens: room,
            stream: true,
            ...(request.tools ? { tools: request.tools } : {}),
            ...(request.schema ? { schema: request.schema } : {}),
          };
        },
      },
      {
        signal: context.signal,
        tier: request.tier,
        ...(request.avoid ? { avoid: request.avoid } : {}),
        onDelta: delta =>
          context.preview(
            'reset' in delta ? { attempt: delta.attempt, offset: 0, text: '', reset: true } : delta,
          ),
        onRetry: retry =>
          void context.note({ event_type: 'model_invocation', data: { phase: 'retry', ...about, ...retry } }),
      },
    );
    const { usage, prompt_truncated, finish } = routed.response;
    return {
      routed,
      tokens: usage.input_tokens,
      journal: [
        {
          event_type: 'model_invocation',
          data: {
            phase: 'done',
            ...about,
            alias: routed.alias,
            model: routed.response.model,
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
