/** `loom chart MACHINE|ID [--format FORM] [--active]` */
import type { RunChart } from '../../actors/loom.ts';
import { chartOf, machineNames } from '../../visualizations/machines.ts';
import { type Ink, machineText, picture, runCharts, runText } from '../../visualizations/pictures.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { clip, oneLine } from '../render/width.ts';
import { mark, markOf, type Paint } from '../render/words.ts';
import type { Run } from '../run-command.ts';

const FORMS = ['text', 'mermaid', 'dot', 'svg'] as const;
/** Wider lines are harder to read than wrapped ones. */
const MAX_COLUMNS = 100;
const MIN_COLUMNS = 60;

const inkOf = (paint: Paint): Ink => ({
  lit: text => paint.green.bold(text),
  name: text => paint.bold(text),
  guard: text => paint.yellow(text),
  target: text => paint.cyan(text),
  faint: text => paint.dim(text),
});

export const command: Run = async (context, [name = ''], values) => {
  const form = values.choice('format', FORMS) ?? 'text';
  const active = values.flag('active');
  const chart = chartOf(name);
  if (chart && active)
    throw new UsageError(`--active is for runs: loom chart ID --active shows where a run stands in ${name}`);
  const run = chart ? null : await (await context.loom()).chart(name);
  const options = {
    columns: Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, context.io.columns('out'))),
    ink: inkOf(context.paint.out),
  };
  if (form === 'text') {
    print(context, chart ?? run, () =>
      chart
        ? machineText(chart, options)
        : whole(context, run!, runText(run!.actors, { ...options, active })),
    );
    return EXIT.ok;
  }
  if (run && run.actors.length === 0)
    throw new UsageError(
      `${run.task.task_id} is over (${run.task.status}): no machine of it is left to draw`,
    );
  const charts = chart ? [{ title: name, chart }] : runCharts(run!.actors, { active });
  const text = await picture(charts, form);
  print(context, { format: form, [form]: text }, () => text);
  return EXIT.ok;
};

/** A run in one line, its actors below. */
function whole({ io, paint: { out: paint } }: Context, { task, actors }: RunChart, text: string): string {
  const state = task.live ? task.status : `${task.status}, no process is working on it`;
  const goal = clip(oneLine(task.goal), Math.max(20, io.columns('out') - task.task_id.length - 4));
  const head = `${mark(markOf(task.status, task.live), paint)} ${task.task_id}  ${paint.bold(goal)}`;
  if (actors.length > 0) return [head, `  ${state}`, '', text].join('\n');
  const names = machineNames().join('|');
  return [
    head,
    `  ${task.status}: it is over, so no machine of it is left. loom chart ${names} draws them.`,
  ].join('\n');
}
