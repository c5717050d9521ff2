/** Spreads slow cases over a few lanes, and draws reproducible random numbers for them. */

/** Runs `work` for every item, `width` at a time; collects what failed instead of stopping at the first. */
export async function lanes<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failed.push(`${JSON.stringify(item)}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${items.length} failed:\n${failed.join('\n\n')}`);
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `count` different numbers from 1 to `max`, spread over it; from four on with the first two and the last two. */
export function spread(max: number, count: number, draw: () => number): number[] {
  if (count >= max) return Array.from({ length: max }, (_, i) => i + 1);
  if (count < 4) return Array.from({ length: count }, (_, i) => 1 + Math.floor(((i + draw()) * max) / count));
  const between = count - 4;
  const middle = Array.from(
    { length: between },
    (_, i) => 3 + Math.floor(((i + draw()) * (max - 4)) / between),
  );
  return [1, 2, ...middle, max - 1, max];
}

export const DEEP = process.env['LOOM_DEEP'] === '1';
