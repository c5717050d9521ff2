/** The one HTTP client: guarded at every hop and at the moment of connecting, bounded, patient and polite. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FetchOptions, WebSettings } from '../../../tools/web/access.ts';
import { createWebClient } from '../../../tools/web/client.ts';
import type { Clock } from '../../../tools/web/pace.ts';
import { ending } from '../../support/ending.ts';
import { fakeWeb, type Page } from '../../support/fake-web.ts';
import { failureOf } from '../support.ts';

const { later } = ending();

const SETTINGS: WebSettings = {
  user_agent: 'Loom-Test/1 (+https://example.org/bot)',
  timeout_seconds: 10,
  requests_per_second: 0,
  cache_seconds: 300,
};
const ANY: FetchOptions = { signal: new AbortController().signal, local: () => false, follow: () => true };

/** Time that passes only when somebody sleeps. */
function fakeClock(): Clock & { slept: number[] } {
  let at = 1_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => at,
    async sleep(ms) {
      slept.push(ms);
      at += ms;
    },
  };
}

async function web(
  pages: Record<string, Page | string>,
  { names = 'any' as Parameters<typeof fakeWeb>[1], settings = {} as Partial<WebSettings> } = {},
) {
  const fake = await fakeWeb(pages, names);
  const clock = fakeClock();
  const client = createWebClient({ ...SETTINGS, ...settings }, fake.network, clock);
  later(fake.stop);
  later(client.close);
  const get = (url: string, options: Partial<FetchOptions> = {}) => client.fetch(url, { ...ANY, ...options });
  return { ...fake, clock, get, text: async (url: string) => (await get(url)).bytes.toString() };
}

const to =
  (location: string, status = 302): Page =>
  (_, response) =>
    response.writeHead(status, { location }).end();
const sends =
  (headers: Record<string, string>, body: Uint8Array | string): Page =>
  (_, response) =>
    response.writeHead(200, headers).end(body);

describe('at the moment of connecting', () => {
  const PUBLIC = '93.184.216.34';
  it.each([
    ['a private address', [['10.0.0.1']]],
    ['a private address among public ones', [[PUBLIC, '192.168.1.1']]],
    ['a private address in front of public ones', [['::1', PUBLIC]]],
    ['the metadata service', [['169.254.169.254']]],
    ['a mapped address', [['::ffff:127.0.0.1']]],
    ['nothing', [[]]],
    ['no address at all', [['localhost']]],
    ['an address with a zone', [['fe80::1%eth0']]],
    ['an octal spelling', [['0177.0.0.1']]],
    ['a failure', [Object.assign(new Error('no'), { code: 'SERVFAIL' })]],
  ])('a name that resolves to %s is refused, and nothing is connected', async (_, answers) => {
    const { get, dialled } = await web({ 'a.example': 'hello' }, { names: { 'a.example': answers } });
    expect((await failureOf(get('http://a.example/'))).code).toBe('address_refused');
    expect(dialled).toEqual([]);
  });

  it('a name nobody knows is refused', async () => {
    const { get } = await web({}, { names: {} });
    const failure = await failureOf(get('http://unknown.example/'));
    expect(failure).toMatchObject({ code: 'address_refused', kind: 'terminal' });
    expect(failure.message).toContain('ENOTFOUND');
  });

  it('a resolver that changes its mind finds nobody asking twice: the judged address is the one connected to', async () => {
    const { get, dialled, lookups } = await web(
      { 'rebind.example': 'hello' },
      { names: { 'rebind.example': [[PUBLIC], ['127.0.0.1']] } },
    );
    expect((await get('http://rebind.example/')).status).toBe(200);
    expect(lookups).toEqual(['rebind.example']);
    expect(dialled).toEqual([PUBLIC]);
  });

  it('a resolver that changes its mind between two connections is judged each time', async () => {
    const close: Page = (_, response) => response.writeHead(200, { connection: 'close' }).end('x');
    const { get, dialled } = await web(
      { 'rebind.example': close },
      { names: { 'rebind.example': [[PUBLIC], ['127.0.0.1']] }, settings: { cache_seconds: 0 } },
    );
    await get('http://rebind.example/1');
    expect((await failureOf(get('http://rebind.example/2'))).code).toBe('address_refused');
    expect(dialled).toEqual([PUBLIC]);
  });

  it('an address is not resolved again by whoever connects', async () => {
    const { get, lookups, dialled } = await web({ '93.184.216.34': 'hello' });
    await get('http://93.184.216.34/');
    expect(lookups).toEqual([]);
    expect(dialled).toEqual(['93.184.216.34']);
  });
});

