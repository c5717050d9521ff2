/** The store port: everything the host needs from a database, small enough that a second backend can stand behind it.
 *
 *  Rows belong to a run and are JSON values under a string key, ordered by plain string comparison:
 *  `a/<path>` actor · `e/<key>` effect intent · `p/<key>` checkpoint of a running effect · `j/<seq>` journal ·
 *  `plan/<version>` plan · `m/<thread>/<n>` message · `c/<key>` changelog · `r/<subtask>/<path>` last read hash ·
 *  `af/<id>` artifact · `i/<seq>` inbox · `k/<n>` child process group · `learn/<what ended>` lesson, which the commit that brings it also folds
 *  into the global patterns (`lessons.ts`). Numbers in keys are zero-padded (`seqKey`).
 *  Every commit is one transaction: all of its rows or none, on disk when the promise resolves. */

export interface RunHead {
  id: string;
  /** Counts commits of the owner; the next commit must name it. */
  rev: number;
  /** Raised at each claim; a commit with an older fence is refused. */
  fence: number;
  /** Number of the newest journal line. */
  seq: number;
  kind: 'task' | 'session' | 'adhoc';
  status: RunStatus;
  goal: string;
  /** Real path of the workspace. */
  workspace: string;
  created_at: string;
  updated_at: string;
  /** How long processes have worked on it, all of them together; as of the newest commit. */
  active_ms?: number;
  /** The run whose call started it. */
  parent?: string;
  /** Why a run that is neither active nor finished stands still. */
  parked?: { reason: ParkReason; message: string };
  exit_code?: number;
}

export type RunStatus =
  | 'pending'
  | 'planning'
  | 'executing'
  | 'paused'
  | 'waiting_approval'
  | 'completed'
  | 'failed'
  | 'cancelled';

export type ParkReason =
  | 'interrupted'
  | 'paused'
  | 'waiting'
  | 'budget'
  | 'fault'
  | 'runaway'
  | 'unknown_version'
  | 'store'
  | 'no_model'
  | 'auth'
  | 'closed';

export interface Row {
  key: string;
  /** null deletes the row. */
  value: unknown;
}

/** The process that owns a run; pid alone is not an identity, start time and boot id make it one. */
export interface Owner {
  pid: number;
  /** Clock ticks since boot at which the process started (field 22 of /proc/<pid>/stat), '' where unknown. */
  started: string;
  boot: string;
  /** Random per opened store, so that one process may open a store twice in tests. */
  instance: string;
}

export interface Lease {
  run: string;
  fence: number;
  owner: Owner;
}

export type LeaseState =
  | { state: 'free' }
  | { state: 'dead'; owner: Owner }
  | { state: 'live'; owner: Owner; heartbeat: number; stopped: boolean };

export interface Command {
  /** Unique: a command sent twice is consumed once. */
  id: string;
  /** Machine event for the root actor, e.g. {type:'CANCEL'}. */
  event: { type: string; [field: string]: unknown };
  at: string;
}

/** Thrown by commit/checkpoint when another process owns the run by now. The owner must stop and write nothing. */
export class FencedError extends Error {
  constructor(run: string) {
    super(`run ${run} is owned by another process`);
    this.name = 'FencedError';
  }
}

/** Thrown when the store cannot record (disk full, damage); what was recorded stays readable. */
export class StoreWriteError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreWriteError';
  }
}

export interface Store {
  /** Absolute path of the home this store lives in ('' for memory). */
  readonly home: string;
  /** Writes the head and first rows of a new run and its lease, held by this process. Throws when the id exists. */
  create(head: Omit<RunHead, 'fence' | 'rev'>, rows: Row[]): Promise<Lease>;
  /** Takes the run: free or dead at once; live only with `takeover` after watching 8 s of silence. `null`: somebody else's. */
  claim(run: string, options?: { takeover?: boolean; signal?: AbortSignal }): Promise<Lease | null>;
  lease(run: string): Promise<LeaseState>;
  /** Gives the lease back; heartbeats stop. */
  release(lease: Lease): Promise<void>;
  /** One reaction: guarded by fence and `rev` (the head's rev before it); raises rev by one, merges `head`, applies rows. */
  commit(lease: Lease, rev: number, head: Partial<RunHead>, rows: Row[]): Promise<void>;
  /** Fenced rows without a rev: checkpoints of running effects. */
  checkpoint(lease: Lease, rows: Row[]): Promise<void>;
  head(run: string): Promise<RunHead | null>;
  get<T>(run: string, key: string): Promise<T | null>;
  /** Rows whose key starts with `prefix`, in key order, from `from` (a whole key, inclusive) on; with `reverse` from there
   *  downwards. Materialised, no transaction is held. */
  range<T>(
    run: string,
    prefix: string,
    options?: { from?: string; limit?: number; reverse?: boolean },
  ): Promise<{ key: string; value: T }[]>;
  runs(filter?: { workspace?: string }): Promise<RunHead[]>;
  /** Any process: an inbox row, numbered in this transaction, written without a fence. */
  send(run: string, command: Command): Promise<void>;
  /** Calls back soon after another process committed (file watch, 250 ms poll). */
  watch(listener: () => void): () => void;
  /** A small global map outside runs: learned model capabilities, blob reference counts and the like. */
  getGlobal<T>(key: string): Promise<T | null>;
  putGlobal(key: string, value: unknown): Promise<void>;
  locks: WorkspaceLocks;
  close(): Promise<void>;
}

/** One exclusive lock per workspace (real path), FIFO, across runs and processes; a dead holder's ticket is skipped. */
export interface WorkspaceLocks {
  /** Resolves with the release function. `onWait` is called once if it has to queue. Rejects when `signal` aborts. */
  acquire(
    workspace: string,
    holder: string,
    options: { signal: AbortSignal; onWait?: () => void },
  ): Promise<() => Promise<void>>;
}

/** Zero-padded so that string order is number order (10 digits). */
export const seqKey = (n: number): string => String(n).padStart(10, '0');
