/** `loom steer ID INSTRUCTION` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = '', ...words]) => {
  const loom = await context.loom();
  const task = await loom.steer(id, words.join(' '));
  print(context, task, () =>
    task.live
      ? `${task.task_id} reads it at its next step`
      : `${task.task_id} reads it when it goes on: loom resume ${task.task_id}`,
  );
  return EXIT.ok;
};
