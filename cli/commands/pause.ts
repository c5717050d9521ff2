/** `loom pause ID` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = '']) => {
  const loom = await context.loom();
  const task = await loom.pause(id);
  print(
    context,
    task,
    () => `${task.task_id} ends its step and waits. Go on with: loom resume ${task.task_id}`,
  );
  return EXIT.ok;
};
