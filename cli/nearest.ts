/** The nearest known word to a mistyped one. */
import distance from 'damerau-levenshtein';

/** The known word closest to `word`, or null when none is close enough to be meant. */
export function nearest(word: string, known: string[]): string | null {
  const lower = word.toLowerCase();
  const ranked = known
    .map(name => ({
      name,
      d: name.startsWith(lower) && lower.length > 1 ? 0.5 : distance(lower, name).steps,
    }))
    .sort((a, b) => a.d - b.d);
  const best = ranked[0];
  return best && best.d <= Math.max(1, Math.floor(word.length / 3)) ? best.name : null;
}
