/** Tells listeners soon after anybody committed: a file watch (some milliseconds), and a look every 250 ms for the
 *  notifications that are lost. */

import { type FSWatcher, watch } from 'node:fs';

const LOOK_MS = 250;
/** Between looks at a commit that is in the file but not readable yet. */
const SETTLING_MS = 2;
/** From a notification to the look. A busy writer's own commits ring too, several in this time: one look answers them. */
const SOON_MS = 5;

export interface Version {
  /** Number of the newest commit in the data file. */
  commit: number;
  /** Number of the commit that a read would see now. LMDB shares it only after the commit is on disk, which is after
   *  the file watch has rung. */
  readable: number;
}

export interface Watch {
  add(listener: () => void): () => void;
  close(): void;
}

/** @param file the data file; it may not exist yet
 *  @param version cheap to ask */
export function openWatch(file: string, version: () => Version): Watch {
  const listeners = new Set<() => void>();
  let files: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let known: number | null = null;
  let ringing: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;

  function look(): void {
    clearTimeout(ringing);
    clearTimeout(again);
    ringing = again = undefined;
    files ??= watchFile();
    const now = newest();
    // The listeners would look at the state before: they are told when there is something to see.
    if (now !== null && now.readable < now.commit) again ??= setTimeout(look, SETTLING_MS).unref();
    if (now !== null && now.readable === known) return;
    known = now?.readable ?? null;
    for (const listener of [...listeners]) listener();
  }

  /** null when the store cannot be read: the listener looks for itself and meets the reason. */
  function newest(): Version | null {
    try {
      return version();
    } catch {
      return null;
    }
  }

  /** One commit causes several notifications; they are answered by one look. */
  function soon(): void {
    ringing ??= setTimeout(look, SOON_MS).unref();
  }

  function watchFile(): FSWatcher | undefined {
    try {
      const watcher = watch(file, { persistent: false }, soon);
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined; // no file yet, or no watches left: the timer does it alone
    }
  }

  function stop(): void {
    clearInterval(timer);
    clearTimeout(again);
    clearTimeout(ringing);
    files?.close();
    timer = again = ringing = files = undefined;
  }

  return {
    add(listener) {
      listeners.add(listener);
      if (!timer) {
        timer = setInterval(look, LOOK_MS).unref();
        known = newest()?.readable ?? null;
        files = watchFile();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    close() {
      listeners.clear();
      stop();
    },
  };
}
