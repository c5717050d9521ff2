/** The machines that can be drawn, each with the sentence that says what it is for. */
import type { StateValue } from 'xstate';
import { makeCatalogue } from '../machines/catalogue.ts';
import { type ChartState, light, readChart } from './chart.ts';

const SENTENCES: Record<string, string> = {
  task: 'plan a goal, run its subtasks as soon as they can start, finish or say why not',
  subtask: 'prepare, work, have it judged by somebody else, try again with what was learned',
  turn: 'ask the model, do what it asks for, until it answers or fails',
  session: 'talk: what is typed becomes a turn, what is typed meanwhile waits or steers, everything is kept',
  verifier: 'look at the files first, then let models judge; what nobody could judge is no success',
  remediation: 'confirm what a verdict found unconfirmed, in the end take it out, and say how that ended',
};

// No picture shows a price.
const { machines } = makeCatalogue(() => ({ max_tokens: 0, input: 0, output: 0 }));

export const machineNames = (): string[] => Object.keys(machines);

/** What the machine promises, in half a sentence. */
export const sentenceOf = (machine: string): string => SENTENCES[machine] ?? '';

/** The chart of a machine; null when there is none of that name. */
export function chartOf(machine: string): ChartState | null {
  const found = machines[machine];
  return found ? readChart(found) : null;
}

/** An actor of a run, as it is stored. */
export interface LiveActor {
  /** Address below the run, e.g. `s:fix-wrap@1/turn`; '' for the task itself. */
  path: string;
  machine: string;
  value: StateValue;
  waits_for: { id: string; source: string; state: string }[];
}

/** The chart of an actor's machine with its present states lit; null when this version does not know the machine. */
export function litChart({ machine, value }: LiveActor): ChartState | null {
  const chart = chartOf(machine);
  return chart && light(chart, value);
}

/** Machines that a chart starts, so that a reader can go on there. */
export function machinesStartedBy(chart: ChartState): string[] {
  const text = JSON.stringify(chart);
  return machineNames().filter(
    name => name !== chart.name && (text.includes(`"source":"${name}"`) || text.includes(`"⚙ ${name}"`)),
  );
}
