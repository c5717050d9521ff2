/** Random runs with parallel subtasks, random budgets and random usage, killed at random: nothing is ever overspent, and what
 *  is reserved is what is open after every kill. Most of them in this process, over a store whose owner "dies"; some as
 *  real processes that are killed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHome } from '../../actors/home.ts';
import type { HostEnd } from '../../actors/host-port.ts';
import type { Launch } from '../../actors/task-deps.ts';
import { resumeTask, startTask } from '../../actors/task-run.ts';
import type { Config } from '../../store/config.ts';
import { CRASH_POINTS } from '../../store/crash-points.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { type MemoryStore, memoryDatabase, openMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';
import { extended } from '../../store/store.ts';
import { ANSWER, type Budgets, checkLedger, PRICE, raised, randomRun, till } from '../support/budget-run.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { DEEP, lanes } from '../support/lanes.ts';
import { loomConfig } from '../support/loom-config.ts';
import { sandbox, serverToml } from '../support/loom-process.ts';
import { modelConfig } from '../support/model-config.ts';

const SEED = 7_000;
/** More takings-up of one run than any needs. */
const MOST = 60;

interface Figures {
  kills: number;
  /** Stops at a budget. */
  stops: number;
}

/** The same store, whose process dies at its n-th write: just before it, or just after. */
function doomed(store: MemoryStore, n: number, after: boolean, died: () => void): Store {
  let left = n;
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left !== 0) return work();
    if (after) await work();
    store.end();
    died();
    return new Promise(() => {});
  };
  return extended(store, {
    commit: (...given: Parameters<Store['commit']>) => write(() => store.commit(...given)),
    checkpoint: (...given: Parameters<Store['checkpoint']>) => write(() => store.checkpoint(...given)),
  });
}

const configOf = (url: string, { subtask }: Budgets): Config => {
  const model = { provider: 'openai_compatible' as const, base_url: `${url}/v1`, context_tokens: 32_768 };
  const price = { price_input: PRICE.input, price_output: PRICE.output };
  const config = loomConfig([modelConfig({ ...model, ...price, max_tokens: ANSWER })], {
    max_subtask_total_tokens: subtask.tokens ?? 0,
    max_subtask_cost_usd: subtask.usd ?? 0,
    max_subtask_model_invocations: subtask.model_calls ?? 0,
    max_subtask_tool_calls: subtask.tool_calls ?? 0,
  });
  const runner = { ...config.limits.runner, max_subtask_wall_clock_seconds: 1_200 };
  return { ...config, limits: { ...config.limits, runner } };
};

const askedOf = ({ task }: Budgets) => ({
  ...(task.tokens === undefined ? {} : { max_tokens: task.tokens }),
  ...(task.usd === undefined ? {} : { max_cost: task.usd }),
  ...(task.model_calls === undefined ? {} : { max_model_calls: task.model_calls }),
  ...(task.tool_calls === undefined ? {} : { max_tool_calls: task.tool_calls }),
});

async function surviveInside(seed: number): Promise<Figures> {
  const { scenario, files, draw, ...drawn } = randomRun(seed);
  let { budgets } = drawn;
  const { billed, bill } = till(draw);
  const server = await startFakeServer('openai', scenario, { bill, chunk: 64 });
  const folder = mkdtempSync(join(tmpdir(), 'loom-budget-'));
  const workspace = mkdtempSync(join(tmpdir(), 'loom-budget-work-'));
  const database = memoryDatabase();
  const id = `r${seed}`;
  const figures: Figures = { kills: 0, stops: 0 };
  try {
    for (let tries = 0; ; tries++) {
      if (tries > MOST) throw new Error(`${id} does not come to an end`);
      const store = openMemoryStore({ database });
      let died: () => void = () => {};
      const death = new Promise<'killed'>(resolve => {
        died = () => resolve('killed');
      });
      // Later takings-up are spared more and more often, so that there is an end.
      const mortal = draw() < 0.9 - tries * 0.08;
      const owned = mortal ? doomed(store, 1 + Math.floor(draw() * 24), draw() < 0.5, died) : store;
      const config = configOf(server.url, budgets);
      const home = openHome(folder, () => config);
      const launch: Launch = { home, store: owned, env: {}, notice: () => {} };
      const options = askedOf(budgets);
      const lease = tries === 0 ? null : await store.claim(id);
      const running: Promise<HostEnd> = lease
        ? resumeTask(launch, lease, config, { ...options, corrected: true })
        : startTask(launch, config, { ...options, goal: 'Spend', workspace, id });
      const end = await Promise.race([running, death]);
      const account = await checkLedger(openMemoryStore({ database }), id, budgets, billed);
      if (end === 'killed') {
        figures.kills += 1;
        continue;
      }
      await store.close();
      if (end.kind === 'done') {
        expect(end, JSON.stringify(end)).toMatchObject({ exit_code: 0 });
        expect(account.reserved).toEqual({ tokens: 0, usd: 0, model_calls: 0, tool_calls: 0 });
        expect(readdirSync(workspace).sort()).toEqual(files);
        return figures;
      }
      expect(end).toMatchObject({ kind: 'parked', reason: 'budget' });
      figures.stops += 1;
      budgets = raised(budgets);
    }
  } finally {
    await server.stop();
    for (const made of [folder, workspace]) rmSync(made, { recursive: true, force: true });
  }
}

