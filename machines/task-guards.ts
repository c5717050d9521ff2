/** The conditions of a task's transitions, by the names under which charts show them. */
import type { EffectOutputs } from './effects.ts';
import { nextRunnable } from './plan.ts';
import { stuckReason } from './stuck.ts';
import { UNMET } from './task-closing.ts';
import {
  type Context,
  errorsOf,
  isYes,
  MAX_PLAN_REPAIRS,
  merged,
  replannable,
  type SubtaskDone,
} from './task-context.ts';
import { dispensable, type ItemDone, nextItem } from './task-items.ts';

interface At {
  context: Context;
  event: unknown;
}

const outputOf = <Source extends keyof EffectOutputs>(event: unknown): EffectOutputs[Source] =>
  (event as { output: EffectOutputs[Source] }).output;

const asksFor = (event: unknown, next: 'recheck' | 'judge'): boolean => {
  const output = outputOf<'finalize'>(event);
  return output.ok && output.next === next;
};

export const guards = {
  isSubtask: ({ event }: At) => (event as SubtaskDone).actorId.startsWith('s:'),
  planSound: ({ event }: At) => {
    const output = outputOf<'plan'>(event);
    return output.ok && errorsOf(output).length === 0;
  },
  planOnly: ({ context }: At) => context.settings.plan_only,
  planStuck: ({ event }: At) => stuckReason(outputOf<'plan'>(event)) !== null,
  // Only an answer can be repaired; a request that was refused would be refused again.
  repairsLeft: ({ context, event }: At) => {
    const output = outputOf<'plan'>(event);
    return context.repairs < MAX_PLAN_REPAIRS && (output.ok || output.failure.kind === 'retryable');
  },
  mayDegrade: ({ context }: At) => context.settings.degraded_mode === 'allow',
  mustAskToDegrade: ({ context }: At) => context.settings.degraded_mode === 'require_approval',
  criticalFailed: ({ context }: At) => context.open?.critical === true && !replannable(context),
  shouldReplan: ({ context }: At) => context.open !== null && replannable(context),
  allCompleted: ({ context }: At) => /^c+$/.test(context.status) && context.items.length === 0,
  // Only follow-ups are left, and some of them may end without success.
  onlyFollowUps: ({ context }: At) => /^c+$/.test(context.status) && dispensable(context).length > 0,
  roomForFollowUp: ({ context }: At) =>
    context.live.length < context.settings.max_parallel && nextItem(context) !== undefined,
  isFollowUp: ({ event }: At) => (event as ItemDone).actorId.startsWith('r:'),
  wantsRecheck: ({ event }: At) => asksFor(event, 'recheck'),
  wantsJudging: ({ event }: At) => asksFor(event, 'judge'),
  allShown: ({ event }: At) => outputOf<'finalize'>(event).ok,
  notShown: ({ event }: At) => {
    const output = outputOf<'finalize'>(event);
    return !output.ok && output.failure.code === UNMET;
  },
  roomAndWork: ({ context }: At) =>
    context.live.length < context.settings.max_parallel && nextRunnable(context.plan!, context.status) >= 0,
  pauseWanted: ({ context }: At) => context.pausing,
  nothingRuns: ({ context }: At) => context.live.length === 0,
  approved: ({ event }: At) => isYes(outputOf<'question'>(event)),
  mergeSound: ({ context, event }: At) => {
    const output = outputOf<'replan'>(event);
    return output.ok && merged(context, output.plan).errors.length === 0;
  },
};
