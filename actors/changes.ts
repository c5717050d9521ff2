/** What runs changed, and what an id on the command line means by it: a task, one of its subtasks, or one change. */
import { LoomError } from '../machines/failure.ts';
import type { Blobs } from '../store/blobs-port.ts';
import type { RunHead } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import { diffRecords } from '../tools/diff.ts';
import { runNamed } from './control.ts';
import { taskRows } from './effects/rows.ts';
import type { FileChange } from './loom.ts';
import { findRun } from './report.ts';

/** Every file change of a task, or of one change, in the order in which they were made. */
export async function changesOf(store: StoreReader, blobs: Blobs, id: string): Promise<FileChange[]> {
  const { head, change, subtask } = await named(store, id);
  const entries = await taskRows(store, head.id).changelog();
  const wanted = entries.filter(
    entry =>
      (change === undefined || entry.id === change) && (subtask === undefined || entry.subtask === subtask),
  );
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
            undone: entry.undone_by !== undefined,
          }),
        );
    }),
  );
  return perEntry.flat();
}

/** What an id stands for: a task, `task/subtask` or a subtask's id alone, or one change. */
export interface Named {
  head: RunHead;
  change?: string;
  subtask?: string;
}

/** Ids of tasks and changes may be shortened to a unique beginning. Throws LoomError `unknown_id`, `ambiguous_id`. */
export async function named(store: StoreReader, id: string): Promise<Named> {
  const slash = id.indexOf('/');
  if (slash > 0) {
    const head = await runNamed(store, id.slice(0, slash));
    return { head, subtask: await changingSubtask(store, head, id.slice(slash + 1)) };
  }
  const run = await findRun(store, id);
  if (run && run !== 'ambiguous') return { head: run };
  const found: { shown: string; means: Named }[] = [];
  if (id !== '')
    for (const head of await store.runs()) {
      const entries = await taskRows(store, head.id).changelog();
      for (const entry of entries)
        if (entry.id.startsWith(id)) found.push({ shown: entry.id, means: { head, change: entry.id } });
      if (entries.some(entry => entry.subtask === id))
        found.push({ shown: `${head.id}/${id}`, means: { head, subtask: id } });
    }
  if (found.length === 1) return found[0]!.means;
  if (found.length > 1)
    throw new LoomError(
      'terminal',
      'ambiguous_id',
      `"${id}" could be more than one thing: ${found.map(one => one.shown).join(', ')}`,
    );
  return { head: await runNamed(store, id) };
}

/** The subtask, if it changed anything. */
export async function changingSubtask(store: StoreReader, head: RunHead, subtask: string): Promise<string> {
  if ((await taskRows(store, head.id).history()).some(entry => entry.subtask === subtask)) return subtask;
  throw new LoomError(
    'terminal',
    'unknown_id',
    `${head.id} has no changes by a subtask "${subtask}". \`loom diff ${head.id}\` lists them.`,
  );
}
