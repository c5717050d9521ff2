/** The disk of the home fills up in the middle of a run: it stops with that reason, keeps what it said, and resumes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { JournalEvent, RunResult } from '../../actors/loom.ts';
import { printedEvents } from '../support/crash-run.ts';
import { type FakeProcess, startFakeProcess } from '../support/fake-process.ts';
import { type Ended, serverToml } from '../support/loom-process.ts';
import { filePerSubtask, ONE_GOAL } from '../support/one-subtask.ts';
import { until } from '../support/processes.ts';
import { type SmallHome, smallHome } from '../support/small-home.ts';

let fake: FakeProcess;
let box: SmallHome;
let config: string;
let count: number;

afterEach(async () => {
  await fake.stop();
  await box.end();
});

const KILOBYTES = 60;
const content = (i: number): string =>
  `${`line of file ${i}\n`.repeat(1_024).slice(0, KILOBYTES * 256)}end\n`.repeat(4);

async function prepare(megabytes: number, more: string, files: number, delay_ms: number): Promise<void> {
  count = files;
  fake = await startFakeProcess(
    'openai',
    filePerSubtask(
      Array.from({ length: files }, (_, i) => ({
        path: `f${i}.txt`,
        content: content(i),
        delay_ms: i > 2 ? delay_ms : 0,
      })),
    ),
    { chunk: 4_096 },
  );
  box = await smallHome(megabytes);
  config = join(box.folder, 'loom.toml');
  writeFileSync(config, serverToml('openai_compatible', `${fake.url}/v1`, more), { mode: 0o600 });
}

const resultOf = (ended: Ended): RunResult =>
  JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}') as RunResult;

/** Stopped for want of space, with everything that was printed still there. */
async function stoppedByTheDisk(ended: Ended): Promise<string> {
  const result = resultOf(ended);
  expect(ended.code, ended.stdout.slice(-1_500) + ended.stderr).toBe(1);
  expect(['store', 'store_full']).toContain(result.error?.code);
  expect(result.error?.message).toMatch(/MB are free/);
  expect(result.error!.message.length).toBeLessThan(500);
  expect(ended.stderr).not.toMatch(/ {4}at /);
  const events = printedEvents(ended.stdout);
  expect(events.length).toBeGreaterThan(5);
  const logs = await box.json<JournalEvent[]>(['--config', config, 'logs', result.task_id]);
  expect(logs.value.slice(0, events.length)).toEqual(events);
  expect((await box.run(['--config', config, 'store', 'verify'])).code).toBe(0);
  return result.task_id;
}

async function goesOn(id: string): Promise<void> {
  const resumed = await box.run(['--config', config, 'resume', id, '--output', 'stream-json']);
  expect(resumed.code, resumed.stdout.slice(-1_500) + resumed.stderr).toBe(0);
  const tree = box.tree();
  for (let i = 0; i < count; i++) expect(tree[`f${i}.txt`] === content(i), `f${i}.txt`).toBe(true);
  expect(Object.keys(tree)).toHaveLength(count);
  const { value } = await box.json<JournalEvent[]>(['--config', config, 'logs', id]);
  expect(value.map(event => event.seq)).toEqual(value.map((_, i) => i + 1));
  const calls = value
    .filter(event => event.event_type === 'tool_call_completed')
    .map(event => event.data['call']);
  expect(calls).toHaveLength(count);
  expect(new Set(calls).size).toBe(count);
}

test('300 MB, filled by somebody else after the start', async () => {
  await prepare(300, '', 6, 3_000);
  const child = box.start(['--config', config, 'run', ONE_GOAL, '--output', 'stream-json']);
  await until(() => child.stdout().includes('"tool_call_completed"'), 30_000, 'the first file was written');
  box.inside('head -c 400M /dev/zero > "$LOOM_HOME/ballast" 2>/dev/null || true');
  const id = await stoppedByTheDisk(await child.ended);
  box.inside('rm "$LOOM_HOME/ballast"');
  await goesOn(id);
});

test('6 MB with the check at the start switched off', async () => {
  await prepare(6, '\n[store]\nmin_free_mb = 0\n', 30, 0);
  const id = await stoppedByTheDisk(
    await box.run(['--config', config, 'run', ONE_GOAL, '--output', 'stream-json']),
  );
  box.inside('mount -o remount,size=200m none "$LOOM_HOME"');
  await goesOn(id);
});

test('room for rows, none for contents', async () => {
  await prepare(300, '', 6, 3_000);
  box.inside('mkdir -m 700 "$LOOM_HOME/blobs" && mount -t tmpfs -o size=100k none "$LOOM_HOME/blobs"');
  const id = await stoppedByTheDisk(
    await box.run(['--config', config, 'run', ONE_GOAL, '--output', 'stream-json']),
  );
  box.inside('mount -o remount,size=20m none "$LOOM_HOME/blobs"');
  await goesOn(id);
});

test('a new run is refused while there is too little space, with what to do', async () => {
  await prepare(20, '', 1, 0);
  const refused = await box.json<RunResult>(['--config', config, 'run', ONE_GOAL]);
  expect(refused.ended.code).toBe(1);
  expect(refused.value.error?.code).toBe('store_full');
  expect(refused.value.error?.message).toContain('min_free_mb');
});
