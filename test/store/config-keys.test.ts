/** Every key that existing loom.toml files may have is known with its default and bounds, and the JSON Schema says what
 *  the check does. */

import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../store/config-check.ts';
import { KEYS } from '../../store/config-keys.ts';
import { MODEL_KEYS } from '../../store/config-keys-models.ts';
import { configSchema } from '../../store/config-report.ts';
import type { Rule } from '../../store/config-rules.ts';

type Bounded = [key: string, fallback: unknown, min?: number, max?: number];

const MOST = Number.MAX_SAFE_INTEGER;
const all = (prefix: string, rows: Bounded[]): Bounded[] =>
  rows.map(([key, ...rest]) => [`${prefix}.${key}`, ...rest]);
const flags = (fallback: boolean, ...keys: string[]): Bounded[] => keys.map(key => [key, fallback]);

const REFERENCE: Bounded[] = [
  ...all('server', [
    ['host', '127.0.0.1'],
    ['port', 9000],
  ]),
  ...all('workspace', [
    ['default_path', ''],
    ['scratch_dir', ''],
  ]),
  ['memory.database_path', ''],
  ...all('logging', [
    ['level', 'INFO'],
    ['event_log_path', ''],
  ]),
  ...all('process', [
    ['default', ''],
    ['search_paths', []],
    ...flags(false, 'require_rule_scope_metadata', 'require_v2_contract'),
    ...flags(true, 'tui_run_scoped_workspace_enabled', 'llm_run_folder_naming_enabled'),
  ]),
  ...all('execution', [
    ['max_subtask_retries', 3],
    ['max_loop_iterations', 50],
    ['max_parallel_subtasks', 3],
    ['auto_approve_confidence_threshold', 0.8],
    ...flags(
      false,
      'enable_streaming',
      'enable_global_run_budget',
      'enable_sqlite_remediation_queue',
      'enable_durable_task_runner',
      'enable_mutation_idempotency',
      'enable_slo_metrics',
    ),
    ['max_task_wall_clock_seconds', 0, 0, 604_800],
    ['max_task_total_tokens', 0, 0, 5_000_000],
    ['max_task_model_invocations', 0, 0, 100_000],
    ['max_task_tool_calls', 0, 0, 100_000],
    ['max_task_mutating_tool_calls', 0, 0, 100_000],
    ['max_task_remediation_attempts', 0, 0, 100_000],
    ['max_task_replans', 3, 0, 1000],
    ['executor_completion_contract_mode', 'off'],
    ['planner_degraded_mode', 'allow'],
    ['delegate_task_timeout_seconds', 3600, 1],
    ['model_call_max_attempts', 5, 1, 10],
    ['model_call_retry_base_delay_seconds', 0.5, 0],
    ['model_call_retry_max_delay_seconds', 8, 0],
    ['model_call_retry_jitter_seconds', 0.25, 0],
  ]),
  ...all('verification', [
    ...flags(true, 'tier1_enabled', 'tier2_enabled'),
    ['tier3_enabled', false],
    ['tier3_vote_count', 3],
    ...flags(
      true,
      'policy_engine_enabled',
      'regex_default_advisory',
      'strict_output_protocol',
      'allow_partial_verified',
      'auto_confirm_prune_critical_path',
      'confirm_or_prune_retry_on_transient',
      'contradiction_guard_enabled',
      'contradiction_guard_strict_coverage',
    ),
    ['shadow_compare_enabled', false],
    ['phase_scope_default', 'current_phase'],
    ['unconfirmed_supporting_threshold', 0.3, 0, 1],
    ['confirm_or_prune_max_attempts', 2, 1],
    ['confirm_or_prune_backoff_seconds', 2, 0],
    ['contradiction_scan_max_files', 80, 1, 1000],
    ['contradiction_scan_max_total_bytes', 2_500_000, 1024, 50_000_000],
    ['contradiction_scan_max_file_bytes', 300_000, 1024, 10_000_000],
    ['contradiction_scan_min_files_for_sufficiency', 2, 1, 100],
    ['contradiction_scan_allowed_suffixes', []],
    ['remediation_queue_max_attempts', 3, 1],
    ['remediation_queue_backoff_seconds', 2, 0],
    ['remediation_queue_max_backoff_seconds', 30, 0],
    ['remediation_mode', 'auto'],
    ['remediation_queue_ttl_seconds', 21_600, 1],
    ['remediation_queue_backoff', 2, 0],
    ['remediation_queue_max_backoff', 30, 0],
  ]),
  ...all('limits', [
    ['planning_response_max_tokens', 16_384, 0, 500_000],
    ['adhoc_repair_source_max_chars', 0, 0, 500_000],
    ['evidence_context_text_max_chars', 4000, 200, 100_000],
  ]),
  ...all('limits.runner', [
    ['max_tool_iterations', 20, 4, 60],
    ['max_subtask_wall_clock_seconds', 1200, 60, 86_400],
    ['max_model_context_tokens', 24_000, 2048, 500_000],
    ['max_state_summary_chars', 480, 120, 20_000],
    ['max_verification_summary_chars', 8000, 400, 40_000],
    ['default_tool_result_output_chars', 4000, 400, 40_000],
    ['heavy_tool_result_output_chars', 2000, 200, 20_000],
    ['compact_tool_result_output_chars', 500, 80, 20_000],
    ['compact_text_output_chars', 900, 80, 20_000],
    ['minimal_text_output_chars', 260, 40, 10_000],
    ['tool_call_argument_context_chars', 500, 80, 20_000],
    ['compact_tool_call_argument_chars', 220, 40, 10_000],
    ['runner_compaction_policy_mode', 'tiered'],
    ...flags(
      true,
      'enable_filetype_ingest_router',
      'enable_artifact_telemetry_events',
      'enable_model_overflow_fallback',
    ),
    ['artifact_telemetry_max_metadata_chars', 1200, 120, 20_000],
    ['ingest_artifact_retention_max_age_days', 14, 0, 3650],
    ['ingest_artifact_retention_max_files_per_scope', 96, 1, 200_000],
    ['ingest_artifact_retention_max_bytes_per_scope', 268_435_456, 1024, 20_000_000_000],
    ['preserve_recent_critical_messages', 6, 2, 30],
    ['compaction_pressure_ratio_soft', 0.86, 0.4, 2.5],
    ['compaction_pressure_ratio_hard', 1.02, 0.41, 3],
    ['compaction_no_gain_min_delta_chars', 24, 1, 5000],
    ['compaction_no_gain_attempt_limit', 2, 1, 25],
    ['compaction_timeout_guard_seconds', 30, 0, 3600],
    ['extractor_timeout_guard_seconds', 20, 0, 3600],
    ['extractor_tool_args_max_chars', 260, 80, 20_000],
    ['extractor_tool_trace_max_chars', 3600, 200, 80_000],
    ['extractor_prompt_max_chars', 9000, 400, 120_000],
    ['compaction_churn_warning_calls', 10, 1, 500],
  ]),
  ...all('limits.verifier', [
    ['max_tool_args_chars', 360, 80, 20_000],
    ['max_tool_status_chars', 320, 80, 20_000],
    ['max_tool_calls_tokens', 4000, 400, 60_000],
    ['max_verifier_prompt_tokens', 12_000, 800, 120_000],
    ['max_result_summary_chars', 7000, 200, 100_000],
    ['compact_result_summary_chars', 2600, 120, 100_000],
    ['max_evidence_section_chars', 4200, 200, 100_000],
    ['max_evidence_section_compact_chars', 2200, 120, 100_000],
    ['max_artifact_section_chars', 4200, 200, 100_000],
    ['max_artifact_section_compact_chars', 2200, 120, 100_000],
    ['max_tool_output_excerpt_chars', 1100, 120, 40_000],
    ['max_artifact_file_excerpt_chars', 800, 120, 40_000],
  ]),
  ...all('limits.compactor', [
    ['max_chunk_chars', 9000, 300, 200_000],
    ['max_chunks_per_round', 12, 1, 100],
    ['max_reduction_rounds', 4, 1, 20],
    ['min_compact_target_chars', 140, 20, 20_000],
    ['response_tokens_floor', 256, 0, 100_000],
    ['response_tokens_ratio', 0.75, 0, 8],
    ['response_tokens_buffer', 256, 0, 100_000],
    ['json_headroom_chars_floor', 48, 0, 20_000],
    ['json_headroom_chars_ratio', 0.08, 0, 2],
    ['json_headroom_chars_cap', 320, 0, 100_000],
    ['chars_per_token_estimate', 3.6, 0.1, 16],
    ['token_headroom', 24, 0, 20_000],
    ['target_chars_ratio', 0.75, 0.01, 1],
  ]),
];

