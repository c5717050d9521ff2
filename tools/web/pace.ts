/** One host is not asked faster than agreed: the start of each request is at least a gap behind the one before. */

import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

const MAX_HOSTS = 1_000;

/** @param gap milliseconds between two requests to one host; 0 is none */
export function pacer(gap: number, clock: Clock): (host: string, signal: AbortSignal) => Promise<void> {
  const free = new Map<string, number>();
  return async (host, signal) => {
    const now = clock.now();
    const at = Math.max(now, free.get(host) ?? 0);
    free.delete(host);
    free.set(host, at + gap);
    // The oldest are long free again.
    if (free.size > MAX_HOSTS) free.delete(free.keys().next().value!);
    if (at > now) await clock.sleep(at - now, signal);
  };
}
