/** What a command's end looks like to the model. */

import { failure } from '../../machines/failure.ts';
import { headAndTail } from '../cut.ts';
import { changeReport } from '../diff.ts';
import { filesOf, isGitsOwn } from '../records.ts';
import type { ChangeRecord, ToolContext, ToolResult } from '../tool.ts';
import type { Ended } from './group.ts';
import { hintsOf } from './hints.ts';
import type { Permissions } from './sandbox.ts';

export interface Run {
  argv: string[];
  env?: Record<string, string>;
  mutates: boolean;
  timeoutMs: number;
  /** What it may have beyond the workspace; only for commands of ours. */
  permissions?: Permissions;
  /** Told behind the output. */
  notes?: string[];
  /** More for `data`. */
  data?: Record<string, unknown>;
}

export interface Executed extends Ended {
  sandboxed: boolean;
  /** It had no network. */
  sealed: boolean;
}

/** What is known of a command's changes. */
export interface Findings {
  records: ChangeRecord[];
  /** Changed without a way back. */
  told: ChangeRecord[];
  special?: string[];
  overtaken?: string[];
  complete?: boolean;
}

const MAX_NAMED = 20;
/** Changes of which a diff is worked out for the result; `loom diff` has them all. */
const MAX_DIFFED = 20;
/** Of the output that goes to the model, at most this part is diff. */
const DIFF_SHARE = 4;

const named = (paths: string[]): string =>
  `${paths.slice(0, MAX_NAMED).join(', ')}${paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : ''}`;

export async function report(
  run: Run,
  ended: Executed,
  context: ToolContext,
  found: Findings,
): Promise<ToolResult> {
  const { exitCode, reason, log, durationMs } = ended;
  const { records, told, special = [], overtaken = [], complete = true } = found;
  const files = filesOf([...records, ...told]).sort();
  const text = log.text();
  const notes: string[] = [];
  if (reason === 'timeout')
    notes.push(`stopped after ${run.timeoutMs / 1000} s, with everything it had started`);
  if (reason === 'aborted') notes.push('stopped on request, with everything it had started');
  if (ended.leftover)
    notes.push(
      `a background job${ended.jobs.length > 0 ? ` (${ended.jobs.slice(0, 5).join(', ')})` : ''} was still running and was stopped; start it and use it in one command`,
    );
  if (reason === 'exit' && exitCode !== 0)
    notes.push(ended.endedBy ? `ended by ${ended.endedBy}` : `exit code ${exitCode}`);
  notes.push(...hintsOf(text, context.workspace.root, ended), ...(run.notes ?? []));
  if (log.lost > 0) notes.push(`${log.lost} bytes of output were not kept`);
  if (files.length > 0) notes.push(`files changed: ${named(files)}`);
  if (told.length > 0) notes.push(`cannot be undone: ${named(told.map(record => record.path))}`);
  if (special.length > 0) notes.push(`pipes, sockets and devices are not kept: ${named(special)}`);
  if (overtaken.length > 0)
    notes.push(`also changed by somebody else meanwhile, now as the command left it: ${named(overtaken)}`);
  if (!complete) notes.push('not all files were looked at; more may have changed');
  const note = notes.length > 0 ? `\n[${notes.join('; ')}]` : '';
  const { shown, cut } = headAndTail(text, Math.max(200, context.outputLimit - note.length));
  const success = reason === 'exit' && exitCode === 0;
  const changed = records.length > 0 || told.length > 0;
  return {
    success,
    output: (shown === '' ? '(no output)' : shown) + note,
    error: success ? null : errorOf(run, ended),
    data: {
      exit_code: exitCode,
      duration_ms: durationMs,
      sandboxed: ended.sandboxed,
      ...(reason === 'exit' ? {} : { stopped: reason }),
      ...(ended.leftover ? { background_stopped: true } : {}),
      ...(changed ? { undoable: told.length === 0 && complete } : {}),
      ...(complete ? {} : { manifest_complete: false }),
      ...(await diffOf(records, context)),
      ...run.data,
    },
    files_changed: files,
    ...(cut || log.lost > 0 ? { artifact: await context.blobs.put(log.bytes()) } : {}),
  };
}

async function diffOf(records: ChangeRecord[], context: ToolContext): Promise<{ diff?: string }> {
  const shown = records.filter(record => !isGitsOwn(record.path)).slice(0, MAX_DIFFED);
  if (shown.length === 0) return {};
  const { diff } = await changeReport(shown, context.blobs);
  const limit = Math.floor(context.outputLimit / DIFF_SHARE);
  return diff === '' ? {} : { diff: diff.length > limit ? `${diff.slice(0, limit)}…` : diff };
}

function errorOf(run: Run, { exitCode, reason, endedBy }: Ended) {
  if (reason === 'timeout')
    return failure('terminal', 'timeout', `The command was stopped after ${run.timeoutMs / 1000} s.`);
  if (reason === 'aborted') return failure('terminal', 'aborted', 'The command was stopped on request.');
  return failure(
    'terminal',
    'exit_code',
    endedBy ? `The command was ended by ${endedBy}.` : `The command exited with code ${exitCode}.`,
    {
      exit_code: exitCode,
    },
  );
}
