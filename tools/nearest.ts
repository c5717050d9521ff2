/** What somebody may have meant by a misspelt name. */

/** Edits (insert, delete, replace, swap neighbours) between two words. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Words of a name, for `searchFiles` → `search_files` and `file_read` → `read_file`. */
const wordsOf = (name: string) =>
  name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .sort()
    .join(' ');

/** At most three, best first; empty when nothing is near. */
export function nearest(name: string, names: string[]): string[] {
  const wanted = plain(name.slice(0, 60));
  return names
    .map(candidate => {
      const other = plain(candidate);
      const near = distance(wanted, other) / Math.max(wanted.length, other.length, 1);
      const within = wanted.length >= 4 && (other.includes(wanted) || wanted.includes(other));
      const score = wordsOf(name) === wordsOf(candidate) ? 0 : within ? Math.min(near, 0.35) : near;
      return { candidate, score };
    })
    .filter(({ score }) => score <= 0.4)
    .sort((a, b) => a.score - b.score)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
