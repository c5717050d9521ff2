/** Every key a loom.toml may have: type, bounds and default. Keys whose job Loom does not do are known too, so that an
 *  existing file is neither refused nor warned about. */

export interface Rule {
  /** Completes "must be …". */
  wanted: string;
  fallback: unknown;
  accepts(value: unknown): boolean;
}

const isNumber = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max;

const span = (min: number, max: number): string =>
  max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;

const MOST = Number.MAX_SAFE_INTEGER;

const int = (fallback: number | null, min: number, max = MOST): Rule => ({
  wanted: `a whole number ${span(min, max)}`,
  fallback,
  accepts: value => isNumber(value, min, max) && Number.isInteger(value),
});
const num = (fallback: number | null, min: number, max = MOST): Rule => ({
  wanted: `a number ${span(min, max)}`,
  fallback,
  accepts: value => isNumber(value, min, max),
});
const flag = (fallback: boolean | null): Rule => ({
  wanted: 'true or false',
  fallback,
  accepts: value => typeof value === 'boolean',
});
const text = (fallback: string): Rule => ({
  wanted: 'a text in quotes',
  fallback,
  accepts: value => typeof value === 'string',
});
const choice = (fallback: string, ...choices: string[]): Rule => ({
  wanted: `one of ${choices.map(word => `"${word}"`).join(', ')}`,
  fallback,
  accepts: value => typeof value === 'string' && choices.includes(value),
});
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string');
const textOrTexts = (): Rule => ({
  wanted: 'a text or a list of texts',
  fallback: [],
  accepts: value => typeof value === 'string' || isTexts(value),
});
/** `shell_execute(npm test*)`, `write_file(src/**)`, `web_fetch`. */
const rules = (): Rule => ({
  wanted: 'a list of rules such as "shell_execute(npm test*)" or "write_file(src/**)"',
  fallback: [],
  accepts: value =>
    isTexts(value) && value.every(rule => /^\s*[A-Za-z_*][\w.]*\s*(\([\s\S]*\))?\s*$/.test(rule)),
});
const address = (): Rule => ({
  wanted: 'an address such as "http://localhost:11434"',
  fallback: '',
  accepts: value => typeof value === 'string' && (value === '' || /^https?:\/\/[^\s/]+/i.test(value)),
});

export const ROLES = ['planner', 'executor', 'verifier', 'extractor', 'compactor'] as const;

/** `[models.<alias>]`. */
export const MODEL_KEYS: Record<string, Rule> = {
  provider: choice('', 'ollama', 'openai_compatible', 'openai', 'anthropic', 'scripted'),
  base_url: address(),
  model: text(''),
  api_key: text(''),
  roles: {
    wanted: `a list of roles out of ${ROLES.map(role => `"${role}"`).join(', ')}`,
    fallback: ['executor'],
    accepts: value => {
      const list = typeof value === 'string' ? [value] : value;
      return isTexts(list) && list.every(role => (ROLES as readonly string[]).includes(role));
    },
  },
  max_tokens: int(8192, 1),
  temperature: num(0.1, 0, 2),
  context_tokens: int(0, 0),
  tier: int(0, 0, 3),
  reasoning_effort: text(''),
  price_input: num(null, 0),
  price_output: num(null, 0),
  scenario: text(''),
  ...under('capabilities', {
    vision: flag(null),
    tools: flag(null),
    thinking: flag(null),
    json_schema: flag(null),
    native_pdf: flag(null),
    citations: flag(null),
    audio_input: flag(null),
    audio_output: flag(null),
  }),
};

function under(section: string, keys: Record<string, Rule>): Record<string, Rule> {
  return Object.fromEntries(Object.entries(keys).map(([key, rule]) => [`${section}.${key}`, rule]));
}

