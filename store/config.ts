/** The shape of loom.toml after loading: every key present, defaults filled in. Loading and validation: `load-config.ts`. */

export type Role =
  | 'planner'
  | 'replanner'
  | 'executor'
  | 'verifier'
  | 'extractor'
  | 'compactor'
  | 'resolver'
  | 'session';
/** Roles a configuration may name; replanner follows planner, session follows executor, and so does resolver the planner
 *  where no model has it. */
export type ConfigRole = 'planner' | 'executor' | 'verifier' | 'extractor' | 'compactor' | 'resolver';
export type Provider = 'ollama' | 'openai_compatible' | 'anthropic' | 'scripted';
export type ApprovalMode = 'auto' | 'manual' | 'confidence_threshold';
type DegradedMode = 'allow' | 'require_approval' | 'deny';

export interface ModelConfig {
  alias: string;
  provider: Provider;
  /** With or without `/v1`; '' means the provider's usual address. */
  base_url: string;
  model: string;
  /** Already resolved from a literal, `env:NAME`, `${NAME}` or the provider's usual variable; '' when there is none. */
  api_key: string;
  /** Where the key comes from, for storing and showing: `env:NAME`, or the setting that holds it; never the secret itself. */
  api_key_source: string;
  roles: ConfigRole[];
  /** Most tokens of one answer. */
  max_tokens: number;
  temperature: number;
  /** Size of the model's window in tokens; 0 = ask the server. */
  context_tokens: number;
  /** 1 small, 2 medium, 3 large; 0 = infer from the name. */
  tier: number;
  reasoning_effort: string;
  capabilities: { vision?: boolean; tools?: boolean; thinking?: boolean; json_schema?: boolean };
  /** USD per million tokens; null = unpriced. */
  price_input: number | null;
  price_output: number | null;
  /** Path of the scenario, provider `scripted` only. */
  scenario: string;
}

export interface Config {
  /** File the configuration came from, null for defaults. */
  source: string | null;
  models: Record<string, ModelConfig>;
  execution: {
    max_subtask_retries: number;
    max_loop_iterations: number;
    /** 1..64 */
    max_parallel_subtasks: number;
    max_task_replans: number;
    /** 0 = unlimited, seconds. */
    max_task_wall_clock_seconds: number;
    max_task_total_tokens: number;
    max_task_model_invocations: number;
    max_task_tool_calls: number;
    max_task_cost_usd: number;
    /** Of each subtask over all its attempts; 0 = unlimited. */
    max_subtask_total_tokens: number;
    max_subtask_model_invocations: number;
    max_subtask_tool_calls: number;
    max_subtask_cost_usd: number;
    max_subtask_work_seconds: number;
    /** Limit of a delegated task. */
    delegate_task_timeout_seconds: number;
    planner_degraded_mode: DegradedMode;
    model_call_max_attempts: number;
    model_call_retry_base_delay_seconds: number;
    model_call_retry_max_delay_seconds: number;
    model_call_retry_jitter_seconds: number;
  };
  limits: {
    planning_response_max_tokens: number;
    runner: {
      max_tool_iterations: number;
      max_subtask_wall_clock_seconds: number;
      /** Characters of one tool result that reach the model; the rest is a blob. */
      default_tool_result_output_chars: number;
      max_state_summary_chars: number;
      /** 0 = no limit. */
      extractor_timeout_guard_seconds: number;
      extractor_tool_args_max_chars: number;
      extractor_tool_trace_max_chars: number;
      extractor_prompt_max_chars: number;
      enable_artifact_telemetry_events: boolean;
      artifact_telemetry_max_metadata_chars: number;
      /** Of one run; 0 = no limit. */
      ingest_artifact_retention_max_age_days: number;
      ingest_artifact_retention_max_files_per_scope: number;
      ingest_artifact_retention_max_bytes_per_scope: number;
    };
    verifier: { max_verifier_prompt_tokens: number };
  };
  verification: {
    tier1_enabled: boolean;
    tier2_enabled: boolean;
    tier3_enabled: boolean;
    tier3_vote_count: number;
    allow_partial_verified: boolean;
    remediation_mode:
      | 'auto'
      | 'off'
      | 'confirm_or_prune'
      | 'queue_follow_up'
      | 'targeted_remediation'
      | 'remediate_and_retry';
    confirm_or_prune_max_attempts: number;
    confirm_or_prune_backoff_seconds: number;
    remediation_queue_max_attempts: number;
    remediation_queue_backoff_seconds: number;
    remediation_queue_max_backoff_seconds: number;
    remediation_queue_ttl_seconds: number;
  };
  approval: { mode: ApprovalMode; allow: string[]; deny: string[]; confidence_threshold: number };
  tools: {
    shell: { sandbox: 'auto' | 'required' | 'off'; timeout_seconds: number };
    web: {
      /** '' = Loom and its version. */
      user_agent: string;
      timeout_seconds: number;
      /** To one host; 0 = no limit. */
      requests_per_second: number;
      cache_seconds: number;
    };
    search: {
      engine: 'auto' | 'duckduckgo' | 'searxng' | 'brave' | 'tavily';
      searxng_url: string;
      /** `env:NAME` or `${NAME}`; '' = none. */
      brave_api_key: string;
      tavily_api_key: string;
    };
  };
  store: { min_free_mb: number };
  /** Of finished runs; 0 = no limit. */
  retention: { days: number; max_mb: number };
}
