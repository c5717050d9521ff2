/** Notices a model that goes round in circles. Pure.
 *
 *  Each entry stands for one call and its result. A circle is the same sequence of up to five entries three times in a
 *  row: identical calls whose results differ (polling, retries that progress) bring new information and are no circle. */

const REPEATS = 3;
const LONGEST_CYCLE = 5;
/** Entries worth keeping: enough to see the longest cycle often enough. */
export const LOOP_WINDOW = REPEATS * LONGEST_CYCLE;

/** True when the newest entries are a cycle repeated three times. */
export function looping(recent: readonly string[]): boolean {
  for (let length = 1; length <= LONGEST_CYCLE; length++) {
    const needed = length * REPEATS;
    if (recent.length < needed) return false;
    const tail = recent.slice(-needed);
    if (tail.every((entry, i) => entry === tail[i % length])) return true;
  }
  return false;
}

export const remember = (recent: readonly string[], entry: string): string[] => [
  ...recent.slice(1 - LOOP_WINDOW),
  entry,
];
