/** `loom undo ID [--subtask ID] [--dry-run] [--force]` */
import type { UndoReport } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import { count, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const subtask = values.text('subtask');
  const done = await loom.undo(id, {
    ...(subtask ? { subtask } : {}),
    ...(values.flag('dry-run') ? { dry_run: true } : {}),
    ...(values.flag('force') ? { force: true } : {}),
  });
  print(context, done, () => text(context, done));
  return done.refused.length > 0 ? EXIT.failed : EXIT.ok;
};

const WORDS: Record<string, string> = {
  create: 'removed (it was created)',
  modify: 'restored',
  delete: 'brought back',
  rename: 'moved back',
};

function text({ paint: { out: paint } }: Context, { reverted, refused, dry_run }: UndoReport): string {
  const head = dry_run
    ? `Would undo ${count(reverted.length, 'change')}:`
    : `Undid ${count(reverted.length, 'change')}${reverted.length > 0 ? ':' : ''}`;
  const lines = [
    reverted.length === 0 && refused.length === 0 ? 'Nothing to undo.' : head,
    ...reverted.map(
      ({ path, operation }) =>
        `  ${mark('done', paint)} ${oneLine(path)}  ${paint.dim(WORDS[operation] ?? operation)}`,
    ),
    ...refused.map(({ path, reason }) => `  ${mark('failed', paint)} ${oneLine(path)}  ${oneLine(reason)}`),
  ];
  return lines.join('\n');
}
