/** Runs whose owner died go on by themselves, beside whatever this process was started for. */
import type { Config } from '../store/config.ts';
import type { Lease, RunHead, Store } from '../store/port.ts';
import { openEventLog } from './event-log.ts';
import { isOver } from './report.ts';
import type { Launch } from './task-deps.ts';
import { resumeTask } from './task-run.ts';

export interface Adoption {
  /** Ids that were taken over. */
  runs: string[];
  /** Parks what is still going on; resolves when all of it stands. */
  stop(): Promise<void>;
}

/** Not parked by anybody's decision, and its owner is gone. */
async function orphans(store: Store, workspace: string): Promise<RunHead[]> {
  const all = await store.runs({ workspace });
  // One that was delegated goes on with the run that waits for it.
  const waited = new Set(all.flatMap(head => (isOver(head) ? [] : head.id)));
  const heads = all.filter(
    head => head.kind === 'task' && !head.parked && !(head.parent && waited.has(head.parent)),
  );
  const leases = await Promise.all(heads.map(head => store.lease(head.id)));
  return heads.filter((_, i) => leases[i]!.state === 'dead');
}

/** Its owner died after the last commit: only the log may lack the end. */
async function closeLog({ store, home }: Launch, lease: Lease, config: Config): Promise<void> {
  await openEventLog(home.path, lease.run, store, config.limits.runner).catch(() => {});
  await store.release(lease);
}

/** An adopted run never asks here and never changes this command's exit code; a decision it needs parks it. */
export async function adoptRuns(
  launch: Launch,
  config: Config,
  workspace: string,
  announce: (line: string) => void,
): Promise<Adoption> {
  const stopping = new AbortController();
  const going: Promise<unknown>[] = [];
  const runs: string[] = [];
  for (const head of await orphans(launch.store, workspace)) {
    const lease = await launch.store.claim(head.id);
    if (!lease) continue;
    if (isOver(head)) {
      await closeLog(launch, lease, config);
      continue;
    }
    runs.push(head.id);
    announce(
      `continuing ${head.id} ("${head.goal.slice(0, 60)}"), whose process died; --no-adopt leaves it alone`,
    );
    going.push(
      resumeTask(launch, lease, config, { signal: stopping.signal }).catch((error: unknown) =>
        announce(
          `${head.id} could not be continued: ${error instanceof Error ? error.message : String(error)}`,
        ),
      ),
    );
  }
  return {
    runs,
    async stop() {
      stopping.abort();
      await Promise.all(going);
    },
  };
}
