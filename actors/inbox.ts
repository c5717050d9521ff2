/** The owner's ear: commands that other processes left in the store, consumed inside the owner's own commits. */
import type { Command, Lease, Store } from '../store/port.ts';

export interface InboxRow {
  key: string;
  event: Command['event'];
}

export interface Inbox {
  /** Resolves when everything that was waiting has been handed over. */
  open(): Promise<void>;
  close(): void;
}

/** `consume` must delete the row in the commit that acts on it; it is called once per row. `lost`: another process has
 *  taken the run over, as an owner that was stopped for long finds when it wakes up. */
export function createInbox(
  store: Store,
  { run, fence }: Lease,
  consume: (row: InboxRow) => void | Promise<void>,
  lost: () => void,
): Inbox {
  const taken = new Set<string>();
  let unwatch: (() => void) | null = null;
  let looking = false;
  let again = false;

  async function look(): Promise<void> {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      do {
        again = false;
        if ((await store.head(run))?.fence !== fence) return lost();
        for (const { key, value } of await store.range<Command>(run, 'i/')) {
          if (taken.has(key) || !unwatch) continue;
          taken.add(key);
          await consume({ key, event: value.event });
        }
      } while (again && unwatch);
    } catch {
      // The store is closing or unreadable; the next commit reports that with its reason.
    } finally {
      looking = false;
    }
  }

  return {
    open() {
      unwatch = store.watch(() => void look());
      return look();
    },
    close() {
      unwatch?.();
      unwatch = null;
    },
  };
}
