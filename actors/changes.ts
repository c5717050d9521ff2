/** What runs changed, and taking it back. An undo is a change of the run like any other: recorded, and itself undoable.
 *
 *  Order: checkpoint `p/undo` with the records → files → one commit with the undo's entry, the marks on what it undid and
 *  the end of the checkpoint. A crash in between leaves the checkpoint; the next undo of that run finishes it first. */
import { randomUUID } from 'node:crypto';
import { LoomError } from '../machines/failure.ts';
import type { Blobs } from '../store/blobs-port.ts';
import { type Lease, type RunHead, type Store, seqKey } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import { changesMade } from '../tools/changes.ts';
import { diffRecords } from '../tools/diff.ts';
import type { ChangeRecord } from '../tools/tool.ts';
import { applyUndo, planUndo, type Selection, type UndoPlan } from '../tools/undo.ts';
import { openWorkspace } from '../tools/workspace.ts';
import { runNamed } from './control.ts';
import { type ChangelogEntry, changelogKey, taskRows } from './effects/rows.ts';
import type { FileChange, UndoReport } from './loom.ts';
import { findRun } from './report.ts';
import type { Launch } from './task-run.ts';

const CHECKPOINT = 'p/undo';

interface PendingUndo {
  entry: string;
  plan: UndoPlan;
  changes?: unknown;
}

const standing = (entry: ChangelogEntry, all: ChangelogEntry[]): boolean => {
  const undo = all.find(other => other.id === entry.undone_by);
  return undo !== undefined && !standing(undo, all);
};

/** Every file change of a task, or of one change, in the order in which they were made. */
export async function changesOf(store: StoreReader, blobs: Blobs, id: string): Promise<FileChange[]> {
  const { head, change } = await named(store, id);
  const entries = await taskRows(store, head.id).changelog();
  const wanted = change ? entries.filter(entry => entry.id === change) : entries;
  const perEntry = await Promise.all(
    wanted.map(async entry => {
      const diffs = await diffRecords(entry.changes, blobs);
      return entry.changes
        .filter(record => record.kind !== 'directory')
        .map(
          (record): FileChange => ({
            id: entry.id,
            subtask_id: entry.subtask,
            tool: entry.tool,
            operation: record.operation,
            path: record.path,
            ...(record.from === undefined ? {} : { from: record.from }),
            diff: diffs.find(diff => diff.path === record.path)?.diff ?? '',
            undoable: record.undoable,
            undone: standing(entry, entries),
          }),
        );
    }),
  );
  return perEntry.flat();
}

/** A task by id or prefix, or the one change that `id` names. */
async function named(store: StoreReader, id: string): Promise<{ head: RunHead; change?: string }> {
  const run = await findRun(store, id);
  if (run && run !== 'ambiguous') return { head: run };
  const found: { head: RunHead; change: string }[] = [];
  if (id !== '')
    for (const head of await store.runs())
      for (const entry of await taskRows(store, head.id).changelog())
        if (entry.id.startsWith(id)) found.push({ head, change: entry.id });
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new LoomError(
      'terminal',
      'ambiguous_id',
      `More than one change begins with "${id}": ${found.map(one => one.change).join(', ')}`,
    );
  return { head: await runNamed(store, id) };
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

export async function undoChanges(
  { store, home }: Pick<Launch, 'store' | 'home'>,
  id: string,
  { subtask, dry_run = false, force = false }: { subtask?: string; dry_run?: boolean; force?: boolean },
): Promise<UndoReport> {
  const { head, change } = await named(store, id);
  const rows = taskRows(store, head.id);
  const selection: Selection = change ? { ids: [change] } : subtask ? { subtask } : { all: true };
  if (subtask && !(await rows.changelog()).some(entry => entry.subtask === subtask))
    throw new LoomError(
      'terminal',
      'unknown_id',
      `${head.id} has no changes by a subtask "${subtask}". \`loom diff ${head.id}\` lists them.`,
    );
  if (dry_run) return reportOf(planUndo(await rows.changelog(), selection), true);
  const lease = await claimForUndo(store, head);
  try {
    const power = { store, lease, blobs: await home.blobs(), workspace: await openWorkspace(head.workspace) };
    const pending = await store.get<PendingUndo>(head.id, CHECKPOINT);
    if (pending) await finish(power, pending);
    const plan = planUndo(await rows.changelog(), selection);
    const skipped = await carryOut(power, `u${randomUUID().replaceAll('-', '').slice(0, 7)}`, plan, force);
    return reportOf({ ...plan, skipped }, false);
  } finally {
    await store.release(lease);
  }
}

interface Power {
  store: Store;
  lease: Lease;
  blobs: Blobs;
  workspace: Awaited<ReturnType<typeof openWorkspace>>;
}

async function carryOut(
  { store, lease, blobs, workspace }: Power,
  entryId: string,
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
      key: entryId,
      subtask: null,
      signal,
      blobs,
      lastRead: () => undefined,
      recovered,
      checkpoint: value =>
        store.checkpoint(lease, [
          { key: CHECKPOINT, value: { ...(value as object), entry: entryId, plan } satisfies PendingUndo },
        ]),
      lock: () => store.locks.acquire(workspace.root, entryId, { signal }),
    },
    { force },
  );
  await record({ store, lease }, entryId, plan.entries, outcome.changes);
  return outcome.skipped;
}

/** Ends an undo that a crash cut off. Where somebody changed a file since, what was taken back by then is recorded as a
 *  change of its own, and the rest is left to the undo that was asked for now. */
async function finish(power: Power, { entry, plan, ...checkpoint }: PendingUndo): Promise<void> {
  try {
    await carryOut(power, entry, plan, false, checkpoint);
  } catch (error) {
    if (!(error instanceof LoomError) || error.failure.code !== 'file_changed_meanwhile') throw error;
    await record(power, entry, [], await changesMade(power.workspace.root, entry, checkpoint));
  }
}

/** One commit: the undo's own entry, the marks on what it undid, and the end of its checkpoint. */
async function record(
  { store, lease }: Pick<Power, 'store' | 'lease'>,
  entryId: string,
  undoneIds: string[],
  changes: ChangeRecord[],
): Promise<void> {
  const head = (await store.head(lease.run))!;
  const at = new Date().toISOString();
  const key = `undo|${head.rev + 1}|0`;
  const undone = new Set(undoneIds);
  const all = await store.range<ChangelogEntry>(lease.run, 'c/');
  const entry: ChangelogEntry = { id: entryId, key, subtask: null, tool: 'undo', changes, at };
  const seq = head.seq + 1;
  const line = {
    seq,
    event_type: 'changes_undone',
    task_id: head.id,
    timestamp: at,
    data: {
      change_ids: undoneIds,
      undo_id: entryId,
      files_changed: changes.map(change => change.path),
    },
  };
  await store.commit(lease, head.rev, { seq, updated_at: head.updated_at }, [
    { key: CHECKPOINT, value: null },
    { key: changelogKey(null, key), value: entry },
    ...all
      .filter(row => undone.has(row.value.id))
      .map(row => ({ key: row.key, value: { ...row.value, undone_by: entryId } })),
    { key: `j/${seqKey(seq)}`, value: line },
  ]);
}

function reportOf(plan: UndoPlan, dry_run: boolean): UndoReport {
  const left = new Set(plan.skipped.map(skip => `${skip.entry}\n${skip.path}`));
  return {
    reverted: plan.steps
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
