/** Every way to stop a run keeps what was done, says why, exits with its own code, and can be gone on from. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import type { JournalEvent, RunResult, TaskSummary } from '../../actors/loom.ts';
import { loadConfig } from '../../store/load-config.ts';
import { ending } from '../support/ending.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { ofType, scriptedLab, servedLab } from '../support/lab.ts';
import { serverToml } from '../support/loom-process.ts';
import { done, plan, script, shell, verdict, writes } from '../support/script.ts';

const { keep, box, later } = ending();
/** A process that has ended and was not collected yet by its new parent counts as gone. */
const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const twoSteps = (delay_ms: number) =>
  script(
    plan({ id: 'first', files: ['first.md'] }, { id: 'second', needs: ['first'], files: ['second.md'] }),
    { ...writes('first', 'first.md'), step: 0 },
    { ...done('first', ['first.md']), step: 1 },
    { ...writes('second', 'second.md'), step: 0, delay_ms },
    { ...done('second', ['second.md']), step: 1 },
  );

test('Ctrl+C: exit 130, the resume command is printed, and resume finishes what was left', async () => {
  const here = keep(await servedLab('openai', twoSteps(2_500)));
  const running = here.start(['run', 'Two steps']);
  await running.prints(/second/);
  await expect.poll(() => here.servers[0]!.calls().length, { timeout: 20_000 }).toBe(4);
  running.process.kill('SIGINT');
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(130);
  const id = /loom resume (\w+)/.exec(ended.stdout)?.[1];
  expect(id).toBeDefined();
  expect(here.tree()).toEqual({ 'first.md': 'first.md\n' });
  // The call that was cut off was hung up on, not waited for.
  expect(here.servers[0]!.calls()[3]!.aborted).toBe(true);
  const before = here.servers[0]!.calls().length;
  here.servers[0]!.requests.length = 0;
  await here.servers[0]!.stop();
  const port = Number(new URL(here.servers[0]!.url).port);
  const back = await startFakeServer('openai', twoSteps(0), {}, port);
  here.servers.push(back);
  const resumed = await here.json<RunResult>(['resume', id!]);
  expect(resumed.ended.code, resumed.ended.stderr).toBe(0);
  expect(resumed.value).toMatchObject({ status: 'completed', files_changed: ['first.md', 'second.md'] });
  // Planner and first subtask are not asked again: the cut-off call and the final answer remain.
  expect(back.calls()).toHaveLength(2);
  expect(before).toBe(4);
});

test('SIGTERM stops as cleanly as Ctrl+C', async () => {
  const here = box(twoSteps(20_000));
  const running = here.start(['run', 'Two steps']);
  await running.prints(/first\.md/);
  running.process.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended.code).toBe(130);
  const { value } = await here.json<TaskSummary[]>(['tasks']);
  expect(value[0]).toMatchObject({ live: false, exit_code: 130, parked: { reason: 'interrupted' } });
});

/** A run that was interrupted in the middle of a command; the command ends at once when `quick` exists. */
async function interruptedInCommand(sandbox: string) {
  const command = nap();
  const here = box(
    script(
      plan({ id: 'wait' }),
      { ...shell('wait', `echo begun >> log.txt; [ -e quick ] || ${command}`), step: 0 },
      { ...done('wait'), step: 1 },
      verdict('wait', true),
    ),
  );
  appendFileSync(join(here.home, 'loom.toml'), `\n[tools.shell]\nsandbox = "${sandbox}"\n`);
  const running = here.start(['run', 'Wait', '--allow', 'shell_execute']);
  const pids = await napping(command);
  running.process.kill('SIGINT');
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(130);
  for (const pid of pids) expect(alive(pid)).toBe(false);
  expect(sleepers(command)).toEqual([]);
  here.write('quick', '');
  return here;
}

test('Ctrl+C while a command runs: its processes are gone, nothing has happened, and resume runs it again', async () => {
  const here = await interruptedInCommand('auto');
  expect(here.tree()).toEqual({ quick: '' });
  const resumed = await here.json<RunResult>(['resume', '--last']);
  expect(resumed.ended.code, resumed.ended.stderr).toBe(0);
  expect(here.read('log.txt')).toBe('begun\n');
});

