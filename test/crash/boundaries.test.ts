/** Killed at a named boundary: nothing committed is redone, nothing is applied twice, and the end is the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CRASH_POINTS, type CrashPoint } from '../../store/crash-points.ts';
import {
  checkNothingLostNorDoubled,
  crashBox,
  type Expected,
  fakes,
  goOn,
  printedEvents,
  type Restart,
  undisturbed,
} from '../support/crash-run.ts';
import { type FakeProcess, startFakeProcess } from '../support/fake-process.ts';
import { DEEP, lanes, random, spread } from '../support/lanes.ts';
import { GOAL, sixSubtasks } from '../support/six-subtasks.ts';

const SEED = 20;
/** Kills per boundary in the quick run; the ends of a run are its strangest places. */
const QUICK: Record<CrashPoint, number> = {
  'blob-written': 2,
  'before-commit': 4,
  'inside-commit': 2,
  'after-commit': 4,
  checkpointed: 3,
  'file-changed': 3,
  'effect-started': 3,
  'effect-done': 3,
};

const servers = fakes();
let expected: Expected;
let passages: Record<CrashPoint, number>;

beforeAll(async () => {
  const box = crashBox((await servers.next()).url);
  const counts = join(box.folder, 'passages.json');
  expected = (await undisturbed(box, counts)).expected;
  passages = JSON.parse(readFileSync(counts, 'utf8')) as Record<CrashPoint, number>;
  box.remove();
});
afterAll(() => servers.stop());

test('an undisturbed run passes every boundary', () => {
  for (const point of CRASH_POINTS) expect(passages[point], point).toBeGreaterThan(0);
  expect(expected.tree['audit.log']).toBe('built\n');
  expect(expected.tree['notes.md']).toBe('# Notes\n\n- noted\n- again\n- END\n');
  expect(expected.tree['kit/moved/alpha.txt']).toBe('alpha\nmore alpha\nEND\n');
  expect(expected.tree['junk.txt']).toBeUndefined();
});

interface Kill {
  at: string;
  how: Restart;
}

async function killAndGoOn({ at, how }: Kill, fake: FakeProcess): Promise<void> {
  const box = crashBox(fake.url);
  const killed = await box.run(['run', GOAL, '--output', 'stream-json'], { LOOM_CRASH_AT: at });
  // Parallel work passes a boundary a little more or less often; the last passages may not come.
  if (killed.signal !== 'SIGKILL') expect(killed.code, killed.stderr).toBe(0);
  const { printed, questions } = await goOn(box, how);
  await checkNothingLostNorDoubled(box, fake, expected, {
    printed: [...printedEvents(killed.stdout), ...printed],
    kills: 1,
    questions,
  });
  box.remove();
}

describe.each(CRASH_POINTS)('killed at %s', point => {
  test('goes on to the same end', async () => {
    const draw = random(SEED + CRASH_POINTS.indexOf(point));
    const kills = spread(passages[point], DEEP ? passages[point] : QUICK[point], draw).map(
      (n, i): Kill => ({ at: `${point}:${n}`, how: i % 2 === 0 ? 'resume' : 'run' }),
    );
    await lanes(kills, 2, async kill => killAndGoOn(kill, await servers.next()));
  });
});

/** How late the answers for the goal are beside which the run goes on: its process leaves in the middle of it. */
const LEAVES_AFTER = DEEP ? Array.from({ length: 40 }, (_, i) => 20 + i * 12) : [60, 200, 280, 360];

test('adopted by a process that leaves before it is over, also while a command runs', async () => {
  await lanes(LEAVES_AFTER, 2, async ms => {
    const fake = await startFakeProcess('openai', sixSubtasks(ms), { chunk: 256 });
    await killAndGoOn({ at: 'before-commit:2', how: 'run' }, fake).finally(() => fake.stop());
  });
});
