/** Where every live actor of a run stands, from its stored rows. Read-only. */
import type { ActorEntry, EffectEntry } from '../machines/actor-entry.ts';
import type { RunHead } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import type { ActorPosition, RunChart } from './loom.ts';
import { summaryOf } from './report.ts';

const byPath = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** The run's actors from the task down, each with its states and what it waits for. A run that is over has none. */
export async function chartOfRun(store: StoreReader, head: RunHead): Promise<RunChart> {
  const [task, rows, effects] = await Promise.all([
    summaryOf(store, head),
    store.range<ActorEntry>(head.id, 'a/'),
    store.range<EffectEntry>(head.id, 'e/'),
  ]);
  const root = `task/${head.id}`;
  const actors = rows
    .map(({ key, value }): ActorPosition => {
      const path = key.slice('a/'.length);
      const children = rows
        .filter(other => other.key.slice(0, other.key.lastIndexOf('/')) === key)
        .map(other => ({
          id: other.key.slice(key.length + 1),
          source: other.value.machine,
          state: 'running' as const,
        }));
      const waiting = effects
        .filter(effect => effect.value.path === path)
        .map(({ value: { id, source, state } }) => ({ id, source, state }));
      return {
        path: path === root ? '' : path.slice(root.length + 1),
        machine: value.machine,
        version: value.version,
        value: (value.snapshot as { value: ActorPosition['value'] }).value,
        waits_for: [...children, ...waiting],
      };
    })
    .sort((a, b) => byPath(a.path, b.path));
  return { task, actors };
}
