/** A weak model in Loom, on a small part of the benchmark (`npm run bench:weak` has the whole): whatever the world shows to be
 *  wrong is never said to be done, and a model with 30 % errors does better than one with 10 % in a plain loop. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import type { Loom } from '../../actors/loom.ts';
import { type Job, jobsOf } from '../bench/weak/jobs.ts';
import { runInLoom } from '../bench/weak/loom-side.ts';
import { SimulatedModels } from '../bench/weak/models.ts';
import { type Judged, judged, plainLoop, prepare, score } from '../bench/weak/points.ts';
import { reviewerTurn } from '../bench/weak/reviewer.ts';
import type { FakeServer } from '../support/fake-http.ts';
import { startFakeServer } from '../support/fake-server.ts';

const SEED = 11;
const models = new SimulatedModels();
let folder: string;
let server: FakeServer;
let plain: Loom;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'loom-weak-'));
  server = await startFakeServer('openai', models, { chunk: 4_096 });
  const home = join(folder, 'plain-home');
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, 'loom.toml'), '', { mode: 0o600 });
  plain = await openLoom({ home, workspace: folder });
});
afterAll(async () => {
  await plain.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const visible = (name: string, count: number): Job[] =>
  jobsOf({ kind: 'visible', seed: SEED, count, name, tier: n => (((n >> 3) % 2) + 1) as 1 | 2 });

async function inLoom(jobs: Job[], rate: number): Promise<Judged[]> {
  models.add(jobs, { seed: SEED, rate });
  const at = join(folder, jobs[0]!.key);
  const errands = prepare(jobs, at);
  const outcomes = await runInLoom(errands, { url: server.url, home: join(at, 'home'), parallel: 4 });
  return judged(jobs, errands, outcomes);
}

async function inPlainLoop(jobs: Job[], rate: number): Promise<Judged[]> {
  models.add(jobs, { seed: SEED, rate });
  return plainLoop(jobs, { url: server.url, folder: join(folder, jobs[0]!.key), tools: plain.tools });
}

/** Share of the tasks that were said to be done and are. */
const right = (runs: Judged[]): number => score(runs).correct / runs.length;
const lies = (runs: Judged[]): string[] =>
  runs.filter(run => run.completed && run.wrong.length > 0).map(run => `${run.key}: ${run.wrong.join('; ')}`);

test('30 % errors: nothing wrong is said to be done, and at least 95 % is right', async () => {
  const runs = await inLoom(visible('thirty', 24), 0.3);
  expect(lies(runs)).toEqual([]);
  expect(right(runs)).toBeGreaterThanOrEqual(0.95);
  expect(right(runs)).toBeGreaterThan(right(await inPlainLoop(visible('ten', 48), 0.1)));
  // The same model is really weak: without Loom it lies.
  expect(lies(await inPlainLoop(visible('thirty-plain', 24), 0.3)).length).toBeGreaterThanOrEqual(5);
});

test('60 % errors: what cannot be done is said not to be done', async () => {
  expect(lies(await inLoom(visible('sixty', 8), 0.6))).toEqual([]);
});

test('the simulated reviewer is as unreliable as promised, whatever it reads', () => {
  const verdicts = (shown: string): (boolean | null)[] =>
    Array.from({ length: 4_000 }, (_, n) => {
      const prompt = `# Loom verifier\n\n## The subtask\nDo it (${n}).\n\n## Acceptance criteria\n\`a.txt\` contains the line \`yes\`.\n\n## a.txt as it is now\n\`\`\`\n1\t${shown}\n\`\`\``;
      const { text } = reviewerTurn({ role: 'verifier', subtask: '', job: '', prompt, rest: [] }, SEED);
      return /^\{"passed":(true|false),/.test(text) ? (JSON.parse(text).passed as boolean) : null;
    });
  const part = (list: (boolean | null)[], value: boolean | null): number =>
    list.filter(each => each === value).length / list.length;
  const [good, bad] = [verdicts('yes'), verdicts('no')];
  expect(part(good, false)).toBeCloseTo(0.1 * 0.95, 1.5);
  expect(part(bad, true)).toBeCloseTo(0.1 * 0.95, 1.5);
  for (const list of [good, bad]) expect(part(list, null)).toBeCloseTo(0.05, 1.5);
});
