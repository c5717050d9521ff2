/** The lines of the live view for one instant: goal, plan tree, one line of figures. */
import { treeRows } from './tree.ts';
import type { SubtaskView, View } from './view.ts';
import { clip, pad, width } from './width.ts';
import { clock, compact, mark, type Paint } from './words.ts';

export interface FrameSize {
  columns: number;
  /** Lines it may take in all. */
  rows: number;
}

/** Never more than `rows` lines, each narrower than `columns`, so that the terminal neither wraps nor scrolls. */
export function frame(view: View, elapsed: number, size: FrameSize, paint: Paint): string[] {
  const columns = Math.max(10, size.columns - 1);
  const lines = view.goal ? [paint.bold(clip(view.goal, columns))] : [];
  const room = Math.max(1, size.rows - lines.length - 1);
  return [
    ...lines,
    ...planLines(view.subtasks, columns, room, paint),
    figures(view, elapsed, columns, paint),
  ];
}

function planLines(subtasks: SubtaskView[], columns: number, room: number, paint: Paint): string[] {
  if (subtasks.length <= room)
    return table(
      treeRows(subtasks).map(({ node, branch, also }) => ({ node, branch, also })),
      columns,
      paint,
    );
  // Too many for the screen: what moves is shown, the rest counted.
  const moving = subtasks.filter(subtask => subtask.mark !== 'waiting' && subtask.mark !== 'done');
  const chosen = (moving.length > 0 ? moving : subtasks.filter(s => s.mark === 'waiting')).slice(0, room - 1);
  const rest = subtasks.length - chosen.length;
  return [
    ...table(
      chosen.map(node => ({ node, branch: '', also: [] })),
      columns,
      paint,
    ),
    paint.dim(clip(`… and ${rest} more`, columns)),
  ];
}

interface Row {
  node: SubtaskView;
  branch: string;
  also: string[];
}

/** Below this many columns branches would leave no room for words. */
const NARROW = 40;

function table(rows: Row[], columns: number, paint: Paint): string[] {
  if (columns < NARROW) return rows.map(row => narrow(row.node, columns, paint));
  const name = (row: Row) => row.node.id + (row.also.length > 0 ? ` ← ${row.also.join(', ')}` : '');
  const widest = Math.max(...rows.map(row => width(row.branch) + width(name(row)) + 2));
  const left = Math.min(widest, Math.floor(columns * 0.5));
  return rows.map(row => {
    const branch = clip(row.branch, Math.floor(columns * 0.3));
    const label = pad(name(row), left - width(branch) - 2);
    const text = detail(row.node, columns - left - 2, paint);
    return `${paint.dim(branch)}${mark(row.node.mark, paint)} ${label}  ${text}`.trimEnd();
  });
}

const narrow = (node: SubtaskView, columns: number, paint: Paint): string =>
  `${mark(node.mark, paint)} ${clip(`${node.id}  ${node.step}`.trimEnd(), columns - 2)}`;

function detail(node: SubtaskView, room: number, paint: Paint): string {
  const tail = [
    ...(node.attempt > 1 ? [`attempt ${node.attempt}`] : []),
    ...(node.added > 0 ? [`+${node.added}`] : []),
    ...(node.removed > 0 ? [`−${node.removed}`] : []),
  ].join(' ');
  const space = tail ? room - width(tail) - 2 : room;
  const text = clip(node.step || (node.mark === 'waiting' ? node.description : ''), space);
  const main = node.mark === 'running' || node.mark === 'asking' ? text : paint.dim(text);
  if (!tail || space < 0) return main;
  return text ? `${main}  ${paint.dim(tail)}` : paint.dim(tail);
}

function figures(view: View, elapsed: number, columns: number, paint: Paint): string {
  const done = view.subtasks.filter(subtask => subtask.mark === 'done').length;
  const tokens = view.input_tokens + view.output_tokens;
  const parts = [
    view.phase,
    clock(elapsed),
    ...(view.subtasks.length > 0 ? [`${done} of ${view.subtasks.length} done`] : []),
    ...(tokens > 0 ? [`${compact(tokens)} tokens`] : []),
    ...(view.ended ? [] : ['Ctrl+C stops, resumable']),
  ];
  return paint.dim(clip(parts.join(' · '), columns));
}
