/** Runs a command for a tool: under the lock and between two manifests when it may change something, and tells what came of it. */

import { failure } from '../../machines/failure.ts';
import { headAndTail } from '../cut.ts';
import { sha256 } from '../disk.ts';
import { filesOf } from '../records.ts';
import type { ToolContext, ToolResult } from '../tool.ts';
import { type Ended, runGroup } from './group.ts';
import { compareManifests, MANIFEST_LIMIT, takeManifest } from './manifest.ts';
import { sandboxed } from './sandbox.ts';

export interface Run {
  argv: string[];
  env?: Record<string, string>;
  mutates: boolean;
  timeoutMs: number;
  /** Needs the keys of the user's git hosts; only for commands of ours. */
  credentials?: boolean;
  /** More for `data`. */
  data?: Record<string, unknown>;
}

const MAX_NAMED = 20;
/** Time for the second manifest after an abort, ms. */
const HURRIED = 300;

export async function observe(run: Run, context: ToolContext): Promise<ToolResult> {
  if (!run.mutates) return report(run, await execute(run, context), context);
  const release = await context.lock();
  try {
    const { root } = context.workspace;
    const before = await takeManifest(root);
    // From here on a crash leaves it unknown what was done; the host asks instead of repeating.
    await context.checkpoint({ started: true });
    const ended = await execute(run, context);
    // Whoever stopped it waits for at most a second.
    const deadline = ended.reason === 'aborted' ? performance.now() + HURRIED : undefined;
    const after = await takeManifest(root, undefined, deadline);
    const changes = await compareManifests(root, before, after);
    const complete = before.complete && after.complete;
    const result = await report(run, ended, context, filesOf(changes), complete);
    return { ...result, changes };
  } finally {
    await release();
  }
}

async function execute(run: Run, context: ToolContext): Promise<Ended & { sandboxed: boolean }> {
  const wrapped = await sandboxed(run.argv, context, run.credentials ?? false);
  const agent = run.credentials ? process.env['SSH_AUTH_SOCK'] : undefined;
  const ended = await runGroup({
    argv: wrapped.argv,
    cwd: context.workspace.root,
    env: { ...run.env, ...(agent ? { SSH_AUTH_SOCK: agent } : {}) },
    contained: wrapped.sandboxed,
    mark: sha256(`${context.key}|${process.pid}|${performance.now()}`).slice(0, 24),
    timeoutMs: run.timeoutMs,
    signal: context.signal,
    record: group => context.child(group),
  });
  return { ...ended, sandboxed: wrapped.sandboxed };
}

async function report(
  run: Run,
  ended: Ended & { sandboxed: boolean },
  context: ToolContext,
  files: string[] = [],
  complete = true,
): Promise<ToolResult> {
  const { exitCode, reason, log, durationMs } = ended;
  const text = log.text();
  const notes: string[] = [];
  if (reason === 'timeout')
    notes.push(`stopped after ${run.timeoutMs / 1000} s, with everything it had started`);
  if (reason === 'aborted') notes.push('stopped on request, with everything it had started');
  if (ended.leftover)
    notes.push('a background job was still running and was stopped; start it and use it in one command');
  if (reason === 'exit' && exitCode !== 0)
    notes.push(ended.endedBy ? `ended by ${ended.endedBy}` : `exit code ${exitCode}`);
  if (log.lost > 0) notes.push(`${log.lost} bytes of output were not kept`);
  if (files.length > 0)
    notes.push(
      `files changed: ${files.slice(0, MAX_NAMED).join(', ')}${files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more` : ''}`,
    );
  if (!complete)
    notes.push(`not all files were looked at (at most ${MANIFEST_LIMIT}); more may have changed`);
  const note = notes.length > 0 ? `\n[${notes.join('; ')}]` : '';
  const { shown, cut } = headAndTail(text, Math.max(200, context.outputLimit - note.length));
  const success = reason === 'exit' && exitCode === 0;
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
      ...(run.mutates ? { undoable: false } : {}),
      ...(complete ? {} : { manifest_complete: false }),
      ...run.data,
    },
    files_changed: files,
    ...(cut || log.lost > 0 ? { artifact: await context.blobs.put(log.bytes()) } : {}),
  };
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