test('Ctrl+C while a command runs that could reach everything: resume does not start it again unasked', async () => {
  const here = await interruptedInCommand('off');
  // A failure of ours, told to the model as one of the command, would make it run the command again.
  const asked = await here.json<RunResult>(['resume', '--last']);
  expect(asked.ended.code, asked.ended.stderr).toBe(3);
  const [question] = asked.value.questions!;
  expect(question).toMatchObject({ kind: 'uncertain', choices: ['retry', 'skip', 'done'] });
  expect(question!.prompt).toContain('echo begun >> log.txt');
  expect((await here.run(['answer', question!.id, 'retry'])).code).toBe(0);
  const resumed = await here.json<RunResult>(['resume', '--last']);
  expect(resumed.ended.code, resumed.ended.stderr).toBe(0);
  expect(here.read('log.txt')).toBe('begun\n');
});

test('loom cancel from another process stops a model call at once: final, exit 7, and told apart from a failure', async () => {
  const here = keep(await servedLab('openai', twoSteps(60_000)));
  const running = here.start(['run', 'Two steps', '--output', 'stream-json']);
  await running.prints(/"subtask_id":"second"/);
  await expect.poll(() => here.servers[0]!.calls().length, { timeout: 20_000 }).toBe(4);
  const id = /"task_id":"(\w+)"/.exec(running.stdout())![1]!;
  const cancelled = await here.json<TaskSummary>(['cancel', id]);
  const at = performance.now();
  expect(cancelled.ended.code, cancelled.ended.stderr).toBe(0);
  expect(cancelled.value).toMatchObject({ status: 'cancelled', exit_code: 7 });
  const ended = await running.ended;
  expect(performance.now() - at).toBeLessThan(2_000);
  expect(ended.code, ended.stderr).toBe(7);
  expect(here.servers[0]!.calls()[3]!.aborted).toBe(true);
  // Cancelled for good: there is nothing to resume, and it says so.
  const resumed = await here.run(['resume', id]);
  expect(resumed.code).toBe(7);
  expect(resumed.stderr).toContain('finished already');
});

test('loom cancel kills a command that runs, with all its children, within a second', async () => {
  const command = nap();
  const here = box(
    script(plan({ id: 'wait' }), shell('wait', `${command} & ${command}; wait`), done('wait')),
  );
  const running = here.start(['run', 'Wait', '--allow', 'shell_execute', '--output', 'stream-json']);
  const pids = await napping(command);
  const id = /"task_id":"(\w+)"/.exec(running.stdout())![1]!;
  expect((await here.run(['cancel', id])).code).toBe(0);
  expect((await running.ended).code).toBe(7);
  for (const pid of pids) expect(alive(pid)).toBe(false);
  expect(sleepers(command)).toEqual([]);
});

test('a parked run can be cancelled though no process owns it', async () => {
  const here = box(script(plan({ id: 'clean' }), shell('clean', 'rm -rf old'), done('clean')));
  here.write('old/a.md', 'a\n');
  const ended = await here.run(['run', 'Clean']);
  expect(ended.code).toBe(3);
  const id = /loom resume (\w+)/.exec(ended.stdout)![1]!;
  const cancelled = await here.json<TaskSummary>(['cancel', id]);
  expect(cancelled.ended.code, cancelled.ended.stderr).toBe(0);
  expect(cancelled.value.status).toBe('cancelled');
  expect(here.tree()).toEqual({ 'old/a.md': 'a\n' });
  expect((await here.run(['status', id, '--wait'])).code).toBe(7);
});