describe('a redirect', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    '//localhost/x',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:7f00:1]/',
    'file:///etc/passwd',
    'http://me:pw@b.example/',
    'http://inside.example/',
    'http://nobody.example/',
  ])('to %s is refused', async location => {
    const { get, dialled } = await web(
      { 'a.example': to(location), 'inside.example': 'secret' },
      { names: { 'a.example': [['1.1.1.1']], 'inside.example': [['10.1.2.3']] } },
    );
    expect((await failureOf(get('http://a.example/'))).code).toBe('address_refused');
    expect(dialled).toEqual(['1.1.1.1']);
  });

  it('is refused at its last hop as at its first', async () => {
    const { get, requests } = await web({
      'a.example': to('http://b.example/'),
      'b.example': to('http://c.example/'),
      'c.example': to('http://127.0.0.1:9/'),
    });
    expect((await failureOf(get('http://a.example/'))).code).toBe('address_refused');
    expect(requests.map(request => request.host)).toEqual(['a.example', 'b.example', 'c.example']);
  });

  it('is followed where it may be, relative ones too, and the answer says where it came from', async () => {
    const { get } = await web({ 'a.example/': to('/b?x=1#y'), 'a.example/b': 'found' });
    const page = await get('http://a.example/');
    expect(page).toMatchObject({ url: 'http://a.example/b?x=1', status: 200 });
  });

  it('to another host is left to whoever asked, where it may not be followed', async () => {
    const { get, requests } = await web({ 'a.example': to('http://b.example/x'), 'b.example': 'b' });
    const failure = await failureOf(get('http://a.example/', { follow: () => false }));
    expect(failure).toMatchObject({
      code: 'redirect_needs_approval',
      detail: { url: 'http://b.example/x' },
    });
    expect(requests).toHaveLength(1);
    const www = await web({ 'a.example': to('http://www.a.example/'), 'www.a.example': 'w' });
    expect((await www.get('http://a.example/', { follow: () => false })).bytes.toString()).toBe('w');
  });

  it('that never ends, ends', async () => {
    const { get, requests } = await web({ 'a.example': to('/') });
    expect((await failureOf(get('http://a.example/'))).code).toBe('too_many_redirects');
    expect(requests.length).toBeLessThanOrEqual(10);
  });

  it('turns a POST into a GET without its body, unless it says otherwise', async () => {
    const { get, requests } = await web({
      'a.example/see': to('/end', 303),
      'a.example/keep': to('/end', 307),
      'a.example/end': 'x',
    });
    await get('http://a.example/see', { method: 'POST', body: 'q=1' });
    await get('http://a.example/keep', { method: 'POST', body: 'q=1' });
    expect(requests.filter(request => request.path === '/end').map(request => request.body)).toEqual([
      '',
      'q=1',
    ]);
  });
});

const QUICKLY = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

describe('sizes', () => {
  it('a text is cut at 2 MiB and says so', async () => {
    const { get } = await web({ 'a.example': sends({ 'content-type': 'text/plain' }, 'x'.repeat(3 << 20)) });
    const page = await get('http://a.example/');
    expect(page.truncated).toBe(true);
    expect(page.bytes.length).toBe(2 << 20);
  });

  it('a document may have 32 MiB, one more is refused', async () => {
    const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(3 << 20)]);
    const endless: Page = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/pdf' });
      const piece = Buffer.alloc(1 << 20, '%PDF-');
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const { get } = await web({
      'a.example/ok': sends({ 'content-type': 'application/pdf' }, pdf),
      'a.example/endless': endless,
      'a.example/declared': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/zip', 'content-length': '99999999' });
        response.write('PK\x03\x04');
      },
    });
    expect((await get('http://a.example/ok')).bytes.equals(pdf)).toBe(true);
    expect((await failureOf(get('http://a.example/endless'))).code).toBe('too_large');
    expect((await failureOf(get('http://a.example/declared'))).code).toBe('too_large');
  });

  it.each([
    ['gzip', gzipSync],
    ['br', (data: Buffer) => brotliCompressSync(data, QUICKLY)],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['gzip, br', (data: Buffer) => brotliCompressSync(gzipSync(data))],
  ])('%s is decompressed, and a bomb is cut', async (encoding, pack) => {
    const headers = { 'content-type': 'text/plain', 'content-encoding': encoding };
    const { get, text } = await web({
      'a.example/small': sends(headers, pack(Buffer.from('hello'))),
      'a.example/bomb': sends(headers, pack(Buffer.alloc(40 << 20, 'x'))),
    });
    expect(await text('http://a.example/small')).toBe('hello');
    const bomb = await get('http://a.example/bomb');
    expect(bomb).toMatchObject({ truncated: true });
    expect(bomb.bytes.length).toBe(2 << 20);
  });

  it('broken compression is a broken answer', async () => {
    const { get } = await web({
      'a.example': sends({ 'content-encoding': 'gzip' }, 'this is not gzip at all'),
    });
    expect((await failureOf(get('http://a.example/'))).code).toBe('bad_response');
  });
});

