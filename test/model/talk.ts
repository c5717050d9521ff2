/** The session to explore: alone, with its turn as an effect, and with its turn. */
import type { MachineEvent, Run } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import {
  asking,
  askUser,
  calls,
  composed,
  failed,
  ok,
  read,
  sessionInput,
  shell,
  text,
  toolDone,
} from '../machines/results.ts';
import { noModel, type Part, quiet, results, without } from './part.ts';
import { properties } from './properties.ts';

const USER: MachineEvent = { type: 'USER', id: 'u', at: '1', text: 'and this' };
/** What a person does in a session, as often as keeps it small: two turns, one text that waits, one that steers. */
function typed(run: Run): MachineEvent[] {
  const { turns, queued, steered } = (
    (run.actors[run.root]?.snapshot ?? { context: {} }) as {
      context: { turns: number; queued: number; steered: number };
    }
  ).context;
  return [
    ...(turns + queued < 2 ? [USER] : []),
    ...(steered < 1 && turns + queued < 2 ? [{ ...USER, type: 'STEER' }] : []),
    { type: 'INTERRUPT' },
    { type: 'RESUME' },
    { type: 'STREAMING' },
    { type: 'CLOSE' },
  ];
}

const COMPOSE = [
  composed(),
  composed({ reflect: true }),
  composed({ empty: true, took: 0 }),
  failed('internal'),
];

/** The session, whatever its turns end with. */
export const session = (turns: unknown[]): Part => ({
  name: 'session, two turns, one text waiting, one steering',
  catalogue: without('turn'),
  machine: 'session',
  input: sessionInput(),
  results: results({
    turn: turns,
    compose: COMPOSE.map(quiet),
    mend: [ok, failed('internal')],
    reflect: [ok],
  }),
  commands: typed,
  goesOn: ['RESUME', 'CLOSE'],
  costly: ['turn'],
  properties,
  atMost: 2,
});

const turnsOf = (run: Run): number =>
  ((run.actors[run.root]?.snapshot ?? { context: { turns: 0 } }) as { context: { turns: number } }).context
    .turns;

/** With its turn: every phase it can be in, stopped and closed in each of them. */
export const conversation = (): Part => ({
  ...session([]),
  name: 'session with its turn',
  catalogue,
  input: sessionInput({ settings: { max_iterations: 2 } }),
  results: results({
    compose: [quiet(composed())],
    model: [
      quiet(text()),
      quiet(calls(read(0), shell(1, asking))),
      quiet(calls(askUser(0), shell(1))),
      noModel,
    ],
    tool: [quiet(toolDone()), failed('in_flight', 'uncertain')],
    note: [{ ok: true, tokens: 0 }],
  }),
  commands: run =>
    typed(run).filter(({ type }) => type !== 'STEER' && (type !== 'USER' || turnsOf(run) === 0)),
  costly: ['model'],
  atMost: 4,
});
