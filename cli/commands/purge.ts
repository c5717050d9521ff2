/** `loom purge RUN|WORKSPACE [--yes] [--dry-run]` */
import type { Loom, PurgeReport } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { canAsk, confirmed } from '../questions.ts';
import { clip, oneLine } from '../render/width.ts';
import { count, mark, megabytes } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [target = ''], values) => {
  const loom = await context.loom();
  const dry_run = values.flag('dry-run');
  if (!dry_run && !values.flag('yes') && !(await agreed(context, loom, target)))
    return context.interrupt.signal.aborted ? EXIT.interrupted : EXIT.failed;
  const done = await loom.purge(target, { dry_run });
  print(context, done, () => text(context, done));
  return done.refused.length > 0 ? EXIT.failed : EXIT.ok;
};

async function agreed(context: Context, loom: Loom, target: string): Promise<boolean> {
  if (!canAsk(context))
    throw new UsageError(
      `loom purge removes for good, and there is no terminal to ask at: loom purge ${target} --yes, or --dry-run to look first`,
    );
  const planned = await loom.purge(target, { dry_run: true });
  if (planned.runs.length === 0) return true;
  context.io.err(`${text(context, planned)}\n`);
  const wanted = await confirmed(context, 'Remove them for good? They cannot be undone or resumed any more.');
  if (!wanted) context.notices.told('nothing was removed');
  return wanted;
}

function text({ io, paint: { out: paint } }: Context, done: PurgeReport): string {
  const { runs, refused, rows, blobs, bytes, kept_blobs, dry_run } = done;
  const young = kept_blobs > 0 ? `; ${count(kept_blobs, 'younger blob')} will go with a later clean-up` : '';
  return [
    `${dry_run ? 'Would remove' : 'Removed'} ${count(runs.length, 'run')}: ${count(rows, 'row')}, ${count(blobs, 'blob')} (${megabytes(bytes)})${young}`,
    ...runs.map(
      ({ task_id, status, goal }) =>
        `  ${mark('done', paint)} ${task_id}  ${status}  ${clip(oneLine(goal), Math.max(20, io.columns('out') - 36))}`,
    ),
    ...refused.map(({ task_id, reason }) => `  ${mark('failed', paint)} ${task_id}  ${oneLine(reason)}`),
  ].join('\n');
}
