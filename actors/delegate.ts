/** Delegated tasks: each is a run of its own, whose id follows from the key of the call that asked for it.
 *
 *  Order: reserve from the caller's ledger → create the run under its derived id → drive it → charge what it really spent.
 *  Crash before the run is created: the repeated call creates it. Crash after: the repeated call finds it by its id and goes on
 *  with it, so that it is never started twice; the reservation stands in the intent row all the while. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, type Cost, type Ledger, NO_COST, SUBTASK_LEDGER } from '../machines/budget.ts';
import { LoomError } from '../machines/failure.ts';
import type { Lease, RunHead, Store } from '../store/port.ts';
import type { Delegate, Delegated } from '../tools/delegated.ts';
import type { EffectContext } from './effect.ts';
import { TAINT_PREFIX, TAINTED_RUN, type Taint, taintKey } from './effects/rows.ts';
import type { HostEnd } from './host-port.ts';
import type { JournalEvent, ResumeOptions, RunOptions } from './loom.ts';
import { isOver, resultOf } from './report.ts';

/** A task may delegate, and so may the task it delegated to, but no further. */
const MAX_DEPTH = 2;
/** Part of what is left of the caller's budget that one delegated task may spend at most. */
const SHARE = 0.5;
/** Events that its caller's journal tells of, and how many of them at most. */
const TOLD = new Set([
  'task_plan_ready',
  'subtask_started',
  'subtask_completed',
  'subtask_failed',
  'subtask_retrying',
  'task_replanning',
  'approval_requested',
  'task_parked',
  'task_completed',
  'task_failed',
]);
const MAX_TOLD = 200;
const POLL_MS = 250;

/** What the caller hands down. */
export interface Caller {
  store: Store;
  run: string;
  workspace: string;
  depth: number;
  policy: { mode: NonNullable<RunOptions['approval']>; allow: string[]; deny: string[] };
  timeout_seconds: number;
  onQuestion?: RunOptions['onQuestion'];
  start(options: RunOptions & Child & { goal: string; workspace: string; id: string }): Promise<unknown>;
  resume(lease: Lease, options: ResumeOptions): Promise<unknown>;
  /** Claims nothing: tells the run, whoever drives it, to end. */
  cancel(head: RunHead): Promise<unknown>;
}

/** Where a run stands among those that delegated it. */
export interface Child {
  parent?: string;
  depth?: number;
  /** Its goal was written by somebody who had read untrusted content. */
  tainted?: boolean;
}

const DIGITS = 12;

/** Id of the run that a call starts: the same for every execution of the call. */
function childId(run: string, key: string): string {
  const digest = createHash('sha256').update(`delegate\n${run}\n${key}`).digest('hex').slice(0, 20);
  return BigInt(`0x${digest}`).toString(36).padStart(DIGITS, '0').slice(-DIGITS);
}

const NAMES = ['tokens', 'usd', 'model_calls', 'tool_calls'] as const;

/** Its share of what the task and the subtask have left, of each amount that is limited. */
async function shareOf(store: Store, run: string, subtask: string | null): Promise<Partial<Cost>> {
  const ledger = await store.get<Ledger>(run, 'ledger');
  if (!ledger) return {};
  const own = subtask === null ? null : await store.get<Account>(run, SUBTASK_LEDGER + subtask);
  const left = (limit: number | undefined, account: Account | null, name: keyof Cost): number =>
    limit === undefined
      ? Number.POSITIVE_INFINITY
      : limit - (account?.spent[name] ?? 0) - (account?.reserved[name] ?? 0);
  return Object.fromEntries(
    NAMES.flatMap(name => {
      const least = Math.min(
        left(ledger.limits[name], ledger, name),
        left(ledger.subtask_limits[name], own, name),
      );
      if (!Number.isFinite(least)) return [];
      const share = Math.max(0, least * SHARE);
      return [[name, name === 'usd' ? share : Math.floor(share)]];
    }),
  );
}

const noRoom = (detail: Record<string, unknown> = {}): LoomError =>
  new LoomError(
    'terminal',
    'budget',
    'goal: the budget has no room for a task of its own; do the work here, or resume with a higher limit.',
    { ...detail, fields: ['goal'] },
  );

