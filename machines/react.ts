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
import {
  add,
  type Lack,
  type Ledger,
  lacking,
  lackMessage,
  ledgerRows,
  NO_COST,
  overspent,
  overspentMessage,
  reserve,
  settle,
} from './budget.ts';
import { failure } from './failure.ts';
import { firstStep, nextStep } from './pure-step.ts';
import type { Fault, JournalLine, MachineEvent, Outside, Reaction, Run } from './run.ts';

export type { Fault, JournalLine, MachineEvent, Outside, Reaction, Run };
export { type ActorEntry, actorRow, type Catalogue, type EffectEntry };

const MAX_STEPS = 1_000;

/** Where predecessors and successors of the same work meet: the subtask's address without its incarnation, and that of
 *  its follow-ups (`r:`); a session works on one thing at a time, so all of it. */
const scopeOf = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('session/') ? 2 : 3)
    .join('/')
    .replace(/@\d+$/, '')
    .replace(/\/r:/, '/s:');

/** Whose account an effect at this address is booked on, besides the task's: the id of its subtask, over all incarnations. */
export const accountOf = (path: string): string | null =>
  /^[^/]+\/[^/]+\/[sr]:(.+?)@\d+(?:\/|$)/.exec(path)?.[1] ?? null;

/** Of a stopped turn of a session, what had arrived of an answer is written before anything else goes on. */
const blocks = ({ state, class: kind, path }: EffectEntry): boolean =>
  state === 'stopping' && (kind !== 'repeatable' || path.startsWith('session/'));

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
    const pending = start.indexOf(effect);
    if (effect.source === 'alarm' || effect.state === 'held' || pending >= 0) {
      // A clock does nothing, and what never ran cannot settle later: the intent simply goes.
      next.ledger = settle(next.ledger, accountOf(effect.path), effect.reserved, NO_COST);
      dropEffect(effect.key);
      if (pending >= 0) start.splice(pending, 1);
      else if (effect.state !== 'held') stop.push(effect);
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

  const tell = (path: string, id: string, output: unknown) =>
    void queue.push({ path, event: { type: `xstate.done.actor.${id}`, actorId: id, output } });

  /** Too little left: it does not start, and its actor is told why. */
  const refuse = (path: string, id: string, lack: Lack) => {
    const { passing, ...detail } = lack;
    tell(path, id, { ok: false, failure: failure('terminal', 'budget', lackMessage(lack), detail) });
  };

  /** A predecessor that was told to stop may still change the world. */
  const hindered = (path: string): boolean =>
    Object.values(next.effects).some(other => blocks(other) && scopeOf(other.path) === scopeOf(path));

  const spawn = (path: string, id: string, source: string, input: unknown) => {
    if (catalogue.machines[source]) return begin(`${path}/${id}`, source, input);
    const key = `${path}|${step}|${index++}`;
    const cost = catalogue.worst(source, input);
    const lack = lacking(next.ledger, accountOf(path), cost);
    if (lack && !lack.passing) return refuse(path, id, lack);
    if (!lack) next.ledger = reserve(next.ledger, accountOf(path), cost);
    const held = lack !== null || (source !== 'alarm' && hindered(path));
    const effect: EffectEntry = {
      key,
      path,
      id,
      source,
      input: input ?? null,
      class: catalogue.classify(source, input),
      state: held ? 'held' : 'open',
      ...(lack ? { reserved: NO_COST, wants: cost } : { reserved: cost }),
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
        const above = path.slice(0, cut);
        const event = params.event as MachineEvent;
        // A turn tells where it is, which a session follows and a subtask has no use for.
        const parent = catalogue.machines[next.actors[above]?.machine ?? ''];
        if (parent?.events.includes(event.type))
          queue.push({ path: above, event: { ...event, from: path.slice(cut + 1) } });
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
    tell(path.slice(0, cut), path.slice(cut + 1), snapshot.output);
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

  /** Lets held effects begin, the oldest first: their predecessors have settled and there is room for their worst case. */
  const releaseHeld = () => {
    for (const effect of Object.values(next.effects)) {
      if (effect.state !== 'held' || hindered(effect.path)) continue;
      const { wants, ...rest } = effect;
      const account = accountOf(effect.path);
      const lack = wants ? lacking(next.ledger, account, wants) : null;
      if (lack?.passing) continue;
      if (lack) {
        dropEffect(effect.key);
        refuse(effect.path, effect.id, lack);
        continue;
      }
      if (wants) next.ledger = reserve(next.ledger, account, wants);
      const opened: EffectEntry = { ...rest, state: 'open', reserved: wants ?? effect.reserved };
      setEffect(opened);
      start.push(opened);
    }
  };

  /** What a lost execution used is charged at worst case; running it again needs room once more. */
  const repeat = (effect: EffectEntry) => {
    const { reserved } = effect;
    const account = accountOf(effect.path);
    if (!lacking(next.ledger, account, reserved))
      return void (next.ledger = reserve(next.ledger, account, reserved));
    setEffect({ ...effect, state: 'held', reserved: NO_COST, wants: reserved });
  };

  const enter = () => {
    switch (outside.type) {
      case 'start':
        return begin(run.root, outside.machine, outside.input);
      case 'reserve': {
        const effect = next.effects[outside.key];
        if (effect?.state !== 'open' || lacking(next.ledger, accountOf(effect.path), outside.cost)) return;
        next.ledger = reserve(next.ledger, accountOf(effect.path), outside.cost);
        return setEffect({ ...effect, reserved: add(effect.reserved, outside.cost) });
      }
      case 'command':
        return void queue.push({ path: run.root, event: outside.event });
      case 'recovered': {
        const lost = outside.keys.flatMap(key => next.effects[key] ?? []);
        for (const { path, reserved } of lost)
          next.ledger = settle(next.ledger, accountOf(path), reserved, reserved);
        return lost.forEach(repeat);
      }
      case 'settled': {
        const effect = next.effects[outside.key];
        // A late result of an effect that no longer exists: dropped by its key.
        if (!effect) return;
        const used = outside.used === 'unknown' ? effect.reserved : (outside.used ?? NO_COST);
        const account = accountOf(effect.path);
        next.ledger = settle(next.ledger, account, effect.reserved, used, outside.ms);
        // Whoever counted it counted more than anybody could have known before; that must not go by unseen.
        for (const over of overspent(run.ledger, next.ledger, account))
          journal.push({
            event_type: 'task_budget_overspent',
            data: {
              ...over,
              source: effect.source,
              reserved: effect.reserved,
              used,
              message: overspentMessage(over, effect.source, effect.reserved, used),
            },
          });
        dropEffect(effect.key);
        // Before its actor is told: whoever waits for room has waited longer than what that actor asks for next.
        releaseHeld();
        if (effect.state !== 'stopping') tell(effect.path, effect.id, outside.output);
      }
    }
  };

  try {
    enter();
    for (let steps = 0; ; steps++) {
      if (queue.length === 0) releaseHeld();
      const message = queue.shift();
      if (!message) break;
      if (steps >= MAX_STEPS) throw new RunawayError();
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
  if (next.ledger !== run.ledger)
    for (const { key, value } of ledgerRows(run.ledger, next.ledger)) rows.set(key, value);
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
