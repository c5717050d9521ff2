/** Searching: several engines behind one tool, and the truth when an engine gives a captcha or nothing at all. */
import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../../tools/registry.ts';
import type { SearchSettings } from '../../../tools/web/access.ts';
import { createWebClient } from '../../../tools/web/client.ts';
import { ending } from '../../support/ending.ts';
import { fakeWeb, type Page } from '../../support/fake-web.ts';
import { bench } from '../support.ts';

const { later } = ending();
const registry = createRegistry();

const NOTHING: SearchSettings = { engine: 'auto', searxng_url: '', brave_api_key: '', tavily_api_key: '' };

async function search(
  pages: Record<string, Page | string>,
  settings: Partial<SearchSettings> = {},
  args: Record<string, unknown> = {},
) {
  // Plain HTTP behind every name: the engines' addresses are https, which has no server here.
  const fake = await fakeWeb(pages);
  const client = createWebClient(
    { user_agent: 'T', timeout_seconds: 10, requests_per_second: 0, cache_seconds: 0 },
    fake.network,
    { now: () => performance.now(), sleep: async () => {} },
  );
  later(fake.stop);
  later(client.close);
  const { context } = await bench();
  const plain = {
    ...client,
    fetch: ((url, options) => client.fetch(url.replace(/^https:/, 'http:'), options)) as typeof client.fetch,
  };
  const result = await registry.run(
    'web_search',
    { query: 'quick foxes & dogs', ...args },
    { ...context, web: { ...context.web, client: plain, search: { ...NOTHING, ...settings } } },
  );
  return { ...fake, result };
}

const json =
  (value: unknown, status = 200): Page =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const html =
  (body: string, status = 200): Page =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end(body);

const hit = (n: number, more = '') => `<div class="result results_links web-result ${more}">
  <h2 class="result__title"><a rel="nofollow" class="result__a" href="//duckduckgo.com/l/?uddg=${encodeURIComponent(`https://site${n}.example/a?b=1&c=2`)}&amp;rut=abc">Title <b>${n}</b></a></h2>
  <a class="result__snippet" href="#">Snippet <b>number</b> ${n}</a></div>`;
const PAGE = `<html><body><div id="links" class="results">
  <div class="result result--ad"><a class="result__a" href="https://duckduckgo.com/y.js?ad_domain=x">Buy!</a></div>
  ${hit(1)}${hit(2)}${hit(2)}${hit(3)}</div></body></html>`;
const CAPTCHA = `<html><body><form id="challenge-form" action="//duckduckgo.com/anomaly.js"><div class="anomaly-modal__title">
  Unfortunately, bots use DuckDuckGo too.</div></form></body></html>`;
const NO_HITS = '<html><body><div class="no-results">No results found for <b>x</b></div></body></html>';
const DDG = 'html.duckduckgo.com';

describe('DuckDuckGo', () => {
  it('gives titles, real addresses and snippets, without advertisements and doubles', async () => {
    const { result, requests } = await search({ [DDG]: html(PAGE) });
    expect(result.success).toBe(true);
    expect(result.output).toBe(
      [1, 2, 3]
        .map(n => `${n}. Title ${n}\n   https://site${n}.example/a?b=1&c=2\n   Snippet number ${n}`)
        .join('\n'),
    );
    expect(result.data).toMatchObject({ engine: 'DuckDuckGo', count: 3 });
    expect(result.untrusted).toEqual({ source: 'DuckDuckGo search' });
    expect(requests.map(request => request.body)).toEqual(['q=quick+foxes+%26+dogs&b=']);
  });

  it('gives as many as are wanted', async () => {
    const { result } = await search({ [DDG]: html(PAGE) }, {}, { max_results: 2 });
    expect(result.data['count']).toBe(2);
  });

  it('has nothing to offer: said, and no failure', async () => {
    const { result } = await search({ [DDG]: html(NO_HITS) });
    expect(result).toMatchObject({ success: true, output: 'No results for: quick foxes & dogs' });
  });

  it.each([
    ['a captcha', html(CAPTCHA), /captcha/],
    ['a captcha with its own status', html(CAPTCHA, 202), /captcha/],
    ['a status for robots', html('<html></html>', 202), /answered 202/],
    ['a refusal', html('', 403), /answered 403/],
    ['an empty page', html('<html><body></body></html>'), /empty page/],
    ['a consent page', html('<html><body><h1>Before you continue</h1></body></html>'), /empty page/],
  ])('shows %s: an honest failure, never "no results"', async (_, page, said) => {
    const { result } = await search({ [DDG]: page });
    expect(result).toMatchObject({ success: false, error: { code: 'search_failed', kind: 'retryable' } });
    expect(result.error?.message).toMatch(said);
    expect(result.error?.message).toMatch(/BRAVE_API_KEY/);
  });
});

const list = (key: string) => [
  { title: 'One', url: 'https://one.example/', [key]: 'First <strong>one</strong>' },
  { title: 'No address', url: 'javascript:alert(1)', [key]: '' },
  null,
];

describe('engines with an API', () => {
  it('SearXNG, on this machine when the user has set it up there', async () => {
    const { result, requests } = await search(
      { localhost: json({ results: list('content') }) },
      { searxng_url: 'http://localhost:8888/' },
    );
    expect(result.output).toBe('1. One\n   https://one.example/\n   First one');
    expect(requests[0]!.path).toBe('/search?q=quick+foxes+%26+dogs&format=json');
  });

  it('Brave, with its key and nowhere else', async () => {
    const { result, requests } = await search(
      { 'api.search.brave.com': json({ web: { results: list('description') } }) },
      { brave_api_key: 'secret-b' },
    );
    expect(result.data).toMatchObject({ engine: 'Brave', count: 1 });
    expect(requests.map(request => request.headers['x-subscription-token'])).toEqual(['secret-b']);
    expect(JSON.stringify(result)).not.toContain('secret-b');
  });

  it('Tavily, by POST', async () => {
    const { result, requests } = await search(
      { 'api.tavily.com': json({ results: list('content') }) },
      { tavily_api_key: 'secret-t' },
    );
    expect(result.data).toMatchObject({ engine: 'Tavily', count: 1 });
    expect(requests[0]!.headers.authorization).toBe('Bearer secret-t');
    expect(JSON.parse(requests[0]!.body)).toEqual({ query: 'quick foxes & dogs', max_results: 10 });
  });

  it('one that fails makes room for the next, and the key does not follow a redirect', async () => {
    const { result, requests } = await search(
      {
        'api.search.brave.com': (_, response) =>
          response.writeHead(302, { location: 'http://thief.example/' }).end(),
        'thief.example': 'thanks',
        [DDG]: html(PAGE),
      },
      { brave_api_key: 'secret-b' },
    );
    expect(result.data).toMatchObject({ engine: 'DuckDuckGo' });
    expect(requests.map(request => request.host)).toEqual(['api.search.brave.com', DDG]);
  });

  it('when all fail, what each of them said', async () => {
    const { result } = await search(
      { 'api.search.brave.com': json({}, 401), 'api.tavily.com': json({}, 429), [DDG]: html(CAPTCHA) },
      { brave_api_key: 'b', tavily_api_key: 't' },
    );
    expect(result.error?.message).toMatch(
      /Brave refuses the key.*Tavily answered that it was asked too often.*DuckDuckGo shows a captcha/,
    );
  });

  it('one that is chosen but not set up says what is missing, and no other is asked', async () => {
    const { result, requests } = await search({ [DDG]: html(PAGE) }, { engine: 'tavily' });
    expect(result.error?.message).toContain('tools.search.tavily_api_key');
    expect(requests).toEqual([]);
  });
});
