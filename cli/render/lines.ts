/** One journal event as one plain line, for logs and for terminals that cannot repaint. */
import type { JournalEvent } from '../../actors/loom.ts';
import { type Data, errorText, num, str, strings } from './data.ts';
import { plusMinus } from './diff.ts';
import { clip, oneLine } from './width.ts';
import { count, duration, mark, type Paint } from './words.ts';

const MAX = 300;

/** Null for events that say nothing to a person while a run goes on. */
export function eventLine(event: JournalEvent, paint: Paint): string | null {
  const text = sentence(event, paint);
  return text === null ? null : `${paint.dim(`[${event.task_id.slice(0, 4)}]`)} ${text}`;
}

/** Like `eventLine`, but every event has a line: for `loom logs`. */
export function logLine(event: JournalEvent, paint: Paint): string {
  const time = paint.dim(`${String(event.seq).padStart(4)}  ${event.timestamp.slice(11, 19)}`);
  const text =
    sentence(event, paint) ?? paint.dim(`· ${event.event_type} ${detailsOf(event.data)}`.trimEnd());
  return `${time}  ${text}`;
}

const detailsOf = (data: Data): string =>
  clip(
    Object.entries(data)
      .filter(([, value]) => value !== null && value !== '' && typeof value !== 'object')
      .map(([key, value]) => `${key}=${oneLine(String(value))}`)
      .join(' '),
    MAX,
  );

