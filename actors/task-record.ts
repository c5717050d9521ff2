/** What a run remembers of how it was started, so that whoever takes it up goes on in the same way. */
import { customAlphabet } from 'nanoid';
import type { ApprovalPolicy } from '../machines/approval.ts';
import { LoomError } from '../machines/failure.ts';
import type { TaskSettings } from '../machines/task.ts';
import type { Config } from '../store/config.ts';
import { type Asked, askedOf, limitsOf, type RunLimits, withBudgets } from './limits.ts';
import type { RunOptions } from './loom.ts';
import { strengthOf } from './models/choose.ts';

/** Row `task`. Secrets are never stored: a model keeps the name of the place its key comes from. */
export interface TaskRecord {
  goal: string;
  config: Config;
  policy: ApprovalPolicy;
  /** What the command line asked for; the rest of `limits` comes from the configuration. */
  asked: Asked;
  limits: RunLimits;
  settings: TaskSettings;
  /** How many tasks stand above it that delegated it; 0 where absent. */
  depth?: number;
}

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
/** Id of a run, a command, a question. */
export const newId = customAlphabet(ID_ALPHABET, 12);
const GOAL_LIMIT = 32_000;
const TITLE_LIMIT = 200;

/** Throws LoomError `usage` with what to write instead. */
export function readGoal(goal: string): string {
  const text = goal.trim();
  if (text === '')
    throw new LoomError(
      'terminal',
      'usage',
      'The goal is empty. Say what should be done: loom run "add tests for src/date.ts"',
    );
  if (text.length > GOAL_LIMIT)
    throw new LoomError(
      'terminal',
      'usage',
      `The goal has ${text.length} characters; at most ${GOAL_LIMIT} can be planned. Put the material into files of the workspace and name them in the goal.`,
    );
  return text;
}

/** Throws LoomError `usage` when there is nothing in it. */
export function readInstruction(text: string): string {
  const instruction = text.trim();
  if (instruction === '')
    throw new LoomError(
      'terminal',
      'usage',
      'The instruction is empty. Say what should be different: loom steer ID "use British spelling"',
    );
  if (instruction.length > GOAL_LIMIT)
    throw new LoomError(
      'terminal',
      'usage',
      `The instruction has ${instruction.length} characters; at most ${GOAL_LIMIT} can be given.`,
    );
  return instruction;
}

export const titleOf = (goal: string): string => {
  const line = goal.replace(/\s+/g, ' ').trim();
  return line.length <= TITLE_LIMIT ? line : `${line.slice(0, TITLE_LIMIT - 1)}…`;
};

export function withoutSecrets(config: Config): Config {
  const models = Object.fromEntries(
    Object.entries(config.models).map(([alias, model]) => [alias, { ...model, api_key: '' }]),
  );
  return { ...config, models };
}

/** Puts the keys back: from the environment by name, or from the present configuration's model of the same alias. */
export function withSecrets(stored: Config, present: Config, env: NodeJS.ProcessEnv): Config {
  const models = Object.fromEntries(
    Object.entries(stored.models).map(([alias, model]) => {
      const name = /^env:(.+)$/.exec(model.api_key_source)?.[1];
      const api_key = (name ? env[name] : undefined) ?? present.models[alias]?.api_key ?? '';
      return [alias, { ...model, api_key }];
    }),
  );
  return { ...stored, models };
}

/** What a person who resumes goes on with: the settings of the run, and its models and budgets as they stand now in the file
 *  they came from, so that a corrected address, name or key and a raised limit count. Another file never takes part unasked. */
export function resumedConfig(stored: Config, present: Config, env: NodeJS.ProcessEnv): Config {
  if (present.source !== stored.source) return withSecrets(stored, present, env);
  const budgeted = withBudgets(stored, present);
  if (present.source === null || Object.keys(present.models).length === 0)
    return withSecrets(budgeted, present, env);
  return { ...budgeted, models: present.models };
}

/** A role that was given, not one that a single model fills with all the others: a model call per subtask has to be asked
 *  for. */
const hasExtractor = ({ models }: Config): boolean => {
  const all = Object.values(models);
  return all.length > 1 && all.some(model => model.roles.includes('extractor'));
};

export function newRecord(
  goal: string,
  config: Config,
  options: RunOptions & { depth?: number },
): TaskRecord {
  const { execution, verification, approval, limits } = config;
  const mode = options.approval ?? approval.mode;
  const votes =
    verification.tier3_vote_count % 2 === 1
      ? verification.tier3_vote_count
      : verification.tier3_vote_count + 1;
  return {
    goal,
    ...(options.depth ? { depth: options.depth } : {}),
    config: withoutSecrets(config),
    policy: {
      mode,
      allow: [...approval.allow, ...(options.allow ?? [])],
      deny: [...approval.deny, ...(options.deny ?? [])],
    },
    asked: askedOf(options),
    limits: limitsOf(config, options),
    settings: {
      max_parallel: Math.min(64, Math.max(1, execution.max_parallel_subtasks)),
      degraded_mode: execution.planner_degraded_mode,
      plan_only: options.plan_only ?? false,
      max_replans: execution.max_task_replans,
      tier2_enabled: verification.tier2_enabled,
      tier3_enabled: verification.tier3_enabled,
      subtask: {
        max_retries: execution.max_subtask_retries,
        max_iterations: limits.runner.max_tool_iterations,
        wall_clock_ms: limits.runner.max_subtask_wall_clock_seconds * 1_000,
        votes: Math.max(3, votes),
        review_tokens: limits.verifier.max_verifier_prompt_tokens,
        extract: hasExtractor(config),
        ...strengthOf(config),
        remediation: {
          mode: verification.remediation_mode,
          max_attempts: verification.remediation_queue_max_attempts,
          backoff_ms: verification.remediation_queue_backoff_seconds * 1_000,
          max_backoff_ms: verification.remediation_queue_max_backoff_seconds * 1_000,
          confirm_attempts: verification.confirm_or_prune_max_attempts,
          confirm_backoff_ms: verification.confirm_or_prune_backoff_seconds * 1_000,
          ttl_ms: verification.remediation_queue_ttl_seconds * 1_000,
        },
        result_gate: mode === 'confidence_threshold',
        confidence_threshold: approval.confidence_threshold,
      },
    },
  };
}
