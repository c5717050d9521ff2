/** Drives a run of any machine through the kernel by hand: start it, settle its effects, send commands, look at it.
 *  After every reaction the invariants hold that no test should have to ask for: no fault, unique effect keys,
 *  reservations equal to the open effects', and a run that survives JSON. */
import { isDeepStrictEqual } from 'node:util';
import { type Account, type Cost, type Limits, NO_COST, newLedger } from '../../machines/budget.ts';
import { makeCatalogue } from '../../machines/catalogue.ts';
import {
  type Catalogue,
  type EffectEntry,
  type Fault,
  type JournalLine,
  type MachineEvent,
  newRun,
  type Outside,
  type Run,
  react,
} from '../../machines/react.ts';

/** One effect, by id or source, where that is not enough also by a part of its actor's address. */
type Which = string | { in: string; id: string };

export interface Drive {
  run: Run;
  readonly journal: JournalLine[];
  /** Newest value of every row ever written but the actors' and effects' own. */
  readonly rows: Map<string, unknown>;
  /** How often each row was written. */
  readonly writes: Map<string, number>;
  /** What the root told its host. */
  readonly emitted: MachineEvent[];
  /** Effects the newest reaction started and stopped. */
  started: EffectEntry[];
  stopped: EffectEntry[];
  settle(which: Which, output: unknown, used?: Cost | 'unknown'): Drive;
  command(type: string, fields?: Record<string, unknown>): Drive;
  react(outside: Outside): Drive;
  /** Reacts to what must fail, and returns the fault. */
  fault(outside: Outside): Fault;
  /** Through JSON and back, as after a restart. */
  restart(): Drive;
  /** State of an actor by the end of its address, of the root by ''. */
  value(path?: string): unknown;
  context(path?: string): Record<string, unknown>;
  actors(): string[];
  /** Effects that run, `<id>` at the root, `<rest of the address>/<id>` below it. */
  open(): string[];
  effect(which: Which): EffectEntry;
  events(): string[];
}

export const catalogue: Catalogue = makeCatalogue(() => ({ max_tokens: 1_000, input: 0, output: 0 }));

export interface DriveOptions {
  catalogue?: Catalogue;
  limits?: Limits;
  /** Of each subtask. */
  subtask_limits?: Limits;
  /** Address of the root. */
  root?: string;
}

const stateOf = (snapshot: unknown) => snapshot as { value: unknown; context: Record<string, unknown> };

/** What `reserved` must be: the sum over all effect rows, or those of one subtask. */
function reservations(run: Run, subtask = ''): Cost {
  const sum = { ...NO_COST };
  let nano = 0;
  for (const { path, reserved } of Object.values(run.effects)) {
    if (subtask && !new RegExp(`/[sr]:${subtask}@`).test(path)) continue;
    for (const name of ['tokens', 'model_calls', 'tool_calls'] as const) sum[name] += reserved[name];
    nano += Math.round(reserved.usd * 1e9);
  }
  return { ...sum, usd: nano / 1e9 };
}

/** Starts a run whose root is the machine. */
export function start(machine: string, input: unknown, options: DriveOptions = {}): Drive {
  const root = options.root ?? `${machine}/x`;
  const ledger = newLedger(options.limits ?? {}, options.subtask_limits);
  const drive = attach(newRun('x', root, ledger), options.catalogue);
  return drive.react({ type: 'start', machine, input });
}

/** Takes up a run where it stands. */
export function attach(initial: Run, machines: Catalogue = catalogue): Drive {
  const keys = new Set(Object.keys(initial.effects));
  const short = (path: string) => path.slice(drive.run.root.length + 1);
  const named = (effect: EffectEntry) => (short(effect.path) ? `${short(effect.path)}/` : '') + effect.id;
  const find = (path: string): string => {
    if (path === '') return drive.run.root;
    const found = Object.keys(drive.run.actors).filter(name => name === path || name.endsWith(`/${path}`));
    if (found.length !== 1)
      throw new Error(
        `${found.length} actors match "${path}" in ${Object.keys(drive.run.actors).join(', ')}`,
      );
    return found[0]!;
  };

  const commit = (outside: Outside) => {
    const reaction = react(machines, drive.run, outside);
    if (reaction.fault) throw new Error(`fault: ${JSON.stringify(reaction.fault)}`);
    const { next } = reaction;
    for (const key of Object.keys(next.effects)) {
      if (drive.run.effects[key]) continue;
      if (keys.has(key)) throw new Error(`the effect key ${key} was used twice`);
      keys.add(key);
    }
    const accounts: [string, Account][] = [['', next.ledger], ...Object.entries(next.ledger.subtasks)];
    for (const [id, { reserved }] of accounts)
      if (!isDeepStrictEqual(reserved, reservations(next, id)))
        throw new Error(`reserved ${id} ${JSON.stringify(reserved)} is not the sum over the open effects`);
    for (const { key, value } of reaction.rows) {
      if (key.startsWith('a/') || key.startsWith('e/')) continue;
      drive.rows.set(key, value);
      drive.writes.set(key, (drive.writes.get(key) ?? 0) + 1);
    }
    drive.run = next;
    drive.journal.push(...reaction.journal);
    drive.emitted.push(...reaction.emitted);
    drive.started = reaction.start;
    drive.stopped = reaction.stop;
    return drive;
  };

  const drive: Drive = {
    run: initial,
    journal: [],
    rows: new Map(),
    writes: new Map(),
    emitted: [],
    started: [],
    stopped: [],
    react: commit,
    settle: (which, output, used) =>
      commit({
        type: 'settled',
        key: drive.effect(which).key,
        output,
        ...(used === undefined ? {} : { used }),
      }),
    command: (type, fields = {}) => commit({ type: 'command', event: { type, ...fields } }),
    fault: outside => {
      const before = JSON.stringify(drive.run);
      const reaction = react(machines, drive.run, outside);
      if (!reaction.fault) throw new Error('no fault');
      const written = reaction.rows.length + reaction.start.length + reaction.stop.length;
      if (reaction.next !== drive.run || JSON.stringify(drive.run) !== before || written > 0)
        throw new Error('a fault changed the run');
      return reaction.fault;
    },
    restart: () => {
      drive.run = JSON.parse(JSON.stringify(drive.run)) as Run;
      return drive;
    },
    value: (path = '') => stateOf(drive.run.actors[find(path)]?.snapshot).value,
    context: (path = '') => {
      const entry = drive.run.actors[find(path)]!;
      return { ...stateOf(entry.snapshot).context, ...entry.apart };
    },
    actors: () => Object.keys(drive.run.actors).map(short).filter(Boolean).sort(),
    open: () =>
      Object.values(drive.run.effects)
        .filter(effect => effect.state === 'open')
        .map(named)
        .sort(),
    effect: which => {
      const { in: part, id } = typeof which === 'string' ? { in: '', id: which } : which;
      const found = Object.values(drive.run.effects).filter(
        effect => effect.path.includes(part) && (effect.id === id || effect.source === id),
      );
      const running = found.filter(effect => effect.state === 'open');
      const chosen = running.length > 0 ? running : found;
      if (chosen.length !== 1)
        throw new Error(
          `${chosen.length} effects match ${JSON.stringify(which)} in [${Object.values(drive.run.effects).map(named).join(', ')}]`,
        );
      return chosen[0]!;
    },
    events: () => drive.journal.map(line => line.event_type),
  };
  return drive;
}
