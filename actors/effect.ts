/** What an effect is to the host: given an intent and some powers, it settles exactly once, as data. */
import type { Cost, Lack } from '../machines/budget.ts';
import type { EffectEntry, JournalLine } from '../machines/react.ts';
import type { Row } from '../store/port.ts';

export interface EffectContext {
  /** Aborts on cancel, deadline and interrupt; the effect settles within 1 s or is settled without it. */
  signal: AbortSignal;
  /** Committed (fenced, without a rev) before it resolves; given back as `recovered` when a crash made Loom repeat the key. */
  checkpoint(value: unknown): Promise<void>;
  recovered: unknown;
  /** Remembers a child's process group until the effect settles, so that a successor can kill survivors. */
  child(group: unknown): Promise<void>;
  /** While it waits for something that is not its own work (a lock), the owner's deadlines stand still. */
  waiting(): void;
  running(): void;
  /** Milliseconds until the next deadline above it; Infinity without one. */
  left(): number;
  /** Uses that count however it ends, e.g. of an attempt that was cut off; added to the result's. */
  spend(cost: Cost): void;
  /** Makes the reservation large enough for `cost` beyond what was spent so far. What leaves no room for it, or null. */
  reserve(cost: Cost): Promise<Lack | null>;
  /** Journal lines of what goes on in it, committed at once. */
  tell(lines: JournalLine[]): void;
  /** Shows text that may still be withdrawn. */
  preview(delta: { attempt: number; offset: number; text: string; reset?: true }): void;
}

export interface EffectResult {
  /** The event the machine sees: small, JSON. */
  output: object;
  /** Committed together with the event. */
  rows?: Row[];
  journal?: JournalLine[];
  used?: Cost | 'unknown';
  /** How long it worked, waiting left out; set by the pool. */
  ms?: number;
}

export type Effect = (intent: EffectEntry, context: EffectContext) => Promise<EffectResult>;
