/** The host against the pure model: after every command what is on disk is what the kernel alone would have, through
 *  crashes, restarts, interruptions and time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newLedger, SUBTASK_LEDGER } from '../../machines/budget.ts';
import { makeCatalogue } from '../../machines/catalogue.ts';
import { failure } from '../../machines/failure.ts';
import { actorRow, type MachineEvent } from '../../machines/react.ts';
import { openLmdbStore } from '../../store/lmdb.ts';
import { type MemoryStore, memoryDatabase, openMemoryStore } from '../../store/memory.ts';
import { taskInput } from '../machines/results.ts';
import { resultsOf, type Step, usedOf } from '../machines/walk.ts';
import { isQuestion, isWork, PureRun } from './pure-run.ts';
import { type Place, RealRun } from './real-run.ts';

const deep = process.env['LOOM_DEEP'] === '1';
const timeout = deep ? 1_800_000 : 120_000;
// Each failing run waits for a host that does not come, so shrinking takes long: `endOnFailure: false` where it helps.
const settings = { seed: 20_261, endOnFailure: true };
const catalogue = makeCatalogue(() => ({ max_tokens: 1_000, input: 0.000_000_037_5, output: 0.000_015 }));
const UNCERTAIN = {
  ok: false,
  failure: failure(
    'uncertain',
    'in_flight',
    'tool was under way when Loom was stopped; nobody knows whether it finished',
  ),
};

type Command = fc.AsyncCommand<PureRun, RealRun>;

const tick = () => new Promise(resolve => setImmediate(resolve));

/** Without how long effects ran, which nobody can foretell, and without accounts that hold nothing else. */
function unmeasured(all: object): unknown {
  const known = JSON.parse(JSON.stringify(all, (key, value) => (key === 'work_ms' ? undefined : value))) as {
    accounts: Record<string, unknown>;
  };
  for (const [id, account] of Object.entries(known.accounts))
    if (!/[1-9]/.test(JSON.stringify(account))) delete known.accounts[id];
  return known;
}

/** Waits until the host has done what the model says, and nothing more; then compares what both have. */
async function agree(model: PureRun, real: RealRun): Promise<void> {
  const running = () => [...real.pending.keys()].sort();
  const wanted = model.state === 'up' ? model.effects(isWork).map(effect => effect.key) : [];
  const settled = async () =>
    (await real.rev()) === model.commits &&
    (model.state === 'up' ? running().length === wanted.length : real.ended !== null);
  const patience = performance.now() + 20_000;
  while (!(await settled()) && performance.now() < patience) await tick();
  for (let i = 0; i < 3; i++) await tick();
  expect(await real.rev()).toBe(model.commits);
  expect(running()).toEqual(wanted);
  const kinds = { up: undefined, parked: 'parked', over: 'done' };
  expect(real.ended?.kind).toBe(kinds[model.state]);
  const { actors, effects, ledger, output } = model.run;
  const { subtasks, ...own } = ledger;
  const expected = {
    actors: Object.fromEntries(
      Object.entries(actors).map(([path, entry]) => [`a/${path}`, actorRow(catalogue, entry)]),
    ),
    effects: Object.fromEntries(Object.entries(effects).map(([key, effect]) => [`e/${key}`, effect])),
    ledger: own,
    accounts: Object.fromEntries(
      Object.entries(subtasks).map(([id, account]) => [`${SUBTASK_LEDGER}${id}`, account]),
    ),
    output: output ?? null,
    journal: model.journal,
    numbered: true,
  };
  expect(unmeasured(await real.stored())).toEqual(unmeasured(expected));
}

/** A millisecond after each command, so that no two alarms ring at the same time, which would leave their order open. */
async function moment(model: PureRun, real: RealRun): Promise<void> {
  if (!vi.isFakeTimers() || model.state !== 'up') return;
  const next = model.next();
  if (model.ticking().length === 0 || (next ?? 0) > 1) await later(model, real, 1);
}

