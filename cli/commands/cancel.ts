/** `loom cancel ID` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = '']) => {
  const loom = await context.loom();
  const task = await loom.cancel(id, { wait: true });
  print(context, task, () =>
    task.status === 'cancelled'
      ? `${task.task_id} is cancelled`
      : `${task.task_id} was already over: ${task.status}`,
  );
  return EXIT.ok;
};
