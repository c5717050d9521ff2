/** What is drawn and in which form: one machine, or the machines of a run with their states lit. */
import { type ChartState, litPath, positionOf } from './chart.ts';
import { dot } from './dot.ts';
import { type LiveActor, litChart, machinesStartedBy, sentenceOf } from './machines.ts';
import { mermaid, type Titled } from './mermaid.ts';
import { endingLines, type Ink, legend, PLAIN, type TreeOptions, treeLines, wrap } from './text-tree.ts';

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
  const [first = '', ...more] = wrap(sentence ? `${chart.name}: ${sentence}` : chart.name, options.columns);
  return [
    ink.name(chart.name) + first.slice(chart.name.length),
    ...more,
    ...treeLines(chart, options).slice(1),
    '',
    ...endingLines(chart, options),
    '',
    legend([chart], options),
    ...(started.length > 0
      ? [ink.faint('Machines inside:'), ...started.map(line => ink.faint(`  ${line}`))]
      : []),
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

/** A line per actor, indented below the one that started it: where it is and what it waits for. */
function overview(actors: LiveActor[], { columns, ink = PLAIN }: TreeOptions): string[] {
  const rows = actors.map(actor => {
    const parts = actor.path.split('/');
    const chart = litChart(actor);
    const waits = actor.waits_for
      .filter(({ state }) => state !== 'running')
      .map(
        ({ id, source, state }) =>
          `⚙ ${source}${id === source ? '' : ` ${id}`}${state === 'open' ? '' : ` (${state})`}`,
      );
    return {
      name: `${'  '.repeat(actor.path ? parts.length : 0)}${actor.path ? parts.at(-1) : actor.machine}`,
      position: chart ? positionOf(chart) : `unknown machine "${actor.machine}"`,
      waits: waits.join(', '),
    };
  });
  const name = Math.max(0, ...rows.map(row => row.name.length));
  const position = Math.max(0, ...rows.map(row => row.position.length));
  return rows.flatMap(row => {
    const start = `  ${ink.lit('●')} ${row.name.padEnd(name)}  ${ink.lit(row.position.padEnd(position))}`;
    const fits = name + position + row.waits.length + 6 <= columns;
    return fits ? [`${start}  ${row.waits}`.trimEnd()] : [start.trimEnd(), `    ${row.waits}`];
  });
}

function actorText(actor: LiveActor, active: boolean, options: TreeOptions): string[] {
  const { ink = PLAIN } = options;
  const chart = litChart(actor);
  if (!chart) return [];
  const kind = actor.path ? ink.faint(` (${actor.machine})`) : '';
  const title = `${ink.lit('●')} ${ink.lit(actor.path || actor.machine)}${kind}`;
  return treeLines(active ? litPath(chart, { exits: false }) : chart, { ...options, title });
}

/** The actors of a run as text, from the task down: first all in short, then each with its states. */
export function runText(
  actors: LiveActor[],
  { active, ...options }: TreeOptions & { active: boolean },
): string {
  const charts = actors.flatMap(actor => {
    const chart = litChart(actor);
    return chart ? [active ? litPath(chart, { exits: false }) : chart] : [];
  });
  const blocks = actors.map(actor => actorText(actor, active, options)).filter(lines => lines.length > 0);
  return [
    overview(actors, options).join('\n'),
    ...blocks.map(lines => lines.join('\n')),
    legend(charts, options),
  ].join('\n\n');
}

export type { Ink };
