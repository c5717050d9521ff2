/** Another terminal: cancels what runs, reads a live run; and no child process outlives a run that was killed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import type { Question, TaskDetail } from '../../actors/loom.ts';
import { crashBox, stored } from '../support/crash-run.ts';
import { type FakeProcess, startFakeProcess } from '../support/fake-process.ts';
import type { LoomChild, Sandbox } from '../support/loom-process.ts';
import { ONE_GOAL as GOAL, commandThenDone as scenario } from '../support/one-subtask.ts';
import { running, until } from '../support/processes.ts';

let fake: FakeProcess;
let box: Sandbox;
/** Different in every test, so that only its own child is found. */
let seconds: string;
let count = 0;

beforeEach(() => {
  count += 1;
  seconds = `60.${process.pid}${count}`;
});
afterEach(async () => {
  await fake.stop();
  box.remove();
});

async function started(script: string, more = ''): Promise<LoomChild> {
  fake = await startFakeProcess('openai', script);
  box = crashBox(fake.url, more);
  return box.start(['run', GOAL, '--output', 'stream-json']);
}

const asksModel = () =>
  until(
    async () =>
      (await fake.requests()).some(request => JSON.stringify(request.body ?? '').includes('# Loom executor')),
    30_000,
    'the executor was asked',
  );
const sleeps = () => until(() => running(`sleep ${seconds}`).length > 0, 30_000, 'the command ran');
const runId = async (): Promise<string> => (await stored(box, GOAL))!.head.id;

/** Cancels from this process, as another terminal would; ms until `gone`. */
async function cancelFromHere(gone: () => boolean | Promise<boolean>): Promise<number> {
  const loom = await openLoom({ home: box.home, workspace: box.workspace, env: box.env });
  try {
    const id = await runId();
    await loom.cancel(id);
    // the command is stored: from here on it is the owner's turn
    const since = performance.now();
    await until(gone, 5_000, 'it was gone');
    return performance.now() - since;
  } finally {
    await loom.close();
  }
}

describe('cancel from another process', () => {
  test('stops a running model call within a second', async () => {
    const child = await started(scenario('true', 60_000));
    await asksModel();
    const ms = await cancelFromHere(async () => (await fake.requests()).at(-1)!.aborted);
    expect(ms).toBeLessThan(1_000);
    const ended = await child.ended;
    expect(ended.code).toBe(7);
    expect(JSON.parse(ended.stdout.trim().split('\n').at(-1)!)).toMatchObject({
      type: 'result',
      status: 'cancelled',
      exit_code: 7,
    });
  });

  test('ends a running command and everything it started within a second', async () => {
    const child = await started(scenario(`sleep ${seconds} & sleep ${seconds}; echo never`));
    await sleeps();
    const ms = await cancelFromHere(() => running(`sleep ${seconds}`).length === 0);
    expect(ms).toBeLessThan(1_000);
    expect((await child.ended).code).toBe(7);
    expect((await stored(box, GOAL))!.head).toMatchObject({ status: 'cancelled', exit_code: 7 });
  });

  test('works from the command line, and status reads the live run', async () => {
    const child = await started(scenario(`sleep ${seconds}`));
    await sleeps();
    const id = await runId();
    const live = await box.json<TaskDetail>(['status', id]);
    expect(live.value).toMatchObject({ task_id: id, status: 'executing', live: true, exit_code: null });
    const cancelled = await box.json<TaskDetail>(['cancel', id.slice(0, 6)]);
    expect(cancelled.ended.code).toBe(0);
    expect(cancelled.value).toMatchObject({ task_id: id, status: 'cancelled' });
    expect((await child.ended).code).toBe(7);
    expect(running(`sleep ${seconds}`)).toEqual([]);
    const waited = await box.run(['status', id, '--wait']);
    expect(waited.code).toBe(7);
  });

  test('ends a run that nobody owns', async () => {
    const child = await started(scenario(`sleep ${seconds}`));
    await sleeps();
    child.process.kill('SIGKILL');
    await child.ended;
    const cancelled = await box.run(['cancel', await runId()]);
    expect(cancelled.code, cancelled.stderr).toBe(0);
    expect((await stored(box, GOAL))!.head).toMatchObject({ status: 'cancelled', exit_code: 7 });
    expect(running(`sleep ${seconds}`)).toEqual([]);
  });
});

describe('a killed run with a command in flight', () => {
  test('leaves no process behind under the sandbox', async () => {
    const child = await started(
      scenario(`sleep ${seconds} & setsid sleep ${seconds} & sleep ${seconds}`),
      inSandbox('required'),
    );
    await until(() => running(`sleep ${seconds}`).length >= 3, 30_000, 'the command ran');
    child.process.kill('SIGKILL');
    await child.ended;
    await until(() => running(`sleep ${seconds}`).length === 0, 2_000, 'all of it was gone');
  });

  test('without the sandbox its processes end when the run is taken up, and a person is asked', async () => {
    const child = await started(scenario(`sleep ${seconds}; echo late >> late.txt`), inSandbox('off'));
    await sleeps();
    child.process.kill('SIGKILL');
    await child.ended;
    expect(running(`sleep ${seconds}`)).not.toEqual([]);

    const stopped = await box.json<{ task_id: string; questions: Question[]; error: { code: string } }>([
      'resume',
      '--last',
    ]);
    expect(running(`sleep ${seconds}`)).toEqual([]);
    expect(stopped.ended.code).toBe(3);
    expect(stopped.value.error.code).toBe('waiting');
    const [question] = stopped.value.questions;
    expect(question).toMatchObject({ kind: 'uncertain', choices: ['retry', 'skip', 'done'] });
    expect(question!.prompt).toContain(`sleep ${seconds}`);

    expect((await box.run(['answer', question!.id, 'skip'])).code).toBe(0);
    const resumed = await box.run(['resume', '--last']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(box.tree()['late.txt']).toBeUndefined();
  });
});

function inSandbox(mode: string): string {
  return `\n[tools.shell]\nsandbox = "${mode}"\n`;
}
