/** Purge, retention, backup and compaction as a person meets them: real runs, real processes, one home. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { BackedUp, PurgeReport, RunResult, TaskSummary } from '../../actors/loom.ts';
import { openLmdbReader, openLmdbStore } from '../../store/lmdb.ts';
import { openTerminal } from '../cli/terminal.ts';
import { newHead } from '../store/conformance.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { done, plan, script, shell, writes } from '../support/script.ts';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const LONG = 'a line of some length\n'.repeat(400);
const ONE = script(plan({ id: 'one', files: ['one.md'] }), writes('one', 'one.md'), done('one', ['one.md']));

function box(scenario = ONE): Sandbox {
  const made = sandbox();
  ending.push(made.remove);
  made.scenario(scenario);
  return made;
}
async function finished(here: Sandbox): Promise<string> {
  // written anew, or it would be no change
  rmSync(join(here.workspace, 'one.md'), { force: true });
  const { value, ended } = await here.json<RunResult>(['run', 'Write one']);
  expect(ended.code, ended.stderr).toBe(0);
  return value.task_id;
}
/** Of every workspace. */
async function tasks(here: Sandbox): Promise<string[]> {
  const reader = await openLmdbReader(here.home);
  const heads = await reader.runs();
  await reader.close();
  return heads.map(head => head.id);
}

test('purge RUN removes it with its log, leaves the workspace and the other runs, and asks where it can', async () => {
  const here = box();
  const [first, second] = [await finished(here), await finished(here)];
  const unasked = await here.run(['purge', first]);
  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toContain('--yes');

  const dry = await here.json<PurgeReport>(['purge', first, '--dry-run']);
  expect(dry.value).toMatchObject({ dry_run: true, refused: [], runs: [{ task_id: first }] });
  expect((await tasks(here)).sort()).toEqual([first, second].sort());

  const { value, ended } = await here.json<PurgeReport>(['purge', first.slice(0, 8), '--yes']);
  expect(ended.code).toBe(0);
  expect(value).toMatchObject({ runs: [{ task_id: first }], rows: dry.value.rows });
  expect(await tasks(here)).toEqual([second]);
  expect(readdirSync(join(here.home, 'logs'))).toEqual([`${second}.events.jsonl`]);
  expect(here.read('one.md')).toContain('one.md');
  expect((await here.run(['store', 'verify'])).code).toBe(0);
  expect((await here.run(['show', first])).code).toBe(1);
  expect((await here.run(['purge', first, '--yes'])).stderr).toContain('There is no run');
});

test('on a terminal purge shows what would go and asks; no leaves everything', async () => {
  const here = box();
  const id = await finished(here);
  const loom = join(import.meta.dirname, '..', '..', 'dist', 'loom.js');
  const variables = Object.entries(here.env).map(([name, value]) => `${name}='${value}'`);
  const command = `env -u CI ${variables.join(' ')} TERM=xterm '${process.execPath}' '${loom}' purge ${id}`;
  const say = async (key: string, end: RegExp): Promise<string> => {
    const terminal = openTerminal(command, { columns: 120, rawFile: join(here.folder, 'raw.txt') });
    try {
      const asked = await terminal.until(/for good\?/);
      terminal.keys(key);
      await terminal.until(end);
      return asked;
    } finally {
      terminal.close();
    }
  };
  expect(await say('n', /exit 1/)).toContain('Would remove 1 run');
  expect(await tasks(here)).toEqual([id]);
  await say('y', /exit 0/);
  expect(await tasks(here)).toEqual([]);
});

test('purge WORKSPACE removes its finished and parked runs, refuses one at work, and leaves other workspaces', async () => {
  const here = box(
    script(
      plan({ id: 'one', files: ['one.md'] }),
      { ...shell('one', 'sleep 20'), step: 0 },
      done('one', ['one.md']),
    ),
  );
  const running = here.start(['run', 'Take long', '--allow', 'shell_execute(sleep*)']);
  ending.push(() => running.process.kill('SIGKILL'));
  await running.prints(/one/);
  const [live] = await tasks(here);
  const store = await openLmdbStore(here.home, { minFreeMb: 0 });
  for (const [id, workspace] of [
    ['parked', here.workspace],
    ['elsewhere', here.folder],
  ] as const) {
    const lease = await store.create(newHead(id, { workspace, status: 'executing' }), []);
    await store.commit(lease, 0, { parked: { reason: 'interrupted', message: '' } }, []);
    await store.release(lease);
  }
  await store.close();
  const { value, ended } = await here.json<PurgeReport>(['purge', here.workspace, '--yes']);
  expect(value.runs.map(run => run.task_id)).toEqual(['parked']);
  expect(value.refused).toEqual([
    { task_id: live, reason: expect.stringContaining(`process ${running.process.pid}`) },
  ]);
  expect(ended.code).toBe(1);
  expect((await tasks(here)).sort()).toEqual(['elsewhere', live].sort());

  running.process.kill('SIGKILL');
  await running.ended;
  const died = await here.json<PurgeReport>(['purge', here.workspace, '--yes']);
  expect(died.value.refused[0]?.reason).toContain('its process died in the middle');
});

test('at the end of a run finished runs past their days go, with a word about it, and once a day', async () => {
  const here = box();
  const store = await openLmdbStore(here.home, { minFreeMb: 0 });
  const old = async (id: string) => {
    const lease = await store.create(newHead(id), []);
    const updated_at = new Date(Date.now() - 100 * 86_400_000).toISOString();
    await store.commit(lease, 0, { status: 'completed', exit_code: 0, updated_at }, []);
    await store.release(lease);
  };
  await old('ancient');
  const ended = await here.run(['run', 'Write one']);
  expect(ended.code).toBe(0);
  expect(ended.stderr).toContain('1 old run was removed: [retention]');
  expect(await tasks(here)).toHaveLength(1);
  await old('ancient-2');
  await store.close();
  await finished(here);
  expect(await tasks(here)).toContain('ancient-2');
});

test('backup of a home at work is a home that knows the run; compact waits for its end', async () => {
  const here = box(
    script(
      plan({ id: 'one', files: ['one.md'] }),
      { ...writes('one', 'one.md', LONG), step: 0 },
      { ...shell('one', 'sleep 6'), step: 1 },
      { ...done('one', ['one.md']), step: 2 },
    ),
  );
  const running = here.start(['run', 'Take long', '--allow', 'shell_execute(sleep*)']);
  await running.prints(/one/);
  await expect.poll(() => existsSync(join(here.home, 'blobs')), { timeout: 20_000 }).toBe(true);
  const [id] = await tasks(here);
  const folder = join(here.folder, 'backup');
  const { value, ended } = await here.json<BackedUp>(['store', 'backup', folder]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(value).toMatchObject({ folder, runs: 1, problems: [] });
  expect(value.blobs).toBeGreaterThan(0);
  const compact = await here.run(['store', 'compact']);
  expect(compact.code).toBe(1);
  expect(compact.stderr).toContain(`Run ${id} is at work`);

  expect((await running.ended).code).toBe(0);
  const there = { LOOM_HOME: folder };
  expect((await here.run(['store', 'verify'], there)).code).toBe(0);
  expect((await here.json<{ path: string }[]>(['diff', id!], there)).value[0]?.path).toBe('one.md');
  expect((await here.run(['store', 'compact'])).code).toBe(0);
  expect((await here.json<TaskSummary[]>(['tasks'])).value[0]).toMatchObject({ task_id: id, exit_code: 0 });
  const again = await here.json<BackedUp>(['store', 'backup', folder]);
  expect(again.value.new_blobs).toBeLessThan(again.value.blobs);
});
