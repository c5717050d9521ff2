/** The goal from words and files. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MAX_GOAL_CHARACTERS, readGoal } from '../../cli/goal.ts';

const folder = mkdtempSync(join(tmpdir(), 'loom-goal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string | Uint8Array): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.md`);
  writeFileSync(path, content);
  return `@${path}`;
}

test('words are trimmed', async () => {
  expect(await readGoal('  fix it\n')).toEqual({ goal: 'fix it' });
});

test('a file is read, without its byte order mark', async () => {
  expect(await readGoal(file('\uFEFFfix it\n'))).toEqual({ goal: 'fix it' });
});

test.each(['', '   ', '@'])('%j is refused', async given => {
  await expect(readGoal(given)).rejects.toThrow(/empty|needs a file/);
});

test('files that cannot be goals are refused by name', async () => {
  await expect(readGoal('@/nowhere/goal.md')).rejects.toThrow('/nowhere/goal.md: there is no such file');
  await expect(readGoal(`@${folder}`)).rejects.toThrow('it is a folder');
  await expect(readGoal(file(' \n'))).rejects.toThrow('is empty');
  await expect(readGoal(file(Uint8Array.of(0x89, 0x50, 0, 0)))).rejects.toThrow('not a text file');
});

test('a goal of exactly the limit passes, one more is refused in words and cut in a file', async () => {
  const just = 'x'.repeat(MAX_GOAL_CHARACTERS);
  expect((await readGoal(just)).goal).toBe(just);
  expect(await readGoal(file(just))).toEqual({ goal: just });
  await expect(readGoal(`${just}x`)).rejects.toThrow('more than 32000');
  const cut = await readGoal(file(`${just}x`));
  expect(cut.goal).toBe(just);
  expect(cut.note).toContain('only its first 32000 are used');
});

test('a cut never splits a character', async () => {
  const { goal } = await readGoal(file(`${'x'.repeat(MAX_GOAL_CHARACTERS - 1)}😀 and more`));
  expect(goal).toBe('x'.repeat(MAX_GOAL_CHARACTERS - 1));
});

test('of a file of any size only the start is read', async () => {
  const given = file('é'.repeat(40_000));
  // Ten gigabytes, sparse: reading it whole would fail.
  truncateSync(given.slice(1), 10_000_000_000);
  const before = process.memoryUsage.rss();
  const { goal } = await readGoal(given).catch((error: Error) => ({ goal: error.message }));
  expect(goal.length).toBeLessThanOrEqual(MAX_GOAL_CHARACTERS);
  expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
});
