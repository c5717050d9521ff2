/** Runs or resumes a task: progress, questions, interrupts, the result and its exit code. */
import type { Loom, ResumeOptions, RunResult } from '../actors/loom.ts';
import type { Context } from './context.ts';
import { EXIT } from './failure.ts';
import { createProgress } from './progress.ts';
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
  const timeout_seconds = values.number('timeout');
  return {
    ...(allow.length > 0 ? { allow } : {}),
    ...(deny.length > 0 ? { deny } : {}),
    ...(max_tokens === undefined ? {} : { max_tokens }),
    ...(max_cost === undefined ? {} : { max_cost }),
    ...(timeout_seconds === undefined ? {} : { timeout_seconds }),
  };
}

export interface Drive {
  values: Values;
  /** A run that has a past; its journal fills the view first. */
  known?: string;
  start(loom: Loom, hooks: ResumeOptions): Promise<RunResult>;
}

/** Resolves to the exit code of the run. */
export async function drive(context: Context, { values, known, start }: Drive): Promise<number> {
  const loom = await context.loom();
  const progress = createProgress(context, { deltas: values.flag('deltas'), diff_lines: LIVE_DIFF_LINES });
  const disarm = context.interrupt.arm();
  try {
    if (known && context.output !== 'stream-json')
      for await (const event of loom.events(known, { follow: false })) progress.prime(event);
    const result = await start(loom, {
      signal: context.interrupt.signal,
      onEvent: event => progress.onEvent(event),
      ...(progress.onPreview ? { onPreview: progress.onPreview } : {}),
      ...(canAsk(context) ? { onQuestion: createAsker(context, progress) } : {}),
    });
    progress.stop();
    progress.finish(result, await changesOf(loom, result));
    return result.exit_code;
  } catch (error) {
    progress.stop();
    if (!context.interrupt.signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    progress.stop();
    disarm();
  }
}

/** Only for the text report; a run that changed nothing is not asked. */
async function changesOf(loom: Loom, result: RunResult) {
  if (result.files_changed.length === 0 || !result.task_id) return [];
  return loom.changes(result.task_id);
}
