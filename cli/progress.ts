/** Shows a run while it goes on and its result at the end, in the form that was asked for. */
import { createStore } from '@xstate/store';
import type { FileChange, JournalEvent, Preview, RunResult } from '../actors/loom.ts';
import type { Context } from './context.ts';
import { type Data, str } from './render/data.ts';
import { diffLines } from './render/diff.ts';
import { frame } from './render/frame.ts';
import { eventLine } from './render/lines.ts';
import { Live } from './render/live.ts';
import { report } from './render/result.ts';
import { emptyView, fold } from './render/view.ts';
import { safe } from './render/width.ts';

export interface Progress {
  onEvent(event: JournalEvent): void;
  onPreview?: (preview: Preview) => void;
  /** Events of the past: known, not shown again. */
  prime(event: JournalEvent): void;
  /** A line for the person that belongs to no run. */
  note(line: string): void;
  suspend(): void;
  resume(): void;
  /** Leaves the terminal clean, whatever happened. */
  stop(): void;
  finish(result: RunResult, changes: FileChange[]): void;
}

export interface ProgressOptions {
  /** Pieces of answers in stream-json. */
  deltas: boolean;
  /** Lines of a diff shown above the live view. */
  diff_lines: number;
}

/** A terminal that can repaint; otherwise one plain line per fact. */
const canRepaint = ({ io }: Context): boolean => io.tty.err && io.env['TERM'] !== 'dumb' && !io.env['CI'];

export function createProgress(context: Context, options: ProgressOptions): Progress {
  if (context.output === 'stream-json') return streamed(context, options);
  return canRepaint(context) ? painted(context, options) : plain(context);
}

/** What a form without a picture does between its lines. */
const still = (io: Context['io']) => ({
  prime: () => undefined,
  note: (line: string) => io.err(`loom: ${safe(line)}\n`),
  suspend: () => undefined,
  resume: () => undefined,
  stop: () => undefined,
});

function streamed({ io }: Context, { deltas }: ProgressOptions): Progress {
  const line = (value: object) => io.out(`${JSON.stringify(value)}\n`);
  return {
    onEvent: event => line({ type: 'event', ...event }),
    ...(deltas ? { onPreview: (preview: Preview) => line({ type: 'delta', ...preview }) } : {}),
    ...still(io),
    finish: result => line(result),
  };
}

/** Holds back what is printed while a prompt has the terminal. */
function createGate(write: (text: string) => void) {
  let held = '';
  let open = true;
  return {
    write(text: string) {
      if (open) write(text);
      else held += text;
    },
    close() {
      open = false;
    },
    reopen() {
      open = true;
      if (held) write(held);
      held = '';
    },
  };
}

function plain(context: Context): Progress {
  const gate = createGate(context.io.err);
  return {
    onEvent(event) {
      const line = eventLine(event, context.paint.err);
      if (line) gate.write(`${line}\n`);
    },
    prime: () => undefined,
    note: line => gate.write(`loom: ${safe(line)}\n`),
    suspend: gate.close,
    resume: gate.reopen,
    stop: gate.reopen,
    finish: (result, changes) => finish(context, result, changes),
  };
}

function painted(context: Context, { diff_lines }: ProgressOptions): Progress {
  const { io } = context;
  const paint = context.paint.err;
  const started = Date.now();
  const store = createStore({
    context: { view: emptyView },
    on: {
      journal: ({ view }, { event }: { event: JournalEvent }) => ({ view: fold(view, event) }),
    },
  });
  const gate = createGate(io.err);
  const size = () => ({ columns: io.columns('err'), rows: io.rows() - 1 });
  const live = new Live({ write: gate.write, columns: () => io.columns('err') }, () =>
    frame(store.getSnapshot().context.view, Date.now() - started, size(), paint),
  );
  store.subscribe(() => live.update());
  const unwatch = io.onResize(() => live.update());
  live.start();
  return {
    onEvent(event) {
      store.send({ type: 'journal', event });
      const lasting = lastingText(event, paint, diff_lines);
      if (lasting) live.print(lasting);
    },
    prime: event => store.send({ type: 'journal', event }),
    note: line => live.print(`loom: ${safe(line)}\n`),
    suspend() {
      live.stop();
      gate.close();
    },
    resume() {
      gate.reopen();
      live.start();
    },
    stop() {
      unwatch();
      live.stop();
      gate.reopen();
    },
    finish: (result, changes) => finish(context, result, changes),
  };
}

const LASTING = new Set([
  'task_plan_degraded',
  'task_budget_exhausted',
  'task_budget_overspent',
  'task_stalled',
  'subtask_retrying',
  'subtask_failed',
  'approval_received',
]);

/** What stays above the live view: changes with their diffs, and whatever did not go as planned. */
function lastingText(event: JournalEvent, paint: Context['paint']['err'], limit: number): string | null {
  const diff = event.event_type === 'tool_call_completed' ? str(event.data as Data, 'diff') : '';
  if (!diff && !LASTING.has(event.event_type)) return null;
  const lines = diff && limit > 0 ? diffLines(diff, paint, limit).map(line => `    ${line}`) : [];
  return `${[eventLine(event, paint) ?? '', ...lines].join('\n')}\n`;
}

function finish({ io, output, paint }: Context, result: RunResult, changes: FileChange[]): void {
  if (output === 'json') {
    io.out(`${JSON.stringify(result)}\n`);
    return;
  }
  io.out(`\n${report(result, { columns: io.columns('out'), paint: paint.out, changes })}`);
}
