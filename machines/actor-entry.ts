/** How actors and effects stand in a run: as plain JSON, with the values stored apart beside the snapshot. */
import { type AnyMachineSnapshot, type AnyStateMachine, createActor } from 'xstate';
import type { Cost } from './budget.ts';
import type { EffectClass } from './effects.ts';

export interface Catalogue {
  machines: Record<string, AnyStateMachine>;
  /** Raised with every change that old snapshots would not survive. */
  versions: Record<string, number>;
  /** Context values with a row of their own: machine → context key → row key of a value. */
  apart: Record<string, Record<string, (value: never) => string>>;
  classify(source: string, input: unknown): EffectClass;
  /** Worst case of one effect, reserved before it starts. */
  worst(source: string, input: unknown): Cost;
}

export interface ActorEntry {
  machine: string;
  version: number;
  /** XState's persisted snapshot without the values stored apart. */
  snapshot: unknown;
  apart: Record<string, unknown>;
  /** Step of the reaction that last changed it. */
  rev: number;
}

export interface EffectEntry {
  /** `<actor path>|<step>|<index>`: stable across restarts, never used twice. */
  key: string;
  path: string;
  id: string;
  source: string;
  input: unknown;
  class: EffectClass;
  /** open: may run · held: waits until stopped predecessors have settled, or for `wants` · stopping: told to stop, not
   *  settled yet. */
  state: 'open' | 'held' | 'stopping';
  reserved: Cost;
  /** Waits until what others have reserved leaves room for this; reserves nothing meanwhile. */
  wants?: Cost;
  /** Alarms: absolute time in ms, written by the host when the intent is committed. */
  at?: number;
}

/** Live snapshots of entries already restored once; a memo, never a source of truth. */
const live = new WeakMap<ActorEntry, AnyMachineSnapshot>();

/** The live form of an entry. */
export function restore(machine: AnyStateMachine, entry: ActorEntry): AnyMachineSnapshot {
  const known = live.get(entry);
  if (known) return known;
  const stored = entry.snapshot as { context: object };
  const copy = { ...stored, context: { ...stored.context } };
  const restored = createActor(machine, { snapshot: copy as never }).getSnapshot() as AnyMachineSnapshot;
  // Values stored apart join after the restore: xstate walks the whole context, and a plan can be large.
  Object.assign(copy.context, entry.apart);
  live.set(entry, restored);
  return restored;
}

/** The stored form of a snapshot; `rev` is the step that made it. */
export function persist(
  name: string,
  catalogue: Catalogue,
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  rev: number,
): ActorEntry {
  const context = { ...(snapshot.context as Record<string, unknown>) };
  const apart: Record<string, unknown> = {};
  for (const key of Object.keys(catalogue.apart[name] ?? {})) {
    apart[key] = context[key];
    delete context[key];
  }
  const stored = machine.getPersistedSnapshot({ ...snapshot, context } as AnyMachineSnapshot);
  const entry: ActorEntry = {
    machine: name,
    version: catalogue.versions[name] ?? 1,
    snapshot: stored,
    apart,
    rev,
  };
  live.set(entry, snapshot);
  return entry;
}

/** The stored form of an actor: values stored apart are named by the key of their row. */
export function actorRow(
  catalogue: Catalogue,
  entry: ActorEntry,
): Omit<ActorEntry, 'apart'> & { apart: Record<string, string> } {
  const apart: Record<string, string> = {};
  for (const [key, rowKey] of Object.entries(catalogue.apart[entry.machine] ?? {})) {
    const value = entry.apart[key];
    if (value !== undefined && value !== null) apart[key] = rowKey(value as never);
  }
  return { ...entry, apart };
}
