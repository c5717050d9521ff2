/** The nearest known word to a mistyped one. */

/** Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, replace, swapped ? before[j - 2]! + 1 : Infinity);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** The known word closest to `word`, or null when none is close enough to be meant. */
export function nearest(word: string, known: string[]): string | null {
  const lower = word.toLowerCase();
  const ranked = known
    .map(name => ({ name, d: name.startsWith(lower) && lower.length > 1 ? 0.5 : distance(lower, name) }))
    .sort((a, b) => a.d - b.d);
  const best = ranked[0];
  return best && best.d <= Math.max(1, Math.floor(word.length / 3)) ? best.name : null;
}
