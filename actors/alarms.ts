/** Alarms: effects that settle at an absolute time. Deadlines stand still while work below their owner waits. */
import type { EffectEntry } from '../machines/react.ts';

export interface Alarms {
  /** Arms (or re-arms) an alarm whose `at` is set. */
  arm(alarm: EffectEntry): void;
  disarm(key: string): void;
  /** Work at `path` waits: deadlines of its owners stop. Calls may nest. */
  pause(path: string): void;
  /** Ends one pause; returns the alarms whose `at` moved, to be written with the next commit. */
  resume(path: string): void;
  /** The present `at` of alarms that moved since last asked. */
  moved(): { key: string; at: number }[];
  close(): void;
}

const owns = (owner: string, path: string): boolean => path === owner || path.startsWith(`${owner}/`);
/** setTimeout cannot wait longer than 2^31-1 ms. */
const LONGEST_TIMER = 2_000_000_000;

export function createAlarms(ring: (key: string) => void, now: () => number): Alarms {
  const armed = new Map<string, { alarm: EffectEntry; at: number; timer: NodeJS.Timeout | undefined }>();
  const pauses = new Map<string, { count: number; since: number }>();
  const changed = new Set<string>();

  const paused = (owner: string): boolean => [...pauses.keys()].some(path => owns(owner, path));
  const set = (key: string): void => {
    const entry = armed.get(key);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    if (paused(entry.alarm.path)) return;
    const left = Math.max(0, entry.at - now());
    entry.timer = setTimeout(
      () => (left > LONGEST_TIMER ? set(key) : ring(key)),
      Math.min(left, LONGEST_TIMER),
    );
  };

  return {
    arm(alarm) {
      armed.set(alarm.key, { alarm, at: alarm.at ?? now(), timer: undefined });
      set(alarm.key);
    },
    disarm(key) {
      clearTimeout(armed.get(key)?.timer);
      armed.delete(key);
      changed.delete(key);
    },
    pause(path) {
      const known = pauses.get(path);
      pauses.set(path, { count: (known?.count ?? 0) + 1, since: known?.since ?? now() });
      for (const [key, entry] of armed) if (owns(entry.alarm.path, path)) set(key);
    },
    resume(path) {
      const known = pauses.get(path);
      if (!known) return;
      if (known.count > 1) return void pauses.set(path, { ...known, count: known.count - 1 });
      pauses.delete(path);
      const waited = now() - known.since;
      for (const [key, entry] of armed) {
        if (!owns(entry.alarm.path, path)) continue;
        entry.at += waited;
        changed.add(key);
        set(key);
      }
    },
    moved() {
      const rows = [...changed].flatMap(key => {
        const entry = armed.get(key);
        return entry ? [{ key, at: entry.at }] : [];
      });
      changed.clear();
      return rows;
    },
    close() {
      for (const key of [...armed.keys()]) this.disarm(key);
      pauses.clear();
    },
  };
}
