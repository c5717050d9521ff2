/** What somebody may have meant by a misspelt name. */
import distance from 'damerau-levenshtein';

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
      const near = distance(wanted, other).steps / Math.max(wanted.length, other.length, 1);
      const within = wanted.length >= 4 && (other.includes(wanted) || wanted.includes(other));
      const score = wordsOf(name) === wordsOf(candidate) ? 0 : within ? Math.min(near, 0.35) : near;
      return { candidate, score };
    })
    .filter(({ score }) => score <= 0.4)
    .sort((a, b) => a.score - b.score)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