async function later(model: PureRun, real: RealRun, ms: number): Promise<void> {
  model.pass(ms);
  real.clock += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

/** How often each command was given and each end met. */
const met: Record<string, number> = {};
const count = (name: string) => {
  met[name] = (met[name] ?? 0) + 1;
};

/** A command: when it can be given, what it does to both sides. */
const command = (
  name: string,
  check: (model: Readonly<PureRun>) => boolean,
  run: (model: PureRun, real: RealRun) => Promise<void> | void,
): Command => ({
  check,
  async run(model, real) {
    count(name.split(' ')[0]!);
    await run(model, real);
    await agree(model, real);
    await moment(model, real);
  },
  toString: () => name,
});

const up = (model: Readonly<PureRun>) => model.state === 'up';
const hasWork = (model: Readonly<PureRun>) => up(model) && model.effects(isWork).length > 0;
const questions = (model: Readonly<PureRun>) => model.effects(isQuestion);

const settle = (step: Step, calm: boolean): Command =>
  command(`settle ${JSON.stringify(step)}`, hasWork, (model, real) => {
    const work = model.effects(isWork);
    const effect = work[step.which % work.length]!;
    const passing = (result: unknown) => !/overloaded|aborted|infra/.test(JSON.stringify(result));
    const results = resultsOf(effect).filter(result => !calm || passing(result));
    const output = results[step.result % results.length] as object;
    const used = usedOf(effect, step.used);
    model.take({ type: 'settled', key: effect.key, output, used });
    real.settle(effect.key, { output, used });
  });

const answer = (which: number, word: number, elsewhere: boolean): Command =>
  command(
    `answer ${which} ${word}${elsewhere ? ' elsewhere' : ''}`,
    model => up(model) && questions(model).length > 0,
    async (model, real) => {
      const open = questions(model);
      const effect = open[which % open.length]!;
      const { choices } = effect.input as { choices: string[] };
      const chosen = choices.length > 0 ? choices[word % choices.length]! : 'blue';
      model.take({ type: 'settled', key: effect.key, output: { ok: true, answer: chosen, reason: '' } });
      await real.answer(effect, chosen, elsewhere);
    },
  );

const send = (event: MachineEvent): Command =>
  command(event.type, up, async (model, real) => {
    model.take({ type: 'command', event });
    await real.send(event);
  });

/** Time up to the next alarm or, for a share below one, not quite so far. */
const pass = (share: number): Command =>
  command(
    `pass ${share}`,
    model => up(model) && model.next() !== undefined,
    async (model, real) => {
      const next = model.next()!;
      await later(model, real, share < 1 ? Math.floor(next * share) : next);
    },
  );

const crash = (): Command =>
  command('crash', up, async (model, real) => {
    await real.crash();
    model.restore(false, UNCERTAIN);
    await real.restore(false);
  });

const interrupt = (): Command =>
  command('interrupt', hasWork, (model, real) => {
    model.rest('parked');
    real.interrupt();
  });

const resume = (): Command =>
  command(
    'resume',
    model => model.state === 'parked',
    async (model, real) => {
      model.restore(true, UNCERTAIN);
      await real.restore(true);
    },
  );

const step: fc.Arbitrary<Step> = fc.record({
  which: fc.nat(1_000),
  result: fc.nat(1_000),
  used: fc.double({ min: 0, max: 1.2, noNaN: true }),
});

function commands(maxCommands: number, timely: boolean): fc.Arbitrary<Iterable<Command>> {
  const work = step.map(drawn => settle(drawn, !timely));
  const answered = fc.tuple(fc.nat(9), fc.nat(9), fc.boolean()).map(drawn => answer(...drawn));
  const sent = fc
    .constantFrom(...Array<string[]>(6).fill(['PAUSE', 'RESUME', 'STEER']).flat(), 'CANCEL')
    .map(type => send(type === 'STEER' ? { type, id: 's', at: '1', text: 'use tabs' } : { type }));
  const time = fc.constantFrom(0.4, 0.9, 1, 1).map(pass);
  const often = (count: number, arbitrary: fc.Arbitrary<Command>) => Array(count).fill(arbitrary);
  return fc.commands(
    [
      ...often(9, work),
      ...often(3, answered),
      sent,
      ...(timely ? often(3, time) : []),
      ...often(2, fc.constant(null).map(crash)),
      fc.constant(null).map(interrupt),
      ...often(2, fc.constant(null).map(resume)),
    ],
    { maxCommands, size: 'max' },
  );
}

async function check(place: Place, tokens: number, given: Iterable<Command>): Promise<void> {
  const ledger = newLedger({ tokens }, { tool_calls: 6 });
  const input = taskInput(
    { max_parallel: 3, max_replans: 2 },
    { result_gate: true, wall_clock_ms: 3_600_000 },
  );
  const real = new RealRun(place, catalogue);
  const model = new PureRun(catalogue, ledger);
  await fc.asyncModelRun(async () => {
    await real.start(ledger, input);
    model.take({ type: 'start', machine: 'task', input });
    await agree(model, real);
    return { model, real };
  }, given);
  count(model.state);
  await real.store.close();
}

describe('the host does what the pure model does', () => {
  describe('over the store in memory, with time', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it(
      'whatever settles, whoever commands, whenever it crashes',
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.nat(400_000), commands(80, true), async (tokens, given) => {
            const database = memoryDatabase();
            const place: Place = {
              open: async () => openMemoryStore({ database }),
              kill: async store => (store as MemoryStore).end(),
            };
            await check(place, tokens, given);
          }),
          { ...settings, numRuns: deep ? 1_000 : 100 },
        );
        console.log(`host against model: ${JSON.stringify(met)}`);
        // Everything happens, and runs that end and runs that stand still are both met.
        const names = [
          'settle',
          'answer',
          'pass',
          'crash',
          'interrupt',
          'resume',
          'PAUSE',
          'RESUME',
          'STEER',
        ];
        for (const name of [...names, 'CANCEL', 'over', 'parked']) expect(met[name], name).toBeGreaterThan(0);
      },
      timeout,
    );
  });

  it(
    'over the store on disk',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(400_000), commands(30, false), async (tokens, given) => {
          const home = await mkdtemp(join(tmpdir(), 'loom-model-'));
          const place: Place = {
            open: () => openLmdbStore(home, { minFreeMb: 0 }),
            kill: store => store.close(),
          };
          await check(place, tokens, given);
          await rm(home, { recursive: true, force: true });
        }),
        { ...settings, numRuns: deep ? 100 : 8 },
      );
    },
    timeout,
  );
});
