/** Random runs with random budgets at a server that reports random usage, and what must be true of their ledgers. */
import { expect } from 'vitest';
import { type Account, type Cost, type Ledger, type Limits, NO_COST } from '../../machines/budget.ts';
import type { EffectEntry } from '../../machines/react.ts';
import type { StoreReader } from '../../store/store.ts';
import { random } from './lanes.ts';
import { call, calls, done, plan, script, verdict } from './script.ts';

export const NAMES = ['tokens', 'usd', 'model_calls', 'tool_calls'] as const;
/** USD per million tokens. */
export const PRICE = { input: 2, output: 10 };
/** Most tokens of an answer. */
export const ANSWER = 1_000;

/** Limits of the task and of each subtask, of which some will be too low. */
export interface Budgets {
  task: Limits;
  subtask: Limits;
}

export interface RandomRun {
  scenario: string;
  budgets: Budgets;
  /** Files that the whole of it writes. */
  files: string[];
  draw: () => number;
}

/** Two to five subtasks, some side by side, each with up to four changes and perhaps a review. */
export function randomRun(seed: number): RandomRun {
  const draw = random(seed);
  const nodes = Array.from({ length: 2 + Math.floor(draw() * 4) }, (_, i) => ({
    id: `n${i}`,
    needs: i > 1 && draw() < 0.3 ? [`n${i - 2}`] : [],
    tier: draw() < 0.4 ? (2 as const) : (1 as const),
    files: Array.from({ length: 1 + Math.floor(draw() * 3) }, (_, n) => `n${i}-${n}.txt`),
  }));
  const late = () => ({ repeat: true, delay_ms: Math.floor(draw() * 12) });
  const scenario = script(
    { ...plan(...nodes), repeat: true },
    ...nodes.flatMap(({ id, files }) => [
      ...files.map((path, step) => ({
        ...calls(id, call('write_file', { path, content: `${path}\n` })),
        ...late(),
        step,
      })),
      { ...done(id, files), ...late(), step: files.length },
      { ...verdict(id, true), ...late() },
    ]),
  );
  const need: Cost = {
    ...NO_COST,
    model_calls: 1 + nodes.reduce((sum, { files, tier }) => sum + files.length + tier, 0),
    tool_calls: nodes.reduce((sum, { files }) => sum + files.length, 0),
  };
  const share = (part: number) => (draw() < 0.5 ? part * (0.15 + draw()) : 0);
  const drawn = (count: number): Limits =>
    positive({
      tokens: Math.round(share((need.model_calls * 3_500) / count)),
      usd: share((need.model_calls * 0.012) / count),
      model_calls: Math.round(share(need.model_calls / count)),
      tool_calls: Math.round(share(need.tool_calls / count)),
    });
  const budgets = { task: drawn(1), subtask: drawn(nodes.length) };
  return { scenario, budgets, files: nodes.flatMap(({ files }) => files).sort(), draw };
}

const positive = (limits: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit > 0));

/** What a person grants a run that stopped at its budgets: half as much again, and room for one more call. */
export function raised({ task, subtask }: Budgets): Budgets {
  const room: Required<Limits> = { tokens: 6_000, usd: 0.03, model_calls: 1, tool_calls: 1, seconds: 0 };
  const more = (limits: Limits): Limits =>
    Object.fromEntries(
      NAMES.flatMap(name => {
        const limit = limits[name];
        if (limit === undefined) return [];
        return [[name, name === 'usd' ? limit * 1.5 + room.usd : Math.ceil(limit * 1.5) + room[name]]];
      }),
    );
  return { task: more(task), subtask: more(subtask) };
}

/** What the server really charged, whatever became of the answers. */
export function till(draw: () => number) {
  const billed = { tokens: 0, usd: 0, model_calls: 0 };
  return {
    billed,
    bill(prompt: number, most: number) {
      const input = Math.floor(prompt * (0.7 + 0.3 * draw()));
      const output = Math.floor(most * draw() ** 2);
      billed.tokens += input + output;
      billed.usd += (input * PRICE.input + output * PRICE.output) / 1e6;
      billed.model_calls += 1;
      return { input, output };
    },
  };
}

const sum = (costs: Cost[]): Cost => {
  const total = { ...NO_COST };
  for (const cost of costs) for (const name of NAMES) total[name] += cost[name];
  return total;
};

/** Reads a run and checks its accounts: what is reserved is what is open, nothing is overspent, and nothing that the server
 *  charged is missing. Returns the task's. */
export async function checkLedger(
  store: StoreReader,
  run: string,
  budgets: Budgets,
  billed: { tokens: number; usd: number; model_calls: number },
): Promise<Account> {
  const [ledger, accounts, effects] = await Promise.all([
    store.get<Ledger>(run, 'ledger'),
    store.range<Account>(run, 'ledger/'),
    store.range<EffectEntry>(run, 'e/'),
  ]);
  const open = effects.map(row => row.value);
  const hold = (account: Account, limits: Limits, own: EffectEntry[], whose: string) => {
    const reserved = sum(own.map(effect => effect.reserved));
    for (const name of NAMES) {
      expect(account.reserved[name], `${whose}: ${name} reserved`).toBeCloseTo(reserved[name], 9);
      const limit = limits[name];
      if (limit !== undefined)
        expect(account.spent[name] + account.reserved[name], `${whose}: ${name}`).toBeLessThanOrEqual(
          limit + 1e-9,
        );
    }
  };
  hold(ledger!, budgets.task, open, 'task');
  for (const { key, value } of accounts) {
    const id = key.slice('ledger/'.length);
    hold(
      value,
      budgets.subtask,
      open.filter(effect => effect.path.includes(`/s:${id}@`)),
      id,
    );
  }
  for (const name of ['tokens', 'usd', 'model_calls'] as const)
    expect(billed[name], `${name} charged by the server`).toBeLessThanOrEqual(
      ledger!.spent[name] + ledger!.reserved[name] + 1e-9,
    );
  return ledger!;
}
