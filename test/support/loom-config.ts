/** A complete configuration with small waits, around the given models. */
import type { Config, ModelConfig } from '../../store/config.ts';

export const loomConfig = (models: ModelConfig[], execution: Partial<Config['execution']> = {}): Config => ({
  source: null,
  models: Object.fromEntries(models.map(model => [model.alias, model])),
  execution: {
    max_subtask_retries: 3,
    max_loop_iterations: 50,
    max_parallel_subtasks: 3,
    max_task_replans: 3,
    max_task_wall_clock_seconds: 0,
    max_task_total_tokens: 0,
    max_task_model_invocations: 0,
    max_task_tool_calls: 0,
    planner_degraded_mode: 'allow',
    model_call_max_attempts: 3,
    model_call_retry_base_delay_seconds: 0.01,
    model_call_retry_max_delay_seconds: 0.05,
    model_call_retry_jitter_seconds: 0.005,
    ...execution,
  },
  limits: {
    planning_response_max_tokens: 4096,
    runner: {
      max_tool_iterations: 20,
      max_subtask_wall_clock_seconds: 0,
      default_tool_result_output_chars: 8000,
      max_state_summary_chars: 480,
      enable_artifact_telemetry_events: true,
      artifact_telemetry_max_metadata_chars: 1200,
    },
    verifier: { max_verifier_prompt_tokens: 8000 },
  },
  verification: { tier1_enabled: true, tier2_enabled: true, tier3_enabled: false, tier3_vote_count: 3 },
  approval: { mode: 'auto', allow: [], deny: [], confidence_threshold: 0.8 },
  tools: { shell: { sandbox: 'auto', timeout_seconds: 60 } },
  store: { min_free_mb: 256 },
  retention: { days: 0, max_mb: 0 },
});
