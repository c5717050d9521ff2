/** A session of a million messages: searched, written on and taken up. */
import { openLmdbStore } from '../../store/lmdb.ts';
import { writeSession } from '../support/long-session.ts';
import { appendFigure, resumeFigure, searchFigures } from '../support/recall-figures.ts';

const MESSAGES = 1_000_000;

/** @param resume the bundled script that takes a session up in a process of its own */
export async function longTalk(
  { home, workspace }: { home: string; workspace: string },
  resume: string,
  print: (name: string, figure: string, limit: string, holds: boolean) => void,
): Promise<void> {
  const store = await openLmdbStore(home);
  const begun = performance.now();
  const corpus = await writeSession(store, { id: 'talk', workspace, messages: MESSAGES, batch: 20_000 });
  console.log(`  ${MESSAGES} messages written in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  const figures = await searchFigures(store, ['talk'], corpus);
  for (const [kind, ms] of Object.entries(figures))
    print(`search in ${MESSAGES} messages, ${kind}, p95`, `${ms.toFixed(2)} ms`, '≤ 20 ms', ms <= 20);
  const append = await appendFigure(store, 'talk', MESSAGES, corpus);
  print('one more message, added to its commit', `${append.toFixed(2)} ms`, '≤ 2 ms', append <= 2);
  await store.close();
  const { ms, anon_mb } = await resumeFigure(resume, home, workspace, 'talk');
  print('a session of that length, taken up', `${ms.toFixed(0)} ms`, '≤ 300 ms', ms <= 300);
  print('memory of its own by then', `${anon_mb.toFixed(0)} MB`, '≤ 150 MB', anon_mb <= 150);
}