describe('manners', () => {
  it('says who asks', async () => {
    const { get, requests } = await web({ 'a.example': 'x' });
    await get('http://a.example/');
    expect(requests[0]!.headers['user-agent']).toBe(SETTINGS.user_agent);
  });

  it('asks one host no faster than agreed, and others beside it', async () => {
    const { get, clock } = await web(
      { 'a.example': 'x', 'b.example': 'x' },
      { settings: { requests_per_second: 2, cache_seconds: 0 } },
    );
    for (const path of ['1', '2', '3']) await get(`http://a.example/${path}`);
    await get('http://b.example/');
    expect(clock.slept).toEqual([500, 500]);
  });

  it('asks again later where the server is only busy, three times at most', async () => {
    let asked = 0;
    const busy: Page = (_, response) =>
      ++asked < 3 ? response.writeHead(503).end() : response.writeHead(200).end('at last');
    const { text, get, clock } = await web({
      'a.example': busy,
      'b.example': (_, response) => response.writeHead(500).end('broken'),
      'c.example': (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
    });
    expect(await text('http://a.example/')).toBe('at last');
    expect(clock.slept).toEqual([400, 800]);
    expect((await get('http://b.example/')).status).toBe(500);
    clock.slept.length = 0;
    expect((await get('http://c.example/')).status).toBe(429);
    expect(clock.slept).toEqual([]);
  });

  it('uses an answer again for a while, unless it says not to', async () => {
    const { get, requests, clock } = await web({
      'a.example/page': 'x',
      'a.example/secret': sends({ 'cache-control': 'no-store' }, 'x'),
      'a.example/short': sends({ 'cache-control': 'max-age=10' }, 'x'),
      'a.example/gone': (_, response) => response.writeHead(404).end(),
    });
    const count = async (path: string) => {
      requests.length = 0;
      await get(`http://a.example/${path}`);
      const { cached } = await get(`http://a.example/${path}`);
      return [requests.length, cached];
    };
    expect(await count('page')).toEqual([1, true]);
    expect(await count('secret')).toEqual([2, false]);
    expect(await count('gone')).toEqual([2, false]);
    expect(await count('short')).toEqual([1, true]);
    await clock.sleep(11_000, ANY.signal);
    expect((await get('http://a.example/short')).cached).toBe(false);
  });

  it('does not hand a redirected answer from the cache to who may not follow it', async () => {
    const { get } = await web({ 'a.example': to('http://b.example/'), 'b.example': 'b' });
    await get('http://a.example/');
    expect((await failureOf(get('http://a.example/', { follow: () => false }))).code).toBe(
      'redirect_needs_approval',
    );
  });

  it('gives up after its time, and at once when it is stopped', async () => {
    const { get } = await web({ 'a.example': () => {} }, { settings: { timeout_seconds: 0.1 } });
    expect((await failureOf(get('http://a.example/'))).code).toBe('timeout');
    const patient = await web({ 'a.example': () => {} });
    const stop = new AbortController();
    const asked = patient.get('http://a.example/', { signal: stop.signal });
    const start = performance.now();
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('a server that hangs up or talks nonsense is told as such', async () => {
    const { get } = await web({
      'a.example': (request, _) => request.socket.destroy(),
      'b.example': (request, _) => request.socket.end('no http here\r\n\r\n'),
    });
    expect(await failureOf(get('http://a.example/'))).toMatchObject({
      code: 'connection',
      kind: 'retryable',
    });
    expect((await failureOf(get('http://b.example/'))).code).toBe('bad_response');
  });
});
