/** What conversation_recall reads: this session, and the others of its workspace. */
import type { Store } from '../../store/port.ts';
import { type Hit, newestResults, searchMessages } from '../../store/recall/search.ts';
import { COUNT_KEY, docKey, textOf } from '../../store/recall/write.ts';
import type { Conversations, Recalled } from '../../tools/conversation-recall.ts';
import type { SessionMessage } from './rows.ts';
import { stateOf } from './rows.ts';

/** Characters of a session's id that tell it from others. */
const SHORT = 6;

export function conversationsOf(
  store: Store,
  run: string,
  workspace: string,
  turns: () => number,
): Conversations {
  const read = async (hits: Pick<Hit, 'run' | 'n' | 'key'>[]): Promise<Recalled[]> =>
    (
      await Promise.all(
        hits.map(async ({ run: from, n, key }): Promise<Recalled[]> => {
          const stored = await store.get<SessionMessage>(from, key);
          if (!stored) return [];
          const { role } = stored.message;
          const whose = role === 'tool' ? `result of ${stored.message.name}` : role;
          return [
            {
              session: from === run ? '' : from.slice(0, SHORT),
              n,
              role: whose,
              text: textOf(stored).trim(),
            },
          ];
        }),
      )
    ).flat();
  return {
    async search(query, { limit, everywhere }) {
      const others = everywhere
        ? (await store.runs({ workspace }))
            .filter(head => head.kind === 'session' && head.id !== run)
            .reverse()
        : [];
      return read(await searchMessages(store, [run, ...others.map(head => head.id)], query, { limit }));
    },
    async range(from, to) {
      const last = (await store.get<number>(run, COUNT_KEY)) ?? 0;
      const keys: { run: string; n: number; key: string }[] = [];
      for (let n = from; n <= Math.min(to, last); n++) {
        const key = await store.get<string>(run, docKey(n));
        if (key !== null) keys.push({ run, n, key });
      }
      return read(keys);
    },
    results: async (tool, limit) => read(await newestResults(store, run, tool, limit)),
    summary: () => stateOf(store, run, turns()),
  };
}
