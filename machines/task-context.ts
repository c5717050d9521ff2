/** What a task knows, and the pure questions it asks about it: what runs next, what an outcome changes, why it fails. */
import type { EffectOutputs, QuestionInput } from './effects.ts';
import { type Failure, failure } from './failure.ts';
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

export interface ReplanInput {
  version: number;
  failed: string;
  reason: string;
}

export interface Context extends TaskInput {
  /** Stored apart: one row per version. */
  plan: Plan | null;
  /** One letter per node in plan order. */
  status: string;
  /** Ids of the live children. */
  live: string[];
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
  failure: Failure | null;
}

interface FailedNode {
  id: string;
  critical: boolean;
  code: string;
  message: string;
}

export const MAX_PLAN_REPAIRS = 2;

export type SubtaskDone = { type: 'xstate.done.actor.*'; actorId: string; output: SubtaskOutput };

/** `s:<node id>@<incarnation>` */
const nodeOf = (actorId: string): string => actorId.slice(2, actorId.lastIndexOf('@'));

const tierOf = (node: PlanNode, settings: TaskSettings): number => {
  if (!settings.tier2_enabled) return 1;
  return settings.tier3_enabled && node.is_critical_path ? 3 : node.verification_tier;
};

export const nextNode = (context: Context): PlanNode =>
  context.plan!.subtasks[nextRunnable(context.plan!, context.status)]!;

export const subtaskInput = (context: Context): SubtaskInput => {
  const node = nextNode(context);
  return {
    id: node.id,
    incarnation: context.launched + 1,
    plan_version: context.plan!.version,
    model_tier: node.model_tier,
    verification_tier: tierOf(node, context.settings),
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

export const describePlan = (plan: Plan): Record<string, unknown> => ({
  subtask_count: plan.subtasks.length,
  subtask_ids: plan.subtasks.map(node => node.id),
  subtasks: plan.subtasks.map(({ id, description, depends_on, verification_tier }) => ({
    id,
    description,
    depends_on,
    verification_tier,
  })),
  version: plan.version,
});

/** Short enough for the context; the planner needs the first ones, not all. */
export const bounded = (errors: string[]): string[] => errors.slice(0, 20).map(error => error.slice(0, 300));

export function errorsOf(output: EffectOutputs['plan']): string[] {
  if (output.ok) return planErrors(demoteSyntheses(output.plan).plan);
  const listed = output.failure.detail?.['errors'];
  return Array.isArray(listed) ? listed.map(String) : [output.failure.message];
}

export const merged = (context: Context, proposed: Plan) =>
  mergePlan(context.plan!, context.status, proposed, context.unseen);

export const accept = (plan: Plan) => ({ plan, status: 'p'.repeat(plan.subtasks.length), errors: [] });

/** What the end of a subtask changes. */
export function outcome(context: Context, event: SubtaskDone): Partial<Context> {
  const { actorId, output } = event;
  const i = nodeIndex(context.plan!, nodeOf(actorId));
  const live = context.live.filter(id => id !== actorId);
  const letter: StatusLetter = output.ok ? 'c' : output.blocked ? 'b' : 'f';
  const status = setStatus(context.status, i, letter);
  if (output.ok) return { live, status };
  const { is_critical_path: critical } = context.plan!.subtasks[i]!;
  const open = {
    id: nodeOf(actorId),
    critical,
    code: output.failure.code,
    message: output.failure.message,
  };
  const unseen = context.replanFor ? [...context.unseen, open.id] : [];
  // A critical failure waiting to be acted on is not displaced by a later, lesser one.
  return { live, status, unseen, open: context.open?.critical ? context.open : open };
}

/** Why the task fails: the failed subtask that nothing more can be done about, or that nothing can run. */
export function causeOf(context: Context): Failure {
  const cause = context.replanFor ?? context.open;
  if (cause)
    return failure('terminal', cause.code, `subtask "${cause.id}" failed: ${cause.message}`, {
      subtask_id: cause.id,
    });
  return failure('terminal', 'scheduler', 'no subtask can run any more', {
    blocked_subtasks: context.plan ? stallReasons(context.plan, context.status).slice(0, 20) : [],
  });
}

export const signature = (context: Context): string => `${context.open?.id}:${context.open?.code}`;

/** A new plan may help once per failure signature and only so often. */
export const replannable = (context: Context): boolean =>
  context.replans < context.settings.max_replans && !context.replanned.includes(signature(context));

/** Why a new plan is made, for the journal. */
export const replanReason = ({ open }: Context): Record<string, unknown> => ({
  reason: open?.code ?? '',
  failed_subtask_id: open?.id ?? '',
  verification_feedback: open?.message ?? '',
});
