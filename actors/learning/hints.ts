/** What made earlier work of a kind pass in this workspace, for the executor. Feedback is words about files: it stays with
 *  the workspace it was given in. */

import { readPatterns } from '../../store/learned.ts';
import { type HintPattern, hintPrefix } from '../../store/lessons.ts';
import type { Store } from '../../store/port.ts';

const OFFERED = 3;
const MOST_CHARS = 200;

/** Lines for the executor, the most frequent first. */
export async function retryHints(
  store: Store,
  workspace: string,
  kind: string,
  now: number,
): Promise<string[]> {
  const known = await readPatterns<HintPattern>(store, hintPrefix(workspace, kind), now);
  return known
    .sort(
      (a, b) =>
        b.pattern.seen - a.pattern.seen ||
        (a.pattern.last < b.pattern.last ? 1 : a.pattern.last > b.pattern.last ? -1 : 0) ||
        (a.key < b.key ? -1 : 1),
    )
    .slice(0, OFFERED)
    .map(({ pattern: { code, feedback, seen } }) => {
      const times = seen > 1 ? `, ${seen} times` : '';
      return `- ${code}${times}: ${feedback.length > MOST_CHARS ? `${feedback.slice(0, MOST_CHARS - 1)}…` : feedback}`;
    });
}
