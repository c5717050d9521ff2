/** What one routed model call costs with all its attempts, and how its reservation is kept to. */
import { type Cost, NO_COST } from '../../machines/budget.ts';
import type { ModelConfig } from '../../store/config.ts';
import type { EffectContext } from '../effect.ts';
import { ModelError } from '../models/model.ts';

/** The server had begun, or may have: what it read and wrote by then is paid for. */
const BEGAN = ['aborted', 'cut_stream', 'timeout'];
const CHARS_PER_TOKEN = 3;

const priced = ({ price_input, price_output }: ModelConfig, input: number, output: number): Cost => ({
  ...NO_COST,
  tokens: input + output,
  usd: (input * (price_input ?? 0) + output * (price_output ?? 0)) / 1e6,
});

export interface Meter {
  /** Text that arrived in an attempt: its length so far. */
  received(attempt: number, chars: number): void;
  /** Books what a failed attempt used. */
  failed(alias: string, code: string, attempt: number): void;
  /** Throws ModelError `budget` when there is no room for another attempt. */
  room(): Promise<void>;
}

/** @param prompt estimated tokens of the request · @param worst what the server of an alias may count for it
 *  @param answer most tokens of the answer */
export function meterCall(
  context: EffectContext,
  models: ModelConfig[],
  { prompt, worst, answer }: { prompt: number; worst(alias: string): number; answer: number },
): Meter {
  const chars = new Map<number, number>();
  const each = models.map(model => priced(model, worst(model.alias), answer));
  const dearest = {
    ...NO_COST,
    tokens: Math.max(...each.map(({ tokens }) => tokens)),
    usd: Math.max(...each.map(({ usd }) => usd)),
  };
  return {
    received: (attempt, length) => void chars.set(attempt, length),
    failed(alias, code, attempt) {
      const model = models.find(candidate => candidate.alias === alias);
      if (!model || !BEGAN.includes(code)) return;
      context.spend(priced(model, prompt, Math.ceil((chars.get(attempt) ?? 0) / CHARS_PER_TOKEN)));
    },
    async room() {
      const lack = await context.reserve({ ...dearest, model_calls: 1 });
      if (!lack) return;
      throw new ModelError({
        kind: 'terminal',
        code: 'budget',
        message: `the budget has no room for a request of ${prompt} tokens and its answer: resume with a higher limit`,
        detail: { ...lack },
      });
    },
  };
}