/** Reserves the share; what of it limits the run. */
async function reserved(
  caller: Caller,
  subtask: string | null,
  context: EffectContext,
): Promise<RunOptions | object> {
  const share = await shareOf(caller.store, caller.run, subtask);
  const amounts = Object.values(share);
  if (amounts.some(amount => amount <= 0)) throw noRoom();
  const lack = amounts.length > 0 ? await context.reserve({ ...NO_COST, ...share }) : null;
  if (lack) throw noRoom({ ...lack });
  const { tokens, usd, model_calls, tool_calls } = share;
  const limits = {
    max_tokens: tokens,
    max_cost: usd,
    max_model_calls: model_calls,
    max_tool_calls: tool_calls,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

/** What the caller's journal tells of one event of the run. */
function teller(id: string, subtask: string | null, context: EffectContext): (event: JournalEvent) => void {
  let told = 0;
  return ({ event_type, data }) => {
    if (!TOLD.has(event_type) || told++ >= MAX_TOLD) return;
    const { subtask_id, message, reason } = data;
    context.tell([
      {
        event_type: 'delegated_task_progress',
        data: {
          subtask_id: subtask,
          delegated_task_id: id,
          event: event_type,
          ...(subtask_id ? { delegated_subtask_id: subtask_id } : {}),
          ...(typeof message === 'string' ? { message: message.slice(0, 300) } : {}),
          ...(typeof reason === 'string' ? { reason } : {}),
        },
      },
    ]);
  };
}

/** Resolves when the run stands still: driven here, or by whoever owns it. */
async function driven(
  caller: Caller,
  id: string,
  {
    onEvent,
    signal,
    begin,
  }: { onEvent: (event: JournalEvent) => void; signal: AbortSignal; begin: () => Promise<unknown> },
): Promise<RunHead> {
  const { store } = caller;
  const ask = caller.onQuestion ? { onQuestion: caller.onQuestion } : {};
  if (!(await store.head(id))) await begin();
  else {
    for (;;) {
      const head = (await store.head(id))!;
      if (isOver(head)) return head;
      const lease = await store.claim(id);
      if (lease) {
        await caller.resume(lease, { onEvent, signal, ...ask });
        break;
      }
      // Somebody else goes on with it, such as a process that adopted it.
      await sleep(POLL_MS, undefined, { signal });
    }
  }
  return (await store.head(id))!;
}

/** What one who is tainted asks for is done warily by whoever does it. */
async function tainted(store: Store, run: string, subtask: string | null): Promise<boolean> {
  const rows = await Promise.all([taintKey(subtask), TAINTED_RUN].map(key => store.get<Taint>(run, key)));
  return rows.some(row => row !== null);
}

async function outcomeOf(store: Store, head: RunHead): Promise<Delegated> {
  const { task_id, status, summary, files_changed, error, questions = [] } = await resultOf(store, head);
  const wanted = questions.map(({ id, prompt }) => `${prompt.slice(0, 200)} (loom answer ${id})`).join('; ');
  const next = isOver(head) ? '' : ` \`loom resume ${task_id}\` goes on with it.`;
  return {
    task_id,
    status: isOver(head) ? status : 'parked',
    summary,
    files_changed,
    untrusted: (await store.range(head.id, TAINT_PREFIX, { limit: 1 })).length > 0,
    error: error
      ? {
          code: error.code,
          message: `${wanted ? `it waits for a decision: ${wanted}.` : error.message}${next}`,
        }
      : null,
  };
}

/** The power to delegate that one tool call is given. */
function delegateOf(
  caller: Caller,
  { key, subtask }: { key: string; subtask: string | null },
  context: EffectContext,
): Delegate {
  return async ({ goal }) => {
    const id = childId(caller.run, key);
    const { store } = caller;
    const stop = new AbortController();
    const stopped = () => {
      const { reason } = context.signal;
      const ended = reason instanceof LoomError && reason.failure.code === 'aborted';
      // Where the caller's machine has given it up it ends; where its process stops it is parked, and goes on with it.
      if (!ended) return stop.abort();
      void store
        .head(id)
        .then(head => head && !isOver(head) && caller.cancel(head))
        .catch(() => stop.abort());
    };
    context.signal.addEventListener('abort', stopped, { once: true });
    // The task has a time limit of its own, so that the caller's stands still.
    context.waiting();
    try {
      const onEvent = teller(id, subtask, context);
      const head = await driven(caller, id, {
        onEvent,
        signal: stop.signal,
        begin: async () =>
          caller.start({
            goal,
            id,
            workspace: caller.workspace,
            parent: caller.run,
            depth: caller.depth + 1,
            tainted: await tainted(store, caller.run, subtask),
            approval: caller.policy.mode,
            allow: caller.policy.allow,
            deny: caller.policy.deny,
            timeout_seconds: caller.timeout_seconds,
            ...(await reserved(caller, subtask, context)),
            signal: stop.signal,
            onEvent,
            ...(caller.onQuestion ? { onQuestion: caller.onQuestion } : {}),
          }),
      });
      context.signal.throwIfAborted();
      const ledger = await store.get<Ledger>(id, 'ledger');
      if (ledger) context.spend(ledger.spent);
      return await outcomeOf(store, head);
    } finally {
      context.running();
      context.signal.removeEventListener('abort', stopped);
    }
  };
}

/** Delegated tasks that have to stand still before their caller's process lets go of them, ms. */
const LAST_WAIT_MS = 5_000;

/** The delegated tasks of one run. */
export interface Children {
  /** False at the depth limit. */
  open: boolean;
  delegate(call: { key: string; subtask: string | null }, context: EffectContext): Delegate;
  /** When the run stands: its tasks stand, too, and end with it when it was cancelled. */
  ended(end: HostEnd): Promise<void>;
}

export function childrenOf(caller: Caller): Children {
  const going = new Set<Promise<unknown>>();
  return {
    open: caller.depth < MAX_DEPTH,
    delegate(call, context) {
      const delegate = delegateOf(caller, call, context);
      return task => {
        const work = delegate(task);
        going.add(work);
        return work.finally(() => going.delete(work));
      };
    },
    async ended(end) {
      const waited = new AbortController();
      await Promise.race([
        Promise.allSettled(going),
        sleep(LAST_WAIT_MS, undefined, { signal: waited.signal }).catch(() => {}),
      ]);
      waited.abort();
      if (end.kind !== 'done' || end.output.status !== 'cancelled') return;
      for (const head of await caller.store.runs({ workspace: caller.workspace }))
        if (head.parent === caller.run && !isOver(head)) await caller.cancel(head);
    },
  };
}
