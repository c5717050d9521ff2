/** A run as plain JSON, what may happen to it from outside, and what comes of it. */
import type { ActorEntry, EffectEntry } from './actor-entry.ts';
import type { Cost, Ledger } from './budget.ts';

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
  /** `used` undefined: nothing was used; 'unknown': charged at worst case. `ms`: how long it worked. */
  | { type: 'settled'; key: string; output: unknown; used?: Cost | 'unknown'; ms?: number }
  /** A running effect may come to cost more than was reserved: it goes on only when its reservation has grown. */
  | { type: 'reserve'; key: string; cost: Cost }
  | { type: 'command'; event: MachineEvent }
  /** After a crash: these effects will run again; what their lost executions used is charged at worst case. One that has
   *  no room any more is held or refused. Held effects that nothing blocks any more may start. */
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
  /** Effects to abort after the commit: marked `stopping`, but for clocks, which are gone at once. */
  stop: EffectEntry[];
  journal: JournalLine[];
  /** What the root told the host, e.g. that it cannot go on without more budget. */
  emitted: MachineEvent[];
  /** Set: nothing of the reaction may be committed but the parking of the run. */
  fault?: Fault;
}
