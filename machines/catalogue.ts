/** All machines by source, what their effects cost at worst, and which of their values have rows of their own. */
import { type Cost, NO_COST } from './budget.ts';
import { effectClass } from './effects.ts';
import type { Obligations } from './obligations.ts';
import type { Plan } from './plan.ts';
import type { Catalogue } from './react.ts';
import { remediation } from './remediation.ts';
import { session } from './session.ts';
import { subtask } from './subtask.ts';
import { task } from './task.ts';
import { turn } from './turn.ts';
import { verifier } from './verifier.ts';

/** The dearest that one call of a role can be. */
export interface RolePrice {
  /** Most tokens of one answer. */
  max_tokens: number;
  /** USD per token; 0 where unpriced. */
  input: number;
  output: number;
}

export type PricedRole = 'planner' | 'executor' | 'verifier' | 'extractor' | 'compactor';

const ROLE_OF: Record<string, PricedRole> = {
  plan: 'planner',
  replan: 'planner',
  resolve: 'planner',
  model: 'executor',
  compact: 'compactor',
  review: 'verifier',
  extract: 'extractor',
  reflect: 'extractor',
};

/** Prompt size assumed where the machine does not know it; a call that turns out larger reserves the rest. */
const UNKNOWN_PROMPT_TOKENS = 4_000;

/** Sizes are estimates until a server has counted: code and other languages take more tokens than English prose. */
const SLACK = 1.25;

/** Tokens that a prompt of this estimated size may have at worst. */
export const atWorst = (tokens: number): number => Math.ceil(tokens * SLACK);

export const planRowKey = (version: number): string => `plan/${String(version).padStart(4, '0')}`;

export const obligationsRowKey = (version: number): string => `ob/${String(version).padStart(4, '0')}`;

export function makeCatalogue(price: (role: PricedRole) => RolePrice): Catalogue {
  const worst = (source: string, input: unknown): Cost => {
    if (source === 'tool') return { ...NO_COST, tool_calls: 1 };
    const role = ROLE_OF[source];
    if (!role) return NO_COST;
    const { max_tokens, input: dollarsIn, output: dollarsOut } = price(role);
    const prompt = atWorst((input as { tokens?: number } | null)?.tokens || UNKNOWN_PROMPT_TOKENS);
    return {
      tokens: prompt + max_tokens,
      usd: prompt * dollarsIn + max_tokens * dollarsOut,
      model_calls: 1,
      tool_calls: 0,
    };
  };
  return {
    machines: { task, subtask, turn, verifier, remediation, session },
    versions: { task: 1, subtask: 1, turn: 1, verifier: 1, remediation: 1, session: 1 },
    apart: {
      task: {
        plan: (plan: Plan) => planRowKey(plan.version),
        obligations: (owed: Obligations) => obligationsRowKey(owed.version),
      },
    },
    classify: effectClass,
    worst,
  };
}
