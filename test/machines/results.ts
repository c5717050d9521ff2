/** Results of effects and inputs of machines, as small as tests need them. */

import type { CallDigest, ClaimStatus } from '../../machines/effects.ts';
import { type FailureKind, failure } from '../../machines/failure.ts';
import type { Plan, PlanNode } from '../../machines/plan.ts';
import type { RemediationInput } from '../../machines/remediation.ts';
import { DEFAULT_REMEDIATION, type RemediationSettings } from '../../machines/remediation-queue.ts';
import type { SessionInput } from '../../machines/session.ts';
import type { SubtaskInput, SubtaskSettings } from '../../machines/subtask.ts';
import type { TaskInput, TaskSettings } from '../../machines/task.ts';
import type { TurnInput } from '../../machines/turn.ts';
import type { Outcome, VerdictDigest } from '../../machines/verdict.ts';
import type { VerifierInput } from '../../machines/verifier.ts';

export const ok = { ok: true };
export const failed = (code: string, kind: FailureKind = 'retryable', message = `${code}!`) => ({
  ok: false as const,
  failure: failure(kind, code, message),
});

export const read = (n: number, more: Partial<CallDigest> = {}): CallDigest => ({
  n,
  tool: 'read_file',
  valid: true,
  risks: ['read'],
  subject: `file-${n}`,
  shell_network: false,
  mutates: false,
  effect: 'repeatable',
  signature: `call-${n}`,
  gate: { decision: 'run', reason: 'read-only' },
  ...more,
});

export const write = (n: number, more: Partial<CallDigest> = {}): CallDigest =>
  read(n, { tool: 'write_file', risks: ['write'], mutates: true, effect: 'checkable', ...more });

export const shell = (n: number, more: Partial<CallDigest> = {}): CallDigest =>
  read(n, { tool: 'shell_execute', risks: ['exec'], mutates: true, effect: 'unknowable', ...more });

export const asking = { gate: { decision: 'ask' as const, reason: 'may destroy data' } };
export const wary = { wary: { decision: 'ask' as const, reason: 'after reading untrusted content' } };
export const denying = { gate: { decision: 'deny' as const, reason: 'denied by rule x' } };
export const askUser = (n: number): CallDigest =>
  read(n, { tool: 'ask_user', subject: 'Which colour?', risks: [] });

export const calls = (...list: CallDigest[]) => ({
  ok: true,
  answer: 'calls',
  calls: list,
  claim: 'success',
  reason: '',
  tokens: 100,
});
export const text = (claim: ClaimStatus = 'success', reason = '') => ({
  ok: true,
  answer: 'text',
  calls: [],
  claim,
  reason,
  tokens: 100,
});
export const cut = { ok: true, answer: 'cut', calls: [], claim: 'success', reason: '', tokens: 100 };
export const pressure = { ...cut, answer: 'pressure' };
export const shrunk = (before: number, after: number) => ({ ok: true, before, after });
export const toolDone = (signature = 'result', success = true) => ({
  ok: true,
  success,
  signature,
  tokens: 10,
});
export const noted = { ok: true, tokens: 5 };
export const answer = (word: string, reason = '') => ({ ok: true, answer: word, reason });

export const digest = (outcome: Outcome = 'pass', more: Partial<VerdictDigest> = {}): VerdictDigest => ({
  outcome,
  reason_code: outcome === 'fail' ? 'llm_semantic_failed' : '',
  severity_class: outcome === 'inconclusive' ? 'inconclusive' : 'semantic',
  confidence: 0.9,
  independent: true,
  tier: 2,
  ...more,
});
export const verdict = (outcome: Outcome = 'pass', more: Partial<VerdictDigest> = {}) => ({
  ok: true,
  verdict: digest(outcome, more),
});
/** Of the checks: nothing wrong, and nothing observable that supports the work. */
export const unestablished = verdict('inconclusive', {
  reason_code: 'not_established',
  tier: 1,
  established: false,
});
export const settled = { ok: true, summary: 'what was done' };

