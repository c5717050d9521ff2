/** Which hosts a text names: addresses and bare names, not files. */
import { expect, it } from 'vitest';
import { hostsIn } from '../../../actors/effects/named-hosts.ts';

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
