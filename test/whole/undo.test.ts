/** What a run did to files can be looked at and taken back: a run, a subtask, one change, and the taking back itself. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileChange, UndoReport } from '../../actors/loom.ts';
import { ending } from '../support/ending.ts';
import { type Lab, scriptedLab } from '../support/lab.ts';
import { call, calls, done, plan, script, shell } from '../support/script.ts';

const { keep } = ending();

const BEFORE = { 'keep.md': 'keep\n', 'src/old.txt': 'old\n', 'src/both.txt': 'a\nb\n' };
const AFTER = {
  'keep.md': 'keep\n',
  'src/both.txt': 'A\nb\n',
  'src/new.txt': 'new\n',
  'docs/guide.md': 'guide\n',
};

/** One subtask edits and deletes, the other creates. */
async function worked(): Promise<{ here: Lab; id: string }> {
  const here = scriptedLab(
    script(
      plan({ id: 'code' }, { id: 'docs', needs: ['code'], files: ['docs/guide.md'] }),
      calls('code', call('read_file', { path: 'src/both.txt' })),
      calls(
        'code',
        call('edit_file', { path: 'src/both.txt', old_str: 'a', new_str: 'A' }),
        call('delete_file', { path: 'src/old.txt' }),
        call('write_file', { path: 'src/new.txt', content: 'new\n' }),
      ),
      done('code'),
      calls('docs', call('write_file', { path: 'docs/guide.md', content: 'guide\n' })),
      done('docs', ['docs/guide.md']),
    ),
    '[approval]\nallow = ["delete_file"]\n',
  );
  keep(here);
  for (const [path, text] of Object.entries(BEFORE)) here.write(path, text);
  const { result } = await here.go('Work');
  expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual(AFTER);
  return { here, id: result.task_id };
}

const paths = (report: UndoReport): string[] => report.reverted.map(change => change.path).sort();

test('loom diff shows every change with its subtask, its tool and its text', async () => {
  const { here, id } = await worked();
  const changes = await here.loom.changes(id);
  expect(changes.map(change => [change.subtask_id, change.operation, change.path])).toEqual([
    ['code', 'modify', 'src/both.txt'],
    ['code', 'delete', 'src/old.txt'],
    ['code', 'create', 'src/new.txt'],
    ['docs', 'create', 'docs/guide.md'],
  ]);
  expect(changes[0]?.diff).toContain('-a\n+A');
  const text = await here.run(['diff', id]);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain('src/old.txt');
  const { value } = await here.json<FileChange[]>(['diff', id, '--subtask', 'docs']);
  expect(value.map(change => change.path)).toEqual(['docs/guide.md']);
});

test('undo of a run puts back everything, folders included', async () => {
  const { here, id } = await worked();
  const report = await here.loom.undo(id);
  expect(report.refused).toEqual([]);
  expect(paths(report)).toEqual(['docs/guide.md', 'src/both.txt', 'src/new.txt', 'src/old.txt']);
  expect(here.tree()).toEqual(BEFORE);
  expect(existsSync(join(here.workspace, 'docs'))).toBe(false);
  expect((await here.loom.changes(id)).filter(change => !change.undone && change.tool !== 'undo')).toEqual(
    [],
  );
});

test('a dry run says what would happen and touches nothing', async () => {
  const { here, id } = await worked();
  const report = await here.loom.undo(id, { dry_run: true });
  expect(report.dry_run).toBe(true);
  expect(paths(report)).toHaveLength(4);
  expect(here.tree()).toEqual(AFTER);
  const text = await here.run(['undo', id, '--dry-run']);
  expect(text.code, text.stderr).toBe(0);
  expect(text.stdout).toContain('Would undo');
  expect(here.tree()).toEqual(AFTER);
});

test('undo of one subtask leaves the others alone', async () => {
  const { here, id } = await worked();
  const report = await here.loom.undo(id, { subtask: 'docs' });
  expect(paths(report)).toEqual(['docs/guide.md']);
  const { 'docs/guide.md': _, ...rest } = AFTER;
  expect(here.tree()).toEqual(rest);
});

