/** The kernel: one outside event in, the whole cascade it causes out. Pure; the host commits what it returns,
 *  the explorer enumerates it, the crash suite replays it.
 *
 *  Messages between actors are delivered first in, first out, each to completion. Sources named in the catalogue are
 *  machines and become actors with a row of their own; any other source is an effect and becomes an intent. */
import type { AnyMachineSnapshot } from 'xstate';
import {
  type ActorEntry,
  actorRow,
  type Catalogue,
  type EffectEntry,
  persist,
  restore,
} from './actor-entry.ts';
import { type Cost, charge, exceeded, isFree, type Ledger, NO_COST, reserve, settle } from './budget.ts';
import { failure } from './failure.ts';
import { firstStep, nextStep } from './pure-step.ts';

export { type ActorEntry, actorRow, type Catalogue, type EffectEntry };

export interface MachineEvent {
  type: string;
  [field: string]: unknown;
}

export interface Run {
  id: string;
  /** Address of the root actor, e.g. `task/<id>`. */
  root: string;
  /** Equals the head's rev. */
  step: number;
  actors: Record<string, ActorEntry>;
  effects: Record<string, EffectEntry>;
  ledger: Ledger;
  /** Output of the root once it is done. */
  output?: unknown;
}

export type Outside =
  | { type: 'start'; machine: string; input: unknown }
  /** `used` undefined: nothing was used; 'unknown': charged at worst case. */
  | { type: 'settled'; key: string; output: unknown; used?: Cost | 'unknown' }
  | { type: 'command'; event: MachineEvent }
  /** After a crash: these effects will run again; what their lost executions used is charged at worst case.
   *  Held effects that nothing blocks any more may start. */
  | { type: 'recovered'; keys: string[] };

export interface JournalLine {
  event_type: string;
  data: Record<string, unknown>;
}

export interface Fault {
  code: 'fault' | 'runaway';
  machine: string;
  path: string;
  event: string;
  message: string;
}

export interface Reaction {
  next: Run;
  rows: { key: string; value: unknown }[];
  /** Effects to start after the commit, in order. */
  start: EffectEntry[];
  /** Effects to abort after the commit. */
  stop: EffectEntry[];
  journal: JournalLine[];
  /** What the root told the host, e.g. that it cannot go on without more budget. */
  emitted: MachineEvent[];
  /** Set: nothing of the reaction may be committed but the parking of the run. */
  fault?: Fault;
}

const MAX_STEPS = 1_000;

/** Where predecessors and successors of the same work meet: the subtask's address without its incarnation. */
const scopeOf = (path: string): string => path.split('/').slice(0, 3).join('/').replace(/@\d+$/, '');

const blocks = (effect: EffectEntry): boolean => effect.state === 'stopping' && effect.class !== 'repeatable';

interface Action {
  type: string;
  params?: Record<string, unknown> & { id?: string; event?: MachineEvent };
}

