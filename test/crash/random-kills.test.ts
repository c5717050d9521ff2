/** SIGKILL at any time, again and again, also while others open the store: nothing is lost and nothing done twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
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
import { DEEP, lanes, random } from '../support/lanes.ts';
import type { LoomChild } from '../support/loom-process.ts';
import { GOAL } from '../support/six-subtasks.ts';
import { storeProcesses } from '../support/store-processes.ts';

const SEED = 31;

const servers = fakes();
let expected: Expected;
/** Length of a run here and now, ms. */
let length: number;

beforeAll(async () => {
  const box = crashBox((await servers.next()).url);
  const { ended, expected: found } = await undisturbed(box);
  expected = found;
  length = ended.ms;
  box.remove();
});
afterAll(() => servers.stop());

/** When to kill the run and its successors, as parts of its length; who else opens the store meanwhile. */
interface Case {
  kills: number[];
  how: Restart;
  others: 'none' | 'reading' | 'writing';
}

function cases(count: number, others: Case['others'][], seed: number): Case[] {
  const draw = random(seed);
  return Array.from({ length: count }, (_, i) => ({
    // A process needs a moment to begin with anything; a successor has less left to do.
    kills: Array.from({ length: 1 + (i % 3) }, (_, n) => 0.1 + draw() * (n === 0 ? 0.85 : 0.5)),
    how: draw() < 0.5 ? 'resume' : 'run',
    others: others[i % others.length]!,
  }));
}

/** Opens and closes the store in a process of its own until told to stop; resolves to how often. */
function opener(home: string, readOnly: boolean): { stop(): Promise<number> } {
  const processes = storeProcesses(home);
  let stopped = false;
  let opened = 0;
  const loop = (async () => {
    const other = await processes.start({ open: false });
    while (!stopped) {
      await other.call('openAndClose', readOnly);
      opened += 1;
    }
    await other.kill();
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      return opened;
    },
  };
}

/** Resolves to how many kills hit. */
async function survive({ kills, how, others }: Case): Promise<number> {
  const fake = await servers.next();
  const box = crashBox(fake.url);
  const left = [...kills];
  let here = 0;
  const kill = (child: LoomChild): void => {
    const at = left.shift();
    if (at === undefined) return;
    const timer = setTimeout(() => child.process.kill('SIGKILL'), at * length);
    void child.ended.then(({ signal }) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') here += 1;
    });
  };
  const loop = others === 'none' ? null : opener(box.home, others === 'reading');
  const child = box.start(['run', GOAL, '--output', 'stream-json']);
  kill(child);
  const ended = await child.ended;
  const recovery = await goOn(box, how, kill);
  if (loop) expect(await loop.stop(), 'openings').toBeGreaterThan(0);
  await checkNothingLostNorDoubled(box, fake, expected, {
    printed: [...printedEvents(ended.stdout), ...recovery.printed],
    kills: here,
    questions: recovery.questions,
  });
  box.remove();
  return here;
}

/** A kill may come after the end; most must not. */
async function surviveAll(all: Case[], atLeast: number): Promise<void> {
  let killed = 0;
  await lanes(all, 2, async one => {
    killed += await survive(one);
  });
  expect(killed).toBeGreaterThanOrEqual(atLeast);
}

test('at random times, up to three times per run', async () => {
  await surviveAll(cases(DEEP ? 60 : 6, ['none'], SEED), DEEP ? 100 : 8);
});

test('at random times while another process opens the store in a loop', async () => {
  await surviveAll(cases(DEEP ? 60 : 4, ['reading', 'writing'], SEED + 1), DEEP ? 100 : 4);
});
