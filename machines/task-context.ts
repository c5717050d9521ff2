/** What a task knows, and the pure questions it asks about it: what runs next, what an outcome changes, why it fails. */
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import { type Item, queued } from './follow-up.ts';
import { PATIENCE } from './ladder.ts';
import { type Obligations, obligationsOf, reassigned } from './obligations.ts';
import {
  demoteSyntheses,
  mergePlan,
  nextRunnable,
  nodeIndex,
  type Plan,
  type PlanNode,
  planErrors,
  type StatusLetter,
  setStatus,
  stallReasons,
} from './plan.ts';
import type { SubtaskInput, SubtaskOutput, SubtaskSettings } from './subtask.ts';
import type { VerdictDigest } from './verdict.ts';

export interface TaskSettings {
  /** 1..64 */
  max_parallel: number;
  degraded_mode: 'allow' | 'require_approval' | 'deny';
  plan_only: boolean;
  max_replans: number;
  tier2_enabled: boolean;
  tier3_enabled: boolean;
  subtask: SubtaskSettings;
}

export interface TaskInput {
  /** At most 200 characters, for questions and events; the whole goal is a row. */
  title: string;
  settings: TaskSettings;
}

/** What the user says to a running task. */
export interface Instruction {
  type: 'STEER';
  id: string;
  at: string;
  text: string;
}

export type TaskOutput =
  | { status: 'completed' }
  | { status: 'planned' }
  | { status: 'cancelled' }
  | { status: 'failed'; failure: Failure };

export interface PlanInput {
  /** 0 for the first request, then how often errors were sent back. */
  repair: number;
  errors: string[];
}

export interface FinalizeInput {
  version: number;
  /** Commands that were evidence have been run once more. */
  rechecked: boolean;
  /** The verdict on the goal's own criteria; null: not judged yet. */
  goal: VerdictDigest | null;
}

export interface ReplanInput {
  version: number;
  failed: string;
  reason: string;
}

export interface Context extends TaskInput {
  /** Stored apart: one row per version. */
  plan: Plan | null;
  /** What is owed under it; stored apart, too. */
  obligations: Obligations | null;
  /** One letter per node in plan order. */
  status: string;
  /** Ids of the live children. */
  live: string[];
  /** The remediation queue. */
  items: Item[];
  /** Counts dispatches, so that no two incarnations share an address. */
  launched: number;
  repairs: number;
  errors: string[];
  replans: number;
  /** Signatures of failures that already led to a new plan. */
  replanned: string[];
  /** The newest failed subtask that nothing has been done about. */
  open: FailedNode | null;
  /** The failure a new plan is being made for. */
  replanFor: FailedNode | null;
  /** Ids of what failed since the planner was asked. */
  unseen: string[];
  /** PAUSE was asked for; takes hold as soon as there is something to hold back. */
  pausing: boolean;
  /** How far the end of the work has been looked at. */
  closing: { rechecked: boolean; goal: VerdictDigest | null };
  failure: Failure | null;
}

export interface FailedNode {
  id: string;
  critical: boolean;
  code: string;
  message: string;
  /** What kind of failure it was, exactly; see the ladder. */
  signature: string;
  /** It came with a new plan, in place of work that had failed. */
  replacement: boolean;
  /** Obligations that nothing shows although their work is completed. */
  unmet: string[];
  /** No new plan can mend it. */
  final?: true;
  /** Model calls spent on it and what it replaced, and how many of them on its last attempt, about. */
  calls: number;
  attempt_calls: number;
}

export const MAX_PLAN_REPAIRS = 2;

export type SubtaskDone = { type: 'xstate.done.actor.*'; actorId: string; output: SubtaskOutput };

/** `s:<node id>@<incarnation>` */
const nodeOf = (actorId: string): string => actorId.slice(2, actorId.lastIndexOf('@'));

const tierOf = (node: PlanNode, settings: TaskSettings): number => {
  if (!settings.tier2_enabled) return 1;
  return settings.tier3_enabled && node.is_critical_path ? 3 : node.verification_tier;
};

/** Address of the next runnable node below the task. */
export const nextChild = (context: Context): string => `s:${nextNode(context).id}@${context.launched + 1}`;

