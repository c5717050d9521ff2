/** The kernel by itself: keys, late results, stopping, held intents, budget, faults. */

import { describe, expect, it } from 'vitest';
import { emit, sendTo, setup, spawnChild } from 'xstate';
import { newLedger } from '../../machines/budget.ts';
import { type Catalogue, newRun, react } from '../../machines/react.ts';
import { remote, rowActions } from '../../machines/remote.ts';
import { catalogue, type Drive, start } from './drive.ts';
import {
  answer,
  calls,
  failed,
  node,
  ok,
  planned,
  read,
  shell,
  subtaskInput,
  taskInput,
  text,
  toolDone,
  turnInput,
  verdict,
  write,
} from './results.ts';

const turn = (limits = {}): Drive => start('turn', turnInput(), { limits });
const inTask = (settings = {}, limits = {}): Drive =>
  start('task', taskInput(settings), { limits }).settle('plan', planned(node('a'), node('b')));
const at = (subtask: string, id: string) => ({ in: `s:${subtask}@`, id });
const one = { tokens: 0, usd: 0, model_calls: 1, tool_calls: 0 };

describe('effect keys', () => {
  it('name actor, step and position, and stay the same across a restart', () => {
    const drive = turn().settle('model', calls(read(0), read(1)));
    const keys = Object.keys(drive.run.effects);
    expect(keys).toEqual(['turn/x|2|0', 'turn/x|2|1']);
    expect(Object.keys(drive.restart().run.effects)).toEqual(keys);
  });

  it('differ for the same work done again', () => {
    const drive = turn();
    const seen = new Set([drive.effect('model').key]);
    for (let i = 0; i < 4; i++) {
      drive.settle('model', failed('no_model')).command('RESUME');
      seen.add(drive.effect('model').key);
    }
    expect(seen.size).toBe(5);
  });
});

describe('a late result', () => {
  it('of an effect that has settled changes nothing but the step', () => {
    const drive = turn();
    const { key } = drive.effect('model');
    drive.settle('model', calls(read(0)));
    const before = drive.run;
    drive.react({ type: 'settled', key, output: text(), used: one });
    expect({ ...drive.run, step: before.step }).toEqual(before);
  });

  it('of a stopped effect is booked and journalled by nobody', () => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), calls(shell(0)));
    drive.command('CANCEL');
    const lines = drive.journal.length;
    const used = { tokens: 0, usd: 0, model_calls: 0, tool_calls: 1 };
    drive.settle(at('a', 't-0'), toolDone(), used);
    expect(drive.journal).toHaveLength(lines);
    expect(drive.run.ledger.spent).toEqual(used);
    expect(drive.run.output).toEqual({ status: 'cancelled' });
  });
});

describe('stopping', () => {
  it('keeps the row of a running effect until it has settled', () => {
    const drive = inTask().command('CANCEL');
    expect(Object.values(drive.run.effects).map(effect => effect.state)).toEqual(['stopping', 'stopping']);
    expect(drive.stopped).toHaveLength(2);
    drive.settle(at('a', 'prepare'), failed('aborted')).settle(at('b', 'prepare'), failed('aborted'));
    expect(drive.run.effects).toEqual({});
  });

  it('drops an intent that never ran, and its reservation', () => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), calls(shell(0)));
    drive.settle(at('a', 'deadline'), ok);
    expect(drive.effect(at('a', 'prepare')).state).toBe('held');
    drive.command('CANCEL');
    const left = Object.values(drive.run.effects).map(effect => `${effect.id} ${effect.state}`);
    expect(left.sort()).toEqual(['prepare stopping', 't-0 stopping']);
  });
});

