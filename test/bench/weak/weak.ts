/** `npm run bench:weak [-- --tasks N --seeds A,B --rates 5,30 --failures]`: a weak model in Loom and in a plain loop. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openLoom } from '../../../actors/engine.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { type Job, jobsOf } from './jobs.ts';
import type { Order } from './loom-main.ts';
import type { Outcome } from './loom-side.ts';
import { SimulatedModels } from './models.ts';
import { type Judged, judged, plainLoop, prepare, score } from './points.ts';
import { bounds, GROUPS, type Group, type Measured, table } from './report.ts';

const loomMain = process.argv[2] ?? '';
const { values: given } = parseArgs({
  args: process.argv.slice(3),
  options: {
    tasks: { type: 'string', default: '200' },
    seeds: { type: 'string', default: '1,2,3' },
    rates: { type: 'string', default: '5,15,30,45,60' },
    failures: { type: 'boolean', default: false },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const tasks = Number(given.tasks);
const seeds = numbers(given.seeds);
const rates = numbers(given.rates);
/** Where the stronger model of the comparison stands. */
const PLAIN_RATE = 10;

// In memory where there is such a place: thousands of small runs would otherwise measure the disk.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'loom-weak-'));
const models = new SimulatedModels();
const server = await startFakeServer('openai', models, { chunk: 4_096 });
/** Loom has processes of its own, which are told goals and workspaces and nothing else. */
const processes = Array.from({ length: Math.min(2, availableParallelism()) }, () => fork(loomMain));

async function inLoom(jobs: Job[], at: string): Promise<Judged[]> {
  const errands = prepare(jobs, join(at, 'work'));
  const parts = processes.map(async (child, n): Promise<Outcome[]> => {
    const mine = errands.filter((_, i) => i % processes.length === n);
    const answer = once(child, 'message');
    child.send({
      errands: mine,
      url: server.url,
      home: join(at, `home-${n}`),
      parallel: 4,
    } satisfies Order);
    const [{ outcomes, error }] = (await answer) as [{ outcomes?: Outcome[]; error?: string }];
    if (!outcomes) throw new Error(error);
    return outcomes;
  });
  const outcomes = (await Promise.all(parts)).flat();
  return judged(jobs, errands, outcomes);
}

function jobsFor(group: Group, seed: number, rate: number): Job[] {
  if (group === 'visible') {
    // Half of each family by checks alone, half read by a reviewer as well.
    const tier = (n: number) => (((n >> 3) % 2) + 1) as 1 | 2;
    return jobsOf({ kind: 'visible', seed, count: tasks, name: `visible-${seed}-${rate}`, tier });
  }
  const tier = Number(group.at(-1)) as 1 | 2 | 3;
  // The same names at every tier, so that the tiers meet the same luck.
  const name = `semantic-${seed}-${rate}`;
  return jobsOf({ kind: 'semantic', seed, count: tasks, name, tier: () => tier });
}

/** Every lie about what the world shows; with `--failures` every run that is not done and right. */
const worthTelling = ({ key, completed, wrong }: Judged): boolean =>
  given.failures
    ? !completed || wrong.length > 0
    : completed && wrong.length > 0 && key.startsWith('visible');
const told = ({ completed, ended, wrong }: Judged): string =>
  `${completed ? 'FALSE COMPLETION' : ended.slice(0, 160)} (${wrong.join('; ') || 'right all the same'})`;

/** How a point went, for whoever watches. */
const pointLine = (seed: number, rate: number): string =>
  measured
    .filter(each => each.seed === seed && each.rate === rate)
    .map(
      ({ harness, group, score }) =>
        `${harness} ${group}: ${score.correct} correct, ${score.false_completions} false`,
    )
    .join(' · ');

const measured: Measured[] = [];
const home = join(folder, 'plain-home');
mkdirSync(home, { mode: 0o700 });
writeFileSync(join(home, 'loom.toml'), '', { mode: 0o600 });
const plain = await openLoom({ home, workspace: folder });
const began = performance.now();
console.log(`${tasks} tasks a point; seeds ${seeds.join(', ')}; errors ${rates.join(', ')} % a decision`);

for (const seed of seeds)
  for (const rate of [...new Set([...rates, PLAIN_RATE])].sort((a, b) => a - b)) {
    for (const [n, group] of GROUPS.entries()) {
      const jobs = jobsFor(group, seed, rate);
      const temper = { seed, rate: rate / 100 };
      const at = join(folder, `${seed}-${rate}-${n}`);
      const point = { group, seed, rate };
      models.add(jobs, temper);
      if (rates.includes(rate)) {
        const runs = await inLoom(jobs, at);
        measured.push({ ...point, harness: 'loom', score: score(runs) });
        for (const run of runs) if (worthTelling(run)) console.log(`  ${run.key}: ${told(run)}`);
      }
      // The plain loop knows no tiers of verification.
      if (group === 'visible' || group === 'semantic, tier 1') {
        const place = { url: server.url, folder: join(at, 'plain'), tools: plain.tools };
        measured.push({ ...point, harness: 'plain', score: score(await plainLoop(jobs, place)) });
      }
      models.forget(jobs);
      server.requests.length = 0;
      rmSync(at, { recursive: true, force: true });
    }
    console.log(`seed ${seed}, ${rate} %: ${pointLine(seed, rate)}`);
  }

for (const child of processes) child.disconnect();
await plain.close();
await server.stop();
rmSync(folder, { recursive: true, force: true });

console.log(table(measured));
const found = bounds(measured);
console.log('');
for (const { name, figure, required, holds } of found)
  console.log(`${holds ? '✓' : '✗'} ${name.padEnd(78)} ${figure.padStart(18)}   required ${required}`);
console.log(`\n${((performance.now() - began) / 60_000).toFixed(1)} min`);
if (found.some(bound => !bound.holds)) process.exitCode = 1;
