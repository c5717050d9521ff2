/** What a host is given, what it can be asked, and how it ends. Implemented in `host.ts`. */
import type { Lack } from '../machines/budget.ts';
import type { Catalogue, EffectEntry, MachineEvent, Outside, Run } from '../machines/react.ts';
import type { TaskOutput } from '../machines/task.ts';
import type { Lease, ParkReason, Row, RunHead, Store } from '../store/port.ts';
import type { Effect, EffectResult } from './effect.ts';
import type { Answer, JournalEvent, Preview, Question } from './events.ts';
import type { Ask } from './question-desk.ts';

export interface HostOptions {
  store: Store;
  lease: Lease;
  head: RunHead;
  run: Run;
  catalogue: Catalogue;
  effects: Record<string, Effect>;
  /** Rows that follow from those of a reaction and are committed with them. */
  derive?: (rows: Row[]) => Promise<Row[]>;
  /** Checkpoints of executions that a crash cut off, by effect key. */
  recovered?: Map<string, unknown>;
  onEvent?: (event: JournalEvent) => void;
  onPreview?: (preview: Preview) => void;
  onQuestion?: Ask;
  /** It waits here for what is said to it next, instead of being left parked; when its root is done it is closed. */
  resident?: boolean;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** How the host ended: the root is done, the run is parked, or somebody else owns it now. */
export type HostEnd =
  | { kind: 'done'; output: TaskOutput; exit_code: number }
  | { kind: 'parked'; reason: ParkReason; message: string; questions: Question[] }
  | { kind: 'lost' };

/** What a crash cut off and what becomes of it, as `restore.ts` decided. */
interface Unfinished {
  rerun: EffectEntry[];
  settled: { effect: EffectEntry; result: EffectResult }[];
}

export interface Host {
  /** Starts the work with the first events; resolves when the run stands still or is over. */
  begin(first: Outside[], unfinished?: Unfinished): Promise<HostEnd>;
  /** Stops at a point from which `resume` goes on; what was running is aborted. `lack`: the budget that is spent. */
  interrupt(reason: ParkReason, message: string, lack?: Partial<Lack>): void;
  /** A command to the root. Resolves when it is committed, together with `rows`; rejects when the run has ended. */
  tell(event: MachineEvent, rows?: Row[]): Promise<void>;
  /** Resolves when everything that has come so far was reacted to. */
  reacted(): Promise<void>;
  /** False: no such question is open. */
  answer(question: string, answer: Answer, rows?: Row[]): boolean;
  readonly questions: Question[];
  /** State and context of the root as last committed; null when it is done. */
  root(): { value: unknown; context: Record<string, unknown> } | null;
}
