/** Reading and forgetting what runs taught; how it is learned stands in `lessons.ts`. */

import { globalKey, type Writing } from './database.ts';
import {
  hintPrefix,
  isForgotten,
  LEARNED_PREFIX,
  type Pattern,
  PLAN_PREFIX,
  RULE_PREFIX,
} from './lessons.ts';
import type { Store } from './port.ts';
import { databaseOf, type StoreReader } from './store.ts';

/** More hints or templates than these: the least seen go, the oldest first. */
const MOST: [prefix: string, most: number][] = [
  [`${LEARNED_PREFIX}retry_hint/`, 500],
  [PLAN_PREFIX, 200],
  [RULE_PREFIX, 300],
];

const GLOBAL = globalKey('');

/** Everything that was learned below a global key, without what was seen once and long ago.
 *  @param now milliseconds since the epoch */
export async function readPatterns<T extends Pattern = Pattern>(
  store: Store | StoreReader,
  prefix: string,
  now: number,
): Promise<{ key: string; pattern: T }[]> {
  const database = databaseOf(store);
  await database.ready();
  return database
    .range<T>(globalKey(prefix))
    .filter(({ value }) => !isForgotten(value, now))
    .map(({ key, value }) => ({ key: key.slice(GLOBAL.length), pattern: value }));
}

/** Forgets these patterns, or all; how many there were. */
export function forgetPatterns(store: Store, keys?: string[]): Promise<number> {
  return databaseOf(store).transact(tx => {
    if (!keys) return tx.removeAll(globalKey(LEARNED_PREFIX));
    const known = keys.map(globalKey).filter(key => tx.get(key) !== undefined);
    for (const key of known) tx.remove(key);
    return known.length;
  });
}

/** Forgets the hints of workspaces whose runs are gone: they are words about their files. */
export async function forgetWorkspaces(store: Store, workspaces: string[]): Promise<void> {
  const left = new Set((await store.runs()).map(head => head.workspace));
  const gone = workspaces.filter(workspace => !left.has(workspace)).map(workspace => hintPrefix(workspace));
  if (gone.length === 0) return;
  await databaseOf(store).transact(tx => {
    for (const prefix of gone) tx.removeAll(globalKey(prefix));
  });
}

/** Forgets what was seen once and more than 90 days ago, and what is too much. Writes only when there is something. */
export async function prunePatterns(store: Store, now: number): Promise<number> {
  if (stale(databaseOf(store), now).length === 0) return 0;
  return databaseOf(store).transact(tx => {
    const keys = stale(tx, now);
    for (const key of keys) tx.remove(key);
    return keys.length;
  });
}

function stale(reading: Pick<Writing, 'range'>, now: number): string[] {
  const all = reading.range<Pattern>(globalKey(LEARNED_PREFIX));
  const old = all.filter(({ value }) => isForgotten(value, now)).map(({ key }) => key);
  const surplus = MOST.flatMap(([prefix, most]) =>
    all
      .filter(({ key }) => key.startsWith(globalKey(prefix)) && !old.includes(key))
      .sort((a, b) => b.value.seen - a.value.seen || (a.value.last < b.value.last ? 1 : -1))
      .slice(most)
      .map(({ key }) => key),
  );
  return [...old, ...surplus];
}
