/** One owner per run: a stopped owner is succeeded and then refused, two that start at once become one and a message. */
import { describe, expect, type TestContext, test } from 'vitest';
import { crashBox, stored } from '../support/crash-run.ts';
import { startFakeProcess } from '../support/fake-process.ts';
import type { Ended, LoomChild } from '../support/loom-process.ts';
import { ONE_GOAL, oneSubtask } from '../support/one-subtask.ts';
import { stateOf, until } from '../support/processes.ts';

/** Longer than every wait with a message, shorter than a hang. */
const NO_HANG_MS = 30_000;

const WRITE = [{ name: 'write_file', arguments: { path: 'out.txt', content: 'once\n' } }];

/** The end of a process, or an error that says that it hangs. */
async function endOf(child: LoomChild, limit = NO_HANG_MS): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`still running after ${limit} ms:\n${child.stdout()}\n${child.stderr()}`)),
      limit,
    );
  });
  try {
    return await Promise.race([child.ended, hang]);
  } finally {
    clearTimeout(timer);
  }
}

const stopped = (child: LoomChild): Promise<number> =>
  until(() => stateOf(child.process.pid!) === 'T', NO_HANG_MS, 'the process was stopped');

type Answers = Parameters<typeof oneSubtask>[0];

/** A model and a box of its own for each test, so that their waits run side by side. */
async function prepare(context: TestContext, answers: Answers) {
  const fake = await startFakeProcess('openai', oneSubtask(answers));
  const box = crashBox(fake.url);
  const children: LoomChild[] = [];
  context.onTestFinished(async () => {
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map(child => child.ended));
    await fake.stop();
    box.remove();
  });
  const start = (args: string[], env?: Record<string, string>): LoomChild => {
    const child = box.start(args, env);
    children.push(child);
    return child;
  };
  const run = (args: string[]): Promise<Ended> => endOf(start(args));
  const executorCalls = async (): Promise<number> =>
    (await fake.requests()).filter(request => JSON.stringify(request.body ?? '').includes('# Loom executor'))
      .length;
  return {
    box,
    start,
    run,
    executorCalls,
    executorAsked: () => until(async () => (await executorCalls()) > 0, NO_HANG_MS, 'the executor was asked'),
    runId: async (): Promise<string> => (await stored(box, ONE_GOAL))!.head.id,
    /** Every other command says something while the owner is stopped. */
    async othersAnswer(id: string): Promise<void> {
      const status = await run(['status', id]);
      expect(status.code, status.stderr).toBe(0);
      expect(status.stdout).toContain(id);
      expect((await run(['tasks'])).stdout).toContain(id);
      expect((await run(['logs', id])).code).toBe(0);
      expect((await run(['store', 'verify'])).code).toBe(0);
    },
  };
}

describe.concurrent('a stopped owner', () => {
  test('between commits is succeeded after 8 s of silence; woken up it is refused and says so', async context => {
    // The owner waits for an answer that the second asking gets at once.
    const { box, start, run, executorAsked, runId, othersAnswer } = await prepare(context, [
      { delay_ms: 60_000, repeat: false, calls: WRITE, step: 0 },
      { calls: WRITE, step: 0 },
      { reply: 'Waited.', step: 1 },
    ]);
    const owner = start(['run', ONE_GOAL]);
    await executorAsked();
    const id = await runId();
    owner.process.kill('SIGSTOP');
    await stopped(owner);
    await othersAnswer(id);

    const successor = await run(['resume', id]);
    expect(successor.code, successor.stderr).toBe(0);
    expect(successor.ms).toBeGreaterThan(8_000);
    expect(box.tree()).toEqual({
      'out.txt': 'once\n',
      'notes.md': expect.any(String),
      'old.txt': expect.any(String),
      'junk.txt': expect.any(String),
    });
    const before = await stored(box, ONE_GOAL);

    owner.process.kill('SIGCONT');
    const refused = await endOf(owner, 10_000);
    expect(refused.code).not.toBe(0);
    expect(refused.code).not.toBeNull();
    expect(refused.stdout + refused.stderr).toMatch(/another process has taken over/i);
    expect((await stored(box, ONE_GOAL))!.journal).toEqual(before!.journal);
    expect((await run(['store', 'verify'])).code).toBe(0);
  });

  test('inside a commit is ended by its successor, and nobody hangs behind it', async context => {
    const { box, start, run, runId, othersAnswer } = await prepare(context, [
      { calls: WRITE },
      { reply: 'Waited.' },
    ]);
    const owner = start(['run', ONE_GOAL], {
      LOOM_CRASH_AT: 'inside-commit:6',
      LOOM_CRASH_SIGNAL: 'SIGSTOP',
    });
    await stopped(owner);
    const id = await runId();
    await othersAnswer(id);
    // Who must write gives up with a message that names the process.
    const cancelled = await run(['cancel', id]);
    expect(cancelled.code).toBe(1);
    expect(cancelled.stderr).toContain(`Process ${owner.process.pid} was stopped`);

    const successor = await run(['resume', id]);
    expect(successor.code, successor.stderr).toBe(0);
    expect((await endOf(owner)).signal).toBe('SIGKILL');
    expect(box.tree()['out.txt']).toBe('once\n');
    expect((await run(['store', 'verify'])).code).toBe(0);
  });

  test('between the steps of a file change is ended, since no fence would stop it', async context => {
    const { box, start, run, runId } = await prepare(context, [{ calls: WRITE }, { reply: 'Waited.' }]);
    const owner = start(['run', ONE_GOAL], { LOOM_CRASH_AT: 'checkpointed:1', LOOM_CRASH_SIGNAL: 'SIGSTOP' });
    await stopped(owner);
    const successor = await run(['resume', await runId()]);
    expect(successor.code, successor.stderr).toBe(0);
    expect((await endOf(owner)).signal).toBe('SIGKILL');
    expect(box.tree()['out.txt']).toBe('once\n');
  });
});

