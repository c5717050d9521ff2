/** Taking back what runs changed. An undo is a change of the run like any other: recorded, and itself undone by `redo`.
 *
 *  Order: checkpoint `p/undo` with the records → files → one commit with the undo's entry, the marks on what it undid and
 *  the end of the checkpoint. A crash in between leaves the checkpoint; the next undo of that run finishes it first. */
import { randomUUID } from 'node:crypto';
import { LoomError } from '../machines/failure.ts';
import type { Blobs } from '../store/blobs-port.ts';
import { type Lease, type RunHead, type Store, seqKey } from '../store/port.ts';
import { changesMade } from '../tools/changes.ts';
import { isGitsOwn } from '../tools/records.ts';
import type { ChangeRecord } from '../tools/tool.ts';
import { applyUndo, lastUndo, planUndo, type Selection, type UndoPlan } from '../tools/undo.ts';
import { openWorkspace } from '../tools/workspace.ts';
import { changingSubtask, type Named, named } from './changes.ts';
import { type ChangelogEntry, changelogKey, taskRows } from './effects/rows.ts';
import type { UndoOptions, UndoReport } from './loom.ts';
import type { Launch } from './task-deps.ts';

const CHECKPOINT = 'p/undo';

interface PendingUndo {
  entry: string;
  /** `redo` where it took an undo back. */
  tool?: ChangelogEntry['tool'];
  plan: UndoPlan;
  changes?: unknown;
}

/** Refuses while a process still works on the run: what it does next would rest on what is taken away. */
async function claimForUndo(store: Store, head: RunHead): Promise<Lease> {
  const lease = await store.claim(head.id);
  if (lease) return lease;
  throw new LoomError(
    'terminal',
    'owned_elsewhere',
    `${head.id} is still running in another process. \`loom cancel ${head.id}\` stops it; then undo.`,
  );
}

/** Takes back a task, a subtask or one change. Throws LoomError `unknown_id`, `ambiguous_id`, `owned_elsewhere`, `undo_conflict`. */
export async function undoChanges(
  launch: Pick<Launch, 'store' | 'home'>,
  id: string,
  options: UndoOptions,
): Promise<UndoReport> {
  const what = await meant(launch.store, id, options.subtask);
  return takeBack(launch, what, 'undo', options, () =>
    what.change ? { ids: [what.change] } : what.subtask ? { subtask: what.subtask } : { all: true },
  );
}

/** Takes the newest undo back that concerned a task, a subtask or one change. Throws as `undoChanges`, and `nothing_to_redo`. */
export async function redoChanges(
  launch: Pick<Launch, 'store' | 'home'>,
  id: string,
  options: UndoOptions,
): Promise<UndoReport> {
  const what = await meant(launch.store, id, options.subtask);
  return takeBack(launch, what, 'redo', options, entries => {
    const last = lastUndo(entries, what);
    if (last) return { ids: [last] };
    throw new LoomError(
      'terminal',
      'nothing_to_redo',
      `Nothing of ${id} is undone at present. \`loom diff ${what.head.id}\` lists its changes.`,
    );
  });
}

async function meant(store: Store, id: string, subtask: string | undefined): Promise<Named> {
  const what = await named(store, id);
  return subtask === undefined
    ? what
    : { head: what.head, subtask: await changingSubtask(store, what.head, subtask) };
}

async function takeBack(
  { store, home }: Pick<Launch, 'store' | 'home'>,
  { head }: Named,
  tool: 'undo' | 'redo',
  { dry_run = false, force = false }: UndoOptions,
  select: (entries: ChangelogEntry[]) => Selection,
): Promise<UndoReport> {
  const rows = taskRows(store, head.id);
  if (dry_run) {
    const entries = await rows.history();
    return reportOf(planUndo(entries, select(entries)), entries, true);
  }
  const lease = await claimForUndo(store, head);
  try {
    const power = { store, lease, blobs: await home.blobs(), workspace: await openWorkspace(head.workspace) };
    const pending = await store.get<PendingUndo>(head.id, CHECKPOINT);
    if (pending) await finish(power, pending);
    const entries = await rows.history();
    const plan = planUndo(entries, select(entries));
    const own = {
      id: `u${randomUUID().replaceAll('-', '').slice(0, 7)}`,
      tool: toolFor(plan, entries, tool),
    };
    const skipped = await carryOut(power, own, plan, force);
    return reportOf({ ...plan, skipped }, entries, false);
  } finally {
    await store.release(lease);
  }
}

