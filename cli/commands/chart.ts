/** `loom chart MACHINE|ID [--format FORM] [--active]` */
import type { RunChart } from '../../actors/loom.ts';
import { chartOf, machineNames, sentenceOf } from '../../visualizations/machines.ts';
import { type Ink, machineText, picture, runCharts, runText } from '../../visualizations/pictures.ts';
import { type Context, print } from '../context.ts';
import { EXIT, shown, UsageError } from '../failure.ts';
import { nearest } from '../nearest.ts';
import { clip, oneLine, pad } from '../render/width.ts';
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

export const command: Run = async (context, [name], values) => {
  if (name === undefined) return list(context);
  const form = values.choice('format', FORMS) ?? 'text';
  const active = values.flag('active');
  const chart = chartOf(name);
  if (chart && active)
    throw new UsageError(`--active is for runs: loom chart ID --active shows where a run stands in ${name}`);
  const run = chart ? null : await runNamed(context, name);
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
    throw new UsageError(`${run.task.task_id} is ${nothingLeft(run)}; there is nothing to draw`);
  const charts = chart ? [{ title: name, chart }] : runCharts(run!.actors, { active });
  const text = await picture(charts, form);
  print(context, { format: form, [form]: text }, () => text);
  return EXIT.ok;
};

function list(context: Context): number {
  const machines = machineNames().map(name => ({ name, sentence: sentenceOf(name) }));
  const widest = Math.max(...machines.map(({ name }) => name.length));
  print(context, machines, () =>
    [
      ...machines.map(({ name, sentence }) => `loom chart ${pad(name, widest)}  ${sentence}`),
      `loom chart ${pad('ID', widest)}  where a run stands in them; --active shows only that`,
    ].join('\n'),
  );
  return EXIT.ok;
}

/** A word that is neither a machine nor a run was most likely meant as a machine. */
async function runNamed(context: Context, name: string): Promise<RunChart> {
  const loom = await context.loom();
  return loom.chart(name).catch((error: unknown) => {
    const near = nearest(name, machineNames());
    if (shown(error).code !== 'unknown_id' || !near) throw error;
    throw new UsageError(`there is no machine or task "${name}"; did you mean loom chart ${near}?`);
  });
}

/** A run in one line, its actors below. */
function whole({ io, paint: { out: paint } }: Context, { task, actors }: RunChart, text: string): string {
  const state = task.live ? task.status : `${task.status}, no process is working on it`;
  const goal = clip(oneLine(task.goal), Math.max(20, io.columns('out') - task.task_id.length - 4));
  const head = `${mark(markOf(task.status, task.live), paint)} ${task.task_id}  ${paint.bold(goal)}`;
  if (actors.length > 0) return [head, `  ${state}`, '', text].join('\n');
  const names = machineNames().join('|');
  return [
    head,
    `  ${nothingLeft({ task, actors })}. loom chart ${names} draws the machines themselves.`,
  ].join('\n');
}

const OVER = ['completed', 'failed', 'cancelled'];

const nothingLeft = ({ task: { status } }: RunChart): string =>
  OVER.includes(status)
    ? `${status}: it is over and no machine of it is left`
    : `${status}: no machine of it has started`;
