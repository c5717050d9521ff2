/** The remediation queue of a task: which item comes next, when it may be told to finish, what its end changes. */
import type { Item } from './follow-up.ts';
import { nodeIndex, setStatus } from './plan.ts';
import type { RemediationInput, RemediationOutput } from './remediation.ts';
import { type FollowUp, itemData, remediationRow } from './remediation-queue.ts';
import type { Context, FailedNode } from './task-context.ts';

export type ItemDone = { type: 'xstate.done.actor.*'; actorId: string; output: RemediationOutput };

/** `r:<subtask>@<incarnation>` */
export const childOf = ({ subtask, incarnation }: FollowUp): string => `r:${subtask}@${incarnation}`;

/** What the task waits for comes first. */
export const nextItem = ({ items }: Context): Item | undefined => {
  const waiting = items.filter(({ live }) => !live);
  return waiting.find(({ blocking }) => blocking) ?? waiting[0];
};

export function itemInput(context: Context): RemediationInput {
  const { live: _live, told: _told, ...item } = nextItem(context)!;
  return { ...item, plan_version: context.plan!.version, settings: context.settings.subtask };
}

export function itemLaunched(context: Context): Partial<Context> {
  const next = nextItem(context)!;
  const items = context.items.map(item => (item === next ? { ...item, live: true } : item));
  return { items, live: [...context.live, childOf(next)] };
}

/** Items that may end without success and have not been told that everything else is done. */
export const dispensable = ({ items }: Context): Item[] =>
  items.filter(({ live, blocking, told }) => live && !blocking && !told);

export const allTold = ({ items }: Context): Item[] => items.map(item => ({ ...item, told: true }));

const itemOf = ({ items }: Context, actorId: string): Item | undefined =>
  items.find(item => childOf(item) === actorId);

/** What the end of an item changes. */
export function itemEnded(context: Context, { actorId, output }: ItemDone): Partial<Context> {
  const item = itemOf(context, actorId)!;
  const live = context.live.filter(id => id !== actorId);
  const items = context.items.filter(other => other !== item);
  const i = nodeIndex(context.plan!, item.subtask);
  const status = item.waits ? setStatus(context.status, i, output.ok ? 'c' : 'f') : context.status;
  if (output.ok || !item.blocking) return { live, items, status };
  const { spent = 0 } = context.plan!.subtasks[i]!;
  const open: FailedNode = {
    id: item.subtask,
    critical: item.critical,
    code: output.failure?.code ?? item.reason_code,
    message: output.failure?.message ?? '',
    signature: output.signature,
    replacement: spent > 0,
    unmet: [],
    calls: output.calls,
    attempt_calls: Math.ceil((output.calls - spent) / output.attempts),
    // A completed subtask stays as it is: no plan could put anything in its place.
    ...(item.waits ? {} : { final: true as const }),
  };
  const unseen = context.replanFor && item.waits ? [...context.unseen, open.id] : context.unseen;
  const first = open.final || !context.open?.critical;
  return { live, items, status, unseen, open: first ? open : context.open };
}

type Said =
  | { type: 'journal'; params: { event_type: string; data: Record<string, unknown> } }
  | { type: 'put'; params: { key: string; value: unknown } };

const line = (event_type: string, data: Record<string, unknown>): Said => ({
  type: 'journal',
  params: { event_type, data },
});

/** What the journal and the rows are told of items that no actor speaks for. */
export const said = {
  /** Items that entered the queue. */
  queued: (before: Context, { items = [] }: Partial<Context>): Said[] =>
    items
      .filter(item => !before.items.includes(item))
      .flatMap(item => [
        line('remediation_queued', itemData(item)),
        { type: 'put', params: remediationRow(item, 'queued', 0) },
      ]),
  /** A subtask that waited for its follow-up and has failed with it. */
  failed(context: Context, { actorId, output }: ItemDone): Said[] {
    const { subtask, verification_tier } = itemOf(context, actorId)!;
    if (output.ok || !output.record) return [];
    const { code = '', message = '' } = output.failure ?? {};
    const data = { subtask_id: subtask, attempts: output.attempts, verification_tier };
    return [
      { type: 'put', params: { key: `s/${subtask}`, value: { ...output.record, failure: output.failure } } },
      line('subtask_failed', {
        ...data,
        failure_class: 'unconfirmed_data',
        reason_code: code,
        feedback: message,
      }),
    ];
  },
  /** Items that the end of the task leaves behind. */
  left: ({ items }: Context): Said[] =>
    items.flatMap(item => {
      const data = { ...itemData(item), state: 'expired', outcome: 'expired', reason: 'the task has ended' };
      return [
        line('remediation_expired', data),
        line('remediation_terminal', data),
        { type: 'put', params: remediationRow(item, 'expired', 0) },
      ];
    }),
};
