/** What the outside reads of a run: its status, exit code and terminal event. */
import type { Lack } from '../machines/budget.ts';
import { failure } from '../machines/failure.ts';
import type { JournalLine, Run } from '../machines/react.ts';
import type { TaskOutput } from '../machines/task.ts';
import type { ParkReason, RunStatus } from '../store/port.ts';

/** Exit codes are a contract: 0 is only ever a result that was verified. */
export function exitCodeOf(output: TaskOutput): number {
  if (output.status === 'completed' || output.status === 'planned') return 0;
  return output.status === 'cancelled' ? 7 : 1;
}

export function exitCodeOfParked(reason: ParkReason): number {
  const codes: Partial<Record<ParkReason, number>> = {
    waiting: 3,
    paused: 3,
    auth: 4,
    no_model: 5,
    budget: 6,
    interrupted: 130,
  };
  return codes[reason] ?? 1;
}

/** The status of a live run, from the state its root is in. */
export function headStatus(run: Run, otherwise: RunStatus): RunStatus {
  const value = (run.actors[run.root]?.snapshot as { value?: unknown } | undefined)?.value;
  if (value === undefined) return otherwise;
  if (typeof value === 'string') {
    if (value === 'planning' || value === 'stuck' || value === 'planned' || value === 'degrading')
      return 'planning';
    return value === 'askingToDegrade' ? 'waiting_approval' : 'executing';
  }
  return (value as { executing?: string }).executing === 'paused' ? 'paused' : 'executing';
}

export function terminalLine(output: TaskOutput): JournalLine {
  if (output.status === 'failed') {
    const reason = output.failure ?? failure('terminal', 'unknown', 'no reason was recorded');
    return { event_type: 'task_failed', data: { error: { code: reason.code, message: reason.message } } };
  }
  if (output.status === 'cancelled') return { event_type: 'task_cancelled', data: {} };
  return { event_type: 'task_completed', data: output.status === 'planned' ? { plan_only: true } : {} };
}

/** A budget is spent: which one and its limit where that is known, and all that was used so far. */
export function exhaustedLine({ ledger }: Run, message: string, lack: Partial<Lack> = {}): JournalLine {
  const { tokens, usd, model_calls, tool_calls } = ledger.spent;
  const { budget_name = null, limit = null, observed = null, subtask_id = null } = lack;
  const account = subtask_id === null ? ledger : (ledger.subtasks[subtask_id] ?? ledger);
  const spent =
    budget_name === null ? null : budget_name === 'seconds' ? observed : account.spent[budget_name];
  const snapshot = { total_tokens: tokens, cost_usd: usd, model_invocations: model_calls, tool_calls };
  return {
    event_type: 'task_budget_exhausted',
    data: { budget_name, limit, spent, observed, subtask_id, message, snapshot },
  };
}

export const TERMINAL_EVENTS = ['task_completed', 'task_failed', 'task_cancelled'];
