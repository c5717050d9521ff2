/** Machines with every kind of state and transition, for pictures of them. */
import { and, createMachine, not, raise, sendTo, setup, spawnChild } from 'xstate';
import { remote } from '../../machines/remote.ts';

export const door = createMachine({
  id: 'door',
  initial: 'closed',
  states: {
    closed: { on: { OPEN: 'open', LOCK: { target: 'locked', actions: ['turnKey', 'beep'] } } },
    open: { entry: 'creak', exit: 'click', on: { CLOSE: 'closed' } },
    locked: {
      description: 'needs the key',
      on: { KEY: [{ guard: 'fits', target: 'closed' }, { actions: 'beep' }] },
    },
    gone: { type: 'final' },
  },
  on: { DEMOLISH: '.gone' },
});

export const player = createMachine({
  id: 'player',
  initial: 'off',
  states: {
    off: { on: { POWER: 'on.last' } },
    on: {
      type: 'parallel',
      on: { POWER: 'off', REBOOT: { target: 'on', reenter: true } },
      states: {
        sound: {
          initial: 'loud',
          states: { loud: { on: { MUTE: 'mute' } }, mute: { on: { MUTE: 'loud' } } },
        },
        picture: {
          initial: 'still',
          states: {
            still: { after: { 1000: 'moving' } },
            moving: { on: { STOP: 'still', SPEED: { actions: 'faster' } } },
          },
        },
        last: { type: 'history', history: 'deep' },
      },
      onDone: 'off',
    },
  },
});

export const pump = setup({
  types: {} as { context: { level: number }; events: { type: 'GO'; force: boolean } | { type: 'HALT' } },
  actors: { motor: remote<null, null>(), sensor: remote<null, null>(), valve: remote<null, null>() },
  guards: { empty: ({ context }) => context.level === 0, safe: () => true },
  actions: { log: (_, _params: { kind: string; text: string }) => {} },
}).createMachine({
  id: 'pump',
  context: { level: 0 },
  initial: 'idle',
  states: {
    idle: {
      always: [
        { guard: ({ context }) => context.level >= 10 && context.level !== 11, target: 'running' },
        { guard: and(['safe', not('empty')]), actions: spawnChild('valve', { id: 'v', input: null }) },
      ],
      on: { GO: { target: 'running', guard: ({ event }) => !event.force || event.type === 'GO' } },
    },
    running: {
      invoke: [
        {
          src: 'motor',
          id: 'main',
          input: null,
          onDone: 'idle',
          onError: { target: 'broken', actions: raise({ type: 'HALT' }) },
        },
        { src: 'sensor', id: 'sensor', input: null },
      ],
      entry: { type: 'log', params: { kind: 'started', text: 'the pump has been started' } },
      on: { GO: { target: 'running', reenter: true }, HALT: { actions: sendTo('main', { type: 'HALT' }) } },
    },
    broken: { type: 'final' },
  },
});
