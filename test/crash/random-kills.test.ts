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

beforeAll(async () => {
  const box = crashBox((await servers.next()).url);
  ({ expected } = await undisturbed(box));
  box.remove();
});
afterAll(() => servers.stop());

/** A moment: so many ms after a process has printed so many facts. Time alone would depend on how busy the machine is. */
interface Moment {
  facts: number;
  ms: number;
}

interface Case {
  /** Of the run and of each successor. */
  kills: Moment[];
  how: Restart;
  /** Who else opens the store meanwhile. */
  others: 'none' | 'reading' | 'writing';
}

/** An undisturbed run prints 63 facts; what a successor prints depends on what was left to do. */
function cases(count: number, others: Case['others'][], seed: number): Case[] {
  const draw = random(seed);
  return Array.from({ length: count }, (_, i) => ({
    kills: Array.from({ length: 1 + (i % 3) }, (_, n) => ({
      facts: Math.floor(draw() * (n === 0 ? 40 : 10)),
      ms: draw() * (n === 0 ? 40 : 15),
    })),
    how: draw() < 0.5 ? 'resume' : 'run',
    others: others[i % others.length]!,
  }));
}

const factsIn = (printed: string): number => printed.split('"type":"event"').length - 1;

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
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      if (timer || factsIn(child.stdout()) < at.facts) return;
      timer = setTimeout(() => child.process.kill('SIGKILL'), at.ms);
    };
    child.process.stdout?.on('data', look);
    // Without a fact to wait for: some time while it starts.
    if (at.facts === 0) timer = setTimeout(() => child.process.kill('SIGKILL'), at.ms * 10);
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

/** Most kills hit; one may come after the end, above all of a successor that has little left to do. */
async function surviveAll(all: Case[], atLeast: number): Promise<void> {
  let killed = 0;
  await lanes(all, 2, async one => {
    killed += await survive(one);
  });
  console.info(`${killed} kills over ${all.length} runs`);
  expect(killed).toBeGreaterThanOrEqual(atLeast);
}

test('at random times, up to three times per run', async () => {
  await surviveAll(cases(DEEP ? 125 : 6, ['none'], SEED), DEEP ? 100 : 4);
});

test('at random times while another process opens the store in a loop', async () => {
  await surviveAll(cases(DEEP ? 125 : 4, ['reading', 'writing'], SEED + 1), DEEP ? 100 : 3);
});
