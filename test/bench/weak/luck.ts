/** Seeded chance: the same words give the same luck, on every machine and in whatever order requests arrive. */
import { createHash } from 'node:crypto';

export interface Luck {
  /** From 0 (included) to 1 (excluded). */
  number(): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** From `low` to `high`, both included. */
  whole(low: number, high: number): number;
}

/** @param words everything that the luck depends on */
export function luck(...words: (string | number)[]): Luck {
  let state = createHash('sha256').update(JSON.stringify(words)).digest().readUInt32LE(0);
  // mulberry32
  const number = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (low: number, high: number): number => low + Math.floor(number() * (high - low + 1));
  return {
    number,
    chance: probability => number() < probability,
    pick: choices => choices[whole(0, choices.length - 1)]!,
    whole,
  };
}
