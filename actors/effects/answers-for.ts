/** Which changes a subtask answers for. Work that failed and was replaced by a new plan stays in the workspace; somebody has
 *  to know of it, finish it or clear it away, or else it is left behind unseen. */
import { inForce } from '../../tools/undo.ts';
import type { ChangelogEntry, TaskRows } from './rows.ts';

/** The subtask's own changes and those it inherits, oldest first. */
export async function answersFor(
  rows: TaskRows,
  subtask: string,
  version: number,
): Promise<ChangelogEntry[]> {
  return [...(await inherited(rows, subtask, version)), ...(await rows.changelog(subtask))];
}

/** For a subtask that a new plan put there: what the subtasks changed that were replaced, but for files that another subtask
 *  has to deliver. */
export async function inherited(rows: TaskRows, subtask: string, version: number): Promise<ChangelogEntry[]> {
  if (version === 1) return [];
  const [first, plan] = await Promise.all([rows.plan(1), rows.plan(version)]);
  if (first.subtasks.some(node => node.id === subtask)) return [];
  const present = new Set(plan.subtasks.map(node => node.id));
  const others = new Set(
    plan.subtasks.filter(node => node.id !== subtask).flatMap(node => node.deliverables),
  );
  return (await rows.changelog()).flatMap(entry => {
    if (!inForce(entry) || entry.subtask === null || present.has(entry.subtask)) return [];
    const changes = entry.changes.filter(change => !others.has(change.path));
    return changes.length > 0 ? [{ ...entry, changes }] : [];
  });
}
