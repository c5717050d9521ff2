/** `loom chart` as a person types it: machines, mistyped names, and a run that was killed in the middle. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunChart } from '../../actors/loom.ts';
import { crashBox, stored } from '../support/crash-run.ts';
import { type FakeProcess, startFakeProcess } from '../support/fake-process.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { commandThenDone, ONE_GOAL as GOAL } from '../support/one-subtask.ts';
import { running, until } from '../support/processes.ts';

const docs = join(import.meta.dirname, '../../docs/charts');

describe('a machine', () => {
  let box: Sandbox;
  beforeEach(() => {
    box = sandbox();
  });
  afterEach(() => box.remove());

  test('is drawn without a store, without settings and without colours in a pipe', async () => {
    const { code, stdout, stderr } = await box.run(['chart', 'task']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^task: plan a goal/);
    expect(stdout).toContain('├▸ ○ planning ⚙ plan');
    expect(stdout).toContain('◎ completed  planning → planned → executing → finalizing → completed');
    expect(stdout).not.toContain('\u001b');
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(100);
  });

  test.each(['task', 'subtask', 'turn', 'verifier'])('%s as built is the one in docs/charts', async name => {
    const { stdout } = await box.run(['chart', name, '--format', 'mermaid']);
    expect(readFileSync(join(docs, `${name}.md`), 'utf8')).toContain(`\`\`\`mermaid\n${stdout}\`\`\``);
  });

  test('is named in the list that comes without a name, and in the answer to a mistyped one', async () => {
    const list = await box.run(['chart']);
    expect(list.stdout.match(/^loom chart \w+/gm)).toEqual(
      ['task', 'subtask', 'turn', 'verifier', 'remediation', 'session', 'ID'].map(
        name => `loom chart ${name}`,
      ),
    );
    const mistyped = await box.run(['chart', 'subtsk']);
    expect(mistyped.code).toBe(2);
    expect(mistyped.stderr).toContain('did you mean loom chart subtask?');
    expect((await box.run(['chart', 'task', '--active'])).code).toBe(2);
    expect((await box.run(['chart', 'task', '--format', 'png'])).code).toBe(2);
  });
});

describe('a run', () => {
  let fake: FakeProcess;
  let box: Sandbox;
  afterEach(async () => {
    await fake.stop();
    box.remove();
  });

  test('killed in the middle shows the path it stands on and what it waits for; once it is over it says so', async () => {
    const sleep = `sleep 61.${process.pid}`;
    fake = await startFakeProcess('openai', commandThenDone(sleep));
    box = crashBox(fake.url);
    const child = box.start(['run', GOAL]);
    await until(() => running(sleep).length > 0, 30_000, 'the command ran');
    child.process.kill('SIGKILL');
    await child.ended;
    const { id } = (await stored(box, GOAL))!.head;

    const active = await box.run(['chart', id.slice(0, 6), '--active']);
    expect(active.code, active.stderr).toBe(0);
    const lit = active.stdout.split('\n').filter(line => line.includes('●'));
    expect(lit.map(line => line.trimEnd())).toEqual([
      '  ● task        executing › dispatching',
      '  ●   s:wait@1  working                  ⚙ alarm deadline',
      '  ●     turn    acting                   ⚙ tool t-0',
      '● task',
      '└─ ● executing',
      '   └▸ ● dispatching',
      '● s:wait@1 (subtask)',
      '└─ ● working ⚙ turn ⚙ alarm as deadline',
      '● s:wait@1/turn (turn)',
      '└─ ● acting',
      expect.stringMatching(/^● here now/),
    ]);
    expect(active.stdout).toContain('executing, no process is working on it');
    expect(active.stdout).toMatch(/CANCEL +→ cancelled/);
    expect(active.stdout).toMatch(/\[allDone\] +→ calling/);
    expect(active.stdout).not.toMatch(/[├└][─▸] ○/);

    const whole = await box.run(['chart', id]);
    expect(whole.stdout).toContain('├▸ ○ planning ⚙ plan');
    expect(whole.stdout).toContain('├─ ● executing');
    const picture = await box.run(['chart', id, '--format', 'mermaid']);
    expect(picture.stdout.match(/class \w+ here/g)).toEqual([
      'class a0_task_executing_dispatching here',
      'class a1_subtask_working here',
      'class a2_turn_acting here',
    ]);
    const { value } = await box.json<RunChart>(['chart', id]);
    expect(value.actors.map(({ path, machine, value }) => [path, machine, value])).toEqual([
      ['', 'task', { executing: 'dispatching' }],
      ['s:wait@1', 'subtask', 'working'],
      ['s:wait@1/turn', 'turn', 'acting'],
    ]);

    expect((await box.run(['cancel', id])).code).toBe(0);
    const over = await box.run(['chart', id]);
    expect(over.stdout).toContain('cancelled: it is over');
    const none = await box.run(['chart', id, '--format', 'dot']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is nothing to draw')]);
  });
});
