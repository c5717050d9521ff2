/** `loom show ID` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { report } from '../render/result.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = '']) => {
  const loom = await context.loom();
  const task = await loom.task(id);
  const changes = context.output === 'text' ? await loom.changes(id) : [];
  print(context, task, () =>
    report(
      { ...task.result, questions: task.questions },
      { columns: context.io.columns('out'), paint: context.paint.out, changes, live: task.live },
    ),
  );
  return EXIT.ok;
};
