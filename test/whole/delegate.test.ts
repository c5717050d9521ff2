/** Tasks that a task delegates: runs of their own, paid from the caller's budget, ended with it, found again after a crash. */

import { afterEach, expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { type Lab, ofType, scriptedLab } from '../support/lab.ts';
import {
  always,
  call,
  calls,
  delivers,
  done,
  plan,
  script,
  shell,
  verdict,
  writes,
} from '../support/script.ts';

const open: Lab[] = [];
const keep = (here: Lab): Lab => {
  open.push(here);
  return here;
};
afterEach(async () => {
  for (const here of open.splice(0)) await here.end();
});

const delegates = (subtask: string, goal: string, more: Record<string, unknown> = {}) =>
  calls(subtask, call('delegate_task', { goal, ...more }));

/** The planner's answer to one goal: every run has a model of its own, which begins the scenario anew. */
const planOf = (goal: string, node: Parameters<typeof plan>[0]) => always({ ...plan(node), goal });
/** What one worker says, step by step, also when it is asked again after a crash. */
const steps = (...entries: (ScenarioEntry | ScenarioEntry[])[]) =>
  entries.flat().map((entry, step) => always({ ...entry, step }));

const outer = planOf('Write it all', { id: 'outer', files: ['all.md'] });
const inner = planOf('Write the part', { id: 'inner', files: ['part.md'] });
const finish = [writes('outer', 'all.md', 'all\n'), done('outer', ['all.md'])];

test('a delegated task is planned, done and verified as a run of its own, and its caller is told', async () => {
  const here = keep(
    scriptedLab(
      script(
        outer,
        delegates('outer', 'Write the part', { context: { part: 1 } }),
        inner,
        delivers('inner', 'part.md', 'part\n'),
        finish,
      ),
    ),
  );
  const { result, events } = await here.go('Write it all');
  expect(result).toMatchObject({ exit_code: 0, status: 'completed' });
  expect(here.tree()).toEqual({ 'all.md': 'all\n', 'part.md': 'part\n' });
  const [call] = ofType(events, 'tool_call_completed').filter(({ data }) => data['tool'] === 'delegate_task');
  expect(call?.data).toMatchObject({ success: true, files_changed: ['part.md'] });
  const told = ofType(events, 'delegated_task_progress');
  expect(told.map(({ data }) => data['event'])).toEqual(
    expect.arrayContaining(['task_plan_ready', 'subtask_started', 'subtask_completed', 'task_completed']),
  );
  const child = String(told[0]!.data['delegated_task_id']);
  const { result: own } = await here.loom.task(child);
  expect(own).toMatchObject({ status: 'completed', exit_code: 0, files_changed: ['part.md'] });
  expect(own.goal).toContain('"part": 1');
  // The journal of the caller is numbered without a gap, whatever was told meanwhile.
  expect(events.map(event => event.seq)).toEqual(events.map((_, i) => i + 1));
  expect((await here.loom.tasks()).map(task => task.task_id).sort()).toEqual([result.task_id, child].sort());
});

test('it spends at most half of what is left, and its caller pays', async () => {
  const here = keep(
    scriptedLab(
      script(outer, delegates('outer', 'Write the part'), inner, delivers('inner', 'part.md'), finish),
    ),
  );
  const { result, events } = await here.go('Write it all', { max_model_calls: 20 });
  expect(result.exit_code).toBe(0);
  const child = String(ofType(events, 'delegated_task_progress')[0]!.data['delegated_task_id']);
  const { openLmdbReader } = await import('../../store/lmdb.ts');
  await here.loom.close();
  const store = await openLmdbReader(here.home);
  const [ledger, own] = await Promise.all(
    [result.task_id, child].map(run =>
      store.get<{
        limits: Record<string, number>;
        spent: Record<string, number>;
        reserved: Record<string, number>;
      }>(run, 'ledger'),
    ),
  );
  await store.close();
  // Two calls were made and one was going on when it began: eighteen were left.
  expect(own!.limits['model_calls']).toBeGreaterThanOrEqual(8);
  expect(own!.limits['model_calls']).toBeLessThanOrEqual(9);
  expect(own!.spent['model_calls']).toBe(3);
  expect(ledger!.spent['model_calls']).toBe(4 + 3);
  expect(ledger!.reserved['model_calls']).toBe(0);
});

test('without room for it the caller does the work itself', async () => {
  const here = keep(
    scriptedLab(script(outer, delegates('outer', 'Write the part'), finish, verdict('outer', true))),
  );
  const { result, events } = await here.go('Write it all', { max_tool_calls: 2 });
  const [refused] = ofType(events, 'tool_call_completed');
  expect(refused?.data).toMatchObject({ tool: 'delegate_task', success: false });
  expect(result.exit_code).toBe(0);
  expect(await here.loom.tasks()).toHaveLength(1);
});

test('at the third level nothing is delegated any more', async () => {
  const here = keep(
    scriptedLab(
      script(
        planOf('Level one', { id: 'one', files: ['1.md'] }),
        delegates('one', 'Level two'),
        planOf('Level two', { id: 'two', files: ['2.md'] }),
        delegates('two', 'Level three'),
        planOf('Level three', { id: 'three', files: ['3.md'] }),
        delegates('three', 'Level four'),
        delivers('three', '3.md'),
        delivers('two', '2.md'),
        delivers('one', '1.md'),
      ),
    ),
  );
  const { result } = await here.go('Level one');
  expect(result.exit_code).toBe(0);
  expect(Object.keys(here.tree())).toEqual(['1.md', '2.md', '3.md']);
  expect(await here.loom.tasks()).toHaveLength(3);
});

test('it is cancelled with its caller', async () => {
  const here = keep(
    scriptedLab(
      script(
        outer,
        delegates('outer', 'Write the part, slowly'),
        inner,
        shell('inner', 'touch begun; sleep 60'),
        delivers('inner', 'part.md'),
        finish,
      ),
    ),
  );
  await here.reopen();
  let cancelling: Promise<unknown> | undefined;
  const { result } = await here.go('Write it all', {
    onEvent: event => {
      if (event.event_type !== 'delegated_task_progress' || event.data['event'] !== 'subtask_started') return;
      cancelling ??= new Promise(resolve => setTimeout(resolve, 300)).then(() =>
        here.loom.cancel(event.task_id),
      );
    },
  });
  await cancelling;
  expect(result).toMatchObject({ status: 'cancelled', exit_code: 7 });
  expect((await here.loom.tasks()).map(task => task.status)).toEqual(['cancelled', 'cancelled']);
});

test.each([
  [true, 'curl --version || true'],
  [false, 'true'],
])(
  'what is asked for by one who has read what strangers wrote (%s) is done as warily as by themselves',
  async (wary, command) => {
    const fetches = (subtask: string) => calls(subtask, call('web_fetch', { url: 'http://127.0.0.1:9/x' }));
    const here = keep(
      scriptedLab(
        script(
          outer,
          // Named like a program that reaches the network; this only prints.
          shell('outer', command),
          delegates('outer', 'Write the part'),
          inner,
          fetches('inner'),
          delivers('inner', 'part.md'),
          finish,
          verdict('outer', true),
        ),
      ),
    );
    const { events } = await here.go('Write it all', { allow: [`shell_execute(${command})`] });
    const child = String(ofType(events, 'delegated_task_progress')[0]!.data['delegated_task_id']);
    const task = await here.loom.task(child);
    if (!wary) {
      expect(task.questions).toEqual([]);
      return;
    }
    expect(task.questions.map(({ prompt }) => prompt)).toEqual([expect.stringContaining('web_fetch')]);
    const [told] = ofType(events, 'tool_call_completed').filter(
      ({ data }) => data['tool'] === 'delegate_task',
    );
    expect(told!.data).toMatchObject({ success: false, error: expect.stringContaining('loom answer') });
  },
);

test('what a crash cut off goes on as the same run, and is not started twice', async () => {
  const here = keep(
    scriptedLab(
      script(
        outer,
        steps(delegates('outer', 'Write the part'), finish),
        inner,
        steps(writes('inner', 'part.md', 'part\n'), { ...done('inner', ['part.md']), delay_ms: 1_500 }),
      ),
    ),
  );
  const first = here.start(['run', 'Write it all', '--output', 'stream-json']);
  await first.prints(/"delegated_task_progress".*"subtask_started"/);
  await new Promise(resolve => setTimeout(resolve, 500));
  first.process.kill('SIGKILL');
  await first.ended;
  await here.reopen();
  const before = await here.loom.tasks();
  expect(before).toHaveLength(2);
  const { result } = await here.goOn('last');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const after = await here.loom.tasks();
  expect(after.map(task => task.task_id).sort()).toEqual(before.map(task => task.task_id).sort());
  expect(after.map(task => task.status)).toEqual(['completed', 'completed']);
  expect(here.tree()).toEqual({ 'all.md': 'all\n', 'part.md': 'part\n' });
});
