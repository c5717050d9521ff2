/** What an edit keeps, and what it changes, line by line. */

/** Beyond this many comparisons the middle counts as changed as a whole. */
const MAX_CELLS = 400_000;

export type Step = { same: true; old: number; now: number } | { same: false; old: number[]; now: number[] };

/**
 * Longest common subsequence of two lists, weighted.
 * @param weight what a pair is worth, 0 when it is none
 * @returns pairs of positions, in order
 */
export function commonPairs(
  a: number,
  b: number,
  weight: (i: number, j: number) => number,
): [number, number][] {
  const pairs: [number, number][] = [];
  let start = 0;
  while (start < a && start < b && weight(start, start) > 0) pairs.push([start, start++]);
  const tail: [number, number][] = [];
  let [endA, endB] = [a, b];
  while (endA > start && endB > start && weight(endA - 1, endB - 1) > 0) tail.unshift([--endA, --endB]);
  const [rows, columns] = [endA - start, endB - start];
  if (rows * columns > MAX_CELLS) return [...pairs, ...tail];
  const best = Array.from({ length: rows + 1 }, () => new Int32Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--) {
      const gain = weight(start + i, start + j);
      const taken = gain > 0 ? gain + best[i + 1]![j + 1]! : 0;
      best[i]![j] = Math.max(taken, best[i + 1]![j]!, best[i]![j + 1]!);
    }
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    const gain = weight(start + i, start + j);
    if (gain > 0 && best[i]![j] === gain + best[i + 1]![j + 1]!) pairs.push([start + i++, start + j++]);
    else if (best[i]![j] === best[i + 1]![j]) i++;
    else j++;
  }
  return [...pairs, ...tail];
}

/** The pairs, and between them what is left of both sides. */
export function stepsOf(pairs: [number, number][], old: number[], now: number[]): Step[] {
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  const between = (toI: number, toJ: number) => {
    if (toI > i || toJ > j) steps.push({ same: false, old: old.slice(i, toI), now: now.slice(j, toJ) });
  };
  for (const [a, b] of pairs) {
    between(a, b);
    steps.push({ same: true, old: old[a]!, now: now[b]! });
    [i, j] = [a + 1, b + 1];
  }
  between(old.length, now.length);
  return steps;
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Lines with the same words are the same line, however deep; blank ones hold nothing together. */
export function diffLines(old: string[], now: string[]): Step[] {
  const [a, b] = [old, now].map(lines => lines.map(line => line.trim()));
  const weight = (i: number, j: number) => {
    if (a![i] !== b![j]) return 0;
    if (a![i] === '') return 1;
    return old[i] === now[j] ? 12 : 10;
  };
  return stepsOf(commonPairs(old.length, now.length, weight), range(old.length), range(now.length));
}

const bigrams = (text: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (let i = 0; i + 1 < text.length; i++)
    counts.set(text.slice(i, i + 2), (counts.get(text.slice(i, i + 2)) ?? 0) + 1);
  return counts;
};

/** Share of common pairs of letters (Dice), 0 to 1. Reads at most 20,000 characters of each. */
export function likeness(one: string, other: string): number {
  if (one === other) return 1;
  const [a, b] = [bigrams(one.slice(0, 20_000)), bigrams(other.slice(0, 20_000))];
  const total = [...a.values(), ...b.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return 0;
  let common = 0;
  for (const [pair, count] of a) common += Math.min(count, b.get(pair) ?? 0);
  return (2 * common) / total;
}
