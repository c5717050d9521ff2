/** The keys of `[limits]` and its sections. */

import { allGone, choice, flag, gone, int, num, type Rules, under } from './config-rules.ts';

const WINDOW =
  "prompts are fitted to the model's window, models.NAME.context_tokens: the oldest exchanges go, files are shown in part";
const REVIEW = 'limits.verifier.max_verifier_prompt_tokens bounds the whole prompt';

const RUNNER: Rules = {
  max_tool_iterations: int('Model calls of one attempt at a subtask.', 20, 4, 60),
  max_subtask_wall_clock_seconds: int('Longest time of one attempt at a subtask.', 1200, 60, 86_400),
  max_state_summary_chars: int('Longest summary a finished subtask leaves for others.', 480, 120, 20_000),
  default_tool_result_output_chars: int(
    'Characters of a tool result that reach the model; the rest is kept.',
    4000,
    400,
    40_000,
  ),
  max_model_context_tokens: gone(
    'models.NAME.context_tokens is the window a prompt is fitted to',
    int('Tokens of a prompt.', 24_000, 2048, 500_000),
  ),
  max_verification_summary_chars: gone(REVIEW, int('Length of a verdict.', 8000, 400, 40_000)),
  heavy_tool_result_output_chars: gone(
    'limits.runner.default_tool_result_output_chars holds for every tool',
    int('Length of a result of a wordy tool.', 2000, 200, 20_000),
  ),
  enable_artifact_telemetry_events: flag(
    'Write how prompts were cut and results kept to the event log of a run.',
    true,
  ),
  artifact_telemetry_max_metadata_chars: int('Characters of the data of such an event.', 1200, 120, 20_000),
  extractor_timeout_guard_seconds: num(
    'Longest time to read what a completed subtask found out, when a model of its own has the role extractor; 0 is no limit.',
    20,
    0,
    3600,
  ),
  extractor_tool_args_max_chars: int('Characters of one call in that request.', 260, 80, 20_000),
  extractor_tool_trace_max_chars: int('Characters of all calls in that request.', 3600, 200, 80_000),
  extractor_prompt_max_chars: int('Characters of that request.', 9000, 400, 120_000),
  ...allGone(WINDOW, {
    compact_tool_result_output_chars: int('Length of an old tool result.', 500, 80, 20_000),
    compact_text_output_chars: int('Length of an old text.', 900, 80, 20_000),
    minimal_text_output_chars: int('Length of a very old text.', 260, 40, 10_000),
    tool_call_argument_context_chars: int('Length of the arguments of a call.', 500, 80, 20_000),
    compact_tool_call_argument_chars: int('Length of the arguments of an old call.', 220, 40, 10_000),
    runner_compaction_policy_mode: choice('How prompts shrink.', 'tiered', 'legacy', 'tiered', 'off'),
    preserve_recent_critical_messages: int('Messages that never shrink.', 6, 2, 30),
    compaction_pressure_ratio_soft: num('Fill from which prompts shrink.', 0.86, 0.4, 2.5),
    compaction_pressure_ratio_hard: num('Fill from which prompts shrink hard.', 1.02, 0.41, 3),
    compaction_no_gain_min_delta_chars: int('Gain that counts.', 24, 1, 5000),
    compaction_no_gain_attempt_limit: int('Attempts without gain.', 2, 1, 25),
    compaction_timeout_guard_seconds: num('Time to shrink.', 30, 0, 3600),
    compaction_churn_warning_calls: int('Shrinking calls before a warning.', 10, 1, 500),
  }),
  enable_filetype_ingest_router: gone(
    'every tool reads the kinds of files it knows',
    flag('Read files by their kind.', true),
  ),
  enable_model_overflow_fallback: gone(
    'a prompt that is too long is always shrunk once and sent again',
    flag('Shrink a prompt that is too long.', true),
  ),
  ingest_artifact_retention_max_age_days: int(
    'Days for which a run keeps whole outputs and fetched files for read_artifact; 0 is no limit.',
    14,
    0,
    3650,
  ),
  ingest_artifact_retention_max_files_per_scope: int('How many of them a run keeps.', 96, 1, 200_000),
  ingest_artifact_retention_max_bytes_per_scope: int(
    'Bytes of them that a run keeps.',
    268_435_456,
    1024,
    20_000_000_000,
  ),
};

const VERIFIER: Rules = {
  max_verifier_prompt_tokens: int('Tokens of the prompt of a review.', 12_000, 800, 120_000),
  ...allGone(REVIEW, {
    max_tool_args_chars: int('Length of the arguments of a call.', 360, 80, 20_000),
    max_tool_status_chars: int('Length of the status of a call.', 320, 80, 20_000),
    max_tool_calls_tokens: int('Tokens of all calls.', 4000, 400, 60_000),
    max_result_summary_chars: int('Length of the result.', 7000, 200, 100_000),
    compact_result_summary_chars: int('Length of the shrunk result.', 2600, 120, 100_000),
    max_evidence_section_chars: int('Length of the evidence.', 4200, 200, 100_000),
    max_evidence_section_compact_chars: int('Length of the shrunk evidence.', 2200, 120, 100_000),
    max_artifact_section_chars: int('Length of the artifacts.', 4200, 200, 100_000),
    max_artifact_section_compact_chars: int('Length of the shrunk artifacts.', 2200, 120, 100_000),
    max_tool_output_excerpt_chars: int('Length of a tool result.', 1100, 120, 40_000),
    max_artifact_file_excerpt_chars: int('Length of a file.', 800, 120, 40_000),
  }),
};

const COMPACTOR: Rules = allGone(WINDOW, {
  max_chunk_chars: int('Length of a piece.', 9000, 300, 200_000),
  max_chunks_per_round: int('Pieces of a round.', 12, 1, 100),
  max_reduction_rounds: int('Rounds.', 4, 1, 20),
  min_compact_target_chars: int('Shortest result.', 140, 20, 20_000),
  response_tokens_floor: int('Fewest tokens of an answer.', 256, 0, 100_000),
  response_tokens_ratio: num('Tokens of an answer for each of the target.', 0.75, 0, 8),
  response_tokens_buffer: int('Tokens of an answer on top.', 256, 0, 100_000),
  json_headroom_chars_floor: int('Least room for the form.', 48, 0, 20_000),
  json_headroom_chars_ratio: num('Room for the form.', 0.08, 0, 2),
  json_headroom_chars_cap: int('Most room for the form.', 320, 0, 100_000),
  chars_per_token_estimate: num('Characters of a token.', 3.6, 0.1, 16),
  token_headroom: int('Spare tokens.', 24, 0, 20_000),
  target_chars_ratio: num('Length aimed at.', 0.75, 0.01, 1),
});

export const LIMIT_KEYS: Rules = {
  ...under('limits', {
    planning_response_max_tokens: int('Most tokens of a plan.', 16_384, 0, 500_000),
    adhoc_repair_source_max_chars: gone(
      'goals are planned directly',
      int('Length of a definition that is repaired.', 0, 0, 500_000),
    ),
    evidence_context_text_max_chars: gone(REVIEW, int('Length of evidence.', 4000, 200, 100_000)),
  }),
  ...under('limits.runner', RUNNER),
  ...under('limits.verifier', VERIFIER),
  ...under('limits.compactor', COMPACTOR),
};
