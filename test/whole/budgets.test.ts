/** Budgets of a task and of each subtask: a breach stops with exit 6 and keeps what was done; a higher limit goes on. */
import { expect, test } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import type { JournalEvent } from '../../actors/loom.ts';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import type { Account, Cost, Ledger } from '../../machines/budget.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { loadConfig } from '../../store/load-config.ts';
import { ending } from '../support/ending.ts';
import { lab, ofType, QUICK, scriptedLab, servedLab } from '../support/lab.ts';
import { serverToml } from '../support/loom-process.ts';
import { call, calls, done, plan, says, script, writes } from '../support/script.ts';

const { keep, later } = ending();

/** What the store says was spent, of the task and by subtask. */
async function ledgerOf(
  home: string,
  run: string,
): Promise<{ task: Ledger; subtasks: Record<string, Account> }> {
  const reader = await openLmdbReader(home);
  try {
    const rows = await reader.range<Account>(run, 'ledger/');
    const subtasks = Object.fromEntries(rows.map(({ key, value }) => [key.slice('ledger/'.length), value]));
    return { task: (await reader.get<Ledger>(run, 'ledger'))!, subtasks };
  } finally {
    await reader.close();
  }
}

const list = (subtask: string, step: number) => ({
  ...calls(subtask, call('list_directory', { path: '.' })),
  step,
});

/** `greedy` needs four model and three tool calls, `modest` two and one. */
const greedyAndModest = script(
  plan({ id: 'greedy', files: ['greedy.md'] }, { id: 'modest', files: ['modest.md'] }),
  list('greedy', 0),
  list('greedy', 1),
  { ...writes('greedy', 'greedy.md'), step: 2 },
  { ...done('greedy', ['greedy.md']), step: 3 },
  { ...writes('modest', 'modest.md'), step: 0 },
  { ...done('modest', ['modest.md']), step: 1 },
);
const BOTH = { 'greedy.md': 'greedy.md\n', 'modest.md': 'modest.md\n' };

test.each([
  ['model_calls', { max_model_calls: 3 }, { max_model_calls: 7 }, '--max-model-calls'],
  ['tool_calls', { max_tool_calls: 1 }, { max_tool_calls: 4 }, '--max-tool-calls'],
] as const)(
  '%s: exactly as many as allowed, exit 6, and a higher limit completes it',
  async (name, low, high, flag) => {
    const here = keep(scriptedLab(greedyAndModest));
    const { result, events } = await here.go('Both', low);
    expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
    expect(result.error?.message).toContain(flag);
    expect(ofType(events, 'task_budget_exhausted').length).toBeGreaterThan(0);
    const { task } = await ledgerOf(here.home, result.task_id);
    expect(task.spent[name]).toBe(Object.values(low)[0]);
    const { result: still } = await here.goOn(result.task_id);
    expect(still.exit_code).toBe(6);
    const { result: after } = await here.goOn(result.task_id, high);
    expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(here.tree()).toEqual(BOTH);
    expect((await ledgerOf(here.home, result.task_id)).task.spent[name]).toBe(Object.values(high)[0]);
  },
);

/** Keys of [execution], which the lab's own begin. */
const limited = (more: string) => `${more}\n`;
const FINE: ScenarioEntry = {
  role: 'verifier',
  repeat: true,
  reply: { passed: true, outcome: 'pass', confidence: 1, feedback: '', issues: [] },
};

