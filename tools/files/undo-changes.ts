/** undo: a subtask takes back what it has changed itself, newest first. What others did stays. */

import { LoomError } from '../../machines/failure.ts';
import { changed, refusal } from '../result.ts';
import type { ChangelogEntry, Tool, ToolContext } from '../tool.ts';
import { applyUndo, inForce, isUndone, planUndo } from '../undo.ts';

const MOST = 50;
const MAX_LISTED = 20;

const told = ({ id, tool, changes }: ChangelogEntry): string => {
  const paths = [...new Set(changes.map(change => change.path))];
  return `${id} ${tool}: ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ` and ${paths.length - 5} more` : ''}`;
};

/** The caller's own changes that are in the workspace, newest first. */
async function own(context: ToolContext): Promise<ChangelogEntry[]> {
  const history = await context.history();
  const byId = new Map(history.map(entry => [entry.id, entry]));
  return history
    .filter(entry => entry.subtask === context.subtask)
    .filter(entry => inForce({ tool: entry.tool }) && !isUndone(entry, byId))
    .reverse();
}

export const undoChanges: Tool = {
  name: 'undo',
  description: 'Take back your own latest file changes, commands included. dry_run lists them.',
  category: 'files',
  keywords: ['revert', 'restore', 'rollback'],
  parameters: {
    type: 'object',
    properties: {
      last: { type: 'integer', minimum: 1, maximum: MOST, default: 1, description: 'how many changes' },
      change: { type: 'string', minLength: 1, maxLength: 64, description: 'only this one, by its id' },
      dry_run: { type: 'boolean', default: false },
    },
    additionalProperties: false,
  },
  effects: 'write',
  subject: 'change',
  timeoutMs: 60_000,

  async run(args, context) {
    const mine = await own(context);
    const { change } = args as { change?: string };
    if (args['dry_run']) {
      const list = mine.slice(0, MAX_LISTED).map(told).join('\n');
      return changed(list === '' ? 'You have changed nothing that could be undone.' : list, [], context);
    }
    const chosen =
      change === undefined
        ? mine.slice(0, args['last'] as number)
        : mine.filter(entry => entry.id === change);
    if (change !== undefined && chosen.length === 0)
      throw refusal(
        'not_found',
        `You have no change ${change} that could be undone; call undo with dry_run to see your changes.`,
      );
    if (chosen.length === 0)
      throw refusal('nothing_to_undo', 'You have changed nothing that could be undone.');
    const plan = planUndo(await context.history(), { ids: chosen.map(entry => entry.id) });
    const { changes, skipped } = await applyUndo(plan, context).catch(explained);
    const left = skipped.filter(one => one.path !== '').map(one => `${one.path} ${one.reason}`);
    const text = `Took back ${chosen.map(told).join('; ')}.${left.length > 0 ? ` Left alone: ${left.join('; ')}.` : ''}`;
    return { ...(await changed(text, changes, context)), undone: plan.entries };
  },
};

/** What a person may force, a subtask may not. */
function explained(error: unknown): never {
  if (!(error instanceof LoomError) || error.failure.code !== 'undo_conflict') throw error;
  const { conflicts = [] } = (error.failure.detail ?? {}) as {
    conflicts?: { path: string; reason: string }[];
  };
  throw refusal(
    'undo_conflict',
    `Nothing was undone: ${conflicts.map(({ path, reason }) => `${path} ${reason}`).join('; ')}. Change these files by edit_file instead.`,
  );
}
