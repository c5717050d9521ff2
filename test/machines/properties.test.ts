/** What holds on every path: the driver checks faults, keys and reservations after each step; here are the rest. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account, Cost, Limits } from '../../machines/budget.ts';
import { makeCatalogue } from '../../machines/catalogue.ts';
import type { Run } from '../../machines/react.ts';
import { type Drive, start } from './drive.ts';
import { taskInput } from './results.ts';
import { type Step, steps, walk } from './walk.ts';

const priced = makeCatalogue(() => ({ max_tokens: 1_000, input: 0.000_000_037_5, output: 0.000_015 }));
const begin = (limits = {}, subtask_limits = {}): Drive =>
  start('task', taskInput({ max_parallel: 3, max_replans: 2 }, { result_gate: true }), {
    limits,
    subtask_limits,
    catalogue: priced,
  });

/** What a restart does: everything that ran is repeated, and charged once more where a model had been asked. */
const crash = (drive: Drive): void => {
  const running = Object.values(drive.run.effects).filter(effect => effect.state === 'open');
  const keys = running.filter(effect => effect.reserved.model_calls > 0).map(effect => effect.key);
  drive.restart().react({ type: 'recovered', keys });
};

const accountsOf = ({ ledger }: Run, task: Limits, each: Limits): [Account, Limits][] => [
  [ledger, task],
  ...Object.values(ledger.subtasks).map((account): [Account, Limits] => [account, each]),
];

const runs = {
  seed: 20_261,
  numRuns: process.env['LOOM_DEEP'] === '1' ? 2_000 : 60,
};
const limits = fc.record(
  {
    tokens: fc.nat(60_000),
    usd: fc.double({ min: 0, max: 1, noNaN: true }),
    model_calls: fc.nat(40),
    tool_calls: fc.nat(20),
  },
  { requiredKeys: [] },
);

describe('on every path', () => {
  it('a restart changes nothing', () => {
    fc.assert(
      fc.property(steps(120), taken => {
        const steady = begin();
        const restarted = begin();
        for (const step of taken) {
          const goesOn = walk(steady, step);
          walk(restarted.restart(), step);
          expect(restarted.restart().run).toEqual(JSON.parse(JSON.stringify(steady.run)));
          if (!goesOn) break;
        }
        expect(restarted.journal).toEqual(steady.journal);
        expect([...restarted.writes]).toEqual([...steady.writes]);
      }),
      runs,
    );
  });

  it('no budget is overspent, not with crashes either, and what is reserved is what is open', () => {
    fc.assert(
      fc.property(limits, limits, steps(120), fc.array(fc.nat(119)), (allowed, each, taken, crashes) => {
        const drive = begin(allowed, each);
        for (const [i, step] of taken.entries()) {
          if (crashes.includes(i)) crash(drive);
          const goesOn = walk(drive, step);
          for (const [account, most] of accountsOf(drive.run, allowed, each))
            for (const [name, limit] of Object.entries(most) as [keyof Cost, number][])
              expect(account.spent[name] + account.reserved[name]).toBeLessThanOrEqual(limit + 1e-9);
          if (!goesOn) break;
        }
      }),
      runs,
    );
  });

  it('cancelling leaves nothing behind once everything has settled', () => {
    const none = { tokens: 0, usd: 0, model_calls: 0, tool_calls: 0 };
    fc.assert(
      fc.property(steps(60), taken => {
        const drive = begin();
        for (const step of taken) if (!walk(drive, step)) break;
        drive.command('CANCEL');
        for (const { key } of Object.values(drive.run.effects))
          drive.react({ type: 'settled', key, output: null, used: 'unknown' });
        expect(drive.run.output).toBeDefined();
        expect(drive.run).toMatchObject({ actors: {}, effects: {} });
        expect(drive.run.ledger.reserved).toEqual(none);
      }),
      runs,
    );
  });

  it('a run that goes on long enough ends', () => {
    const ends = { completed: 0, failed: 0 } as Record<string, number>;
    fc.assert(
      fc.property(fc.infiniteStream(steps(1).filter(list => list.length > 0)), stream => {
        const drive = begin();
        for (const [step] of stream as Iterable<Step[]>) if (!walk(drive, step!)) break;
        const { status } = drive.run.output as { status: string };
        ends[status] = (ends[status] ?? 0) + 1;
      }),
      runs,
    );
    // Both ends are met, so that the walk is no one-way street.
    expect(ends['failed']).toBeGreaterThan(0);
    expect(ends['completed']).toBeGreaterThan(0);
  });
});
