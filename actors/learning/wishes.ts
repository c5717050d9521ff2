/** Rules that a person's corrections taught, for the prompts of sessions and executors. */
import { readPatterns } from '../../store/learned.ts';
import { RULE_PREFIX, type RulePattern } from '../../store/lessons.ts';
import type { Store } from '../../store/port.ts';

const OFFERED = 15;
/** Characters of all of them. */
const MOST_CHARS = 1_500;

/** The most frequent first, of equals the newest; as many as fit.
 *  @param now milliseconds since the epoch */
export async function wishes(store: Store, now: number): Promise<string[]> {
  const known = await readPatterns<RulePattern>(store, RULE_PREFIX, now);
  const sorted = known
    .map(({ pattern }) => pattern)
    .sort(
      (a, b) => b.seen - a.seen || (a.last < b.last ? 1 : a.last > b.last ? -1 : a.rule < b.rule ? -1 : 1),
    );
  const lines: string[] = [];
  let room = MOST_CHARS;
  for (const { rule } of sorted.slice(0, OFFERED)) {
    room -= rule.length;
    if (room < 0) break;
    lines.push(rule);
  }
  return lines;
}