describe('held intents', () => {
  const overdue = (call: typeof shell | typeof read): Drive => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), calls(call(0)));
    return drive.settle(at('a', 'deadline'), ok);
  };

  it('wait for a predecessor that cannot be repeated', () => {
    const drive = overdue(shell);
    expect(drive.effect(at('a', 'prepare')).state).toBe('held');
    expect(drive.started).toEqual([]);
    drive.restart().settle(at('a', 't-0'), failed('aborted'));
    expect(drive.started.map(effect => effect.id)).toEqual(['prepare']);
  });

  it('do not wait for a predecessor that can be repeated', () => {
    expect(overdue(read).effect(at('a', 'prepare')).state).toBe('open');
  });

  it('do not wait for other subtasks', () => {
    const drive = overdue(shell).settle(at('b', 'prepare'), ok);
    expect(drive.effect(at('b', 'model')).state).toBe('open');
  });

  it('wait for a former incarnation, too', () => {
    const drive = inTask({ max_replans: 1 }, {});
    for (let i = 0; i < 2; i++) {
      drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), text(i === 0 ? 'failed' : 'partial'));
    }
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), calls(write(0)));
    drive.settle(at('a', 'deadline'), ok).settle('replan', planned(node('a'), node('b')));
    expect(drive.actors()).toContain('s:a@3');
    expect(drive.effect({ in: 's:a@3', id: 'prepare' }).state).toBe('held');
    drive.settle({ in: 's:a@1', id: 't-0' }, failed('aborted'));
    expect(drive.effect({ in: 's:a@3', id: 'prepare' }).state).toBe('open');
  });

  it('wait until the last of several predecessors has settled', () => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok);
    drive.settle(at('a', 'model'), calls(shell(0, { mutates: false }), shell(1, { mutates: false })));
    drive.settle(at('a', 'deadline'), ok).settle(at('a', 't-0'), ok);
    expect(drive.effect(at('a', 'prepare')).state).toBe('held');
    expect(drive.settle(at('a', 't-1'), ok).effect(at('a', 'prepare')).state).toBe('open');
  });
});

const stuckOf = (drive: Drive) => drive.emitted.filter(({ type }) => type === 'STUCK');

