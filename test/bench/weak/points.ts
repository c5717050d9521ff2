/** One point of the benchmark: the same jobs and the same model in Loom and in the plain loop, judged afterwards. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Loom } from '../../../actors/loom.ts';
import { type Job, plannedNode } from './jobs.ts';
import type { Errand, Outcome } from './loom-side.ts';
import { differences } from './oracle.ts';
import { runInPlainLoop } from './plain-loop.ts';

/** Counts over the jobs of one point. */
export interface Score {
  jobs: number;
  /** Said to be done, and right. */
  correct: number;
  /** Said to be done, and wrong. */
  false_completions: number;
  /** Not said to be done. */
  honest_failures: number;
  model_calls: number;
}

export interface Judged extends Outcome {
  /** Empty when the workspace is right. */
  wrong: string[];
}

/** Folders with the files that each job begins with. */
export function prepare(jobs: Job[], folder: string): Errand[] {
  return jobs.map(({ key, goal, before }) => {
    const workspace = join(folder, key);
    mkdirSync(workspace, { recursive: true });
    for (const [path, text] of Object.entries(before)) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true });
      writeFileSync(join(workspace, path), text);
    }
    return { key, goal, workspace };
  });
}

/** The oracle's word on runs that are over. */
export async function judged(jobs: Job[], errands: Errand[], outcomes: Outcome[]): Promise<Judged[]> {
  const list = errands.map(async ({ key, workspace }, n): Promise<Judged> => {
    const outcome = outcomes.find(each => each.key === key)!;
    return { ...outcome, wrong: await differences(workspace, jobs[n]!.truth) };
  });
  return Promise.all(list);
}

export const score = (list: Judged[]): Score => ({
  jobs: list.length,
  correct: list.filter(each => each.completed && each.wrong.length === 0).length,
  false_completions: list.filter(each => each.completed && each.wrong.length > 0).length,
  honest_failures: list.filter(each => !each.completed).length,
  model_calls: list.reduce((sum, each) => sum + each.model_calls, 0),
});

export const added = (scores: Score[]): Score => {
  const sum = (of: keyof Score): number => scores.reduce((all, each) => all + each[of], 0);
  return {
    jobs: sum('jobs'),
    correct: sum('correct'),
    false_completions: sum('false_completions'),
    honest_failures: sum('honest_failures'),
    model_calls: sum('model_calls'),
  };
};

/** The whole job in one prompt, as somebody without a planner would write it. */
const promptOf = (job: Job): string =>
  [
    job.goal,
    ...job.nodes.flatMap(node => [
      node.description,
      `It is accepted when:\n${plannedNode(node, job.tier).acceptance_criteria}`,
    ]),
  ].join('\n\n');

/** The jobs in the plain loop, judged. */
export async function plainLoop(
  jobs: Job[],
  { url, folder, tools }: { url: string; folder: string; tools: Loom['tools'] },
): Promise<Judged[]> {
  const errands = prepare(jobs, folder);
  const outcomes: Outcome[] = [];
  for (const [n, errand] of errands.entries())
    outcomes.push(await runInPlainLoop({ ...errand, prompt: promptOf(jobs[n]!) }, tools, url));
  return judged(jobs, errands, outcomes);
}