/** Of a subtask that gave up. */
export const givenUp = (code = 'llm_semantic_failed', more = {}) => ({
  ...failed(code),
  blocked: false,
  attempts: 3,
  signature: `generic:${code}`,
  calls: 6,
  ...more,
});

export const node = (id: string, depends_on: string[] = [], more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  description: `do ${id}`,
  depends_on,
  model_tier: 1,
  verification_tier: 2,
  is_critical_path: false,
  is_synthesis: false,
  acceptance_criteria: '',
  deliverables: [],
  ...more,
});
export const planOf = (...subtasks: PlanNode[]): Plan => ({ version: 1, goal_criteria: [], subtasks });
export const planned = (...subtasks: PlanNode[]) => ({ ok: true, plan: planOf(...subtasks) });

export const turnInput = (more: Partial<TurnInput> = {}): TurnInput => ({
  thread: 'a@1.1',
  subtask: 'a',
  role: 'executor',
  tier: 1,
  max_iterations: 10,
  tokens: 500,
  ...more,
});
export const sessionInput = (more: Partial<SessionInput> = {}): SessionInput => ({
  turns: 0,
  queued: 0,
  settings: { max_iterations: 10 },
  ...more,
});
/** A message was written; one text was taken from the queue. */
export const composed = (more: object = {}) => ({
  ok: true,
  empty: false,
  took: 1,
  tokens: 500,
  reflect: false,
  ...more,
});
export const verifierInput = (more: Partial<VerifierInput> = {}): VerifierInput => ({
  thread: 'a@1.1',
  subtask: 'a',
  plan_version: 1,
  attempt: 1,
  tier: 2,
  votes: 3,
  review_tokens: 2_000,
  ...more,
});
const subtaskSettings = (more: Partial<SubtaskSettings> = {}): SubtaskSettings => ({
  max_retries: 2,
  max_iterations: 10,
  wall_clock_ms: 60_000,
  votes: 3,
  review_tokens: 2_000,
  extract: false,
  resolver: false,
  top_tier: 1,
  remediation: DEFAULT_REMEDIATION,
  result_gate: false,
  confidence_threshold: 0.8,
  ...more,
});
export const subtaskInput = (
  settings: Partial<SubtaskSettings> = {},
  more: Partial<SubtaskInput> = {},
): SubtaskInput => ({
  id: 'a',
  incarnation: 1,
  plan_version: 1,
  model_tier: 1,
  verification_tier: 2,
  critical: false,
  spent: 0,
  settings: subtaskSettings(settings),
  ...more,
});
/** An item of the queue: of a subtask that waits for it, unless told otherwise. */
export const remediationInput = (
  more: Partial<RemediationInput> = {},
  settings: Partial<RemediationSettings> = {},
): RemediationInput => ({
  id: 'rem-a-1',
  subtask: 'a',
  incarnation: 1,
  attempt: 1,
  thread: 'a@1.1',
  reason_code: 'unconfirmed_claims',
  strategy: 'queue_follow_up',
  blocking: true,
  waits: true,
  critical: false,
  model_tier: 1,
  verification_tier: 2,
  calls: 3,
  record: {
    status: 'failed',
    attempts: 1,
    thread: 'a@1.1',
    plan_version: 1,
    verification: digest('fail', { reason_code: 'unconfirmed_claims' }),
    failure: failure('retryable', 'unconfirmed_claims', 'two claims are open'),
  },
  plan_version: 1,
  settings: subtaskSettings({ remediation: { ...DEFAULT_REMEDIATION, ...settings } }),
  ...more,
});

export const taskInput = (
  settings: Partial<TaskSettings> = {},
  subtask: Partial<SubtaskSettings> = {},
): TaskInput => ({
  title: 'make it so',
  settings: {
    max_parallel: 2,
    degraded_mode: 'allow',
    plan_only: false,
    max_replans: 1,
    tier2_enabled: true,
    tier3_enabled: false,
    subtask: subtaskSettings(subtask),
    ...settings,
  },
});
