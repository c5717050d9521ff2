/** Tells listeners soon after anybody committed: a file watch (about 1 ms), and a look every 250 ms for the
 *  notifications that are lost. */

import { type FSWatcher, watch } from 'node:fs';

const LOOK_MS = 250;

export interface Watch {
  add(listener: () => void): () => void;
  close(): void;
}

/** @param file the data file; it may not exist yet
 *  @param version number of the newest commit, cheap to ask */
export function openWatch(file: string, version: () => number): Watch {
  const listeners = new Set<() => void>();
  let files: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let known: number | null = null;
  let due = false;

  function look(): void {
    due = false;
    files ??= watchFile();
    const now = newest();
    if (now === known && now !== null) return;
    known = now;
    for (const listener of [...listeners]) listener();
  }

  /** null when the store cannot be read: the listener looks for itself and meets the reason. */
  function newest(): number | null {
    try {
      return version();
    } catch {
      return null;
    }
  }

  /** One commit causes several notifications; they are answered by one look. */
  function soon(): void {
    if (due) return;
    due = true;
    setImmediate(look);
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
    files?.close();
    timer = files = undefined;
  }

  return {
    add(listener) {
      listeners.add(listener);
      if (!timer) {
        timer = setInterval(look, LOOK_MS).unref();
        known = newest();
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
