/** What the live view knows of a run: journal events folded into one value. */
import type { JournalEvent } from '../../actors/loom.ts';
import { type Data, errorText, num, objects, str, strings } from './data.ts';
import { changed } from './diff.ts';
import { oneLine } from './width.ts';
import type { Mark } from './words.ts';

export interface SubtaskView {
  id: string;
  description: string;
  depends_on: string[];
  mark: Mark;
  attempt: number;
  /** What it does right now, or how it ended. */
  step: string;
  /** Calls that have started and not ended. */
  open: number;
  added: number;
  removed: number;
}

export interface View {
  task_id: string;
  goal: string;
  phase: string;
  /** Highest event folded in; an event seen twice counts once. */
  seq: number;
  subtasks: SubtaskView[];
  input_tokens: number;
  output_tokens: number;
  model_calls: number;
  ended: boolean;
}

export const emptyView: View = {
  task_id: '',
  goal: '',
  phase: 'starting',
  seq: 0,
  subtasks: [],
  input_tokens: 0,
  output_tokens: 0,
  model_calls: 0,
  ended: false,
};

/** Folds one event in; unknown events change nothing but `seq`. */
export function fold(view: View, event: JournalEvent): View {
  if (event.seq <= view.seq) return view;
  const next = { ...view, seq: event.seq, task_id: event.task_id };
  const { data } = event;
  switch (event.event_type) {
    case 'task_planning':
      return { ...next, goal: oneLine(str(data, 'goal')), phase: 'planning' };
    case 'task_plan_ready':
      return { ...next, phase: 'executing', subtasks: planned(objects(data, 'subtasks'), view.subtasks) };
    case 'task_executing':
    case 'task_resumed':
    case 'task_run_recovered':
      return { ...next, phase: next.subtasks.length > 0 ? 'executing' : 'planning', ended: false };
    case 'task_replanning':
      return { ...next, phase: 'replanning' };
    case 'task_paused':
    case 'task_parked':
      return { ...next, phase: event.event_type === 'task_paused' ? 'paused' : 'stopped' };
    case 'task_completed':
    case 'task_failed':
    case 'task_cancelled':
      return { ...next, phase: event.event_type.slice(5), ended: true };
    case 'model_invocation':
      return modelCall(next, data);
    default:
      return withSubtask(next, str(data, 'subtask_id'), subtask => step(subtask, event.event_type, data));
  }
}

function planned(subtasks: Data[], before: SubtaskView[]): SubtaskView[] {
  const known = new Map(before.map(subtask => [subtask.id, subtask]));
  return subtasks.map(data => {
    const id = str(data, 'id');
    const fresh: SubtaskView = {
      id,
      description: oneLine(str(data, 'description')),
      depends_on: strings(data, 'depends_on'),
      mark: 'waiting',
      attempt: 1,
      step: '',
      open: 0,
      added: 0,
      removed: 0,
    };
    const old = known.get(id);
    return old?.mark === 'done' ? { ...fresh, ...old, depends_on: fresh.depends_on } : fresh;
  });
}

function withSubtask(view: View, id: string, change: (subtask: SubtaskView) => SubtaskView): View {
  const at = view.subtasks.findIndex(subtask => subtask.id === id);
  if (at < 0) return view;
  const changedSubtask = change(view.subtasks[at]!);
  return changedSubtask === view.subtasks[at]
    ? view
    : { ...view, subtasks: view.subtasks.with(at, changedSubtask) };
}

function modelCall(view: View, data: Data): View {
  const phase = str(data, 'phase');
  const counted =
    phase === 'done'
      ? {
          ...view,
          input_tokens: view.input_tokens + num(data, 'input_tokens'),
          output_tokens: view.output_tokens + num(data, 'output_tokens'),
          model_calls: view.model_calls + 1,
        }
      : view;
  const verifying = str(data, 'role') === 'verifier';
  return withSubtask(counted, str(data, 'subtask_id'), subtask => {
    if (phase === 'retry') return { ...subtask, step: `model again: ${oneLine(errorText(data))}` };
    if (phase === 'start')
      return { ...subtask, mark: 'running', step: verifying ? 'being verified' : 'thinking' };
    return subtask;
  });
}

/** What an event about one subtask does to its row. */
function step(subtask: SubtaskView, type: string, data: Data): SubtaskView {
  const text = (key: string) => oneLine(str(data, key));
  switch (type) {
    case 'subtask_started':
      return { ...subtask, mark: 'running', step: 'thinking', open: 0 };
    case 'tool_call_started':
      return {
        ...subtask,
        mark: 'running',
        step: `${text('tool')} ${text('subject')}`,
        open: subtask.open + 1,
      };
    case 'tool_call_completed': {
      const { added, removed } = changed(str(data, 'diff'));
      const open = Math.max(0, subtask.open - 1);
      // After the last of its calls the model has the word again.
      const step = open > 0 ? subtask.step : `thinking after ${text('tool')} ${text('subject')}`;
      return { ...subtask, open, step, added: subtask.added + added, removed: subtask.removed + removed };
    }
    case 'verification_outcome':
      return data['passed'] === true
        ? { ...subtask, step: `verified (${text('outcome')})` }
        : { ...subtask, mark: 'retrying', step: `not verified: ${text('feedback') || text('reason_code')}` };
    case 'subtask_retrying': {
      const attempt = num(data, 'attempt') || subtask.attempt + 1;
      return { ...subtask, mark: 'retrying', attempt, step: text('feedback') || text('reason_code') };
    }
    case 'subtask_completed':
      return {
        ...subtask,
        mark: str(data, 'status') === 'skipped' ? 'skipped' : 'done',
        step: text('summary'),
      };
    case 'unconfirmed_data_queued':
      return {
        ...subtask,
        mark: 'retrying',
        step: `not confirmed: ${text('feedback') || text('reason_code')}`,
      };
    case 'remediation_attempt':
      return { ...subtask, mark: 'retrying', step: `follow-up ${num(data, 'attempt')}: ${text('phase')}` };
    case 'remediation_terminal':
      // What was not waited for stays as it was accepted.
      return data['blocking'] === true
        ? subtask
        : { ...subtask, mark: 'done', step: `follow-up ${text('state')}` };
    case 'subtask_failed':
      return { ...subtask, mark: 'failed', step: text('feedback') || text('reason_code') };
    case 'approval_requested':
      return { ...subtask, mark: 'asking', step: text('proposed_action') || text('reason') };
    case 'approval_received':
      return { ...subtask, mark: 'running', step: data['approved'] === false ? 'denied' : 'answered' };
    default:
      return subtask;
  }
}
