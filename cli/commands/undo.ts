/** `loom undo ID [--subtask ID] [--dry-run] [--force]` */
import type { UndoOptions, UndoReport } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import { count, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';
import type { Values } from '../values.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const done = await loom.undo(id, undoOptions(values));
  print(context, done, () => text(context, done, UNDO));
  return done.refused.length > 0 ? EXIT.failed : EXIT.ok;
};

export function undoOptions(values: Values): UndoOptions {
  const subtask = values.text('subtask');
  return {
    ...(subtask ? { subtask } : {}),
    ...(values.flag('dry-run') ? { dry_run: true } : {}),
    ...(values.flag('force') ? { force: true } : {}),
  };
}

/** How a report is worded; `operations` by what was done to a path in the first place. */
interface Wording {
  would: string;
  did: string;
  nothing: string;
  operations: Record<string, string>;
}

const UNDO: Wording = {
  would: 'Would undo',
  did: 'Undid',
  nothing: 'Nothing to undo.',
  operations: {
    create: 'removed (it was created)',
    modify: 'restored',
    delete: 'brought back',
    rename: 'moved back',
  },
};

export function text(
  { paint: { out: paint } }: Context,
  { reverted, refused, dry_run }: UndoReport,
  { would, did, nothing, operations }: Wording,
): string {
  const many = count(reverted.length, 'change');
  const head = dry_run ? `${would} ${many}:` : `${did} ${many}${reverted.length > 0 ? ':' : ''}`;
  const lines = [
    reverted.length === 0 && refused.length === 0 ? nothing : head,
    ...reverted.map(
      ({ path, operation }) =>
        `  ${mark('done', paint)} ${oneLine(path)}  ${paint.dim(operations[operation] ?? operation)}`,
    ),
    ...refused.map(({ path, reason }) => `  ${mark('failed', paint)} ${oneLine(path)}  ${oneLine(reason)}`),
  ];
  return lines.join('\n');
}
