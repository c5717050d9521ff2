/** What a plan may cost before it runs: a range from "everything works at once" to "every subtask is long and tried twice".
 *
 *  Per subtask: 2 to 20 executor calls of 2,000 to 8,000 prompt tokens, and per attempt one review at tier 2 or the votes
 *  of tier 3 (3,000 to 8,000 prompt tokens). Answers count 200 to 600 tokens. Rules of thumb, not a promise: budgets
 *  (`--max-tokens`, `--max-cost`) are what holds. */
import type { Plan } from '../machines/plan.ts';
import type { Config } from '../store/config.ts';
import type { Estimate } from './loom.ts';

const LOW = { calls: 2, prompt: 2_000, review: 3_000, answer: 200, attempts: 1 };
const HIGH = { calls: 20, prompt: 8_000, review: 8_000, answer: 600, attempts: 2 };

export function estimateOf(plan: Plan, config: Config, votes: number): Estimate {
  const executor = priceOf(config, 'executor');
  const verifier = priceOf(config, 'verifier');
  const at = (size: typeof LOW) => {
    const work = plan.subtasks.length * size.calls;
    const perReview = { 1: 0, 2: 1, 3: votes } as Record<number, number>;
    const reviews =
      plan.subtasks.reduce((sum, node) => sum + (perReview[node.verification_tier] ?? 1), 0) * size.attempts;
    const dollars = (calls: number, prompt: number, price: { input: number; output: number } | null) =>
      price === null ? null : (calls * (prompt * price.input + size.answer * price.output)) / 1e6;
    const spent = [
      dollars(work, size.prompt, executor),
      reviews > 0 ? dollars(reviews, size.review, verifier) : 0,
    ];
    return {
      calls: work + reviews,
      tokens: work * (size.prompt + size.answer) + reviews * (size.review + size.answer),
      usd: spent.includes(null) ? null : spent.reduce<number>((sum, part) => sum + (part ?? 0), 0),
    };
  };
  const [low, high] = [at(LOW), at(HIGH)];
  return {
    model_calls: [low.calls, high.calls],
    tokens: [low.tokens, high.tokens],
    cost_usd: low.usd === null || high.usd === null ? null : [low.usd, high.usd],
  };
}

/** USD per million tokens of the model that would fill the role; null: it has no price. */
function priceOf(config: Config, role: 'executor' | 'verifier'): { input: number; output: number } | null {
  const models = Object.values(config.models);
  const model = models.find(candidate => candidate.roles.includes(role)) ?? models[0];
  if (!model || model.price_input === null || model.price_output === null) return null;
  return { input: model.price_input, output: model.price_output };
}
