/** `loom status ID [--wait]` */
import type { Loom, TaskDetail } from '../../actors/loom.ts';
import type { Run } from '../commands.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { questionText } from '../render/result.ts';
import { clip, oneLine } from '../render/width.ts';
import { count, mark, markOf } from '../render/words.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const wait = values.flag('wait');
  const task = wait ? await settled(context, loom, id) : await loom.task(id);
  print(context, task, () => text(context, task));
  return wait ? (task.exit_code ?? task.result.exit_code) : EXIT.ok;
};

/** Follows the journal until the run ends or stops where it waits for somebody. */
async function settled(context: Context, loom: Loom, id: string): Promise<TaskDetail> {
  const disarm = context.interrupt.arm();
  try {
    const { signal } = context.interrupt;
    for await (const event of loom.events(id, { signal }))
      if (event.event_type === 'task_parked') {
        const task = await loom.task(id);
        if (!task.live && task.parked) return task;
      }
    return await loom.task(id);
  } finally {
    disarm();
  }
}

function text({ io, paint: { out: paint } }: Context, task: TaskDetail): string {
  const done = task.result.subtasks.filter(subtask => subtask.status === 'completed').length;
  const all = task.result.subtasks.length;
  const lines = [
    `${mark(markOf(task.status), paint)} ${task.task_id}  ${task.status}${task.live ? ' (running in another process)' : ''}`,
    `  goal       ${clip(oneLine(task.goal), io.columns('out') - 14)}`,
    `  workspace  ${oneLine(task.workspace)}`,
    ...(all > 0 ? [`  progress   ${done} of ${count(all, 'subtask')} done`] : []),
    ...(task.parked ? [`  stopped    ${task.parked.reason}: ${oneLine(task.parked.message)}`] : []),
    ...task.questions.map(question => questionText(question, paint)),
    ...(task.parked && !task.live ? [`  go on      loom resume ${task.task_id}`] : []),
  ];
  return lines.join('\n');
}
