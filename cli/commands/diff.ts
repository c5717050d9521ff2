/** `loom diff ID [--subtask ID]` */
import type { FileChange } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { diffLines } from '../render/diff.ts';
import { oneLine } from '../render/width.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const subtask = values.text('subtask');
  const all = await loom.changes(id);
  const changes = subtask === undefined ? all : all.filter(change => change.subtask_id === subtask);
  print(context, changes, () =>
    changes.length > 0
      ? changes.map(change => changeText(context, change)).join('\n\n')
      : 'No file was changed.',
  );
  return EXIT.ok;
};

/** One change: what, by whom, how to undo it, and its diff. */
export function changeText({ paint: { out: paint } }: Context, change: FileChange): string {
  const by = [change.subtask_id, change.tool].filter(Boolean).join(' · ');
  const from = change.from ? `${oneLine(change.from)} -> ` : '';
  const state = change.undone ? ' (undone)' : change.undoable ? '' : ' (cannot be undone)';
  const head = `${paint.bold(`${change.operation} ${from}${oneLine(change.path)}`)}  ${paint.dim(`${oneLine(by)} · ${change.id}${state}`)}`;
  return change.diff ? [head, ...diffLines(change.diff, paint)].join('\n') : head;
}
