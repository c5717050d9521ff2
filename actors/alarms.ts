/** Alarms: effects that settle at an absolute time. Deadlines stand still while work below their owner waits, and while none
 *  of it goes on: paused, or without budget, model or key. */
import type { EffectEntry } from '../machines/react.ts';

export interface Alarms {
  /** Arms (or re-arms) an alarm whose `at` is set. `moved`: it is not the `at` that is stored, as after a restart. */
  arm(alarm: EffectEntry, moved?: boolean): void;
  disarm(key: string): void;
  /** Work at `path` waits: alarms of its owners stop. Calls may nest. */
  pause(path: string): void;
  /** Ends one pause. */
  resume(path: string): void;
  /** Stops the deadlines below whose owners nothing of `effects` goes on, and lets the others run. */
  observe(effects: EffectEntry[]): void;
  /** The present `at` of alarms that moved since last asked, to be written with the next commit. */
  moved(): { key: string; at: number }[];
  /** Milliseconds until the next deadline of an owner of `path`; Infinity without one. */
  left(path: string): number;
  close(): void;
}

interface Armed {
  alarm: EffectEntry;
  at: number;
  timer: NodeJS.Timeout | undefined;
  /** Nothing goes on below its owner. */
  idle: boolean;
  /** Up to when `at` has been moved, while it stands still; null: it runs. */
  still: number | null;
}

const owns = (owner: string, path: string): boolean => path === owner || path.startsWith(`${owner}/`);
/** An attempt's time; other alarms are waits, which go on whatever else happens. */
export const isDeadline = (effect: EffectEntry): boolean =>
  effect.source === 'alarm' && effect.id === 'deadline';
/** The end of an item of the remediation queue: a bound, too, but its time goes on. */
export const isExpiry = (effect: EffectEntry): boolean => effect.source === 'alarm' && effect.id === 'ttl';
/** setTimeout cannot wait longer than 2^31-1 ms. */
const LONGEST_TIMER = 2_000_000_000;

export function createAlarms(ring: (key: string) => void, now: () => number): Alarms {
  const armed = new Map<string, Armed>();
  const pauses = new Map<string, number>();
  const changed = new Set<string>();

  /** Moves the time of an alarm that stands still by how long it has done so. */
  function move(key: string, entry: Armed): void {
    if (entry.still === null) return;
    const time = now();
    if (time > entry.still) changed.add(key);
    entry.at += Math.max(0, time - entry.still);
    entry.still = time;
  }

  function set(key: string, entry: Armed): void {
    const stands = entry.idle || [...pauses.keys()].some(path => owns(entry.alarm.path, path));
    if (stands) {
      clearTimeout(entry.timer);
      entry.timer = undefined;
      entry.still ??= now();
      return;
    }
    move(key, entry);
    entry.still = null;
    if (entry.timer) return;
    const left = Math.max(0, entry.at - now());
    entry.timer = setTimeout(
      () => {
        entry.timer = undefined;
        if (left > LONGEST_TIMER) set(key, entry);
        else ring(key);
      },
      Math.min(left, LONGEST_TIMER),
    );
  }

  const setOwners = (path: string): void => {
    for (const [key, entry] of armed) if (owns(entry.alarm.path, path)) set(key, entry);
  };

  return {
    arm(alarm, moved = false) {
      this.disarm(alarm.key);
      if (moved) changed.add(alarm.key);
      const entry: Armed = { alarm, at: alarm.at ?? now(), timer: undefined, idle: false, still: null };
      armed.set(alarm.key, entry);
      set(alarm.key, entry);
    },
    disarm(key) {
      clearTimeout(armed.get(key)?.timer);
      armed.delete(key);
      changed.delete(key);
    },
    pause(path) {
      pauses.set(path, (pauses.get(path) ?? 0) + 1);
      setOwners(path);
    },
    resume(path) {
      const count = pauses.get(path) ?? 0;
      if (count > 1) return void pauses.set(path, count - 1);
      pauses.delete(path);
      setOwners(path);
    },
    observe(effects) {
      const busy = effects.filter(effect => effect.state !== 'held' && effect.source !== 'alarm');
      for (const [key, entry] of armed) {
        if (!isDeadline(entry.alarm)) continue;
        entry.idle = !busy.some(({ path }) => owns(entry.alarm.path, path));
        set(key, entry);
      }
    },
    moved() {
      for (const [key, entry] of armed) move(key, entry);
      const rows = [...changed].flatMap(key => {
        const entry = armed.get(key);
        return entry ? [{ key, at: entry.at }] : [];
      });
      changed.clear();
      return rows;
    },
    left(path) {
      const owners = [...armed.values()].filter(({ alarm }) => isDeadline(alarm) && owns(alarm.path, path));
      return Math.min(Number.POSITIVE_INFINITY, ...owners.map(({ at }) => at - now()));
    },
    close() {
      for (const key of [...armed.keys()]) this.disarm(key);
      pauses.clear();
    },
  };
}
