/** What was learned, as people and programs read it, and how it is forgotten. */
import { createHash } from 'node:crypto';
import { LoomError } from '../../machines/failure.ts';
import { forgetPatterns, readPatterns } from '../../store/learned.ts';
import { LEARNED_PREFIX, type Pattern } from '../../store/lessons.ts';
import type { Store } from '../../store/port.ts';
import type { StoreReader } from '../../store/store.ts';
import type { LearnedPattern } from '../loom.ts';
import { wilson } from './rate.ts';
import { passedOver, tooOld } from './start-tier.ts';
import { shapeText } from './templates.ts';

const TYPES: Pattern['type'][] = [
  'behavioral_correction',
  'behavioral_gap',
  'success_rate',
  'retry_hint',
  'plan_template',
];

/** Stable as long as the pattern is there; base 36, as all ids. */
const idOf = (key: string): string =>
  BigInt(`0x${createHash('sha256').update(key).digest('hex').slice(0, 16)}`)
    .toString(36)
    .padStart(13, '0')
    .slice(0, 8);

function described(pattern: Pattern): string {
  if (pattern.type === 'success_rate') {
    const { role, kind, alias, model, passed, failed } = pattern;
    const { low, high } = wilson(passed, failed);
    const range = `${Math.round(low * 100)} to ${Math.round(high * 100)} %`;
    const verdict = passedOver(pattern) ? '; work of this kind starts a tier higher' : '';
    return `${alias}${model === alias ? '' : ` (${model})`} as ${role}, ${kind}: ${passed} of ${passed + failed} done (${range})${verdict}`;
  }
  if ('rule' in pattern) return pattern.rule;
  if (pattern.type === 'retry_hint')
    return `${pattern.kind}, sent back for ${pattern.code}: ${pattern.feedback}`;
  return `goals about ${pattern.words.join(', ')}: ${shapeText(pattern.shape)}`;
}

function listed(key: string, pattern: Pattern, now: number): LearnedPattern {
  const { type, seen, first, last, ...data } = pattern;
  return {
    id: idOf(key),
    type,
    description: described(pattern),
    seen,
    first_seen: first,
    last_seen: last,
    active: pattern.type !== 'success_rate' || (passedOver(pattern) && !tooOld(pattern, now)),
    data,
  };
}

/** By type, those with an effect first, then the most seen and the newest. */
export async function listLearned(store: StoreReader, now: number): Promise<LearnedPattern[]> {
  const known = await readPatterns(store, LEARNED_PREFIX, now);
  return known
    .map(({ key, pattern }) => listed(key, pattern, now))
    .sort(
      (a, b) =>
        TYPES.indexOf(a.type) - TYPES.indexOf(b.type) ||
        Number(b.active) - Number(a.active) ||
        b.seen - a.seen ||
        (a.last_seen < b.last_seen ? 1 : a.last_seen > b.last_seen ? -1 : 0),
    );
}

/** Forgets one pattern, by its id or the beginning of it. Throws LoomError `unknown_id`, `ambiguous_id`. */
export async function forgetLearned(store: Store, id: string, now: number): Promise<LearnedPattern> {
  const known = await readPatterns(store, LEARNED_PREFIX, now);
  const [found, ...others] = known.filter(({ key }) => id !== '' && idOf(key).startsWith(id));
  if (!found || others.length > 0)
    throw new LoomError(
      'terminal',
      found ? 'ambiguous_id' : 'unknown_id',
      found
        ? `"${id}" could be ${others.length + 1} patterns; write more of it.`
        : `Nothing learned has the id "${id}". \`loom learned --all\` lists everything.`,
    );
  await forgetPatterns(store, [found.key]);
  return listed(found.key, found.pattern, now);
}

/** Forgets everything. */
export const resetLearned = async (store: Store): Promise<{ removed: number }> => ({
  removed: await forgetPatterns(store),
});
