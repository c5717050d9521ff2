/** What runs changed, commands included, is taken back by whoever may: a person, or a subtask its own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileChange, RunResult, UndoReport } from '../../actors/loom.ts';
import { ending } from '../support/ending.ts';
import { call, calls, done, plan, script, shell, verdict, writes } from '../support/script.ts';

const { box } = ending();

test('a subtask takes its own changes back, and nobody is told of them as work', async () => {
  const here = box(
    script(
      plan({ id: 'one', files: ['a.md'] }),
      writes('one', 'a.md'),
      shell('one', 'mkdir -p lib && echo made > lib/made.txt && chmod 600 a.md'),
      calls('one', call('undo', {})),
      done('one', ['a.md']),
    ),
  );
  const { value, ended } = await here.json<RunResult>(['run', 'One']);
  expect(ended.code, ended.stderr).toBe(0);
  expect(here.tree()).toEqual({ 'a.md': 'a.md\n' });
  expect(lstatSync(join(here.workspace, 'a.md')).mode & 0o777).not.toBe(0o600);
  expect(value.files_changed).toEqual(['a.md']);
  const { value: changes } = await here.json<FileChange[]>(['diff', value.task_id]);
  expect(changes.filter(one => !one.undone && one.tool !== 'undo').map(one => one.path)).toEqual(['a.md']);
  // A person has the last word: the whole task goes, and comes back.
  expect((await here.run(['undo', value.task_id])).code).toBe(0);
  expect(here.tree()).toEqual({});
  expect((await here.run(['redo', value.task_id])).code).toBe(0);
  expect(here.tree()).toEqual({ 'a.md': 'a.md\n' });
});

test('of two subtasks that work at the same time, one is undone and the other stays', async () => {
  const work = (id: string) => [
    writes(id, `${id}/file.txt`),
    shell(id, `echo by ${id} >> ${id}/log.txt; ln -s log.txt ${id}/link; chmod 750 ${id}`),
    writes(id, `${id}/last.txt`),
    done(id, [`${id}/file.txt`]),
    verdict(id, true),
  ];
  const here = box(
    script(
      plan({ id: 'left', files: ['left/file.txt'] }, { id: 'right', files: ['right/file.txt'] }),
      work('left'),
      work('right'),
    ),
  );
  const { value, ended } = await here.json<RunResult>(['run', 'Two']);
  expect(ended.code, ended.stderr).toBe(0);
  const whole = here.tree();
  const undone = await here.json<UndoReport>(['undo', `${value.task_id}/left`]);
  expect(undone.value.refused).toEqual([]);
  const rest = here.tree();
  expect(Object.keys(rest)).toEqual(Object.keys(whole).filter(path => path.startsWith('right/')));
  expect(lstatSync(join(here.workspace, 'right')).mode & 0o777).toBe(0o750);
  expect(lstatSync(join(here.workspace, 'left'), { throwIfNoEntry: false })).toBeUndefined();
  expect((await here.run(['redo', `${value.task_id}/left`])).code).toBe(0);
  expect(here.tree()).toEqual(whole);
});

test('git commands are undone without losing what was committed', async () => {
  const here = box(
    script(
      plan({ id: 'one' }),
      writes('one', 'a.md', 'new\n'),
      calls('one', call('git_command', { args: ['checkout', '-q', '-b', 'topic'] })),
      calls('one', call('git_command', { args: ['add', 'a.md'] })),
      calls('one', call('git_command', { args: ['commit', '-q', '-m', 'By Loom'] })),
      calls('one', call('git_command', { args: ['mv', 'old.md', 'moved.md'] })),
      done('one'),
      verdict('one', true),
    ),
  );
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', here.workspace, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      encoding: 'utf8',
    });
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 't');
  git('config', 'user.email', 't@t');
  here.write('old.md', 'old\n');
  git('add', '.');
  git('commit', '-q', '-m', 'Start');
  const state = () => [
    git('status', '--porcelain'),
    git('branch', '--show-current'),
    git('log', '--oneline'),
  ];
  const before = state();
  const { value, ended } = await here.json<RunResult>(['run', 'One', '--allow', 'git_command']);
  expect(ended.code, ended.stderr).toBe(0);
  const after = state();
  expect(after[1]).toBe('topic\n');
  expect(value.files_changed.sort()).toEqual(['a.md', 'moved.md', 'old.md']);
  const commit = git('rev-parse', 'topic').trim();
  const undone = await here.run(['undo', value.task_id]);
  // Git may have rewritten its index when it was asked above; nothing else is left alone.
  expect(undone.stdout).not.toMatch(/✗ (?!\.git\/index)/);
  git('reset', '-q');
  expect(state()).toEqual(before);
  expect(git('show', '--stat', '--format=%s', commit)).toContain('By Loom');
});

test('what cannot be undone is named: before by the rule, after by name; the rest goes back', async () => {
  const here = box(
    script(
      plan({ id: 'one' }),
      shell('one', 'echo x > out/built; echo y > .env; echo z > tracked; truncate -s 33M big.bin'),
      done('one'),
      verdict('one', true),
    ),
  );
  execFileSync('git', ['init', '-q', here.workspace]);
  writeFileSync(join(here.workspace, '.gitignore'), 'out/\n.env\n');
  mkdirSync(join(here.workspace, 'out'));
  writeFileSync(join(here.workspace, 'out/older'), '');
  writeFileSync(join(here.workspace, 'old.bin'), Buffer.alloc(33 << 20));
  here.write('.env', 'mine\n');
  symlinkSync('.env', join(here.workspace, 'link'));
  chmodSync(join(here.workspace, '.env'), 0o600);
  const { value, ended } = await here.json<RunResult>(['run', 'One', '--allow', 'shell_execute']);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain('without a way back: out/ (ignored by git); old.bin (over 32 MB).');
  const { value: report, ended: undone } = await here.json<UndoReport>(['undo', value.task_id]);
  expect(undone.code).toBe(1);
  expect(report.refused.map(one => one.path).sort()).toEqual(['big.bin', 'out']);
  expect(report.reverted.map(one => one.path).sort()).toEqual(['.env', 'tracked']);
  expect(here.read('.env')).toBe('mine\n');
  expect(lstatSync(join(here.workspace, '.env')).mode & 0o777).toBe(0o600);
  expect(here.read('out/built')).toBe('x\n');
});
