/** Private addresses are refused in every spelling, by the guard itself and not by a connection that fails. */
import { describe, expect, it } from 'vitest';
import { checkUrl, opensLocal, refusedAddress } from '../../../tools/web/address.ts';
import { createWebClient } from '../../../tools/web/client.ts';
import { ending } from '../../support/ending.ts';
import { fakeWeb } from '../../support/fake-web.ts';
import { failureOf, samples } from '../support.ts';

const { later } = ending();

const PRIVATE = [
  ['loopback', '127.0.0.1', '127.0.0.0', '127.255.255.254', '::1'],
  ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1', 'fec0::1'],
  ['link-local', '169.254.169.254', 'fe80::1', 'fe80::1%eth0'],
  ['carrier-grade NAT', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
  ['multicast and broadcast', '224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
  ['unspecified and this network', '0.0.0.0', '0.1.2.3', '::'],
  ['reserved', '192.0.0.1', '192.0.0.192', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'],
  ['reserved', '240.0.0.1', '192.88.99.1', '2001:db8::1', '3fff::1', '5f00::1', '100::1', '4000::1'],
  ['6to4', '2002:7f00:1::', '2002:a00:1::1'],
  ['NAT64', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '64:ff9b::8.8.8.8'],
  ['Teredo', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['IPv4 in IPv6', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1', '::127.0.0.1', '::ffff:0:127.0.0.1'],
  ['ISATAP', '2606:4700::5efe:7f00:1', '2606:4700::200:5efe:a00:1'],
  ['no address', '', 'localhost', '1.2.3', 'a.b.c.d', '1.2.3.4:80'],
].flatMap(([kind, ...addresses]) => addresses.map(address => [kind!, address] as const));

describe('an address', () => {
  it.each(PRIVATE)('%s: %s is refused', (_, address) => {
    expect(refusedAddress(address)).not.toBeNull();
  });
  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public',
    address => expect(refusedAddress(address)).toBeNull(),
  );
});

const SPELLINGS = [
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://0x7f.0x0.0x0.0x1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://10.1/',
  'http://0/',
  'http://127.0.0.1./',
  'http://localhost/',
  'http://LocalHost:8080/',
  'http://localhost./',
  'http://sub.localhost/',
  'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
  'http://１２７.０.０.１/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%eth0]/',
  'http:\\\\127.0.0.1\\',
  'http:127.0.0.1',
  'http:///127.0.0.1/',
  'http://\t127.0.0.1/',
  'http://1２7.0.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://0xA9FEA9FE/',
  'http://2852039166/',
  'http://127.0.0.1#@example.org/',
  'http://127.0.0.1\\@example.org/',
  'http://example.org@127.0.0.1/',
  'http://user:secret@example.org/',
  'http://256.256.256.256/',
  'http://1.2.3.4.5/',
  'http://127.0.0.1:99999/',
  'file:///etc/passwd',
  'ftp://example.org/',
  'gopher://example.org/',
  'javascript:alert(1)',
  'data:text/plain,hi',
  'blob:http://example.org/x',
  'unix:/var/run/docker.sock',
  '//example.org/',
  '/etc/passwd',
  'example.org',
  '',
  'http://',
  'http://[::1',
  'http://exa mple.org/',
];

describe('a URL', () => {
  it.each(SPELLINGS)('%s is refused before a name is looked up or a connection made', async url => {
    const web = await fakeWeb({});
    later(web.stop);
    const client = createWebClient(SETTINGS, web.network);
    later(client.close);
    const failure = await failureOf(client.fetch(url, ANY));
    expect(failure.code).toBe('address_refused');
    expect(web.lookups).toEqual([]);
    expect(web.dialled).toEqual([]);
  });

  it('keeps a password out of the message', () => {
    expect(() => checkUrl('http://me:hunter2@example.org/')).toThrow(/http:\/\/…@example.org/);
  });

  it.each([
    'http://example.org/',
    'https://xn--mnchen-3ya.example/',
    'http://8.8.8.8/x?y',
    'HTTP://Example.ORG.',
  ])('%s may be asked', url => expect(checkUrl(url).local).toBe(false));
});

interface Sample {
  input: string;
  expected: 'block' | 'allow';
  mock_dns?: Record<string, string>;
}

it('recorded samples: what should be blocked is, what should not is not', async () => {
  const rows = samples<Sample>('ssrf.jsonl');
  for (const { input, expected, mock_dns = {} } of rows) {
    const names = { 'example.com': [['93.184.216.34']] as string[][] };
    for (const [host, address] of Object.entries(mock_dns)) Object.assign(names, { [host]: [[address]] });
    const web = await fakeWeb({ 'example.com': 'hello' }, names);
    later(web.stop);
    const client = createWebClient(SETTINGS, web.network);
    later(client.close);
    // There is no TLS server here; what is asked for is the word of the guard.
    const asked = client.fetch(input.replace(/^https:/, 'http:'), ANY);
    if (expected === 'allow') expect((await asked).status, input).toBe(200);
    else expect((await failureOf(asked)).code, input).toBe('address_refused');
  }
});

describe('a local server', () => {
  it.each([
    ['web_fetch(localhost:3000)', 'localhost:3000', true],
    ['web_fetch(127.0.0.1:8080)', '127.0.0.1:8080', true],
    ['web_fetch([::1]:8080)', '[::1]:8080', true],
    ['web_fetch(localhost:*)', 'localhost:3000', true],
    ['web_fetch(localhost)', 'localhost', true],
    ['web_fetch(localhost:3000)', 'localhost:3001', false],
    ['web_fetch(localhost:3000)', '127.0.0.1:3000', false],
    ['web_fetch', 'localhost:3000', false],
    ['web_fetch(**)', 'localhost:3000', false],
    ['web_fetch(*)', 'localhost', false],
    ['*', 'localhost:3000', false],
    ['web_fetch(*:3000)', 'localhost:3000', false],
    ['web_fetch(10.0.0.1)', '10.0.0.1', false],
    ['web_fetch(192.168.0.1:80)', '192.168.0.1:80', false],
    ['shell_execute(localhost:3000)', 'localhost:3000', false],
  ])('is opened by %s for %s: %s', (rule, subject, opened) => {
    expect(opensLocal(rule, subject)).toBe(opened);
  });

  it('that is opened is asked, and only by its own name', async () => {
    const web = await fakeWeb(
      { localhost: 'mine', 'evil.example': 'x' },
      { 'evil.example': [['127.0.0.1']] },
    );
    later(web.stop);
    const client = createWebClient(SETTINGS, web.network);
    later(client.close);
    const opened = { ...ANY, local: (subject: string) => opensLocal('web_fetch(localhost:3000)', subject) };
    expect((await client.fetch('http://localhost:3000/', opened)).bytes.toString()).toBe('mine');
    expect((await failureOf(client.fetch('http://localhost:3001/', opened))).code).toBe('address_refused');
    expect((await failureOf(client.fetch('http://evil.example:3000/', opened))).code).toBe('address_refused');
    expect(web.requests.map(request => request.host)).toEqual(['localhost']);
  });

  it('that is opened is on this machine even when its name is said to be elsewhere', async () => {
    const web = await fakeWeb({ localhost: 'mine' }, { localhost: [['93.184.216.34']] });
    later(web.stop);
    const client = createWebClient(SETTINGS, web.network);
    later(client.close);
    await client.fetch('http://localhost/', { ...ANY, local: () => true });
    expect(web.dialled).toEqual(['127.0.0.1']);
    expect((await failureOf(client.fetch('http://10.0.0.1/', { ...ANY, local: () => true }))).code).toBe(
      'address_refused',
    );
  });
});

const SETTINGS = { user_agent: 'Test/1', timeout_seconds: 10, requests_per_second: 0, cache_seconds: 0 };
const ANY = { signal: new AbortController().signal, local: () => false, follow: () => true };
