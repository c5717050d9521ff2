/** `loom store verify` */

import { print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import { count, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [action = '']) => {
  if (action !== 'verify') throw new UsageError(`loom store knows verify, not "${action}"`);
  const loom = await context.loom();
  const found = await loom.verifyStore();
  const paint = context.paint.out;
  const good = found.problems.length === 0;
  print(context, found, () =>
    [
      `${mark(good ? 'done' : 'failed', paint)} ${count(found.runs, 'run')}, ${count(found.rows, 'row')}, ${good ? 'no problems' : count(found.problems.length, 'problem')}`,
      ...found.problems.map(problem => `  ${oneLine(problem)}`),
    ].join('\n'),
  );
  return good ? EXIT.ok : EXIT.failed;
};
