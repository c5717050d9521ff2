/** Reads a run's rows into the objects that people, scripts and servers get. Read-only. */
import type { Ledger } from '../machines/budget.ts';
import { type Plan, STATUS_NAMES, type StatusLetter } from '../machines/plan.ts';
import type { EffectEntry } from '../machines/react.ts';
import type { SubtaskRecord } from '../machines/subtask.ts';
import type { RunHead } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import { inForce } from '../tools/undo.ts';
import { type SubtaskSummary, taskRows } from './effects/rows.ts';
import { estimateOf } from './estimate.ts';
import type { JournalEvent, Question, RunResult, SubtaskReport, TaskSummary, UsageReport } from './loom.ts';
import { questionDetail } from './question-detail.ts';
import { describeQuestion } from './questions.ts';
import { exitCodeOfParked } from './status.ts';
import type { TaskRecord } from './task-record.ts';

export const isOver = (head: RunHead): boolean => head.exit_code !== undefined;

export async function summaryOf(store: StoreReader, head: RunHead): Promise<TaskSummary> {
  const lease = await store.lease(head.id);
  return {
    task_id: head.id,
    status: head.status,
    goal: head.goal,
    workspace: head.workspace,
    created_at: head.created_at,
    updated_at: head.updated_at,
    exit_code: head.exit_code ?? (head.parked ? exitCodeOfParked(head.parked.reason) : null),
    live: lease.state === 'live',
    parked: head.parked ?? null,
  };
}

export async function openQuestions(store: StoreReader, head: RunHead): Promise<Question[]> {
  if (isOver(head)) return [];
  const effects = await store.range<EffectEntry>(head.id, 'e/');
  // A journal may be long; most runs wait for nobody.
  if (!effects.some(row => row.value.source === 'question')) return [];
  const asked = new Map(
    (await store.range<JournalEvent>(head.id, 'j/'))
      .filter(row => row.value.event_type === 'approval_requested')
      .map(row => [String(row.value.data['question_id']), row.value.timestamp]),
  );
  const open = effects.filter(row => row.value.source === 'question' && row.value.state === 'open');
  return Promise.all(
    open.map(async row => {
      const question = describeQuestion(head.id, row.value, head.updated_at);
      const detail = await questionDetail(store, head.id, question.call);
      return { ...question, detail, asked_at: asked.get(question.id) ?? head.updated_at };
    }),
  );
}

async function newestPlan(store: StoreReader, run: string): Promise<Plan | null> {
  const [row] = await store.range<Plan>(run, 'plan/', { reverse: true, limit: 1 });
  return row?.value ?? null;
}

async function subtasksOf(store: StoreReader, head: RunHead): Promise<SubtaskReport[]> {
  const plan = await newestPlan(store, head.id);
  if (!plan) return [];
  const root = await store.get<{ snapshot: { context: { status?: string } } }>(head.id, `a/task/${head.id}`);
  const letters = root?.snapshot.context.status ?? '';
  const records = new Map(
    (await store.range<SubtaskRecord>(head.id, 's/')).map(row => [row.key.slice(2), row.value]),
  );
  const summaries = new Map(
    (await store.range<SubtaskSummary>(head.id, 'sum/')).map(row => [row.key.slice(4), row.value]),
  );
  return plan.subtasks.map((node, i) => {
    const record = records.get(node.id);
    const letter = letters[i] as StatusLetter | undefined;
    const { outcome, reason_code, confidence, independent } = record?.verification ?? {};
    // While the run is alive the task knows best; afterwards the records do, and what has none was never begun.
    const status = letter
      ? STATUS_NAMES[letter]
      : (record?.status ?? (isOver(head) && head.status !== 'pending' ? 'skipped' : 'pending'));
    return {
      id: node.id,
      status,
      description: node.description,
      depends_on: node.depends_on,
      attempts: record?.attempts ?? 0,
      verification: outcome
        ? {
            outcome,
            reason_code: reason_code ?? '',
            confidence: confidence ?? 0,
            independent: independent ?? false,
          }
        : null,
      summary: summaries.get(node.id)?.summary ?? record?.failure?.message ?? '',
    };
  });
}

function usageOf(events: JournalEvent[], ledger: Ledger | null, record: TaskRecord | null): UsageReport {
  const calls = events.filter(
    event => event.event_type === 'model_invocation' && event.data['phase'] === 'done',
  );
  const sum = (field: string): number =>
    calls.reduce((total, event) => total + Number(event.data[field] ?? 0), 0);
  const priced = calls.every(event => {
    const model = record?.config.models[String(event.data['alias'])];
    return model !== undefined && (model.price_input !== null || model.provider === 'scripted');
  });
  return {
    input_tokens: sum('input_tokens'),
    output_tokens: sum('output_tokens'),
    model_calls: calls.length,
    cost_usd: priced ? Math.round((ledger?.spent.usd ?? 0) * 1e6) / 1e6 : null,
  };
}

/** The result object of a run in whatever state it is. */
export async function resultOf(store: StoreReader, head: RunHead): Promise<RunResult> {
  const run = head.id;
  const [record, ledger, summary, subtasks, journal, changelog, questions] = await Promise.all([
    store.get<TaskRecord>(run, 'task'),
    store.get<Ledger>(run, 'ledger'),
    store.get<string>(run, 'summary'),
    subtasksOf(store, head),
    store.range<JournalEvent>(run, 'j/'),
    taskRows(store, run).changelog(),
    openQuestions(store, head),
  ]);
  const events = journal.map(row => row.value);
  const failed = events.findLast(event => event.event_type === 'task_failed')?.data['error'] as
    | { code: string; message: string }
    | undefined;
  const error =
    failed ?? (head.parked ? { code: head.parked.reason, message: head.parked.message } : undefined);
  const plan = await newestPlan(store, run);
  const files = changelog.filter(inForce).flatMap(entry => entry.changes.map(change => change.path));
  const done = new Set(subtasks.filter(subtask => subtask.status === 'completed').map(subtask => subtask.id));
  const deliverables =
    plan?.subtasks.filter(node => done.has(node.id)).flatMap(node => node.deliverables) ?? [];
  return {
    type: 'result',
    task_id: run,
    status: head.status,
    exit_code: head.exit_code ?? (head.parked ? exitCodeOfParked(head.parked.reason) : 1),
    goal: record?.goal ?? head.goal,
    workspace: head.workspace,
    summary: summary ?? error?.message ?? '',
    subtasks,
    deliverables: [...new Set(deliverables)],
    files_changed: [...new Set(files)].sort(),
    usage: usageOf(events, ledger, record),
    duration_ms: Math.max(0, Date.parse(head.updated_at) - Date.parse(head.created_at)),
    ...(error ? { error } : {}),
    ...(questions.length > 0 ? { questions } : {}),
    ...(record?.settings.plan_only ? { plan_only: true as const } : {}),
    ...(record?.settings.plan_only && plan
      ? { estimate: estimateOf(plan, record.config, record.settings.subtask.votes) }
      : {}),
  };
}

/** The run that `id` names: a full id or a prefix that only one run has. */
export async function findRun(store: StoreReader, id: string): Promise<RunHead | 'ambiguous' | null> {
  const exact = await store.head(id);
  if (exact) return exact;
  if (id === '') return null;
  const matching = (await store.runs()).filter(head => head.id.startsWith(id));
  if (matching.length > 1) return 'ambiguous';
  return matching[0] ?? null;
}