const nextNode = (context: Context): PlanNode =>
  context.plan!.subtasks[nextRunnable(context.plan!, context.status)]!;

export const subtaskInput = (context: Context): SubtaskInput => {
  const node = nextNode(context);
  return {
    id: node.id,
    incarnation: context.launched + 1,
    plan_version: context.plan!.version,
    model_tier: node.model_tier,
    verification_tier: tierOf(node, context.settings),
    critical: node.is_critical_path,
    spent: node.spent ?? 0,
    settings: context.settings.subtask,
  };
};

export const planQuestion = (context: Context): QuestionInput => ({
  kind: 'plan',
  call: '',
  subtask: null,
  prompt: `No usable plan could be made (${context.errors[0] ?? 'the planner did not answer'}). Run the whole goal as a single subtask?`,
  choices: ['approve', 'reject'],
  rule: '',
  risk: 'plan',
});

/** The plan in force, for the journal. */
export function describePlan({ plan, replans }: Context): Record<string, unknown> {
  const { subtasks, version } = plan!;
  return {
    subtask_count: subtasks.length,
    subtask_ids: subtasks.map(node => node.id),
    subtasks: subtasks.map(({ id, description, depends_on, verification_tier }) => ({
      id,
      description,
      depends_on,
      verification_tier,
    })),
    version,
    ...(replans > 0 ? { replanned: true } : {}),
  };
}

/** Short enough for the context; the planner needs the first ones, not all. */
export const bounded = (errors: string[]): string[] => errors.slice(0, 20).map(error => error.slice(0, 300));

export function errorsOf(output: EffectOutputs['plan']): string[] {
  if (output.ok) return planErrors(demoteSyntheses(output.plan).plan);
  const listed = output.failure.detail?.['errors'];
  return Array.isArray(listed) ? listed.map(String) : [output.failure.message];
}

/** What takes the place of failed work begins with the calls it has cost, and those of the new plan. */
const costOf = (failed: FailedNode | null): number => (failed && failed.calls > 0 ? failed.calls + 1 : 0);

export const merged = (context: Context, proposed: Plan) =>
  mergePlan(context.plan!, context.status, proposed, context.unseen, costOf(context.replanFor));

export const accept = (plan: Plan) => ({
  plan,
  obligations: obligationsOf(plan),
  status: 'p'.repeat(plan.subtasks.length),
  errors: [],
});

/** What an accepted new plan changes. Everything owed stays owed. */
export function adopted(context: Context, proposed: Plan): Partial<Context> {
  const { plan, status } = merged(context, proposed);
  const unmet = context.replanFor?.unmet ?? [];
  const obligations = reassigned(context.obligations!, context.plan!, plan, unmet);
  return { plan, obligations, status, replanFor: null, unseen: [], closing: NOT_CLOSING };
}

const NOT_CLOSING: Context['closing'] = { rechecked: false, goal: null };

/** What the end of a subtask changes. */
export function outcome(context: Context, event: SubtaskDone): Partial<Context> {
  const { actorId, output } = event;
  const i = nodeIndex(context.plan!, nodeOf(actorId));
  const live = context.live.filter(id => id !== actorId);
  const items = queued(context.items, output);
  if (output.follow_up?.waits) return { live, items };
  const letter: StatusLetter = output.ok ? 'c' : output.blocked ? 'b' : 'f';
  const status = setStatus(context.status, i, letter);
  if (output.ok) return { live, items, status };
  const { is_critical_path: critical, spent = 0 } = context.plan!.subtasks[i]!;
  const open: FailedNode = {
    id: nodeOf(actorId),
    critical,
    code: output.failure.code,
    message: output.failure.message,
    signature: output.signature,
    replacement: spent > 0,
    unmet: [],
    calls: output.calls,
    attempt_calls: Math.ceil((output.calls - spent) / output.attempts),
  };
  const unseen = context.replanFor ? [...context.unseen, open.id] : [];
  // A critical failure waiting to be acted on is not displaced by a later, lesser one.
  return { live, status, unseen, open: context.open?.critical ? context.open : open };
}

