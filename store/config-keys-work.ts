/** The keys of `[execution]` and `[verification]`. */

import { allGone, choice, flag, gone, int, num, type Rules, textOrTexts, under } from './config-rules.ts';

const ALWAYS = 'this is always so';
const CONFIRM =
  'what could not be confirmed is followed up, verification.remediation_mode; on the critical path the task waits for it';
const CONTRADICTION = 'tier 1 looks at the files a subtask changed and tier 2 reads what was really changed';

const EXECUTION: Rules = {
  max_subtask_retries: int('How often a subtask is tried again after a failed verification.', 3, 0, 1000),
  max_loop_iterations: gone(
    'limits.runner.max_tool_iterations bounds an attempt',
    int('Rounds of the main loop.', 50, 1, 100_000),
  ),
  max_parallel_subtasks: int('Subtasks that run at the same time.', 3, 1, 64),
  max_task_replans: int('How often the plan may be changed after a subtask has failed for good.', 3, 0, 1000),
  max_task_wall_clock_seconds: int('Stop, resumable, after this time; 0 is no limit.', 0, 0, 604_800),
  max_task_total_tokens: int('Stop, resumable, after this many tokens; 0 is no limit.', 0, 0),
  max_task_model_invocations: int(
    'Stop, resumable, after this many model calls; 0 is no limit.',
    0,
    0,
    100_000,
  ),
  max_task_tool_calls: int('Stop, resumable, after this many tool calls; 0 is no limit.', 0, 0, 100_000),
  max_task_cost_usd: num(
    'Stop, resumable, after this much money (US dollars); 0 is no limit. Needs a price for every model.',
    0,
    0,
  ),
  max_subtask_total_tokens: int('As above, for each subtask over all its attempts.', 0, 0),
  max_subtask_model_invocations: int('As above, for each subtask over all its attempts.', 0, 0, 100_000),
  max_subtask_tool_calls: int('As above, for each subtask over all its attempts.', 0, 0, 100_000),
  max_subtask_cost_usd: num('As above, for each subtask over all its attempts.', 0, 0),
  max_subtask_work_seconds: int(
    'As above: how long the calls of a subtask may run together, over all its attempts; looked at before each call.',
    0,
    0,
    604_800,
  ),
  max_task_mutating_tool_calls: gone(
    'execution.max_task_tool_calls counts every call, and approval rules hold changes',
    int('Limit of tool calls that change something.', 0, 0, 100_000),
  ),
  max_task_remediation_attempts: gone(
    'verification.remediation_queue_max_attempts bounds each follow-up',
    int('Limit of remediation attempts.', 0, 0, 100_000),
  ),
  planner_degraded_mode: choice(
    'When no plan can be read from the planner: go on with the goal as one subtask, ask first, or stop.',
    'allow',
    'allow',
    'require_approval',
    'deny',
  ),
  model_call_max_attempts: int('Attempts of one model call at one server.', 5, 1, 10),
  model_call_retry_base_delay_seconds: num('First wait between two attempts; it doubles.', 0.5, 0),
  model_call_retry_max_delay_seconds: num('Longest wait between two attempts.', 8, 0),
  model_call_retry_jitter_seconds: num('Random part of a wait.', 0.25, 0),
  auto_approve_confidence_threshold: num(
    'Older name of approval.confidence_threshold, which wins.',
    0.8,
    0,
    1,
  ),
  delegate_task_timeout_seconds: num(
    'Seconds a delegated task may take; LOOM_DELEGATE_TIMEOUT_SECONDS wins.',
    3600,
    1,
  ),
  executor_completion_contract_mode: gone(
    'every completion is held against its acceptance criteria',
    choice('How strictly a completion is held to its contract.', 'off', 'off', 'warn', 'enforce'),
  ),
  enable_streaming: gone('answers are always streamed', flag('Stream answers.', false)),
  enable_global_run_budget: gone('budgets hold as soon as one is set', flag('Hold budgets.', false)),
  enable_sqlite_remediation_queue: gone(ALWAYS, flag('Keep the remediation queue on disk.', false)),
  enable_durable_task_runner: gone('every step is durable', flag('Survive a restart.', false)),
  enable_mutation_idempotency: gone('every change is made once', flag('Make changes once.', false)),
  enable_slo_metrics: gone('`loom show` and `loom logs` have the numbers', flag('Collect metrics.', false)),
};

