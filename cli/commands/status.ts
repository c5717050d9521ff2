/** `loom status ID [--wait]` */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Loom, TaskDetail } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { questionText } from '../render/result.ts';
import { clip, oneLine } from '../render/width.ts';
import { count, mark, markOf } from '../render/words.ts';
import type { Run } from '../run-command.ts';

/** Looking at the heads of all runs this often costs less than following one journal from its start. */
const LOOK_MS = 250;

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const wait = values.flag('wait');
  const task = wait ? await settled(context, loom, id) : await loom.task(id);
  print(context, task, () => text(context, task));
  if (!wait) return EXIT.ok;
  // Neither over nor parked: its process is gone, or the waiting was interrupted.
  return task.exit_code ?? EXIT.interrupted;
};

/** Resolves when the run is over, or stands still without a process that could go on with it. */
async function settled({ interrupt }: Context, loom: Loom, id: string): Promise<TaskDetail> {
  const disarm = interrupt.arm();
  const { task_id } = await loom.task(id);
  try {
    for (;;) {
      const task = (await loom.tasks()).find(candidate => candidate.task_id === task_id);
      if (!task?.live || interrupt.signal.aborted) return await loom.task(task_id);
      await sleep(LOOK_MS);
    }
  } finally {
    disarm();
  }
}

function text({ io, paint: { out: paint } }: Context, task: TaskDetail): string {
  const done = task.result.subtasks.filter(subtask => subtask.status === 'completed').length;
  const all = task.result.subtasks.length;
  const lines = [
    `${mark(markOf(task.status, task.live), paint)} ${task.task_id}  ${task.status}${task.live ? ' (running in another process)' : ''}`,
    `  goal       ${clip(oneLine(task.goal), io.columns('out') - 14)}`,
    `  workspace  ${oneLine(task.workspace)}`,
    ...(all > 0 ? [`  progress   ${done} of ${count(all, 'subtask')} done`] : []),
    ...(task.parked ? [`  stopped    ${task.parked.reason}: ${oneLine(task.parked.message)}`] : []),
    ...task.questions.map(question => questionText(question, paint)),
    ...(task.parked && !task.live
      ? [`  ${task.questions.length > 0 ? 'then ' : 'go on'}      loom resume ${task.task_id}`]
      : []),
  ];
  return lines.join('\n');
}
