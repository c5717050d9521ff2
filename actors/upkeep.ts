/** What keeps a home small: purge on request, retention at the end of a run, and the copies of the store. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import type { RunHead, Store } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import { runNamed } from './control.ts';
import type { Home } from './home.ts';
import type { PurgeReport } from './loom.ts';
import { findRun } from './report.ts';

/** A run by its id or the beginning of it, else every run of a workspace, which may be gone. */
async function runsMeant(store: StoreReader, target: string): Promise<RunHead[]> {
  if (!/[/\\]|^\.+$/.test(target) && (await findRun(store, target))) return [await runNamed(store, target)];
  const folder = await realpath(resolve(target)).catch(() => resolve(target));
  const heads = await store.runs({ workspace: folder });
  if (heads.length > 0) return heads;
  throw new LoomError(
    'terminal',
    'unknown_id',
    `There is no run "${target}", and no run worked in ${folder}. \`loom tasks\` lists them.`,
  );
}

/** Why a run has to stay, null when it may go. */
async function whyNot(store: StoreReader, head: RunHead): Promise<string | null> {
  const lease = await store.lease(head.id);
  if (lease.state === 'live')
    return `it is at work in process ${lease.owner.pid}; loom cancel ${head.id} stops it`;
  if (head.exit_code !== undefined || head.parked) return null;
  return `its process died in the middle; loom resume ${head.id} goes on, loom cancel ${head.id} ends it`;
}

/** Removes runs with everything they left behind; the workspace's own files stay as they are. Throws LoomError
 *  `unknown_id`, `ambiguous_id`. */
export async function purge(
  home: Home,
  target: string,
  { dry_run = false }: { dry_run?: boolean } = {},
): Promise<PurgeReport> {
  const { collect, countRows, removeRun } = await import('../store/purge.ts');
  const { forgetWorkspaces } = await import('../store/learned.ts');
  const reader = await home.reader();
  const report: PurgeReport = {
    runs: [],
    refused: [],
    rows: 0,
    blobs: 0,
    bytes: 0,
    kept_blobs: 0,
    dry_run,
  };
  const store = dry_run ? null : await home.writer();
  for (const head of await runsMeant(store ?? reader, target)) {
    const { id: task_id, goal, status, workspace } = head;
    const reason = await whyNot(store ?? reader, head);
    const lease = reason === null && store ? await store.claim(task_id) : null;
    if (reason !== null || (store && !lease)) {
      report.refused.push({ task_id, reason: reason ?? 'another process has just taken it up' });
      continue;
    }
    report.rows += store && lease ? await removeRun(store, lease) : countRows(reader, task_id);
    report.runs.push({ task_id, goal, status, workspace });
  }
  if (report.runs.length === 0) return report;
  if (store) await forgetWorkspaces(store, [...new Set(report.runs.map(run => run.workspace))]);
  const without = new Set(report.runs.map(run => run.task_id));
  const { blobs, bytes, kept } = await collect(
    store ?? reader,
    home.path,
    dry_run ? { dry_run, without } : {},
  );
  return { ...report, blobs, bytes, kept_blobs: kept };
}

/** At the end of a run. Never in its way: what goes wrong is told and tried again another day. */
export async function keepSmall(
  home: Home,
  store: Store,
  { retention }: Config,
  notice: (line: string) => void,
): Promise<void> {
  try {
    const { prunePatterns } = await import('../store/learned.ts');
    await prunePatterns(store, Date.now());
    const { applyRetention } = await import('../store/retention.ts');
    const done = await applyRetention(store, home.path, retention);
    if (done && done.runs.length > 0)
      notice(
        `${done.runs.length} old ${done.runs.length === 1 ? 'run was' : 'runs were'} removed: [retention] keeps finished runs for ${retention.days} days and ${retention.max_mb} MB (0: no limit).`,
      );
  } catch (error) {
    notice(`Old runs were not removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
