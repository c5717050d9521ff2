/** Runs or resumes a task: progress, questions, interrupts, the result and its exit code. */
import type { JournalEvent, Loom, ResumeOptions, RunResult } from '../actors/loom.ts';
import type { Context } from './context.ts';
import { EXIT } from './failure.ts';
import { createProgress, type Progress } from './progress.ts';
import { canAsk, createAsker } from './questions.ts';
import type { Values } from './values.ts';

/** Long diffs are cut above the live view; `loom diff` has all of them. */
const LIVE_DIFF_LINES = 12;

/** Limits and rules that `run` and `resume` share. Throws UsageError. */
export function limits(values: Values): ResumeOptions {
  const allow = values.list('allow');
  const deny = values.list('deny');
  const max_tokens = values.number('max-tokens', 'whole');
  const max_cost = values.number('max-cost');
  const max_model_calls = values.number('max-model-calls', 'whole');
  const max_tool_calls = values.number('max-tool-calls', 'whole');
  const timeout_seconds = values.number('timeout');
  return {
    ...(allow.length > 0 ? { allow } : {}),
    ...(deny.length > 0 ? { deny } : {}),
    ...(max_tokens === undefined ? {} : { max_tokens }),
    ...(max_cost === undefined ? {} : { max_cost }),
    ...(max_model_calls === undefined ? {} : { max_model_calls }),
    ...(max_tool_calls === undefined ? {} : { max_tool_calls }),
    ...(timeout_seconds === undefined ? {} : { timeout_seconds }),
  };
}

export interface Drive {
  values: Values;
  start(loom: Loom, hooks: ResumeOptions): Promise<RunResult>;
}

/** Resolves to the exit code of the run. */
export async function drive(context: Context, { values, start }: Drive): Promise<number> {
  const loom = await context.loom();
  const progress = createProgress(context, { deltas: values.flag('deltas'), diff_lines: LIVE_DIFF_LINES });
  const disarm = context.interrupt.arm();
  const { told } = context.notices;
  context.notices.told = line => progress.note(line);
  const shower = eventsInOrder(loom, progress);
  try {
    const result = await start(loom, {
      signal: context.interrupt.signal,
      onEvent: shower.onEvent,
      ...(progress.onPreview ? { onPreview: progress.onPreview } : {}),
      ...(canAsk(context) ? { onQuestion: createAsker(context, progress) } : {}),
    });
    await shower.shown();
    progress.stop();
    progress.finish(result, await changesOf(context, loom, result));
    return result.exit_code;
  } catch (error) {
    progress.stop();
    if (!context.interrupt.signal.aborted) throw error;
    context.io.err('loom: interrupted before anything was begun\n');
    return EXIT.interrupted;
  } finally {
    context.notices.told = told;
    progress.stop();
    disarm();
  }
}

/** Shows events; when the first is not the run's first, the past is looked up before it, so that the plan is known. */
function eventsInOrder(loom: Loom, progress: Progress) {
  let before: Promise<void> | null = null;
  let seen = false;
  return {
    onEvent(event: JournalEvent) {
      if (!seen && event.seq > 1) before = past(event);
      seen = true;
      if (before) before = before.then(() => progress.onEvent(event));
      else progress.onEvent(event);
    },
    /** Everything that arrived is on the screen. */
    shown: async () => before,
  };

  async function past({ task_id, seq }: JournalEvent): Promise<void> {
    for await (const event of loom.events(task_id, { follow: false })) {
      if (event.seq >= seq) return;
      progress.prime(event);
    }
  }
}

/** Only the text report counts lines; a run that changed nothing is not asked. */
async function changesOf(context: Context, loom: Loom, result: RunResult) {
  if (context.output !== 'text' || result.files_changed.length === 0 || !result.task_id) return [];
  return loom.changes(result.task_id);
}