/** Reacts to one outside event. Never throws for what machines do: that becomes `fault`. */
export function react(catalogue: Catalogue, run: Run, outside: Outside): Reaction {
  const step = run.step + 1;
  const next: Run = { ...run, step, actors: { ...run.actors }, effects: { ...run.effects } };
  const queue: { path: string; event: MachineEvent }[] = [];
  const rows = new Map<string, unknown>();
  const journal: JournalLine[] = [];
  const touched = new Set<string>();
  const start: EffectEntry[] = [];
  const stop: EffectEntry[] = [];
  let index = 0;
  let at: { machine: string; path: string; event: string } = {
    machine: '',
    path: run.root,
    event: outside.type,
  };
  const emitted: MachineEvent[] = [];

  const setEffect = (effect: EffectEntry) => {
    next.effects[effect.key] = effect;
    rows.set(`e/${effect.key}`, effect);
  };
  const dropEffect = (key: string) => {
    delete next.effects[key];
    rows.set(`e/${key}`, null);
  };

  const stopEffect = (effect: EffectEntry) => {
    if (effect.state === 'stopping') return;
    if (effect.state === 'held' || start.includes(effect)) {
      // It never ran: nothing can settle later, so the intent simply goes.
      next.ledger = settle(next.ledger, effect.reserved, NO_COST);
      dropEffect(effect.key);
      const pending = start.indexOf(effect);
      if (pending >= 0) start.splice(pending, 1);
      return;
    }
    const stopping: EffectEntry = { ...effect, state: 'stopping' };
    setEffect(stopping);
    stop.push(stopping);
  };

  /** Removes an actor and everything below it; effects below are told to stop. */
  const removeTree = (path: string) => {
    for (const other of Object.keys(next.actors)) {
      if (other !== path && !other.startsWith(`${path}/`)) continue;
      delete next.actors[other];
      touched.delete(other);
      rows.set(`a/${other}`, null);
    }
    for (const effect of Object.values(next.effects)) {
      if (effect.path === path || effect.path.startsWith(`${path}/`)) stopEffect(effect);
    }
  };

  const spawn = (path: string, id: string, source: string, input: unknown) => {
    if (catalogue.machines[source]) return begin(`${path}/${id}`, source, input);
    const key = `${path}|${step}|${index++}`;
    const cost = catalogue.worst(source, input);
    const broken = exceeded(next.ledger, cost);
    if (broken) {
      const refused = failure(
        'terminal',
        'budget',
        `the ${broken.budget_name} budget of ${broken.limit} has no room for this step`,
        broken,
      );
      queue.push({
        path,
        event: {
          type: `xstate.done.actor.${id}`,
          actorId: id,
          output: { ok: false, failure: refused },
        },
      });
      return;
    }
    if (!isFree(cost)) next.ledger = reserve(next.ledger, cost);
    const scope = scopeOf(path);
    const held =
      source !== 'alarm' &&
      Object.values(next.effects).some(other => blocks(other) && scopeOf(other.path) === scope);
    const effect: EffectEntry = {
      key,
      path,
      id,
      source,
      input: input ?? null,
      class: catalogue.classify(source, input),
      state: held ? 'held' : 'open',
      reserved: cost,
    };
    setEffect(effect);
    if (!held) start.push(effect);
  };

  const perform = (path: string, action: Action) => {
    const params = action.params ?? {};
    switch (action.type) {
      case 'xstate.spawnChild': {
        // `params.id` may still be the function that computes the id; only the reference has it resolved.
        const { id } = params['actorRef'] as { id: string };
        return spawn(path, id, String(params['src']), params['input']);
      }
      case 'xstate.stopChild': {
        const id = String(params.id);
        if (next.actors[`${path}/${id}`]) return removeTree(`${path}/${id}`);
        for (const effect of Object.values(next.effects))
          if (effect.path === path && effect.id === id) stopEffect(effect);
        return;
      }
      case 'xstate.sendTo': {
        const target = `${path}/${String(params['targetId'])}`;
        queue.push({ path: target, event: params.event as MachineEvent });
        return;
      }
      case 'xstate.emit': {
        if (path === run.root) return void emitted.push(params.event as MachineEvent);
        const cut = path.lastIndexOf('/');
        queue.push({
          path: path.slice(0, cut),
          event: {
            ...(params.event as MachineEvent),
            from: path.slice(cut + 1),
          },
        });
        return;
      }
      case 'xstate.raise':
        return;
      case 'journal':
        journal.push(params as unknown as JournalLine);
        return;
      case 'put':
        rows.set(String(params['key']), params['value']);
        return;
      default:
        throw new Error(`machine asked for the unknown action "${action.type}"`);
    }
  };

  const settleActor = (
    path: string,
    name: string,
    snapshot: AnyMachineSnapshot,
    actions: readonly Action[],
  ) => {
    if (snapshot.status === 'error')
      throw snapshot.error instanceof Error ? snapshot.error : new Error(String(snapshot.error));
    const machine = catalogue.machines[name]!;
    const before = next.actors[path];
    const entry = persist(name, catalogue, machine, snapshot, step);
    next.actors[path] = entry;
    touched.add(path);
    for (const [key, rowKey] of Object.entries(catalogue.apart[name] ?? {})) {
      const value = entry.apart[key];
      if (value !== undefined && value !== null && value !== before?.apart[key])
        rows.set(rowKey(value as never), value);
    }
    for (const action of actions) perform(path, action);
    if (snapshot.status !== 'done') return;
    removeTree(path);
    if (path === run.root) {
      next.output = snapshot.output ?? null;
      return;
    }
    const cut = path.lastIndexOf('/');
    const id = path.slice(cut + 1);
    queue.push({
      path: path.slice(0, cut),
      event: {
        type: `xstate.done.actor.${id}`,
        actorId: id,
        output: snapshot.output,
      },
    });
  };

  const begin = (path: string, name: string, input: unknown) => {
    at = { machine: name, path, event: 'start' };
    if (next.actors[path]) throw new Error(`the address ${path} is taken`);
    const [snapshot, actions] = firstStep<Action>(catalogue.machines[name]!, input);
    settleActor(path, name, snapshot, actions);
  };

  const deliver = (path: string, event: MachineEvent) => {
    const entry = next.actors[path];
    // The addressee ended while the message was under way: nobody is left to tell.
    if (!entry) return;
    at = { machine: entry.machine, path, event: event.type };
    const machine = catalogue.machines[entry.machine]!;
    const [snapshot, actions] = nextStep<Action>(machine, restore(machine, entry), event);
    settleActor(path, entry.machine, snapshot, actions);
  };

  const releaseHeld = (scope: string) => {
    if (Object.values(next.effects).some(effect => blocks(effect) && scopeOf(effect.path) === scope)) return;
    for (const effect of Object.values(next.effects)) {
      if (effect.state !== 'held' || scopeOf(effect.path) !== scope) continue;
      const opened: EffectEntry = { ...effect, state: 'open' };
      setEffect(opened);
      start.push(opened);
    }
  };

  const enter = () => {
    switch (outside.type) {
      case 'start':
        return begin(run.root, outside.machine, outside.input);
      case 'command':
        return void queue.push({ path: run.root, event: outside.event });
      case 'recovered':
        for (const key of outside.keys) {
          const effect = next.effects[key];
          if (effect) next.ledger = charge(next.ledger, effect.reserved);
        }
        for (const effect of Object.values(next.effects))
          if (effect.state === 'held') releaseHeld(scopeOf(effect.path));
        return;
      case 'settled': {
        const effect = next.effects[outside.key];
        // A late result of an effect that no longer exists: dropped by its key.
        if (!effect) return;
        const used = outside.used === 'unknown' ? effect.reserved : (outside.used ?? NO_COST);
        next.ledger = settle(next.ledger, effect.reserved, used);
        dropEffect(effect.key);
        if (effect.state === 'stopping') return releaseHeld(scopeOf(effect.path));
        queue.push({
          path: effect.path,
          event: {
            type: `xstate.done.actor.${effect.id}`,
            actorId: effect.id,
            output: outside.output,
          },
        });
      }
    }
  };

  try {
    enter();
    for (let steps = 0; queue.length > 0; steps++) {
      if (steps >= MAX_STEPS) throw new RunawayError();
      const message = queue.shift()!;
      deliver(message.path, message.event);
    }
  } catch (error) {
    const code = error instanceof RunawayError ? 'runaway' : 'fault';
    const message = error instanceof Error ? error.message : String(error);
    return {
      next: run,
      rows: [],
      start: [],
      stop: [],
      journal: [],
      emitted: [],
      fault: { code, ...at, message },
    };
  }

  for (const path of touched) rows.set(`a/${path}`, actorRow(catalogue, next.actors[path]!));
  if (next.ledger !== run.ledger) rows.set('ledger', next.ledger);
  return {
    next,
    rows: [...rows].map(([key, value]) => ({ key, value })),
    start,
    stop,
    journal,
    emitted,
  };
}

class RunawayError extends Error {
  constructor() {
    super(`more than ${MAX_STEPS} internal steps for one event`);
  }
}

/** A run before its first event. */
export const newRun = (id: string, root: string, ledger: Ledger): Run => ({
  id,
  root,
  step: 0,
  actors: {},
  effects: {},
  ledger,
});
