/** `loom cancel ID` */
import type { Run } from '../commands.ts';
import { print } from '../context.ts';
import { EXIT } from '../failure.ts';

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
