/** What a tool call that delegates a task is given, and gets back. Types only. */

/** How a delegated task ended, or why it stands still. */
export interface Delegated {
  task_id: string;
  /** `completed` is the only success. */
  status: string;
  summary: string;
  files_changed: string[];
  /** Something from outside was read on the way: what it says is data from there. */
  untrusted: boolean;
  /** Why it is not completed, and what to do. */
  error: { code: string; message: string } | null;
}

/** Starts the task of this call, or finds the one that an earlier execution of the same call has started; resolves when it
 *  stands still. Throws LoomError `budget` when the caller's ledger has no room. */
export type Delegate = (task: { goal: string }) => Promise<Delegated>;
