/** `loom store verify · backup DIR · compact` */
import { resolve } from 'node:path';
import type { Loom } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { nearest } from '../nearest.ts';
import { oneLine } from '../render/width.ts';
import { count, mark, megabytes } from '../render/words.ts';
import type { Run } from '../run-command.ts';

const ACTIONS = ['verify', 'backup', 'compact'];

export const command: Run = async (context, [action = '', dir]) => {
  if (!ACTIONS.includes(action)) {
    const near = nearest(action, ACTIONS);
    throw new UsageError(
      `loom store knows ${ACTIONS.join(', ')}, not "${action}"${near ? `; did you mean ${near}?` : ''}`,
    );
  }
  if (action === 'backup' && !dir) throw new UsageError('where to? loom store backup DIR');
  if (action !== 'backup' && dir) throw new UsageError(`loom store ${action} does not take "${dir}"`);
  const loom = await context.loom();
  if (action === 'backup') return backup(context, loom, resolve(context.io.cwd, dir ?? ''));
  return action === 'compact' ? compact(context, loom) : verify(context, loom);
};

async function verify(context: Context, loom: Loom): Promise<number> {
  const found = await loom.verifyStore();
  print(context, found, () =>
    verdict(context, found, `${count(found.runs, 'run')}, ${count(found.rows, 'row')}`),
  );
  return found.problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function backup(context: Context, loom: Loom, folder: string): Promise<number> {
  const made = await loom.backupStore(folder);
  print(context, made, () =>
    verdict(
      context,
      made,
      `${oneLine(made.folder)}: ${count(made.runs, 'run')}, ${count(made.rows, 'row')}, ${count(made.blobs, 'blob')} (${made.new_blobs} new)`,
    ),
  );
  return made.problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function compact(context: Context, loom: Loom): Promise<number> {
  const { before, after } = await loom.compactStore();
  print(context, { before, after }, () => {
    const paint = context.paint.out;
    return `${mark('done', paint)} ${megabytes(before)} before, ${megabytes(after)} now`;
  });
  return EXIT.ok;
}

function verdict(
  { paint: { out: paint } }: Context,
  { problems }: { problems: string[] },
  text: string,
): string {
  const good = problems.length === 0;
  return [
    `${mark(good ? 'done' : 'failed', paint)} ${text}, ${good ? 'no problems' : count(problems.length, 'problem')}`,
    ...problems.map(problem => `  ${oneLine(problem)}`),
  ].join('\n');
}