test.each([
  ['max_subtask_model_invocations', 2, 4],
  ['max_subtask_tool_calls', 1, 3],
])(
  '%s: the greedy one stops, the other completes; raised in loom.toml, resume goes on',
  async (key, low, high) => {
    const toml = (limit: number) => limited(`${key} = ${limit}`);
    const here = keep(await servedLab('openai', greedyAndModest, { toml: toml(low) }));
    const { result, events } = await here.go('Both');
    expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
    expect(result.error?.message).toContain(`of subtask "greedy"`);
    expect(result.error?.message).toContain(`execution.${key}`);
    expect(ofType(events, 'subtask_completed').map(event => event.data['subtask_id'])).toEqual(['modest']);
    // Stopped is not failed: nothing is tried again, nothing planned anew.
    expect(ofType(events, 'subtask_retrying')).toEqual([]);
    expect(here.tree()).toEqual({ 'modest.md': 'modest.md\n' });
    here.config(QUICK + toml(high) + serverToml('openai_compatible', here.servers[0]!.url));
    await here.reopen();
    const { result: after, events: later } = await here.goOn(result.task_id);
    expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(ofType(later, 'subtask_retrying')).toEqual([]);
    expect(here.tree()).toEqual(BOTH);
    const { subtasks } = await ledgerOf(here.home, result.task_id);
    expect(subtasks['greedy']).toMatchObject({ spent: { model_calls: 4, tool_calls: 3 } });
    expect(subtasks['modest']).toMatchObject({ spent: { model_calls: 2, tool_calls: 1 } });
  },
);

test('the time of a subtask is counted over its calls, and those of others do not count', async () => {
  const slow = script(
    plan({ id: 'slow' }, { id: 'quick' }),
    { ...list('slow', 0), delay_ms: 1_200 },
    { ...done('slow'), step: 1 },
    { ...done('quick'), delay_ms: 700 },
    FINE,
  );
  const toml = (seconds: number) => limited(`max_subtask_work_seconds = ${seconds}`);
  const here = keep(scriptedLab(slow, toml(1)));
  const { result, events } = await here.go('Slow and quick');
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(result.error?.message).toMatch(/of subtask "slow".*max_subtask_work_seconds/);
  expect(ofType(events, 'subtask_completed').map(event => event.data['subtask_id'])).toEqual(['quick']);
});

test('--timeout counts the time of all processes: the next one has only what is left', async () => {
  const scenario = script(
    plan({ id: 'wait', files: ['wait.md'] }),
    { ...writes('wait', 'wait.md'), step: 0, delay_ms: 1_500 },
    { ...done('wait', ['wait.md']), step: 1 },
  );
  const here = keep(await servedLab('openai', scenario));
  const { result } = await here.go('Wait', { timeout_seconds: 1 });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  const before = here.servers[0]!.calls().length;
  await here.reopen();
  const { result: still } = await here.goOn(result.task_id);
  expect(still).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(still.error?.message).toContain('--timeout');
  expect(here.servers[0]!.calls()).toHaveLength(before);
  const server = await here.serve('openai', scenario);
  here.config(serverToml('openai_compatible', server.url));
  await here.reopen();
  const { result: after } = await here.goOn(result.task_id, { timeout_seconds: 60 });
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('what only waits for room goes on by itself, within the limit', async () => {
  const nodes = ['a', 'b', 'c'];
  const here = keep(
    scriptedLab(
      script(
        plan(...nodes.map(id => ({ id, files: [`${id}.md`] }))),
        ...nodes.map(id => ({ ...writes(id, `${id}.md`), step: 0, delay_ms: 50 })),
        ...nodes.map(id => ({ ...done(id, [`${id}.md`]), step: 1 })),
      ),
    ),
  );
  // Room for the worst case of one call and what six small ones really take, not for two worst cases.
  const { result, events } = await here.go('Three', { max_tokens: 24_000 });
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(ofType(events, 'task_budget_exhausted')).toEqual([]);
  const { task } = await ledgerOf(here.home, result.task_id);
  expect(task.spent.tokens).toBeLessThanOrEqual(24_000);
  expect(task.reserved.tokens).toBe(0);
});

test('an answer that was cut off is paid for like the one that followed', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        plan({ id: 'report', files: ['report.md'] }),
        { ...says('report', 'I will write the report now. '.repeat(40)), fault: 'cut_stream' },
        { ...writes('report', 'report.md'), step: 0 },
        { ...done('report', ['report.md']), step: 1 },
      ),
    ),
  );
  const { result } = await here.go('Report', { max_tokens: 200_000 });
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const { task } = await ledgerOf(here.home, result.task_id);
  const { input_tokens, output_tokens, model_calls } = result.usage;
  expect(task.spent.tokens).toBeGreaterThan(input_tokens + output_tokens + 500);
  expect(task.spent.model_calls).toBe(model_calls);
});

