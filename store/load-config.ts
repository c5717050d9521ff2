/** Finds and reads loom.toml. One file counts: the one named, else ./loom.toml, else $LOOM_HOME/loom.toml, else the
 *  defaults; layers are not merged, so what a file says can be understood from that file. */

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { Config } from './config.ts';
import {
  type Checked,
  checkConfig,
  type Finding,
  findingText,
  lineOf,
  nothingSet,
  type Table,
} from './config-check.ts';
import { KEYS } from './config-keys.ts';
import { type Environment, fillRoles, lacking, modelFrom } from './config-models.ts';

export interface LoadOptions {
  /** `--config`: this file and no other. */
  config?: string;
  cwd: string;
  home: string;
  env: Environment;
  /** `--model`: the alias that executes. */
  model?: string;
}

export interface LoadedConfig {
  config: Config;
  /** One sentence each, for stderr. */
  warnings: string[];
}

const wrong = (message: string, path: string | null): LoomError =>
  new LoomError('terminal', 'config', message, path === null ? {} : { path });

/** @throws LoomError `config` with file, line, key and what would be valid; `auth` when a named variable is not set */
export async function loadConfig({
  config: named,
  cwd,
  home,
  env,
  model,
}: LoadOptions): Promise<LoadedConfig> {
  const { source, checked } = await readConfig({
    cwd,
    home,
    ...(named === undefined ? {} : { config: named }),
  });
  if (source !== null && checked.problems.length > 0) {
    const lines = checked.problems.map(problem => findingText(source, problem));
    throw wrong(`${lines.join('.\n')}.`, source);
  }
  const config = configFrom(source, checked, env);
  const chosen = model === undefined ? config : preferModel(config, model);
  const warnings = checked.warnings.map(warning => findingText(source ?? '', warning));
  return { config: chosen, warnings: [...warnings, ...environmentWarnings(env)] };
}

/** What holds where nothing is set. */
export const defaultConfig = (env: Environment): Config => configFrom(null, nothingSet(), env);

/** The file that counts, held against the known keys, and its text to find lines in; without one nothing is set.
 *  @throws LoomError `config` when it cannot be read or is no TOML */
export async function readConfig({
  config: named,
  cwd,
  home,
}: Pick<LoadOptions, 'config' | 'cwd' | 'home'>): Promise<{
  source: string | null;
  text: string;
  checked: Checked;
}> {
  const file =
    named === undefined
      ? (readIfThere(join(cwd, 'loom.toml')) ?? readIfThere(join(home, 'loom.toml')))
      : read(resolve(cwd, named));
  if (!file) return { source: null, text: '', checked: nothingSet() };
  const checked = checkConfig(await parse(file), file.text);
  checked.problems.push(...incomplete(file, checked));
  return { source: file.path, text: file.text, checked };
}

/** The configuration with `alias` as executor and session; the other roles stay where they are. Without any configured
 *  model nothing changes: detection comes later and asks again.
 *  @throws LoomError `config` listing the known aliases */
export function preferModel(config: Config, alias: string): Config {
  const known = Object.keys(config.models);
  if (known.length === 0) return config;
  if (!Object.hasOwn(config.models, alias)) {
    throw wrong(
      `There is no model "${alias}"; ${config.source ?? 'this machine'} has ${known.join(', ')}.`,
      config.source,
    );
  }
  const models = Object.fromEntries(
    Object.entries(config.models).map(([name, model]) => {
      const others = model.roles.filter(role => role !== 'executor');
      return [name, { ...model, roles: name === alias ? ['executor' as const, ...others] : others }];
    }),
  );
  return { ...config, models };
}

interface File {
  path: string;
  text: string;
}

function read(path: string): File {
  const file = readIfThere(path);
  if (file) return file;
  throw wrong(`The configuration ${path} does not exist. Check the path, or leave --config away.`, path);
}

function readIfThere(path: string): File | null {
  try {
    return { path, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, '') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw wrong(
      `The configuration ${path} cannot be read (${message.split(',')[0]}). Check its permissions.`,
      path,
    );
  }
}

async function parse({ path, text }: File): Promise<Table> {
  const { parse: parseToml, TomlError } = await import('smol-toml');
  try {
    return parseToml(text) as Table;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw wrong(`${path}:${error.line}: not valid TOML, column ${error.column}: ${reason}.`, path);
  }
}

function incomplete({ text }: File, { models, values, wrong: refused }: Checked): Finding[] {
  const problems: Finding[] = [];
  for (const [alias, model] of models) {
    if (refused.has(`models.${alias}`)) continue;
    const lack = lacking(model, key => refused.has(`models.${alias}.${key}`));
    if (lack === '') continue;
    const key = `models.${alias}.${lack.split(' ')[0]}`;
    problems.push({ line: lineOf(text, ['models', alias]), key, message: `models.${alias}.${lack}` });
  }
  const [longest, first] = ['max', 'base'].map(name => `execution.model_call_retry_${name}_delay_seconds`);
  if (longest && first && setting<number>(values, longest) < setting<number>(values, first)) {
    problems.push({
      line: lineOf(text, longest.split('.')) ?? lineOf(text, first.split('.')),
      key: longest,
      message: `${longest} must be at least model_call_retry_base_delay_seconds, ${setting(values, first)}`,
    });
  }
  return problems;
}

