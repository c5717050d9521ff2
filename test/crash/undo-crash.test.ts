/** Killed while taking changes back: the next undo finishes it; and a change that a kill cut off is never forgotten. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileChange, UndoReport } from '../../actors/loom.ts';
import { CRASH_POINTS, type CrashPoint } from '../../store/crash-points.ts';
import { crashBox, stored, undisturbed } from '../support/crash-run.ts';
import { type FakeProcess, startFakeProcess } from '../support/fake-process.ts';
import { DEEP, random, spread } from '../support/lanes.ts';
import type { Sandbox } from '../support/loom-process.ts';
import { GOAL, sixSubtasks } from '../support/six-subtasks.ts';

let fake: FakeProcess;
let box: Sandbox;
let id: string;
/** The workspace before the run, and after an undisturbed undo of it. */
let original: Record<string, string>;
let undone: Record<string, string>;
let passages: Partial<Record<CrashPoint, number>>;

const kept = (): string => join(box.folder, 'kept');
const PARTS = ['home', 'work'];

function restore(): void {
  for (const part of PARTS) {
    rmSync(join(box.folder, part), { recursive: true, force: true });
    cpSync(join(kept(), part), join(box.folder, part), { recursive: true, preserveTimestamps: true });
  }
}

beforeAll(async () => {
  fake = await startFakeProcess('openai', sixSubtasks(), { chunk: 256 });
  box = crashBox(fake.url);
  original = box.tree();
  id = (await undisturbed(box)).ended.result.task_id;
  for (const part of PARTS)
    cpSync(join(box.folder, part), join(kept(), part), { recursive: true, preserveTimestamps: true });
  const counts = join(box.folder, 'passages.json');
  await box.run(['undo', id], { LOOM_CRASH_COUNTS: counts });
  passages = JSON.parse(readFileSync(counts, 'utf8')) as typeof passages;
  undone = box.tree();
});
afterAll(async () => {
  await fake.stop();
  box.remove();
});

test('an undisturbed undo puts back everything that file tools and commands changed', () => {
  expect(undone).toEqual(original);
  expect(passages['file-changed']).toBeGreaterThan(5);
  expect(passages['checkpointed']).toBe(1);
});

describe.each(CRASH_POINTS.filter(point => !point.startsWith('effect')))('killed at %s', point => {
  test('the next undo ends with everything undone, once', async () => {
    const all = passages[point] ?? 0;
    for (const n of spread(all, DEEP ? all : 3, random(7))) {
      restore();
      const killed = await box.run(['undo', id], { LOOM_CRASH_AT: `${point}:${n}` });
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      const again = await box.json<UndoReport>(['undo', id]);
      expect(again.value.refused).toEqual([]);
      expect(box.tree(), `${point}:${n}`).toEqual(undone);
      const { changes, journal } = (await stored(box))!;
      expect(changes.filter(entry => entry.tool === 'undo')).toHaveLength(1);
      expect(journal.filter(event => event.event_type === 'changes_undone')).toHaveLength(1);
      const listed = await box.json<FileChange[]>(['diff', id]);
      const standing = listed.value.filter(change => !change.undone && change.tool !== 'undo');
      expect(standing).toEqual([]);
      expect((await box.run(['store', 'verify'])).code).toBe(0);
    }
  });
});

test('what a person changed after the kill is not overwritten, and does not block undo for ever', async () => {
  restore();
  const killed = await box.run(['undo', id], { LOOM_CRASH_AT: 'file-changed:2' });
  expect(killed.signal).toBe('SIGKILL');
  box.write('notes.md', 'mine now\n');
  const refused = await box.run(['undo', id]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('notes.md');
  expect(box.read('notes.md')).toBe('mine now\n');
  const forced = await box.run(['undo', id, '--force']);
  expect(forced.stderr).toBe('');
  expect(box.tree()).toEqual(original);
});

test('a change that a kill cut off is in the changelog of the run that is then cancelled', async () => {
  for (const at of ['file-changed:4', 'checkpointed:2']) {
    const other = crashBox(fake.url);
    const before = other.tree();
    expect((await other.run(['run', GOAL], { LOOM_CRASH_AT: at })).signal).toBe('SIGKILL');
    const { head } = (await stored(other))!;
    expect((await other.run(['cancel', head.id])).code).toBe(0);
    await other.run(['undo', head.id]);
    expect(other.tree(), at).toEqual(before);
    other.remove();
  }
});