test('a deadline stands still while its own turn waits for budget and others go on', async () => {
  const scenario = script(
    plan({ id: 'stuck', files: ['stuck.md'] }, { id: 'first' }, { id: 'second', needs: ['first'] }),
    list('stuck', 0),
    { ...writes('stuck', 'stuck.md'), step: 1 },
    { ...done('stuck', ['stuck.md']), step: 2 },
    { ...done('first'), delay_ms: 1_500 },
    { ...done('second'), delay_ms: 1_500 },
    FINE,
  );
  const here = keep(scriptedLab(scenario));
  const { config } = await loadConfig({ cwd: here.folder, home: here.home, env: here.env });
  const open = async (calls: number) => {
    const loom = await openLoom({
      home: here.home,
      workspace: here.workspace,
      config: {
        ...config,
        execution: { ...config.execution, max_subtask_model_invocations: calls },
        limits: { ...config.limits, runner: { ...config.limits.runner, max_subtask_wall_clock_seconds: 2 } },
      },
    });
    later(() => loom.close());
    return loom;
  };
  const events: JournalEvent[] = [];
  const onEvent = (event: JournalEvent) => void events.push(event);
  const loom = await open(2);
  const result = await loom.run({ goal: 'Three', onEvent });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(result.duration_ms).toBeGreaterThan(3_000);
  await loom.close();
  const after = await (await open(3)).resume(result.task_id, { onEvent });
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(ofType(events, 'subtask_retrying')).toEqual([]);
});

test('a server that asks to be left alone for long: exit 5 at once, with the time to resume after', async () => {
  const busy = { error: { status: 429, message: 'busy', retry_after: 3_600 }, repeat: true };
  const here = keep(await servedLab('openai', script(plan({ id: 'a' }), { role: 'executor', ...busy })));
  const { result } = await here.go('Wait');
  expect(result).toMatchObject({ exit_code: 5, error: { code: 'no_model' } });
  expect(result.error?.message).toMatch(/left alone for 3600 s: resume after \d{4}-.*Z/);
  expect(result.duration_ms).toBeLessThan(5_000);
});

const LIMIT = 22_000;
const short = (url: string) =>
  `${QUICK}${serverToml('openai_compatible', url).replace('context_tokens', 'max_tokens = 300\ncontext_tokens')}`;

test('a server that counts three times what was estimated never takes a run past its tokens', async () => {
  const here = keep(lab());
  const server = await here.serve('openai', greedyAndModest, {
    bill: prompt => ({ input: prompt * 3, output: 100 }),
  });
  here.config(short(server.url));
  const { result, events } = await here.go('Both', { max_tokens: LIMIT });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(ofType(events, 'task_budget_overspent')).toEqual([]);
  const { task } = await ledgerOf(here.home, result.task_id);
  expect(task.spent.tokens).toBeLessThanOrEqual(LIMIT);
  const [told] = ofType(events, 'task_budget_exhausted');
  expect(told?.data).toMatchObject({ budget_name: 'tokens', limit: LIMIT, subtask_id: null });
  expect(told?.data['spent']).toBeGreaterThan(10_000);
  expect(told?.data['observed']).toBeGreaterThan(LIMIT);
});

test('a server that suddenly counts much more is told of with what it counted, and the run stops there', async () => {
  const here = keep(lab());
  let asked = 0;
  const server = await here.serve('openai', greedyAndModest, {
    bill: prompt => ({ input: prompt * (++asked > 3 ? 20 : 1), output: 100 }),
  });
  here.config(short(server.url));
  const { result, events } = await here.go('Both', { max_tokens: LIMIT });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  const over = ofType(events, 'task_budget_overspent');
  expect(over.length).toBeGreaterThan(0);
  const { used, reserved, limit, spent, message } = over[0]!.data as {
    used: Cost;
    reserved: Cost;
    limit: number;
    spent: number;
    message: string;
  };
  expect(used.tokens).toBeGreaterThan(5 * reserved.tokens);
  expect(spent).toBeGreaterThan(limit);
  expect(message).toContain(`counted ${used.tokens}`);
});