describe('the budget', () => {
  it('reserves the worst case at the start and books what was used at the end', () => {
    const drive = turn({ tokens: 10_000 });
    expect(drive.run.ledger.reserved).toMatchObject({ tokens: 1_625, model_calls: 1 });
    drive.settle('model', calls(read(0)), { tokens: 700, usd: 0, model_calls: 1, tool_calls: 0 });
    expect(drive.run.ledger.spent.tokens).toBe(700);
    expect(drive.run.ledger.reserved).toEqual({ tokens: 0, usd: 0, model_calls: 0, tool_calls: 1 });
  });

  it('refuses what it has no room for, without starting it, and says how to go on', () => {
    const drive = turn({ tokens: 1_000 });
    expect(drive.run.effects).toEqual({});
    expect(stuckOf(drive)).toEqual([
      {
        type: 'STUCK',
        reason: 'budget',
        message:
          'the tokens budget of 1000 has no room for this step (1625 at worst): resume with a higher --max-tokens',
        detail: { budget_name: 'tokens', limit: 1_000, observed: 1_625, subtask_id: null },
      },
    ]);
  });

  it('says so when an effect used more than anybody could know before, and what', () => {
    const drive = turn({ tokens: 2_000, model_calls: 9 });
    const used = { tokens: 2_400, usd: 0, model_calls: 1, tool_calls: 0 };
    drive.settle('model', calls(read(0)), used);
    const told = drive.journal.find(line => line.event_type === 'task_budget_overspent');
    expect(told?.data).toMatchObject({
      budget_name: 'tokens',
      limit: 2_000,
      spent: 2_400,
      subtask_id: null,
      source: 'model',
      reserved: { tokens: 1_625 },
      used,
    });
    const within = turn({ tokens: 2_000 }).settle('model', calls(read(0)), { ...used, tokens: 2_000 });
    expect(within.events()).not.toContain('task_budget_overspent');
  });

  it('says so for the account of a subtask, too', () => {
    const drive = start('task', taskInput(), { subtask_limits: { tokens: 3_000 } });
    drive.settle('plan', planned(node('a'), node('b')), { ...one, tokens: 9_000 });
    drive.settle(at('a', 'prepare'), { ok: true, tokens: 100 });
    drive.settle(at('a', 'model'), text(), { ...one, tokens: 3_100 });
    const told = drive.journal.filter(line => line.event_type === 'task_budget_overspent');
    expect(told.map(line => line.data)).toMatchObject([
      { budget_name: 'tokens', subtask_id: 'a', spent: 3_100 },
    ]);
  });

  it('lets wait what only the reservations of others leave no room for, until it is clear that there is none', () => {
    const two = () => {
      const drive = start('task', taskInput(), { limits: { model_calls: 2 } });
      drive.settle('plan', planned(node('a'), node('b')), one);
      return drive.settle(at('a', 'prepare'), ok).settle(at('b', 'prepare'), ok);
    };
    const drive = two();
    expect(drive.open()).toEqual(['s:a@1/deadline', 's:a@1/turn/model', 's:b@2/deadline']);
    expect(drive.effect(at('b', 'model'))).toMatchObject({ state: 'held', reserved: { model_calls: 0 } });
    expect(drive.emitted).toEqual([]);
    drive.restart().settle(at('a', 'model'), failed('refused'));
    // It comes before what the one that made room asks for next.
    expect(drive.effect(at('b', 'model'))).toMatchObject({ state: 'open', reserved: { model_calls: 1 } });
    const spent = two().settle(at('a', 'model'), text(), one);
    expect(spent.emitted).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(spent.open()).toEqual(['s:a@1/verify/checks', 's:b@2/deadline']);
  });

  it('gives the room of what is stopped before it began to whoever waits for it', () => {
    const drive = start('task', taskInput(), { limits: { model_calls: 2 } });
    drive.settle('plan', planned(node('a'), node('b')), one);
    drive.settle(at('a', 'prepare'), ok).settle(at('b', 'prepare'), ok);
    drive.settle(at('a', 'deadline'), ok);
    expect(drive.effect(at('b', 'model')).state).toBe('held');
    drive.settle({ in: 's:a@', id: 'model' }, failed('aborted'));
    expect(drive.effect(at('b', 'model')).state).toBe('open');
  });

  it('holds each subtask to its own limits, over all its attempts, while others go on', () => {
    const drive = start('task', taskInput(), { subtask_limits: { model_calls: 1 } });
    drive.settle('plan', planned(node('a'), node('b')), one);
    drive.settle(at('a', 'prepare'), ok).settle(at('b', 'prepare'), ok);
    drive.settle(at('a', 'model'), text('partial'), one).settle(at('a', 'prepare'), ok);
    expect(drive.emitted).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(drive.emitted[0]!['message']).toMatch(/of subtask "a".*execution\.max_subtask_model_invocations/);
    expect(drive.open()).toContain('s:b@2/turn/model');
    expect(drive.run.ledger.subtasks).toMatchObject({
      a: { spent: { model_calls: 1 } },
      b: { spent: { model_calls: 0 } },
    });
    expect([...drive.rows.keys()].filter(key => key.startsWith('ledger'))).toEqual([
      'ledger',
      'ledger/a',
      'ledger/b',
    ]);
    drive.run = { ...drive.run, ledger: { ...drive.run.ledger, subtask_limits: { model_calls: 2 } } };
    expect(drive.command('RESUME').open()).toContain('s:a@1/turn/model');
  });

  it('looks at the time a subtask has worked before each call', () => {
    const drive = start('task', taskInput(), { subtask_limits: { seconds: 10 } });
    drive.settle('plan', planned(node('a')), one).settle(at('a', 'prepare'), ok);
    const { key } = drive.effect(at('a', 'model'));
    drive.react({ type: 'settled', key, output: calls(read(0)), used: one, ms: 9_000 });
    const tool = drive.effect(at('a', 't-0'));
    drive.react({ type: 'settled', key: tool.key, output: toolDone(), ms: 1_000 });
    expect(drive.run.ledger.subtasks['a']!.work_ms).toBe(10_000);
    expect(drive.emitted).toMatchObject([
      { reason: 'budget', message: expect.stringMatching(/10 s of work/) },
    ]);
  });

  it('charges the worst case for what nobody can measure', () => {
    const drive = turn().settle('model', failed('aborted'), 'unknown');
    expect(drive.run.ledger.spent).toMatchObject({ tokens: 1_625, model_calls: 1 });
    const crashed = turn();
    crashed.react({ type: 'recovered', keys: [crashed.effect('model').key, 'nobody|1|0'] });
    expect(crashed.run.ledger.spent.tokens).toBe(1_625);
    expect(crashed.run.ledger.reserved.tokens).toBe(1_625);
    expect(crashed.open()).toEqual(['model']);
  });

  it('does not repeat after a crash what there is no room for a second time', () => {
    const crashed = turn({ tokens: 2_500 });
    crashed.react({ type: 'recovered', keys: [crashed.effect('model').key] });
    expect(crashed.run.ledger).toMatchObject({ spent: { tokens: 1_625 }, reserved: { tokens: 0 } });
    expect(crashed.open()).toEqual([]);
    expect(stuckOf(crashed)).toMatchObject([{ type: 'STUCK', reason: 'budget' }]);
    expect(crashed.value()).toBe('stuck');
  });

  it('releases what an ended actor had reserved only when its effects have settled', () => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok).settle(at('b', 'prepare'), ok).command('CANCEL');
    expect(drive.run.ledger.reserved.model_calls).toBe(2);
    drive.settle(at('a', 'model'), failed('aborted')).settle(at('b', 'model'), failed('aborted'));
    expect(drive.run.ledger.reserved.model_calls).toBe(0);
  });
});

