/** Writes one run's commits: numbers its journal, keeps its revision, publishes lines only after they are on disk. */
import type { JournalLine } from '../machines/react.ts';
import { type Lease, type Row, type RunHead, type Store, seqKey } from '../store/port.ts';
import type { JournalEvent } from './loom.ts';

export interface RunWriter {
  /** One transaction; throws FencedError or StoreWriteError. */
  commit(rows: Row[], lines: JournalLine[], head: Partial<RunHead>): Promise<void>;
  /** Fenced rows without a revision, for running effects. */
  checkpoint(rows: Row[]): Promise<void>;
  release(): Promise<void>;
  stamp(): string;
}

export function createWriter(
  { store, lease, head }: { store: Store; lease: Lease; head: RunHead },
  now: () => number,
  publish: (event: JournalEvent) => void,
): RunWriter {
  let { rev, seq } = head;
  const taken = now();
  const stamp = (): string => new Date(now()).toISOString();
  const active_ms = (): number => Math.max(0, (head.active_ms ?? 0) + now() - taken);
  return {
    async commit(rows, lines, change) {
      const timestamp = stamp();
      const events = lines.map(
        ({ event_type, data }, i): JournalEvent => ({
          seq: seq + 1 + i,
          event_type,
          task_id: head.id,
          timestamp,
          data,
        }),
      );
      const journal = events.map(event => ({ key: `j/${seqKey(event.seq)}`, value: event }));
      const last = seq + lines.length;
      await store.commit(
        lease,
        rev,
        { ...change, seq: last, updated_at: timestamp, active_ms: active_ms() },
        [...rows, ...journal],
      );
      rev += 1;
      seq = last;
      for (const event of events) publish(event);
    },
    checkpoint: rows => store.checkpoint(lease, rows),
    release: () => store.release(lease),
    stamp,
  };
}