/** Why the task fails: the failed subtask that nothing more can be done about, or that nothing can run. */
export function causeOf(context: Context): Failure {
  const cause = context.replanFor ?? context.open;
  if (cause?.unmet.length)
    return failure('terminal', cause.code, cause.message, { obligations: cause.unmet });
  if (cause?.final)
    return failure(
      'terminal',
      cause.code,
      `the follow-up of subtask "${cause.id}" failed: ${cause.message}`,
      {
        subtask_id: cause.id,
        blocking_remediation_failures: [cause.id],
      },
    );
  if (cause)
    return failure('terminal', cause.code, `subtask "${cause.id}" failed: ${cause.message}`, {
      subtask_id: cause.id,
    });
  return failure('terminal', 'scheduler', 'no subtask can run any more', {
    blocked_subtasks: context.plan ? stallReasons(context.plan, context.status).slice(0, 20) : [],
  });
}

/** `<node> <failure signature>`; node ids hold no blank. */
const signature = ({ open }: Context): string => `${open?.id} ${open?.signature}`;

/** The same failure again: of the same node, or of what a new plan put in its place under another name. */
const returned = ({ open, replanned }: Context): boolean =>
  replanned.some(known =>
    open?.replacement ? known.endsWith(` ${open.signature}`) : known === `${open?.id} ${open?.signature}`,
  );

/** A new plan may help once per failure and only so often; never for a verdict that nobody could read, and for work that
 *  is not critical only while it has cost little. */
export function replannable(context: Context): boolean {
  const { open, replans, settings } = context;
  if (!open || open.final || replans >= settings.max_replans || returned(context)) return false;
  if (open.signature.startsWith('verifier_parse')) return false;
  return open.critical || open.calls + 1 + open.attempt_calls <= PATIENCE;
}

/** Why a new plan is made, for the journal. */
export const replanReason = ({ open }: Context): Record<string, unknown> => ({
  reason: open?.code ?? '',
  failed_subtask_id: open?.id ?? '',
  verification_feedback: open?.message ?? '',
});

/** Why a new plan cannot be used, for the journal. */
export const rejection = (context: Context, output: EffectOutputs['replan']): Record<string, unknown> => ({
  failed_subtask_id: context.replanFor?.id ?? '',
  validation_error: (output.ok
    ? merged(context, output.plan).errors.join('; ')
    : output.failure.message
  ).slice(0, 500),
});

export const beginning = (input: TaskInput): Context => ({
  ...input,
  plan: null,
  obligations: null,
  status: '',
  live: [],
  items: [],
  launched: 0,
  repairs: 0,
  errors: [],
  replans: 0,
  replanned: [],
  open: null,
  replanFor: null,
  unseen: [],
  pausing: false,
  closing: NOT_CLOSING,
  failure: null,
});

/** A new plan is asked for because of the open failure. */
export const beginReplan = (context: Context): Partial<Context> => ({
  replans: context.replans + 1,
  replanned: [...context.replanned, signature(context)].slice(-20),
  replanFor: context.open,
  open: null,
  unseen: [],
});

export const noPlan = ({ errors }: Context): Failure =>
  failure('terminal', 'plan_invalid', `no usable plan: ${errors[0] ?? 'the planner did not answer'}`);

/** The next runnable node begins. */
export function launch(context: Context): Partial<Context> {
  const i = nextRunnable(context.plan!, context.status);
  const launched = context.launched + 1;
  const id = `s:${context.plan!.subtasks[i]!.id}@${launched}`;
  return { launched, live: [...context.live, id], status: setStatus(context.status, i, 'r') };
}

export const repairing = (context: Context, output: EffectOutputs['plan']): Partial<Context> => ({
  repairs: context.repairs + 1,
  errors: bounded(errorsOf(output)),
});

export const PLAN_REJECTED = failure(
  'terminal',
  'plan_rejected',
  'a person rejected the single-subtask plan',
);

/** Why nothing can start any more, for the journal. */
export const stalled = ({ plan, status }: Context): Record<string, unknown> => ({
  blocked_subtasks: stallReasons(plan!, status).slice(0, 50),
});

export const failedOutput = (context: Context): TaskOutput => ({
  status: 'failed',
  failure: context.failure ?? failure('terminal', 'unknown', 'the task ended without a reason'),
});

export const isYes = (output: EffectOutputs['question']): boolean => output.ok && output.answer === 'approve';