/** Everything outside `[models]`. */
export const KEYS: Record<string, Rule> = {
  ...under('execution', {
    max_subtask_retries: int(3, 0, 1000),
    max_loop_iterations: int(50, 1, 100_000),
    max_parallel_subtasks: int(3, 1, 64),
    max_task_replans: int(3, 0, 1000),
    max_task_wall_clock_seconds: int(0, 0, 604_800),
    max_task_total_tokens: int(0, 0),
    max_task_model_invocations: int(0, 0, 100_000),
    max_task_tool_calls: int(0, 0, 100_000),
    max_task_mutating_tool_calls: int(0, 0, 100_000),
    max_task_remediation_attempts: int(0, 0, 100_000),
    planner_degraded_mode: choice('allow', 'allow', 'require_approval', 'deny'),
    model_call_max_attempts: int(5, 1, 10),
    model_call_retry_base_delay_seconds: num(0.5, 0),
    model_call_retry_max_delay_seconds: num(8, 0),
    model_call_retry_jitter_seconds: num(0.25, 0),
    auto_approve_confidence_threshold: num(0.8, 0, 1),
    delegate_task_timeout_seconds: num(3600, 1),
    executor_completion_contract_mode: choice('off', 'off', 'warn', 'enforce'),
    enable_streaming: flag(false),
    enable_global_run_budget: flag(false),
    enable_sqlite_remediation_queue: flag(false),
    enable_durable_task_runner: flag(false),
    enable_mutation_idempotency: flag(false),
    enable_slo_metrics: flag(false),
  }),
  ...under('verification', {
    tier1_enabled: flag(true),
    tier2_enabled: flag(true),
    tier3_enabled: flag(false),
    tier3_vote_count: int(3, 1, 99),
    policy_engine_enabled: flag(true),
    regex_default_advisory: flag(true),
    strict_output_protocol: flag(true),
    allow_partial_verified: flag(true),
    auto_confirm_prune_critical_path: flag(true),
    confirm_or_prune_retry_on_transient: flag(true),
    contradiction_guard_enabled: flag(true),
    contradiction_guard_strict_coverage: flag(true),
    shadow_compare_enabled: flag(false),
    phase_scope_default: choice('current_phase', 'current_phase', 'global'),
    unconfirmed_supporting_threshold: num(0.3, 0, 1),
    confirm_or_prune_max_attempts: int(2, 1),
    confirm_or_prune_backoff_seconds: num(2, 0),
    contradiction_scan_max_files: int(80, 1, 1000),
    contradiction_scan_max_total_bytes: int(2_500_000, 1024, 50_000_000),
    contradiction_scan_max_file_bytes: int(300_000, 1024, 10_000_000),
    contradiction_scan_min_files_for_sufficiency: int(2, 1, 100),
    contradiction_scan_allowed_suffixes: textOrTexts(),
    remediation_queue_max_attempts: int(3, 1),
    remediation_queue_backoff_seconds: num(2, 0),
    remediation_queue_max_backoff_seconds: num(30, 0),
    remediation_queue_backoff: num(2, 0),
    remediation_queue_max_backoff: num(30, 0),
  }),
  ...under('limits', {
    planning_response_max_tokens: int(16_384, 0, 500_000),
    adhoc_repair_source_max_chars: int(0, 0, 500_000),
    evidence_context_text_max_chars: int(4000, 200, 100_000),
  }),
  ...under('limits.runner', {
    max_tool_iterations: int(20, 4, 60),
    max_subtask_wall_clock_seconds: int(1200, 60, 86_400),
    max_model_context_tokens: int(24_000, 2048, 500_000),
    max_state_summary_chars: int(480, 120, 20_000),
    max_verification_summary_chars: int(8000, 400, 40_000),
    default_tool_result_output_chars: int(4000, 400, 40_000),
    heavy_tool_result_output_chars: int(2000, 200, 20_000),
    compact_tool_result_output_chars: int(500, 80, 20_000),
    compact_text_output_chars: int(900, 80, 20_000),
    minimal_text_output_chars: int(260, 40, 10_000),
    tool_call_argument_context_chars: int(500, 80, 20_000),
    compact_tool_call_argument_chars: int(220, 40, 10_000),
    runner_compaction_policy_mode: choice('tiered', 'legacy', 'tiered', 'off'),
    enable_filetype_ingest_router: flag(true),
    enable_artifact_telemetry_events: flag(true),
    artifact_telemetry_max_metadata_chars: int(1200, 120, 20_000),
    enable_model_overflow_fallback: flag(true),
    ingest_artifact_retention_max_age_days: int(14, 0, 3650),
    ingest_artifact_retention_max_files_per_scope: int(96, 1, 200_000),
    ingest_artifact_retention_max_bytes_per_scope: int(268_435_456, 1024, 20_000_000_000),
    preserve_recent_critical_messages: int(6, 2, 30),
    compaction_pressure_ratio_soft: num(0.86, 0.4, 2.5),
    compaction_pressure_ratio_hard: num(1.02, 0.41, 3),
    compaction_no_gain_min_delta_chars: int(24, 1, 5000),
    compaction_no_gain_attempt_limit: int(2, 1, 25),
    compaction_timeout_guard_seconds: num(30, 0, 3600),
    extractor_timeout_guard_seconds: num(20, 0, 3600),
    extractor_tool_args_max_chars: int(260, 80, 20_000),
    extractor_tool_trace_max_chars: int(3600, 200, 80_000),
    extractor_prompt_max_chars: int(9000, 400, 120_000),
    compaction_churn_warning_calls: int(10, 1, 500),
  }),
  ...under('limits.verifier', {
    max_tool_args_chars: int(360, 80, 20_000),
    max_tool_status_chars: int(320, 80, 20_000),
    max_tool_calls_tokens: int(4000, 400, 60_000),
    max_verifier_prompt_tokens: int(12_000, 800, 120_000),
    max_result_summary_chars: int(7000, 200, 100_000),
    compact_result_summary_chars: int(2600, 120, 100_000),
    max_evidence_section_chars: int(4200, 200, 100_000),
    max_evidence_section_compact_chars: int(2200, 120, 100_000),
    max_artifact_section_chars: int(4200, 200, 100_000),
    max_artifact_section_compact_chars: int(2200, 120, 100_000),
    max_tool_output_excerpt_chars: int(1100, 120, 40_000),
    max_artifact_file_excerpt_chars: int(800, 120, 40_000),
  }),
  ...under('limits.compactor', {
    max_chunk_chars: int(9000, 300, 200_000),
    max_chunks_per_round: int(12, 1, 100),
    max_reduction_rounds: int(4, 1, 20),
    min_compact_target_chars: int(140, 20, 20_000),
    response_tokens_floor: int(256, 0, 100_000),
    response_tokens_ratio: num(0.75, 0, 8),
    response_tokens_buffer: int(256, 0, 100_000),
    json_headroom_chars_floor: int(48, 0, 20_000),
    json_headroom_chars_ratio: num(0.08, 0, 2),
    json_headroom_chars_cap: int(320, 0, 100_000),
    chars_per_token_estimate: num(3.6, 0.1, 16),
    token_headroom: int(24, 0, 20_000),
    target_chars_ratio: num(0.75, 0.01, 1),
  }),
  ...under('approval', {
    mode: choice('auto', 'auto', 'manual', 'confidence_threshold'),
    allow: rules(),
    deny: rules(),
    confidence_threshold: num(0.8, 0, 1),
  }),
  ...under('tools.shell', {
    sandbox: choice('auto', 'auto', 'required', 'off'),
    timeout_seconds: num(120, 1, 86_400),
  }),
  ...under('store', { min_free_mb: num(256, 0) }),
  ...under('server', { host: text('127.0.0.1'), port: int(9000, 0, 65_535) }),
  ...under('workspace', { default_path: text(''), scratch_dir: text('') }),
  ...under('memory', { database_path: text('') }),
  ...under('logging', { level: text('INFO'), event_log_path: text('') }),
  ...under('process', {
    default: text(''),
    search_paths: textOrTexts(),
    require_rule_scope_metadata: flag(false),
    require_v2_contract: flag(false),
    tui_run_scoped_workspace_enabled: flag(true),
    llm_run_folder_naming_enabled: flag(true),
  }),
};

/** Sections that other loaders read. */
export const FOREIGN = ['mcp'];
