/** What a run and each of its subtasks may use at most: the command line wins over the settings file, 0 there means no limit. */
import type { Limits } from '../machines/budget.ts';
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import type { RunOptions } from './loom.ts';

/** Limits that were asked for by whoever started or resumed the run. */
export type Asked = Pick<
  RunOptions,
  'max_tokens' | 'max_cost' | 'max_model_calls' | 'max_tool_calls' | 'timeout_seconds'
>;

export interface RunLimits {
  task: Limits;
  /** Of each subtask. */
  subtask: Limits;
  /** Time in which processes work on the run, all of them together. */
  timeout_seconds: number | null;
}

/** What a person may have raised in the settings file before they resume. */
const BUDGET_KEYS = [
  'max_task_wall_clock_seconds',
  'max_task_total_tokens',
  'max_task_cost_usd',
  'max_task_model_invocations',
  'max_task_tool_calls',
  'max_subtask_total_tokens',
  'max_subtask_cost_usd',
  'max_subtask_model_invocations',
  'max_subtask_tool_calls',
  'max_subtask_work_seconds',
] as const satisfies (keyof Config['execution'])[];

/** The stored configuration with the budgets of the present one. */
export const withBudgets = (stored: Config, { execution }: Config): Config => ({
  ...stored,
  execution: {
    ...stored.execution,
    ...Object.fromEntries(BUDGET_KEYS.map(key => [key, execution[key]])),
  },
});

/** Only what was given. */
export function askedOf(options: Asked): Asked {
  const { max_tokens, max_cost, max_model_calls, max_tool_calls, timeout_seconds } = options;
  const given = { max_tokens, max_cost, max_model_calls, max_tool_calls, timeout_seconds };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const limited = (limits: { [name in keyof Limits]: Limits[name] | undefined }): Limits =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));

export function limitsOf({ execution }: Config, asked: Asked): RunLimits {
  return {
    task: limited({
      tokens: asked.max_tokens ?? (execution.max_task_total_tokens || undefined),
      usd: asked.max_cost ?? (execution.max_task_cost_usd || undefined),
      model_calls: asked.max_model_calls ?? (execution.max_task_model_invocations || undefined),
      tool_calls: asked.max_tool_calls ?? (execution.max_task_tool_calls || undefined),
    }),
    subtask: limited({
      tokens: execution.max_subtask_total_tokens || undefined,
      usd: execution.max_subtask_cost_usd || undefined,
      model_calls: execution.max_subtask_model_invocations || undefined,
      tool_calls: execution.max_subtask_tool_calls || undefined,
      seconds: execution.max_subtask_work_seconds || undefined,
    }),
    timeout_seconds: asked.timeout_seconds ?? (execution.max_task_wall_clock_seconds || null),
  };
}

/** A limit of money can only be kept when every model that may take part has a price. Throws LoomError `usage`. */
export function checkPrices(config: Config, { task, subtask }: RunLimits, asked: Asked): void {
  if (task.usd === undefined && subtask.usd === undefined) return;
  const unpriced = Object.values(config.models).filter(
    model => model.provider !== 'scripted' && (model.price_input === null || model.price_output === null),
  );
  if (unpriced.length === 0) return;
  const key = task.usd === undefined ? 'execution.max_subtask_cost_usd' : 'execution.max_task_cost_usd';
  throw new LoomError(
    'terminal',
    'usage',
    `${asked.max_cost === undefined ? key : '--max-cost'} needs a price for every model, and ${unpriced.map(model => `"${model.alias}"`).join(', ')} has none. Set price_input and price_output (USD per million tokens) under [models.${unpriced[0]!.alias}], 0 for a local model.`,
  );
}
