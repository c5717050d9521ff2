/** Runs a command for a tool and tells what came of it. What it changes in the workspace becomes records that can be undone.
 *
 * With an overlay: lock → layers → checkpoint `look` → command → layers read as records → checkpoint with records and
 * result → merge → layers dropped. Killed before the second checkpoint the workspace is as it was; killed after it the merge
 * is finished from the records, and the result is the one that was to be told. Without an overlay: contents are stored, the
 * command runs in place, and what is different then is recorded; killed in the middle, what it had done by then is recorded
 * and a person is asked. */

import { join } from 'node:path';
import { failure } from '../../machines/failure.ts';
import { sha256 } from '../disk.ts';
import type { ChangeRecord, ToolContext, ToolResult } from '../tool.ts';
import { changedSince, storeContents, storedBefore } from './contents.ts';
import { type Ended, runGroup } from './group.ts';
import { harvest } from './harvest.ts';
import { finishMerge, merge, mergeOf } from './merge.ts';
import {
  dropForgotten,
  dropOverlay,
  type Overlay,
  openOverlay,
  overlaid,
  overlayStatus,
  wasMounted,
} from './overlay.ts';
import { type Executed, type Findings, type Run, report } from './report.ts';
import { sandboxed } from './sandbox.ts';
import { type Unkept, unkeptIn } from './unkept.ts';

/** How a repetition after a crash finds out what the command did; a checkpoint without it leaves only the question. */
type Look = { overlay: string; sealed: boolean } | { stored: string };

const NOTHING: Findings = { records: [], told: [] };

export async function observe(run: Run, context: ToolContext): Promise<ToolResult> {
  if (!run.mutates) return report(run, await execute(run, context), context, NOTHING);
  const release = await context.lock();
  try {
    const begun = mergeOf(context.recovered);
    if (begun) return await finishMerge(begun, context);
    const look = (context.recovered as { look?: Look } | undefined)?.look;
    const known = look && (await lookBack(look, context));
    if (known) return known;
    const { root } = context.workspace;
    const unkept = await unkeptIn(root, context.scratch);
    const status = await overlayStatus(root, context.scratch);
    const done = status.way && (await inOverlay(run, context, unkept, status.way));
    return done || (await inPlace(run, context, unkept));
  } finally {
    await release();
  }
}

/** What a command that was cut off has done; null when it did nothing, anywhere, and can simply run again. */
async function lookBack(look: Look, context: ToolContext): Promise<ToolResult | null> {
  const uncertain = (what: string, changes: ToolResult['changes'] = []): ToolResult => ({
    success: false,
    output: '',
    error: failure('uncertain', 'in_flight', `The command was under way when Loom was stopped. ${what}`),
    data: {},
    files_changed: [],
    changes,
  });
  if ('overlay' in look) {
    await dropOverlay(look.overlay);
    if (look.sealed) return null;
    return uncertain(
      'It changed nothing in the workspace; what it did elsewhere (network, other folders) nobody knows.',
    );
  }
  const changes = await leftBehind(context.recovered, context);
  const count = changes.length;
  return uncertain(
    count === 0
      ? 'It had changed nothing in the workspace that Loom looks at; whether it did something elsewhere nobody knows.'
      : `By then ${count} paths in the workspace had changed; \`loom diff\` shows them. Nobody knows whether it finished.`,
    changes,
  );
}

/** Of a command that a crash cut off and that is not to be run any more: what it had changed in place, beside its records. */
export async function leftBehind(
  recovered: unknown,
  { workspace, scratch, blobs }: Pick<ToolContext, 'workspace' | 'scratch' | 'blobs'>,
): Promise<ChangeRecord[]> {
  const look = (recovered as { look?: Look } | null | undefined)?.look;
  const layers = look && 'overlay' in look ? look.overlay : mergeOf(recovered)?.found.pour?.folder;
  if (layers) await dropOverlay(layers);
  if (!look || 'overlay' in look) return [];
  const stored = await storedBefore(workspace.root, scratch, look.stored);
  if (!stored) return [];
  const { records, told } = await changedSince(stored, await unkeptIn(workspace.root, scratch), blobs);
  return [...records, ...told];
}

/** @returns null when the command did not run or must run again in place; the workspace is untouched then */
async function inOverlay(
  run: Run,
  context: ToolContext,
  unkept: Unkept,
  way: Overlay['way'],
): Promise<ToolResult | null> {
  const { root } = context.workspace;
  const overlays = join(context.scratch, 'overlays');
  await dropForgotten(overlays);
  const folder = join(overlays, sha256(`${context.key}|${Date.now()}`).slice(0, 16));
  const overlay = await openOverlay(folder, root, way);
  try {
    const since = Date.now();
    const ended = await execute(run, context, async sealed => {
      await context.checkpoint({ started: true, look: { overlay: folder, sealed } satisfies Look });
      return overlay;
    });
    if (!(await wasMounted(overlay)) || (ended.sealed && metLimit(ended))) return null;
    if (ended.reason === 'aborted') return report(run, ended, context, NOTHING);
    const found = await harvest(overlay, unkept, context.blobs, since);
    // The last moment at which nothing has happened.
    if (context.signal.aborted) return report(run, { ...ended, reason: 'aborted' }, context, NOTHING);
    return await merge(found, await report(run, ended, context, found), context);
  } finally {
    await dropOverlay(folder);
  }
}

/** In an overlay the kernel moves no folder of the workspace in one step, and in a namespace it copies no file of another
 *  owner. Most programs find another way; one that gave up gets to run without an overlay, which is possible because nothing
 *  has come of it. */
const metLimit = ({ exitCode, log }: Ended): boolean =>
  exitCode !== 0 &&
  /cross-device link|EXDEV|value too large for defined data type|EOVERFLOW/i.test(log.text());

async function inPlace(run: Run, context: ToolContext, unkept: Unkept): Promise<ToolResult> {
  const { root } = context.workspace;
  const stored = await storeContents(root, context.scratch, unkept);
  const ended = await execute(run, context, async () => {
    // From here on a crash leaves it unknown what was done outside the workspace; the host asks instead of repeating.
    await context.checkpoint({ started: true, look: { stored: stored.id } satisfies Look });
    return null;
  });
  const found = await changedSince(stored, unkept, context.blobs);
  const result = await report(run, ended, context, found);
  if (found.records.length === 0 && found.told.length === 0) return result;
  return merge({ ...found, touched: [], inPlace: true }, result, context);
}

/** @param begin told whether the command can reach nothing but the workspace; answers with the overlay it runs in */
async function execute(
  run: Run,
  context: ToolContext,
  begin?: (sealed: boolean) => Promise<Overlay | null>,
): Promise<Executed> {
  const wrapped = await sandboxed(run.argv, context, run.permissions);
  const agent = run.permissions?.credentials ? process.env['SSH_AUTH_SOCK'] : undefined;
  const overlay = await begin?.(wrapped.sealed);
  const ended = await runGroup({
    argv: overlay ? overlaid(wrapped.argv, overlay) : wrapped.argv,
    cwd: context.workspace.root,
    env: { ...run.env, ...(agent ? { SSH_AUTH_SOCK: agent } : {}) },
    contained: wrapped.sandboxed,
    mark: sha256(`${context.key}|${process.pid}|${performance.now()}`).slice(0, 24),
    timeoutMs: run.timeoutMs,
    signal: context.signal,
    record: group => context.child(group),
  });
  return { ...ended, sandboxed: wrapped.sandboxed, sealed: wrapped.sealed };
}