const setting = <T>(values: Map<string, unknown>, key: string): T =>
  (values.has(key) ? values.get(key) : KEYS[key]!.fallback) as T;

function configFrom(source: string | null, { values, models }: Checked, env: Environment): Config {
  const at = (path: string): string => resolve(source === null ? '.' : dirname(source), path);
  const section = <T extends object>(name: string, keys: (keyof T & string)[]): T =>
    Object.fromEntries(keys.map(key => [key, setting(values, `${name}.${key}`)])) as T;
  const read = [...models].map(([alias, model]) => [alias, modelFrom(alias, model, env, at)] as const);
  // the reference keeps this threshold under [execution]
  const threshold = values.has('approval.confidence_threshold')
    ? 'approval.confidence_threshold'
    : 'execution.auto_approve_confidence_threshold';
  return {
    source,
    models: fillRoles(Object.fromEntries(read)),
    execution: withEnvironment(
      section<Config['execution']>('execution', [
        'max_subtask_retries',
        'max_loop_iterations',
        'max_parallel_subtasks',
        'max_task_replans',
        'max_task_wall_clock_seconds',
        'max_task_total_tokens',
        'max_task_model_invocations',
        'max_task_tool_calls',
        'max_task_cost_usd',
        'max_subtask_total_tokens',
        'max_subtask_model_invocations',
        'max_subtask_tool_calls',
        'max_subtask_cost_usd',
        'max_subtask_work_seconds',
        'delegate_task_timeout_seconds',
        'planner_degraded_mode',
        'model_call_max_attempts',
        'model_call_retry_base_delay_seconds',
        'model_call_retry_max_delay_seconds',
        'model_call_retry_jitter_seconds',
      ]),
      env,
    ),
    limits: {
      planning_response_max_tokens: setting(values, 'limits.planning_response_max_tokens'),
      runner: section<Config['limits']['runner']>('limits.runner', [
        'max_tool_iterations',
        'max_subtask_wall_clock_seconds',
        'default_tool_result_output_chars',
        'max_state_summary_chars',
        'extractor_timeout_guard_seconds',
        'extractor_tool_args_max_chars',
        'extractor_tool_trace_max_chars',
        'extractor_prompt_max_chars',
        'enable_artifact_telemetry_events',
        'artifact_telemetry_max_metadata_chars',
        'ingest_artifact_retention_max_age_days',
        'ingest_artifact_retention_max_files_per_scope',
        'ingest_artifact_retention_max_bytes_per_scope',
      ]),
      verifier: section<Config['limits']['verifier']>('limits.verifier', ['max_verifier_prompt_tokens']),
    },
    verification: section<Config['verification']>('verification', [
      'tier1_enabled',
      'tier2_enabled',
      'tier3_enabled',
      'tier3_vote_count',
      'allow_partial_verified',
      'remediation_mode',
      'confirm_or_prune_max_attempts',
      'confirm_or_prune_backoff_seconds',
      'remediation_queue_max_attempts',
      'remediation_queue_backoff_seconds',
      'remediation_queue_max_backoff_seconds',
      'remediation_queue_ttl_seconds',
    ]),
    approval: {
      mode: setting(values, 'approval.mode'),
      allow: [...setting<string[]>(values, 'approval.allow')],
      deny: [...setting<string[]>(values, 'approval.deny')],
      confidence_threshold: setting(values, threshold),
    },
    tools: {
      shell: section<Config['tools']['shell']>('tools.shell', ['sandbox', 'timeout_seconds']),
      web: section<Config['tools']['web']>('tools.web', [
        'user_agent',
        'timeout_seconds',
        'requests_per_second',
        'cache_seconds',
      ]),
      search: section<Config['tools']['search']>('tools.search', [
        'engine',
        'searxng_url',
        'brave_api_key',
        'tavily_api_key',
      ]),
    },
    store: section<Config['store']>('store', ['min_free_mb']),
    retention: section<Config['retention']>('retention', ['days', 'max_mb']),
  };
}

function withEnvironment(execution: Config['execution'], env: Environment): Config['execution'] {
  const seconds = Number(env['LOOM_DELEGATE_TIMEOUT_SECONDS'] || Number.NaN);
  const rule = KEYS['execution.delegate_task_timeout_seconds']!;
  return rule.accepts(seconds) ? { ...execution, delegate_task_timeout_seconds: seconds } : execution;
}

function environmentWarnings(env: Environment): string[] {
  const written = env['LOOM_DELEGATE_TIMEOUT_SECONDS'];
  const rule = KEYS['execution.delegate_task_timeout_seconds']!;
  if (written === undefined || written === '' || rule.accepts(Number(written))) return [];
  return [`LOOM_DELEGATE_TIMEOUT_SECONDS must be ${rule.wanted}, not "${written}"; it is ignored`];
}
