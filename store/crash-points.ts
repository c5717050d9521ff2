/** Named instants at which a test may kill this process, so that the crash suite is exhaustive instead of lucky.
 *  `LOOM_CRASH_AT=<point>:<n>` kills at the n-th passage of a point (from 1); honoured only with `LOOM_TEST=1`. */
export type CrashPoint = 'blob-written' | 'before-commit' | 'after-commit' | 'effect-started' | 'effect-done';

const [wanted, nth] = process.env['LOOM_TEST'] === '1' ? (process.env['LOOM_CRASH_AT'] ?? '').split(':') : [];
let passed = 0;

export function crashPoint(point: CrashPoint): void {
  if (point !== wanted) return;
  passed += 1;
  if (passed === Number(nth)) process.kill(process.pid, 'SIGKILL');
}
