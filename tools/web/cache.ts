/** Pages asked for a short time ago, in memory: bounded in number and bytes, the longest unused goes first. */

import type { Fetched } from './access.ts';

const MAX_PAGES = 64;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_SECONDS = 900;

/** Seconds an answer may be used again, by its own headers; `usual` where it says nothing. */
export function freshSeconds(headers: Record<string, string>, usual: number): number {
  const control = headers['cache-control'] ?? '';
  if (/\b(no-store|no-cache|must-revalidate)\b/i.test(control) || headers['vary']?.trim() === '*') return 0;
  const age = /\bmax-age\s*=\s*"?(\d+)/i.exec(control)?.[1];
  return Math.min(age === undefined ? usual : Number(age), MAX_SECONDS);
}

export interface PageCache {
  get(key: string): Fetched | undefined;
  put(key: string, page: Fetched, seconds: number): void;
}

/** @param now milliseconds of a clock that never goes back */
export function pageCache(now: () => number): PageCache {
  const kept = new Map<string, { page: Fetched; until: number }>();
  let bytes = 0;
  const drop = (key: string): void => {
    bytes -= kept.get(key)?.page.bytes.length ?? 0;
    kept.delete(key);
  };
  return {
    get(key) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (found.until <= now()) {
        drop(key);
        return undefined;
      }
      kept.delete(key);
      kept.set(key, found);
      return found.page;
    },
    put(key, page, seconds) {
      drop(key);
      if (seconds <= 0 || page.bytes.length > MAX_BYTES / 4) return;
      kept.set(key, { page, until: now() + seconds * 1000 });
      bytes += page.bytes.length;
      for (const oldest of kept.keys()) {
        if (kept.size <= MAX_PAGES && bytes <= MAX_BYTES) break;
        drop(oldest);
      }
    },
  };
}