describe('faults', () => {
  const toys = (child: ReturnType<typeof setup>['createMachine'] | null, root: unknown): Catalogue => ({
    ...catalogue,
    machines: { root, ...(child ? { child } : {}) } as unknown as Catalogue['machines'],
    apart: {},
  });
  const begin = (machines: Catalogue) =>
    react(machines, newRun('x', 'root/x', newLedger({})), { type: 'start', machine: 'root', input: {} });

  it('leave the run as it was and name machine, address and event', () => {
    const drive = turn();
    // An answer that no effect may give: the digests are missing.
    const broken = {
      type: 'settled' as const,
      key: drive.effect('model').key,
      output: { ok: true, answer: 'calls' },
    };
    expect(drive.fault(broken)).toMatchObject({
      code: 'fault',
      machine: 'turn',
      path: 'turn/x',
      event: 'xstate.done.actor.model',
    });
    expect(drive.settle('model', text()).run.output).toMatchObject({ ok: true });
  });

  it('come from actions nobody knows', () => {
    const root = setup({}).createMachine({ id: 'root', entry: { type: 'launchMissiles' } as never });
    expect(begin(toys(null, root)).fault?.message).toContain('"launchMissiles"');
  });

  it('come from two actors that never stop talking', () => {
    const child = setup({ types: {} as { emitted: { type: 'PING' } } }).createMachine({
      id: 'child',
      entry: emit({ type: 'PING' }),
      on: { PONG: { actions: emit({ type: 'PING' }) } },
    });
    const root = setup({ actors: { child: remote<unknown, unknown>() } }).createMachine({
      id: 'root',
      invoke: { src: 'child', id: 'child', input: {} },
      on: { PING: { actions: sendTo('child', { type: 'PONG' }) } },
    });
    expect(begin(toys(child as never, root)).fault).toMatchObject({ code: 'runaway' });
  });

  it('come from a child without a source name, which no restart could find again', () => {
    const nameless = remote<unknown, unknown>();
    const root = setup({}).createMachine({
      id: 'root',
      entry: spawnChild(nameless) as never,
    });
    expect(begin(toys(null, root)).fault?.message).toContain('inline child');
  });

  it('come from a machine that throws at its start', () => {
    const root = setup({ actions: rowActions }).createMachine({
      id: 'root',
      context: () => {
        throw new Error('no such input');
      },
    });
    const { fault, next } = begin(toys(null, root));
    expect(fault).toMatchObject({ code: 'fault', message: 'no such input' });
    expect(next.actors).toEqual({});
  });
});

describe('messages', () => {
  it('to an actor that has ended are dropped', () => {
    const drive = inTask();
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), text());
    expect(drive.actors()).not.toContain('s:a@1/turn');
    expect(() => drive.command('RESUME')).not.toThrow();
  });

  it('that no state waits for change nothing', () => {
    const drive = turn().command('NONSENSE');
    expect(drive.value()).toBe('calling');
    expect(drive.open()).toEqual(['model']);
  });
});

describe('values stored apart', () => {
  it('have one row per version and are not part of the actor row', () => {
    const drive = inTask();
    expect(drive.writes.get('plan/0001')).toBe(1);
    drive.settle(at('a', 'prepare'), ok).settle(at('a', 'model'), text('blocked'));
    expect(drive.open()).toContain('replan');
    expect(drive.writes.get('plan/0001')).toBe(1);
    drive.restart().settle('replan', planned(node('a2')));
    expect([drive.writes.get('plan/0001'), drive.writes.get('plan/0002')]).toEqual([1, 1]);
    const entry = drive.run.actors['task/x']!;
    expect(JSON.stringify(entry.snapshot)).not.toContain('do a2');
    expect(entry.apart['plan']).toMatchObject({ version: 2 });
  });
});

describe('a subtask by itself', () => {
  it('leaves nothing behind when it ends', () => {
    const drive = start('subtask', subtaskInput({ result_gate: true }), { root: 'task/x/s:a@1' });
    drive.settle('prepare', ok).settle('model', text());
    drive.settle('checks', verdict()).settle('review', verdict('pass', { confidence: 0, destructive: true }));
    drive.settle('result', answer('approve')).settle('settle', ok);
    expect(drive.run).toMatchObject({ actors: {}, effects: {} });
  });
});
