/** Named instants at which a test may kill this process, so that the crash suite is exhaustive instead of lucky.
 *  `LOOM_CRASH_AT=<point>:<n>` kills at the n-th passage of a point (from 1), or sends `LOOM_CRASH_SIGNAL` instead;
 *  `LOOM_CRASH_COUNTS=<file>` leaves the number of passages of each point there at exit. All of it only with
 *  `LOOM_TEST=1`. */
import { writeFileSync } from 'node:fs';

export const CRASH_POINTS = [
  'blob-written',
  'before-commit',
  'inside-commit',
  'after-commit',
  'checkpointed',
  'file-changed',
  'effect-started',
  'effect-done',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Those that no run passes: `loom purge` and `loom store compact`. */
type UpkeepPoint =
  | 'run-removing'
  | 'run-removed'
  | 'blob-aside'
  | 'blob-removed'
  | 'compact-copied'
  | 'compact-swapped';

const testing = process.env['LOOM_TEST'] === '1';
const [wanted, nth] = testing ? (process.env['LOOM_CRASH_AT'] ?? '').split(':') : [];
const signal = (process.env['LOOM_CRASH_SIGNAL'] ?? 'SIGKILL') as NodeJS.Signals;
const passed: Partial<Record<CrashPoint | UpkeepPoint, number>> = {};

const counts = testing ? process.env['LOOM_CRASH_COUNTS'] : undefined;
if (counts) process.on('exit', () => writeFileSync(counts, JSON.stringify(passed)));

export function crashPoint(point: CrashPoint | UpkeepPoint): void {
  if (!testing) return;
  const passages = (passed[point] ?? 0) + 1;
  passed[point] = passages;
  if (point === wanted && passages === Number(nth)) process.kill(process.pid, signal);
}
