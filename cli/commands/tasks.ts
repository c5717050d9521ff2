/** `loom tasks` */
import type { TaskSummary } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { clip, oneLine, pad } from '../render/width.ts';
import { mark, markOf } from '../render/words.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async context => {
  const loom = await context.loom();
  const tasks = await loom.tasks(context.workspace ? { workspace: context.workspace } : {});
  const sorted = tasks.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
  print(context, sorted, () =>
    sorted.length > 0
      ? sorted.map(task => line(context, task)).join('\n')
      : 'No runs yet. Start one: loom run "what you want"',
  );
  return EXIT.ok;
};

function line({ io, paint: { out: paint } }: Context, task: TaskSummary): string {
  // Neither over nor parked nor anybody's: its process died.
  const left = task.exit_code === null ? 'orphaned' : task.status;
  const state = task.live ? 'running' : (task.parked?.reason ?? left);
  const when = task.created_at.slice(0, 16).replace('T', ' ');
  const start = `${task.task_id}  ${pad(state, 12)}  ${when}`;
  const goal = clip(oneLine(task.goal), Math.max(20, io.columns('out') - start.length - 6));
  return `${mark(markOf(task.status, task.live), paint)} ${start}  ${goal}`;
}
