/** Puts what a command changed in its overlay into the workspace, under the lock that the caller holds.
 * Order: checkpoint (records, what is moved, the result to be told) → make room → records → moves → times. Every step can be
 * repeated, so that after a crash the same list is gone through again. */

import { lutimes } from 'node:fs/promises';
import { join } from 'node:path';
import { LoomError } from '../../machines/failure.ts';
import { finishRecords, performRecords } from '../changes.ts';
import type { ChangeRecord, ToolContext, ToolResult } from '../tool.ts';
import type { Harvest } from './harvest.ts';
import { dropOverlay } from './overlay.ts';
import { clear, type Pour, pourOver } from './pour.ts';

type Found = Pick<Harvest, 'records' | 'told' | 'touched'> & {
  pour?: Pour;
  /** The command ran in the workspace itself: there is nothing left to be carried out. */
  inPlace?: boolean;
};

/** A checkpoint from the moment at which it is known what the command did. */
interface Merge {
  changes: ChangeRecord[];
  found: Omit<Found, 'records'>;
  result: ToolResult;
}

export function mergeOf(recovered: unknown): Merge | null {
  const merge = recovered as Partial<Merge> | null | undefined;
  return merge?.changes && merge.found && merge.result ? (merge as Merge) : null;
}

const whole = ({ changes, found, result }: Merge): ToolResult => ({
  ...result,
  changes: [...changes, ...found.told],
});

export async function merge(
  { records, ...found }: Found,
  result: ToolResult,
  context: ToolContext,
): Promise<ToolResult> {
  const more = { found, result };
  const { root } = context.workspace;
  if (found.inPlace) await context.checkpoint({ ...more, changes: records });
  else if (records.length > 0 || found.told.length > 0 || found.pour) {
    await performRecords(records, context, {
      protectedToo: true,
      more,
      ...(found.pour ? { before: () => clear(root, found.pour!) } : {}),
    }).catch(failed);
    await settle(found, context).catch(failed);
  }
  return whole({ changes: records, found, result });
}

/** After a crash. */
export async function finishMerge(begun: Merge, context: ToolContext): Promise<ToolResult> {
  if (!begun.found.inPlace) {
    if (begun.found.pour) await clear(context.workspace.root, begun.found.pour);
    await finishRecords(begun.changes, context, { protectedToo: true });
    await settle(begun.found, context);
    if (begun.found.pour) await dropOverlay(begun.found.pour.folder);
  }
  return whole(begun);
}

async function settle({ pour, touched }: Omit<Found, 'records'>, context: ToolContext): Promise<void> {
  const { root } = context.workspace;
  if (pour) await pourOver(root, pour);
  // A file's time is a convenience for build tools; it may be gone or not be ours.
  for (const { path, mtime } of touched)
    await lutimes(join(root, path), new Date(), new Date(mtime)).catch(() => {});
}

function failed(error: unknown): never {
  if (error instanceof LoomError && error.failure.kind !== 'terminal') throw error;
  const why = error instanceof Error ? error.message : String(error);
  throw new LoomError(
    'terminal',
    'merge_failed',
    `The command ran, but what it changed could not be put into the workspace: ${why}. Its changes were dropped.`,
  );
}