const VERIFICATION: Rules = {
  tier1_enabled: gone('tier 1 always looks, it costs no model call', flag('Look at the files.', true)),
  tier2_enabled: flag('Another model, or a fresh context, reads what was really changed.', true),
  tier3_enabled: flag('Critical or destructive work is voted on.', false),
  tier3_vote_count: int('Votes of tier 3; an even number is raised by one.', 3, 1, 99),
  ...allGone(ALWAYS, {
    policy_engine_enabled: flag('Judge tool results by policy.', true),
    strict_output_protocol: flag('Hold the verifier to its form.', true),
  }),
  regex_default_advisory: gone(
    'rules say for themselves how hard they are',
    flag('Rules only advise.', true),
  ),
  allow_partial_verified: flag('Accept a result of which a part could not be confirmed.', true),
  remediation_mode: choice(
    'What follows when something could not be confirmed: a follow-up, as the verdict says (auto) or always so; the other two: the retry ladder alone.',
    'auto',
    'auto',
    'off',
    'confirm_or_prune',
    'queue_follow_up',
    'targeted_remediation',
    'remediate_and_retry',
  ),
  confirm_or_prune_max_attempts: int('Attempts to confirm, the last of which takes out the rest.', 2, 1),
  confirm_or_prune_backoff_seconds: num('Wait between attempts to confirm.', 2, 0),
  remediation_queue_max_attempts: int(
    'Attempts of a queued follow-up, the last of which takes out what cannot be confirmed.',
    3,
    1,
  ),
  remediation_queue_backoff_seconds: num('First wait of a queued follow-up; doubled each time.', 2, 0),
  remediation_queue_max_backoff_seconds: num('Longest wait of a queued follow-up.', 30, 0),
  remediation_queue_ttl_seconds: num('A follow-up ends after this time, whatever it is doing.', 21_600, 1),
  ...allGone('verification.remediation_queue_backoff_seconds and _max_backoff_seconds', {
    remediation_queue_backoff: num('First wait of a queued repair.', 2, 0),
    remediation_queue_max_backoff: num('Longest wait of a queued repair.', 30, 0),
  }),
  ...allGone(CONFIRM, {
    auto_confirm_prune_critical_path: flag('Confirm or prune on the critical path.', true),
    confirm_or_prune_retry_on_transient: flag('Try again after a transient failure.', true),
    unconfirmed_supporting_threshold: num('Share that may stay unconfirmed.', 0.3, 0, 1),
  }),
  ...allGone(CONTRADICTION, {
    contradiction_guard_enabled: flag('Look for contradictions.', true),
    contradiction_guard_strict_coverage: flag('Look everywhere.', true),
    contradiction_scan_max_files: int('Files looked at.', 80, 1, 1000),
    contradiction_scan_max_total_bytes: int('Bytes looked at.', 2_500_000, 1024, 50_000_000),
    contradiction_scan_max_file_bytes: int('Bytes looked at in a file.', 300_000, 1024, 10_000_000),
    contradiction_scan_min_files_for_sufficiency: int('Files that are enough.', 2, 1, 100),
    contradiction_scan_allowed_suffixes: textOrTexts('Kinds of files looked at.'),
  }),
  shadow_compare_enabled: gone('there is one verifier', flag('Compare two verifiers.', false)),
  phase_scope_default: gone(
    'criteria belong to their subtask, those of the goal to the whole task',
    choice('What a rule applies to.', 'current_phase', 'current_phase', 'global'),
  ),
};

export const WORK_KEYS: Rules = { ...under('execution', EXECUTION), ...under('verification', VERIFICATION) };
