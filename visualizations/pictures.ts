/** What is drawn and in which form: one machine, or the machines of a run with their states lit. */
import { type ChartState, litPath } from './chart.ts';
import { dot } from './dot.ts';
import { type LiveActor, litChart, machinesStartedBy, sentenceOf } from './machines.ts';
import { mermaid, type Titled } from './mermaid.ts';
import { endingLines, type Ink, legend, PLAIN, type TreeOptions, treeLines } from './text-tree.ts';

export type PictureForm = 'mermaid' | 'dot' | 'svg';

/** Charts in one of the forms that other programs draw. */
export async function picture(charts: Titled[], form: PictureForm): Promise<string> {
  if (form === 'mermaid') return mermaid(charts);
  const text = dot(charts);
  if (form === 'dot') return text;
  const { svg } = await import('./svg.ts');
  return svg(text);
}

/** A machine as text: its states, how it can end, what the marks mean, where to go on. */
export function machineText(chart: ChartState, options: TreeOptions): string {
  const { ink = PLAIN } = options;
  const sentence = sentenceOf(chart.name);
  const started = machinesStartedBy(chart).map(name => `loom chart ${name}`);
  return [
    ...treeLines(chart, { ...options, title: `${ink.name(chart.name)}${sentence ? `: ${sentence}` : ''}` }),
    '',
    ...endingLines(chart, options),
    '',
    legend([chart], ink),
    ...(started.length > 0 ? [ink.faint(`Machines inside: ${started.join(', ')}`)] : []),
  ].join('\n');
}

/** The actors of a run as pictures; `active`: only the lit path and where it can lead. */
export function runCharts(actors: LiveActor[], { active }: { active: boolean }): Titled[] {
  return actors.flatMap(actor => {
    const chart = litChart(actor);
    if (!chart) return [];
    const title = actor.path ? `${actor.path} (${actor.machine})` : actor.machine;
    return [{ title, chart: active ? litPath(chart, { exits: true }) : chart }];
  });
}

function actorText(actor: LiveActor, active: boolean, options: TreeOptions): string[] {
  const { ink = PLAIN } = options;
  const kind = actor.path ? ink.faint(` (${actor.machine})`) : '';
  const title = `${ink.lit('●')} ${ink.lit(actor.path || actor.machine)}${kind}`;
  const waits = actor.waits_for.map(({ id, source, state }) => {
    const name = id === source ? `⚙ ${id}` : `⚙ ${id} (${source})`;
    return state === 'open' || state === 'running' ? name : `${name} ${state}`;
  });
  const chart = litChart(actor);
  const lines = chart
    ? treeLines(active ? litPath(chart, { exits: false }) : chart, { ...options, title })
    : [title, `     this version of Loom has no machine "${actor.machine}"`];
  return [...lines, ...(waits.length > 0 ? [`     ${ink.faint('waits for')} ${waits.join(', ')}`] : [])];
}

/** The actors of a run as text, from the task down. */
export function runText(
  actors: LiveActor[],
  { active, ...options }: TreeOptions & { active: boolean },
): string {
  const charts = runCharts(actors, { active }).map(({ chart }) => chart);
  const blocks = actors.map(actor => actorText(actor, active, options).join('\n'));
  return [...blocks, legend(charts, options.ink)].join('\n\n');
}

export type { Ink };
