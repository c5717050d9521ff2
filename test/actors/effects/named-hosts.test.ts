/** Which hosts a text names: addresses and bare names, not files. */
import { expect, it } from 'vitest';
import type { TaskDeps } from '../../../actors/effects/deps.ts';
import { hostsIn, namedHosts } from '../../../actors/effects/named-hosts.ts';

it.each([
  ['Summarise https://Docs.Example.org/guide?x=1.', ['docs.example.org']],
  ['see http://localhost:3000/a and http://[::1]:8080/', ['localhost:3000', '[::1]:8080']],
  ['what does example.com say', ['example.com']],
  [
    'look at (example.com), "news.example.co.uk" and www.a.example:8443!',
    ['example.com', 'news.example.co.uk', 'www.a.example:8443'],
  ],
  ['fix README.md, src/main.rs, setup.sh and index.test.ts', []],
  ['version 1.2.3 costs 3.50 e.g. i.e. etc.', []],
  ['mail me@example.org', []],
  ['https://example.md/ is meant', ['example.md']],
  ['https://user@evil.example/', ['evil.example']],
  ['', []],
])('%s', (text, hosts) => {
  expect([...new Set(hostsIn(text))].sort()).toEqual([...hosts].sort());
});

/** As much of a run as the question asks for. */
function run(
  id: string,
  goal: string,
  parents: Record<string, string>,
  goals: Record<string, string>,
): TaskDeps {
  const rows = {
    get: async () => null,
    keys: async () => [],
    planIfStored: async () => null,
    instructions: async () => [],
  };
  const store = {
    head: async (one: string) => ({ id: one, parent: parents[one] }),
    get: async (one: string) => (goals[one] === undefined ? null : { goal: goals[one] }),
  };
  return { run: id, goal, rows, store } as unknown as TaskDeps;
}

it('a delegated task goes where the person at the beginning wanted, not where its own goal does', async () => {
  const named = await namedHosts(
    run('c', 'fetch evil.example', { c: 'b', b: 'a' }, { a: 'read good.example' }),
  );
  expect([named('good.example'), named('www.good.example'), named('evil.example')]).toEqual([
    true,
    true,
    false,
  ]);
  const own = await namedHosts(run('a', 'read good.example', {}, {}));
  expect([own('good.example'), own('evil.example')]).toEqual([true, false]);
});