test('--max-tokens: exit 6 before the limit is passed, and a higher limit completes it', async () => {
  const here = keep(scriptedLab(twoSteps(0)));
  const { result, events } = await here.go('Two steps', { max_tokens: 9_000 });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(result.status).not.toBe('completed');
  expect(result.error?.message).toMatch(/token/);
  expect(ofType(events, 'task_budget_exhausted')).toHaveLength(1);
  expect(result.usage.input_tokens + result.usage.output_tokens).toBeLessThanOrEqual(9_000);
  const { result: still } = await here.goOn(result.task_id);
  expect(still.exit_code).toBe(6);
  const { result: after } = await here.goOn(result.task_id, { max_tokens: 500_000 });
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'first.md': 'first.md\n', 'second.md': 'second.md\n' });
});

test('--timeout: exit 6, nothing keeps running, and resume goes on', async () => {
  // Time enough for the first step on a busy machine, never for the second.
  const here = keep(await servedLab('openai', twoSteps(8_000)));
  const { result } = await here.go('Two steps', { timeout_seconds: 3 });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(result.error?.message).toContain('3 s');
  expect(here.tree()).toEqual({ 'first.md': 'first.md\n' });
  const server = await here.serve('openai', twoSteps(0));
  here.config(serverToml('openai', server.url));
  await here.reopen();
  const { result: after } = await here.goOn(result.task_id, { timeout_seconds: 60 });
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('--max-cost with prices stops at the money, and says how much', async () => {
  const here = keep(scriptedLab(twoSteps(0)));
  const { result } = await here.go('Two steps', { max_cost: 5 });
  // The scripted model costs nothing.
  expect(result).toMatchObject({ status: 'completed', usage: { cost_usd: 0 } });
  const priced = keep(await servedLab('openai', twoSteps(0)));
  priced.config(
    `${serverToml('openai', priced.servers[0]!.url)}price_input = 1000.0\nprice_output = 1000.0\n`,
  );
  const { result: dear } = await priced.go('Two steps', { max_cost: 0.5 });
  expect(dear).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(dear.usage.cost_usd ?? 0).toBeLessThanOrEqual(0.5);
});

test('an attempt that takes too long is ended, and the next one may still succeed', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'slow' }),
        { ...done('slow'), attempt: 1, delay_ms: 60_000 },
        { ...done('slow'), attempt: 2 },
        verdict('slow', true),
      ),
    ),
  );
  const { config } = await loadConfig({ cwd: here.folder, home: here.home, env: here.env });
  const { runner } = config.limits;
  const loom = await openLoom({
    home: here.home,
    workspace: here.workspace,
    config: {
      ...config,
      limits: { ...config.limits, runner: { ...runner, max_subtask_wall_clock_seconds: 1 } },
    },
  });
  later(() => loom.close());
  const events: JournalEvent[] = [];
  const result = await loom.run({ goal: 'Slow', onEvent: event => events.push(event) });
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]?.attempts).toBe(2);
  expect(ofType(events, 'subtask_retrying')[0]?.data).toMatchObject({ reason_code: 'wall_clock' });
});

test('a run that is alive is owned: resume of it is refused with what to do instead', async () => {
  const here = box(twoSteps(4_000));
  const running = here.start(['run', 'Two steps', '--output', 'stream-json']);
  await running.prints(/"subtask_id":"second"/);
  const id = /"task_id":"(\w+)"/.exec(running.stdout())![1]!;
  const refused = await here.run(['resume', id]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/another process/);
  expect(refused.stderr).toMatch(/loom logs -f/);
  const { value } = await here.json<TaskSummary>(['status', id]);
  expect(value).toMatchObject({ live: true, exit_code: null });
  const waited = here.run(['status', id, '--wait']);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect((await waited).code).toBe(0);
  const events = ended.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent);
  expect(events.at(-1)).toMatchObject({ type: 'result', status: 'completed' });
});

/** A sleep that no other test or run has, so that its process can be told from all others. */
let made = 0;
const nap = (): string => `sleep 61.${process.pid}${++made}`;
const sleepers = (command: string): number[] =>
  execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.trim().endsWith(` ${command}`) && !/\b(bash|sh)\b/.test(line))
    .map(line => Number.parseInt(line, 10));
const napping = async (command: string): Promise<number[]> => {
  await expect.poll(() => sleepers(command).length, { timeout: 20_000 }).toBeGreaterThan(0);
  return sleepers(command);
};