/** Taking an undo back by its own id is a redo, whatever it was called. */
const toolFor = (plan: UndoPlan, entries: ChangelogEntry[], asked: 'undo' | 'redo'): 'undo' | 'redo' => {
  const undos = entries.filter(entry => entry.tool === 'undo' && plan.entries.includes(entry.id));
  return plan.entries.length > 0 && undos.length === plan.entries.length ? 'redo' : asked;
};

interface Power {
  store: Store;
  lease: Lease;
  blobs: Blobs;
  workspace: Awaited<ReturnType<typeof openWorkspace>>;
}

async function carryOut(
  { store, lease, blobs, workspace }: Power,
  own: Pick<ChangelogEntry, 'id' | 'tool'>,
  plan: UndoPlan,
  force: boolean,
  recovered?: unknown,
): Promise<UndoPlan['skipped']> {
  if (plan.steps.length === 0) return plan.skipped;
  const { signal } = new AbortController();
  const outcome = await applyUndo(
    plan,
    {
      workspace,
      key: own.id,
      subtask: null,
      signal,
      blobs,
      lastRead: () => undefined,
      recovered,
      checkpoint: value =>
        store.checkpoint(lease, [
          {
            key: CHECKPOINT,
            value: { ...(value as object), entry: own.id, tool: own.tool, plan } satisfies PendingUndo,
          },
        ]),
      lock: () => store.locks.acquire(workspace.root, own.id, { signal }),
    },
    { force },
  );
  await record({ store, lease }, own, plan.entries, outcome.changes);
  return outcome.skipped;
}

/** Ends an undo that a crash cut off. Where somebody changed a file since, what was taken back by then is recorded as a
 *  change of its own, and the rest is left to the undo that was asked for now. */
async function finish(
  power: Power,
  { entry, tool = 'undo', plan, ...checkpoint }: PendingUndo,
): Promise<void> {
  try {
    await carryOut(power, { id: entry, tool }, plan, false, checkpoint);
  } catch (error) {
    if (!(error instanceof LoomError) || error.failure.code !== 'file_changed_meanwhile') throw error;
    const made = await changesMade(power.workspace.root, entry, checkpoint);
    await record(power, { id: entry, tool: 'undo', cut: true }, [], made);
  }
}

/** One commit: the undo's own entry, the marks on what it undid, and the end of its checkpoint. */
async function record(
  { store, lease }: Pick<Power, 'store' | 'lease'>,
  own: Pick<ChangelogEntry, 'id' | 'tool' | 'cut'>,
  undoneIds: string[],
  changes: ChangeRecord[],
): Promise<void> {
  const head = (await store.head(lease.run))!;
  const at = new Date().toISOString();
  const key = `undo|${head.rev + 1}|0`;
  const undone = new Set(undoneIds);
  const all = await store.range<ChangelogEntry>(lease.run, 'c/');
  const entry: ChangelogEntry = { ...own, key, subtask: null, changes, at };
  const seq = head.seq + 1;
  const line = {
    seq,
    event_type: own.tool === 'redo' ? 'changes_redone' : 'changes_undone',
    task_id: head.id,
    timestamp: at,
    data: {
      change_ids: undoneIds,
      undo_id: own.id,
      files_changed: changes.map(change => change.path).filter(path => !isGitsOwn(path)),
    },
  };
  await store.commit(lease, head.rev, { seq, updated_at: head.updated_at }, [
    { key: CHECKPOINT, value: null },
    { key: changelogKey(null, key), value: entry },
    ...all
      .filter(row => undone.has(row.value.id))
      .map(row => ({ key: row.key, value: { ...row.value, undone_by: own.id } })),
    { key: `j/${seqKey(seq)}`, value: line },
  ]);
}

function reportOf(plan: UndoPlan, entries: ChangelogEntry[], dry_run: boolean): UndoReport {
  // What a cut-off undo had done is put right first, which is not what anybody asked about.
  const silent = new Set(entries.filter(entry => entry.cut).map(entry => entry.id));
  const left = new Set(plan.skipped.map(skip => `${skip.entry}\n${skip.path}`));
  return {
    reverted: plan.steps
      .filter(step => !silent.has(step.entry) && !isGitsOwn(step.record.path))
      .filter(step => step.record.kind !== 'directory' && !left.has(`${step.entry}\n${step.record.path}`))
      .map(step => ({
        id: step.entry,
        path: step.record.path,
        operation: undoneOperation(step.record.operation),
      })),
    refused: plan.skipped
      .filter(skip => skip.path !== '')
      .map(skip => ({ id: skip.entry, path: skip.path, reason: skip.reason })),
    dry_run,
  };
}

/** The report names what was done, not what was done to take it back. */
const undoneOperation = (inverse: string): string =>
  inverse === 'delete' ? 'create' : inverse === 'create' ? 'delete' : inverse;