const budgetKeys = ({ task, subtask }: Budgets): string =>
  [
    `max_task_total_tokens = ${task.tokens ?? 0}`,
    `max_task_cost_usd = ${task.usd ?? 0}`,
    `max_task_model_invocations = ${task.model_calls ?? 0}`,
    `max_task_tool_calls = ${task.tool_calls ?? 0}`,
    `max_subtask_total_tokens = ${subtask.tokens ?? 0}`,
    `max_subtask_cost_usd = ${subtask.usd ?? 0}`,
    `max_subtask_model_invocations = ${subtask.model_calls ?? 0}`,
    `max_subtask_tool_calls = ${subtask.tool_calls ?? 0}`,
  ].join('\n');

async function surviveOutside(seed: number): Promise<Figures> {
  const { scenario, files, draw, ...drawn } = randomRun(seed);
  let { budgets } = drawn;
  const { billed, bill } = till(draw);
  const server = await startFakeServer('openai', scenario, { bill, chunk: 64 });
  const box = sandbox();
  const figures: Figures = { kills: 0, stops: 0 };
  const prices = `max_tokens = ${ANSWER}\nprice_input = ${PRICE.input}\nprice_output = ${PRICE.output}\n`;
  try {
    for (let tries = 0; ; tries++) {
      if (tries > MOST) throw new Error('the run does not come to an end');
      box.config(
        `[execution]\n${budgetKeys(budgets)}\n${serverToml('openai_compatible', `${server.url}/v1`, prices)}`,
      );
      const point = CRASH_POINTS[Math.floor(draw() * CRASH_POINTS.length)]!;
      const mortal = draw() < 0.95 - tries * 0.12;
      const env = mortal ? { LOOM_CRASH_AT: `${point}:${1 + Math.floor(draw() * 12)}` } : {};
      const words = tries === 0 ? ['run', 'Spend'] : ['resume', '--last'];
      const ended = await box.run([...words, '--output', 'json'], env);
      const reader = await openLmdbReader(box.home);
      const [head] = await reader.runs();
      if (head) await checkLedger(reader, head.id, budgets, billed);
      await reader.close();
      if (ended.signal === 'SIGKILL') {
        figures.kills += 1;
        // Killed before there was a run to resume: it is begun once more.
        if (!head) tries = -1;
        continue;
      }
      if (ended.code === 0) {
        expect(Object.keys(box.tree()).sort()).toEqual(files);
        return figures;
      }
      if (head?.exit_code === 0) return figures;
      expect(ended.code, ended.stdout + ended.stderr).toBe(6);
      figures.stops += 1;
      budgets = raised(budgets);
    }
  } finally {
    await server.stop();
    box.remove();
  }
}

async function surviveAll(count: number, seed: number, survive: (seed: number) => Promise<Figures>) {
  const all: Figures = { kills: 0, stops: 0 };
  const seeds = Array.from({ length: count }, (_, i) => seed + i);
  await lanes(seeds, 2, async one => {
    const { kills, stops } = await survive(one);
    all.kills += kills;
    all.stops += stops;
  });
  console.info(`${count} runs, ${all.kills} kills, ${all.stops} stops at a budget, overspent 0`);
  // Most runs are killed, and most meet a limit, or nothing was proven.
  expect(all.kills).toBeGreaterThanOrEqual(count / 2);
  expect(all.stops).toBeGreaterThanOrEqual(count / 2);
}

test('runs over a store whose owner dies', async () => {
  await surviveAll(DEEP ? 460 : 21, SEED, surviveInside);
});

test('runs of real processes that are killed', async () => {
  await surviveAll(DEEP ? 40 : 4, SEED + 1_000, surviveOutside);
});
