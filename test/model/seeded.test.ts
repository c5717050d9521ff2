/** The explorer finds what it looks for: one small broken machine per kind of fault. */

import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, setup, spawnChild } from 'xstate';
import type { Catalogue } from '../../machines/react.ts';
import { remote, rowActions } from '../../machines/remote.ts';
import { catalogue } from '../machines/drive.ts';
import { explore, type Report } from './explore.ts';

const parts = setup({
  types: {} as { context: { n: number; odd: number } },
  actors: { model: remote<object, { ok: boolean }>(), tool: remote<object, { ok: boolean }>() },
  actions: { ...rowActions, count: assign(({ context }) => ({ n: context.n + 1 })) },
});
const context = { n: 0, odd: 0 };
const call = (onDone: string, id = 'model') => ({ invoke: { src: 'model' as const, id, input: {}, onDone } });

function exploring(root: AnyStateMachine, commands: string[] = []): Report {
  const machines: Catalogue = { ...catalogue, machines: { root }, apart: {} };
  return explore({
    catalogue: machines,
    machine: 'root',
    input: {},
    results: () => [{ ok: true }, { ok: false }],
    commands: () => commands.map(type => ({ type })),
    costly: ['model'],
    maxStates: 50,
  });
}

describe('the explorer', () => {
  it('finds nothing wrong with a sound machine', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: { a: call('b'), b: call('c'), c: { type: 'final' } },
      output: {},
    });
    expect(exploring(root)).toMatchObject({
      states: 3,
      finals: 1,
      calls: 2,
      deadlocks: [],
      leaks: [],
      lost: [],
    });
  });

  it('finds a state in which nothing can happen', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: {
        a: {
          invoke: {
            src: 'model',
            id: 'm',
            input: {},
            onDone: [{ guard: ({ event }) => event.output.ok, target: 'end' }, { target: 'nowhere' }],
          },
        },
        nowhere: {},
        end: { type: 'final' },
      },
      output: {},
    });
    const report = exploring(root);
    expect(report.deadlocks).toEqual(['root/x: "nowhere" after m ✗undefined']);
    expect(report.lost).toHaveLength(1);
  });

  it('takes a state that RESUME leaves for waiting', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: { a: { on: { RESUME: 'b' } }, b: call('c'), c: { type: 'final' } },
      output: {},
    });
    expect(exploring(root, ['RESUME'])).toMatchObject({ waiting: 1, deadlocks: [] });
    expect(exploring(root)).toMatchObject({ waiting: 0, deadlocks: [expect.stringContaining('"a"')] });
  });

  it('finds a path without a bound, and states that lead nowhere although something always happens', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: { a: call('b'), b: call('a') },
    });
    const report = exploring(root);
    expect(report.calls).toBe(Number.POSITIVE_INFINITY);
    expect(report.lost).toHaveLength(2);
  });

  it('refuses to call a growing state space explored', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: { a: { exit: 'count', ...call('b') }, b: { exit: 'count', ...call('a') } },
    });
    expect(() => exploring(root)).toThrow('more than 50 states');
  });

  it('finds a child that is remembered after it has ended', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: {
        a: {
          entry: spawnChild('tool', { id: 't-0', input: {} }),
          on: { 'xstate.done.actor.t-0': 'b' },
        },
        b: call('c'),
        c: { type: 'final' },
      },
      output: {},
    });
    expect(exploring(root).leaks[0]).toContain('still remembers its child t-0');
  });

  it('reports faults with the way that led to them', () => {
    const root = parts.createMachine({
      id: 'root',
      context,
      initial: 'a',
      states: { a: call('b'), b: { entry: { type: 'unheardOf' } as never } },
    });
    expect(exploring(root).errors[0]).toContain('unheardOf');
  });
});
