/** Alarms ring at their time; deadlines stand still while work waits and while none goes on, and say so to the store. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAlarms } from '../../actors/alarms.ts';
import { NO_COST } from '../../machines/budget.ts';
import type { EffectEntry } from '../../machines/react.ts';

const OWNER = 'task/x/s:a@1';
const effect = (more: Partial<EffectEntry>): EffectEntry => ({
  key: 'k',
  path: `${OWNER}/turn`,
  id: 'model',
  source: 'model',
  input: null,
  class: 'repeatable',
  state: 'open',
  reserved: NO_COST,
  ...more,
});
const alarm = (ms: number, id = 'deadline'): EffectEntry =>
  effect({ key: id, path: OWNER, id, source: 'alarm', at: Date.now() + ms });

let rung: { key: string; at: number }[];
let began: number;
const create = () =>
  createAlarms(
    key => rung.push({ key, at: Date.now() - began }),
    () => Date.now(),
  );

beforeEach(() => {
  vi.useFakeTimers();
  rung = [];
  began = Date.now();
});
afterEach(() => void vi.useRealTimers());

const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

describe('a deadline', () => {
  it('rings at its time while something goes on', () => {
    const alarms = create();
    alarms.arm(alarm(1_000));
    alarms.observe([effect({})]);
    expect(alarms.left(`${OWNER}/turn`)).toBe(1_000);
    expect(alarms.left('task/x/s:b@2/turn')).toBe(Number.POSITIVE_INFINITY);
    pass(2_000);
    expect(rung).toEqual([{ key: 'deadline', at: 1_000 }]);
  });

  it.each([
    ['nothing goes on', []],
    ['everything is held', [effect({ state: 'held' })]],
    ['only others go on', [effect({ path: 'task/x/s:b@2/turn' })]],
  ])('stands still while %s', (_, effects) => {
    const alarms = create();
    alarms.arm(alarm(1_000));
    pass(400);
    alarms.observe(effects);
    pass(5_000);
    alarms.observe([effect({})]);
    pass(1_000);
    expect(rung).toEqual([{ key: 'deadline', at: 6_000 }]);
  });

  it('waits once for two that wait at the same time', () => {
    const alarms = create();
    alarms.arm(alarm(1_000));
    alarms.pause(`${OWNER}/turn`);
    alarms.pause(`${OWNER}/verify`);
    pass(500);
    alarms.resume(`${OWNER}/turn`);
    pass(500);
    alarms.resume(`${OWNER}/verify`);
    pass(5_000);
    expect(rung).toEqual([{ key: 'deadline', at: 2_000 }]);
  });

  it('has moved up to now whenever the store is written, so that a crash while it stands loses nothing', () => {
    const alarms = create();
    alarms.arm(alarm(1_000));
    alarms.observe([]);
    pass(700);
    expect(alarms.moved()).toEqual([{ key: 'deadline', at: began + 1_700 }]);
    expect(alarms.moved()).toEqual([]);
    pass(300);
    alarms.observe([effect({})]);
    expect(alarms.moved()).toEqual([{ key: 'deadline', at: began + 2_000 }]);
  });

  it('is not rung once disarmed or closed', () => {
    const alarms = create();
    alarms.arm(alarm(1_000));
    alarms.disarm('deadline');
    alarms.arm(alarm(1_000));
    alarms.close();
    pass(5_000);
    expect(rung).toEqual([]);
  });
});

it('a wait goes on while nothing else does, or no retry would ever begin', () => {
  const alarms = create();
  alarms.arm(alarm(1_000, 'backoff'));
  alarms.observe([]);
  pass(1_000);
  expect(rung).toEqual([{ key: 'backoff', at: 1_000 }]);
});