function sentence({ event_type, data }: JournalEvent, paint: Paint): string | null {
  const text = (key: string) => clip(oneLine(str(data, key)), MAX);
  const id = oneLine(str(data, 'subtask_id'));
  const why = (...keys: string[]) => keys.map(text).find(Boolean) ?? '';
  switch (event_type) {
    case 'task_planning':
      return `${mark('running', paint)} planning: ${text('goal')}`;
    case 'task_plan_ready':
      return `${mark('running', paint)} plan${num(data, 'version') > 1 ? ` ${num(data, 'version')}` : ''}: ${count(num(data, 'subtask_count'), 'subtask')}: ${clip(strings(data, 'subtask_ids').map(oneLine).join(', '), MAX)}`;
    case 'task_plan_degraded':
      return `${mark('retrying', paint)} no usable plan (${text('reason_code')}): ${why('detail')}`;
    case 'task_replanning':
      return `${mark('retrying', paint)} planning again: ${why('reason')}`;
    case 'task_replan_rejected':
      return `${mark('retrying', paint)} the new plan is unusable: ${why('validation_error')}`;
    case 'tool_call_repaired':
      return `${mark('retrying', paint)} ${id}  ${text('tool')}: arguments repaired (${strings(data, 'repaired').map(oneLine).join(', ')})`;
    case 'approval_stale':
      return `${mark('skipped', paint)} an answer came too late: ${text('question_id')} is no longer open`;
    case 'changes_undone':
      return `${mark('done', paint)} undone: ${clip(strings(data, 'files_changed').map(oneLine).join(', '), MAX)} (loom redo ${text('undo_id')} takes that back)`;
    case 'changes_redone':
      return `${mark('done', paint)} redone: ${clip(strings(data, 'files_changed').map(oneLine).join(', '), MAX)} (loom undo ${text('undo_id')} takes that back)`;
    case 'subtask_started':
      return `${mark('running', paint)} ${id}  started`;
    case 'model_tier_chosen':
      // The plan's own tier says nothing to a person.
      return str(data, 'reason') === 'learned'
        ? `${mark('running', paint)} ${id || oneLine(str(data, 'role'))}  starts at tier ${num(data, 'tier')} (${text('alias')}), as learned: ${why('detail')}`
        : null;
    case 'memory_extracted':
      return text('error')
        ? `${mark('skipped', paint)} ${id}  nothing noted for later subtasks: ${why('error')}`
        : null;
    case 'model_invocation':
      return modelLine(data, id, paint);
    case 'tool_call_completed':
      return toolLine(data, id, paint);
    case 'verification_outcome':
      return data['passed'] === true
        ? `${mark('done', paint)} ${id}  verified: ${text('outcome')}, tier ${num(data, 'tier')}, confidence ${num(data, 'confidence').toFixed(2)}`
        : `${mark('failed', paint)} ${id}  not verified: ${why('reason_code', 'outcome')}: ${why('feedback')}`;
    case 'subtask_retrying':
      return `${mark('retrying', paint)} ${id}  attempt ${num(data, 'attempt')}: ${why('feedback', 'reason_code')}`;
    case 'subtask_completed':
      return `${mark('done', paint)} ${id}  done: ${why('summary')}`;
    case 'remediation_queued':
      return `${mark('waiting', paint)} ${id}  to be followed up: ${why('reason_code')}`;
    case 'remediation_attempt':
      return `${mark('retrying', paint)} ${id}  follow-up ${String(data['attempt'])} of ${String(data['max_attempts'])}: ${why('phase')}`;
    case 'remediation_terminal':
      return `${mark(data['state'] === 'resolved' || data['state'] === 'pruned' ? 'done' : 'skipped', paint)} ${id}  follow-up ${why('state')}`;
    case 'subtask_failed':
      return `${mark('failed', paint)} ${id}  failed: ${why('feedback', 'reason_code')}`;
    case 'task_stalled':
      return `${mark('failed', paint)} nothing can go on`;
    case 'approval_requested':
      return `${mark('asking', paint)} ${id}  asks: ${why('proposed_action', 'reason')}${text('proposed_action') && text('reason') ? ` (${text('reason')})` : ''}`;
    case 'approval_received':
      return `${mark(data['approved'] === false ? 'failed' : 'done', paint)} ${id}  answered: ${why('answer')}${text('reason') ? ` (${text('reason')})` : ''}`;
    case 'task_run_recovered':
      return `${mark('running', paint)} continues where it had stopped`;
    case 'task_budget_overspent':
      return `${mark('failed', paint)} ${why('message')}`;
    case 'task_budget_exhausted':
      return `${mark('failed', paint)} stopped: ${why('message')}`;
    case 'steer_instruction':
      return `${mark('running', paint)} told: ${why('instruction')}`;
    case 'task_paused':
      return `${mark('waiting', paint)} paused`;
    case 'task_resumed':
      return `${mark('running', paint)} resumed`;
    case 'task_completed':
      return `${mark('done', paint)} completed`;
    case 'task_failed':
      return `${mark('failed', paint)} failed${errorText(data) ? `: ${clip(oneLine(errorText(data)), MAX)}` : ''}`;
    case 'task_cancelled':
      return `${mark('skipped', paint)} cancelled`;
    case 'task_parked':
      return `${mark('waiting', paint)} stopped (${text('reason')}): ${why('message')}`;
    default:
      return null;
  }
}

function modelLine(data: Data, id: string, paint: Paint): string | null {
  const who = id || oneLine(str(data, 'role'));
  const phase = str(data, 'phase');
  const error = clip(oneLine(errorText(data)), MAX);
  if (phase === 'retry') return `${mark('retrying', paint)} ${who}  asks the model again: ${error}`;
  if (phase === 'failed') return `${mark('failed', paint)} ${who}  the model did not answer: ${error}`;
  if (data['prompt_truncated'])
    return `${mark('retrying', paint)} ${who}  the server cut the prompt silently; raise context_tokens of ${oneLine(str(data, 'alias'))}`;
  return null;
}

function toolLine(data: Data, id: string, paint: Paint): string {
  const good = data['success'] === true;
  const parts = [
    `${oneLine(str(data, 'tool'))} ${clip(oneLine(str(data, 'subject')), 120)}`.trimEnd(),
    plusMinus(str(data, 'diff'), paint),
    ...(num(data, 'duration_ms') >= 1_000 ? [paint.dim(duration(num(data, 'duration_ms')))] : []),
    ...(data['repaired'] ? [paint.dim('(arguments repaired)')] : []),
  ].filter(Boolean);
  const line = `${mark(good ? 'done' : 'failed', paint)} ${id}  ${parts.join(' ')}`;
  return good ? line : `${line}: ${clip(oneLine(errorText(data)), MAX)}`;
}