describe.concurrent('a live owner', () => {
  test('keeps its run: another process says whose it is', async context => {
    const { start, run, executorCalls, executorAsked, runId } = await prepare(context, [
      { delay_ms: 6_000, calls: WRITE },
      { reply: 'Waited.' },
    ]);
    const owner = start(['run', ONE_GOAL]);
    await executorAsked();
    const other = await run(['resume', await runId()]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('is running in another process');
    expect(other.stderr).toContain('loom cancel');
    const undo = await run(['undo', await runId()]);
    expect(undo.code).toBe(1);
    expect(undo.stderr).toContain('still running in another process');
    expect((await endOf(owner)).code).toBe(0);
    expect(await executorCalls()).toBe(2);
  });

  test('is one of two that start at once', async context => {
    const { box, start, executorCalls, executorAsked, runId } = await prepare(context, [
      { delay_ms: 4_000, calls: WRITE },
      { reply: 'Waited.' },
    ]);
    const killed = start(['run', ONE_GOAL]);
    await executorAsked();
    const id = await runId();
    killed.process.kill('SIGKILL');
    await killed.ended;
    const both = await Promise.all([endOf(start(['resume', id])), endOf(start(['resume', id]))]);
    expect(both.map(ended => ended.code).sort()).toEqual([0, 1]);
    const loser = both.find(ended => ended.code === 1)!;
    expect(loser.stderr).toContain('is running in another process');
    const { journal } = (await stored(box, ONE_GOAL))!;
    expect(journal.filter(event => event.event_type === 'task_run_recovered')).toHaveLength(1);
    expect(await executorCalls()).toBe(3);
  });
});

describe.concurrent('Ctrl+Z', () => {
  test('stops the owner outside the write lock, and SIGCONT lets it finish', async context => {
    const { box, start, run, executorAsked } = await prepare(context, [
      { delay_ms: 1_500, calls: WRITE },
      { reply: 'Waited.' },
    ]);
    const owner = start(['run', ONE_GOAL]);
    await executorAsked();
    owner.process.kill('SIGTSTP');
    await stopped(owner);
    // Others may write meanwhile: this command leaves a row and gives up waiting for the owner.
    const other = await run(['run', 'Nothing to do with it', '--plan-only']);
    expect(other.code, other.stderr).toBe(0);
    owner.process.kill('SIGCONT');
    const ended = await endOf(owner);
    expect(ended.code, ended.stderr).toBe(0);
    expect(box.tree()['out.txt']).toBe('once\n');
  });

  test.for([3, 7])('in the middle of commit %i lets that commit finish first', async (n, context) => {
    const { box, start, run } = await prepare(context, [{ calls: WRITE }, { reply: 'Waited.' }]);
    const owner = start(['run', ONE_GOAL], {
      LOOM_CRASH_AT: `inside-commit:${n}`,
      LOOM_CRASH_SIGNAL: 'SIGTSTP',
    });
    await stopped(owner);
    const writes = await run(['run', 'Something else', '--plan-only', '--no-adopt']);
    expect(writes.code, writes.stderr).toBe(0);
    owner.process.kill('SIGCONT');
    expect((await endOf(owner)).code).toBe(0);
    expect(box.tree()['out.txt']).toBe('once\n');
  });
});
