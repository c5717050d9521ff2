/** The end of a run for a person: plan with verdicts, files, usage, and what to do next. */
import type { Estimate, FileChange, Question, RunResult, SubtaskReport } from '../../actors/loom.ts';
import { plusMinus } from './diff.ts';
import { depthsOf, treeRows } from './tree.ts';
import { clip, oneLine, pad, safe, width } from './width.ts';
import { compact, count, duration, type Mark, mark, markOf, type Paint, quoted } from './words.ts';

export interface ReportOptions {
  columns: number;
  paint: Paint;
  /** For line counts; without them only paths are listed. */
  changes?: FileChange[];
  /** A process works on it right now. */
  live?: boolean;
  /** false: without the commands that could follow. */
  next?: boolean;
}

/** The whole report, ending in a line break. */
export function report(result: RunResult, options: ReportOptions): string {
  const { paint, columns } = options;
  const kind = result.plan_only ? 'planned' : headlineOf(result);
  const sign = mark(result.plan_only ? 'done' : signOf(result, options), paint);
  // Stopping on purpose or at a question is no error; the blocks below tell what to do.
  const wrong = result.exit_code === 130 || (result.questions ?? []).length > 0 ? undefined : result.error;
  const blocks = [
    `${sign} ${paint.bold(kind)}  ${clip(oneLine(result.goal), columns - width(kind) - 5)}`,
    ...(wrong ? [paint.red(safe(wrong.message))] : []),
    result.plan_only ? planText(result.subtasks, options) : verdictText(result.subtasks, options),
    filesText(result, options),
    ...(result.questions ?? []).map(question => questionText(question, paint)),
    paint.dim(usageText(result)),
    result.estimate ? paint.dim(estimateText(result.estimate)) : '',
    options.next === false ? '' : nextSteps(result).join('\n'),
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

function signOf(result: RunResult, { live }: ReportOptions): Mark {
  if (result.exit_code === 3) return 'asking';
  return markOf(result.status, live === true);
}

function headlineOf(result: RunResult): string {
  if (result.exit_code === 130) return 'interrupted';
  if (result.exit_code === 6) return 'stopped: budget spent';
  if (result.exit_code === 3) return 'stopped at a decision';
  return result.status.replace('_', ' ');
}

/** `verified: pass 0.94` and the like; what was not verified says so. */
function verdictWords(subtask: SubtaskReport, live = false): string {
  const { verification: verdict, attempts } = subtask;
  const tries = attempts > 1 ? ` · ${attempts} attempts` : '';
  if (!verdict && subtask.status === 'running' && !live) return `not finished${tries}`;
  if (!verdict) return `${subtask.status}${tries}`;
  const alone = verdict.independent ? '' : ', same model';
  const reason = verdict.reason_code ? ` ${verdict.reason_code}` : '';
  return `${verdict.outcome.replaceAll('_', ' ')}${reason} ${verdict.confidence.toFixed(2)}${alone}${tries}`;
}

function verdictText(subtasks: SubtaskReport[], { columns, paint, live }: ReportOptions): string {
  const rows = treeRows(subtasks);
  const left = Math.max(0, ...rows.map(row => width(row.branch) + width(row.node.id) + 2));
  return rows
    .map(({ node, branch }) => {
      const label = pad(`${node.id}`, left - width(branch) - 2);
      const verdict = oneLine(verdictWords(node, live));
      const sign = markOf(node.status, live === true);
      const room = columns - left - width(verdict) - 5;
      const summary = room > 10 ? clip(oneLine(node.summary), room) : '';
      return `${paint.dim(branch)}${mark(sign, paint)} ${label}  ${verdict}  ${paint.dim(summary)}`.trimEnd();
    })
    .join('\n');
}

function planText(subtasks: SubtaskReport[], { columns, paint }: ReportOptions): string {
  const lines = treeRows(subtasks).map(({ node, branch, also }) => {
    const after = also.length > 0 ? ` ← ${also.join(', ')}` : '';
    const room = Math.max(20, columns - width(branch + node.id + after) - 3);
    return `${paint.dim(branch)}${paint.bold(node.id)}${paint.dim(after)}  ${clip(oneLine(node.description), room)}`;
  });
  return [...lines, '', paint.dim(shapeOf(subtasks))].join('\n');
}

/** How long the way through the plan is at best, whatever the number of subtasks. */
function shapeOf(subtasks: SubtaskReport[]): string {
  const depth = depthsOf(subtasks);
  const steps = Math.max(0, ...[...depth.values()].map(level => level + 1));
  return `${count(subtasks.length, 'subtask')}, ${count(steps, 'step')} one after the other at least`;
}

/** `12–130 model calls, 30k–1.1M tokens` */
function estimateText({ model_calls, tokens, cost_usd }: Estimate): string {
  const range = ([low, high]: [number, number], show: (n: number) => string) => `${show(low)}–${show(high)}`;
  const short = (n: number) => (n >= 1e6 ? `${(n / 1e6).toFixed(1)}M` : `${Math.round(n / 1000)}k`);
  const money = cost_usd ? `, ${range(cost_usd, n => `$${n.toFixed(2)}`)}` : '';
  return `Estimate to run it: ${range(model_calls, String)} model calls, ${range(tokens, short)} tokens${money}`;
}

const LETTER = { create: 'A', modify: 'M', delete: 'D', rename: 'R' } as const;

function filesText(result: RunResult, { paint, changes }: ReportOptions): string {
  if (changes && changes.length > 0) {
    const lines = foldChanges(changes).map(change => {
      const from = change.from ? `${oneLine(change.from)} -> ` : '';
      const note = change.undoable ? '' : paint.dim(' (cannot be undone)');
      return `  ${LETTER[change.operation]} ${from}${oneLine(change.path)}  ${change.counts(paint)}${note}`.trimEnd();
    });
    return `${paint.bold('Files changed')} in ${result.workspace}\n${lines.join('\n')}`;
  }
  if (result.files_changed.length === 0) return '';
  const paths = result.files_changed.map(path => `  ${oneLine(path)}`);
  return `${paint.bold('Files changed')} in ${result.workspace}\n${paths.join('\n')}`;
}

/** One line per path: the first operation names it, the diffs add up. */
function foldChanges(changes: FileChange[]) {
  const byPath = new Map<string, FileChange[]>();
  for (const change of changes) {
    if (change.undone) continue;
    byPath.set(change.path, [...(byPath.get(change.path) ?? []), change]);
  }
  return [...byPath.values()].map(same => {
    const first = same[0]!;
    const last = same.at(-1)!;
    const operation =
      last.operation === 'delete' ? last.operation : first.operation === 'create' ? 'create' : last.operation;
    return {
      path: last.path,
      from: last.from,
      operation,
      undoable: same.every(change => change.undoable),
      counts: (paint: Paint) => plusMinus(same.map(change => change.diff).join('\n'), paint),
    };
  });
}

/** A question and the commands that answer it. */
export function questionText(question: Question, paint: Paint): string {
  const choices = question.choices.map(oneLine);
  const yesNo = choices.includes('approve') && choices.includes('reject');
  const answers = yesNo
    ? `  loom approve ${question.id}\n  loom reject ${question.id} --reason TEXT`
    : `  loom answer ${question.id} ${choices.length > 0 ? choices.map(quoted).join('|') : 'TEXT'}`;
  const subtask = question.subtask_id ? `${oneLine(question.subtask_id)}: ` : '';
  const risk = question.risk ? `  ${paint.dim(oneLine(question.risk))}\n` : '';
  return `${mark('asking', paint)} ${subtask}${safe(question.prompt)}\n${risk}${answers}`;
}

function usageText({ usage, duration_ms }: RunResult): string {
  const cost =
    usage.cost_usd === null
      ? []
      : [usage.cost_usd === 0 ? '$0' : `$${usage.cost_usd.toFixed(usage.cost_usd < 1 ? 4 : 2)}`];
  return [
    count(usage.model_calls, 'model call'),
    `${compact(usage.input_tokens)} tokens in`,
    `${compact(usage.output_tokens)} out`,
    ...cost,
    duration(duration_ms),
  ].join(' · ');
}

/** Commands that make sense after this result, ready to be pasted. */
export function nextSteps(result: RunResult): string[] {
  const id = result.task_id;
  if (!id) return [];
  const show = (what: string, line: string) => `${what.padEnd(11)} ${line}`;
  if (result.plan_only) return [show('Do it:', `loom run ${quoted(oneLine(result.goal).slice(0, 200))}`)];
  const asks = (result.questions ?? []).length > 0;
  const rules = [...new Set((result.questions ?? []).map(question => question.rule).filter(Boolean))];
  const undo = result.files_changed.length > 0 ? [show('Take back:', `loom undo ${id}`)] : [];
  const look = [show('Look:', `loom show ${id} · loom diff ${id} · loom logs ${id}`)];
  switch (result.exit_code) {
    case 0:
    case 7:
      return [...look, ...undo];
    case 3:
      return [
        show(asks ? 'Then:' : 'Go on:', `loom resume ${id}`),
        ...rules.map(rule => show('Or allow:', `loom resume ${id} --allow ${quoted(oneLine(rule))}`)),
      ];
    case 4:
    case 5:
      return [show('Check:', 'loom models --check'), show('Go on:', `loom resume ${id}`)];
    case 6:
      return [show('Go on:', `loom resume ${id} --max-tokens N (or --max-cost, --timeout)`), ...undo];
    case 130:
      return [show('Go on:', `loom resume ${id}`), ...undo];
    default:
      return [...look, ...undo];
  }
}