const OF_A_MODEL: Bounded[] = [
  ['provider', ''],
  ['base_url', ''],
  ['model', ''],
  ['api_key', ''],
  ['reasoning_effort', ''],
  ['max_tokens', 8192],
  ['temperature', 0.1],
  ['tier', 0],
  ['roles', ['executor']],
  ...['vision', 'native_pdf', 'thinking', 'citations', 'audio_input', 'audio_output'].map(
    (key): Bounded => [`capabilities.${key}`, null],
  ),
];

const OURS = [
  'retention.days',
  'retention.max_mb',
  'approval.mode',
  'approval.allow',
  'approval.deny',
  'approval.confidence_threshold',
  'tools.shell.sandbox',
  'tools.shell.timeout_seconds',
  'store.min_free_mb',
];

describe('the keys', () => {
  it.each(REFERENCE)('know %s', (key, fallback, min, max) => {
    const rule = KEYS[key];
    expect(rule, key).toBeDefined();
    expect(rule!.fallback).toEqual(fallback);
    if (min !== undefined) {
      expect(rule!.accepts(min)).toBe(true);
      expect(rule!.accepts(min - 0.001)).toBe(false);
    }
    if (max !== undefined) expect(rule!.accepts(max)).toBe(true);
    // the reference bounds the total of tokens, which local models make too small
    if (max !== undefined && max !== 5_000_000) expect(rule!.accepts(max + 1)).toBe(false);
    if (max === undefined && min !== undefined) expect(rule!.accepts(MOST)).toBe(true);
  });

  it.each(OF_A_MODEL)('know %s of a model', (key, fallback) => {
    expect(MODEL_KEYS[key]?.fallback).toEqual(fallback);
  });

  it.each(OURS)('know %s, which has a job', key => {
    expect(KEYS[key]).toBeDefined();
    expect(KEYS[key]!.replaced_by).toBeUndefined();
  });

  it('accept their own defaults and are one sentence each', () => {
    for (const [key, rule] of Object.entries({ ...KEYS, ...MODEL_KEYS })) {
      const optional = rule.fallback === null || key === 'provider';
      expect(optional || rule.accepts(rule.fallback), key).toBe(true);
      expect(rule.description, key).toMatch(/^\S.*\.$/);
      expect(rule.replaced_by ?? 'so', key).toMatch(/^\S.*[^.]$/);
    }
  });
});

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: false }).compile(configSchema());
  const VALUES = ['', 'x', 'auto', 0, 1, 3.5, -1, 70, 1e12, true, [], ['executor'], ['rm -rf'], [1], {}];

  const fileOf = (key: string, value: unknown): object =>
    key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object;
  const agrees = (key: string, file: object): void => {
    const { problems } = checkConfig(file as Record<string, unknown>, '');
    expect(validate(file), `${key} ${JSON.stringify(file)}`).toBe(problems.length === 0);
  };

  it.each(Object.entries(KEYS))('says of %s what the check says', (key: string, rule: Rule) => {
    for (const value of [...VALUES, rule.fallback]) agrees(key, fileOf(key, value));
  });

  it.each(Object.keys(MODEL_KEYS).filter(key => key !== 'provider'))('says of models.m.%s the same', key => {
    for (const value of VALUES) {
      const model = fileOf(`models.m.${key}`, value) as { models: { m: object } };
      Object.assign(model.models.m, { provider: 'ollama' });
      agrees(key, model);
    }
  });

  it('refuses what the check only warns about, a key nobody knows, and takes the servers of tools', () => {
    expect(validate(parse('[execution]\nmax_subtask_retrys = 1'))).toBe(false);
    expect(validate(parse('[mcp.servers.a]\ncommand = "npx"'))).toBe(true);
  });
});
