/** The `scripted` provider: a scenario file answers, everything else in Loom is real. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelConfig } from '../../store/config.ts';
import { httpError, modelError } from './errors.ts';
import { estimateRequest, estimateTokens, messageText } from './estimate.ts';
import type { CallOptions, Model, ModelRequest, ModelResponse } from './model.ts';
import { loadScenario, type Scenario, type ScenarioTurn } from './scenario.ts';
import { tierOf } from './tier.ts';

const DEFAULT_WINDOW = 32_768;

/** Sleeps, or throws ModelError `aborted`. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (cause) {
    throw modelError('aborted', 'the model call was aborted', { cause });
  }
}

/** A model that plays `config.scenario`, read when it is first asked. */
export function scriptedModel(config: ModelConfig): Model {
  let scenario: Promise<Scenario> | undefined;
  let calls = 0;
  const load = () => (scenario ??= loadScenario(config.scenario));

  function failureOf(turn: ScenarioTurn) {
    if (!turn.error) return null;
    const wait = turn.error.retry_after;
    const headers = new Headers(wait === undefined ? {} : { 'retry-after': String(wait) });
    return httpError(config, { status: turn.error.status, message: turn.error.message ?? '', headers });
  }

  async function complete(request: ModelRequest, options: CallOptions): Promise<ModelResponse> {
    const { signal, onDelta } = options;
    if (signal.aborted) throw modelError('aborted', 'the model call was aborted');
    const turn = (await load()).next(
      request.messages.map(message => ({ role: message.role, text: messageText(message) })),
    );
    const n = ++calls;
    if (turn.fault === 'hang') await pause(2 ** 31 - 1, signal);
    if (turn.delay_ms > 0) await pause(turn.delay_ms, signal);
    const failed = failureOf(turn);
    if (failed) throw failed;
    const cut = turn.fault === 'cut_stream' || turn.fault === 'stream_error';
    const shown = cut ? turn.text.slice(0, turn.text.length >> 1) : turn.text;
    if (request.stream && shown) onDelta?.({ attempt: 1, offset: 0, text: shown });
    if (cut) throw modelError('cut_stream', `the scenario cut the answer after ${shown.length} characters`);
    const tool_calls = turn.calls.map((call, i) => ({ id: `script_${n}_${i}`, ...call }));
    const output = turn.text + turn.reasoning + turn.calls.map(call => call.name + call.arguments).join('');
    return {
      content: turn.text,
      ...(turn.reasoning
        ? { reasoning: { text: turn.reasoning, format: 'reasoning_content' as const } }
        : {}),
      tool_calls,
      finish: turn.finish,
      usage: { input_tokens: estimateRequest(request), output_tokens: estimateTokens(output) },
      model: config.model || 'scripted',
    };
  }

  return {
    config,
    tier: tierOf(config.model, config.tier),
    window: async () => config.context_tokens || DEFAULT_WINDOW,
    complete,
    async check() {
      await load();
      const model = config.model || 'scripted';
      return { model, window: config.context_tokens || DEFAULT_WINDOW, models: [model] };
    },
  };
}