test('undo of one change, by its id, from the command line', async () => {
  const { here, id } = await worked();
  const change = (await here.loom.changes(id)).find(one => one.path === 'src/old.txt')!;
  const ended = await here.run(['undo', change.id]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(here.tree()).toEqual({ ...AFTER, 'src/old.txt': 'old\n' });
});

test('an undo can be undone', async () => {
  const { here, id } = await worked();
  await here.loom.undo(id);
  const undo = (await here.loom.changes(id)).find(change => change.tool === 'undo')!;
  const report = await here.loom.undo(undo.id);
  expect(report.refused).toEqual([]);
  expect(here.tree()).toEqual(AFTER);
});

test('undo twice does nothing the second time', async () => {
  const { here, id } = await worked();
  await here.loom.undo(id);
  const again = await here.loom.undo(id);
  expect(again).toMatchObject({ reverted: [], refused: [] });
  expect(here.tree()).toEqual(BEFORE);
});

test('what somebody else changed since is named, and nothing is undone by halves; --force overwrites', async () => {
  const { here, id } = await worked();
  const mine = { 'src/both.txt': 'A\nb\nmine\n', 'src/new.txt': 'mine\n' };
  for (const [path, text] of Object.entries(mine)) here.write(path, text);
  const ended = await here.run(['undo', id]);
  expect(ended.code).toBe(1);
  for (const path of Object.keys(mine)) expect(ended.stderr).toContain(path);
  expect(ended.stderr).toContain('--force');
  expect(here.tree()).toEqual({ ...AFTER, ...mine });
  // What nobody touched can be undone by itself.
  expect(paths(await here.loom.undo(id, { subtask: 'docs' }))).toEqual(['docs/guide.md']);
  const forced = await here.run(['undo', id, '--force']);
  expect(forced.code, forced.stderr).toBe(0);
  expect(here.tree()).toEqual(BEFORE);
});

test('a file that somebody made again since it was deleted is left alone', async () => {
  const { here, id } = await worked();
  here.write('src/old.txt', 'mine\n');
  await expect(here.loom.undo(id)).rejects.toThrow('src/old.txt');
  expect(here.tree()).toEqual({ ...AFTER, 'src/old.txt': 'mine\n' });
});

test('modes of files come back', async () => {
  const here = scriptedLab(
    script(plan({ id: 'code' }), calls('code', call('delete_file', { path: 'run.sh' })), done('code')),
    '[approval]\nallow = ["delete_file"]\n',
  );
  keep(here);
  here.write('run.sh', '#!/bin/sh\n');
  const { chmodSync } = await import('node:fs');
  chmodSync(join(here.workspace, 'run.sh'), 0o750);
  const { result } = await here.go('Work');
  expect(result.exit_code).toBe(0);
  await here.loom.undo(result.task_id);
  expect(statSync(join(here.workspace, 'run.sh')).mode & 0o777).toBe(0o750);
});

test('what a command changed is listed, and undo either puts it back or says that it cannot', async () => {
  const here = scriptedLab(
    script(plan({ id: 'code' }), shell('code', 'echo more >> list.txt; echo made > made.txt'), done('code')),
  );
  keep(here);
  here.write('list.txt', 'one\n');
  const { result } = await here.go('Work');
  expect(result).toMatchObject({ exit_code: 0, files_changed: ['list.txt', 'made.txt'] });
  const changes = await here.loom.changes(result.task_id);
  expect(changes.map(change => change.path).sort()).toEqual(['list.txt', 'made.txt']);
  const report = await here.loom.undo(result.task_id);
  for (const change of changes) {
    const back = report.reverted.some(one => one.path === change.path);
    const said = report.refused.some(one => one.path === change.path && one.reason !== '');
    expect([change.path, back || said]).toEqual([change.path, true]);
    expect(back).toBe(change.undoable);
  }
});

test('a change nobody knows is refused in words', async () => {
  const { here } = await worked();
  const ended = await here.run(['undo', 'czzzzzz']);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('czzzzzz');
});
