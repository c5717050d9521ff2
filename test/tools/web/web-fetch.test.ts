/** What a page, a feed, an API, a document look like to a model, and what is said when there is nothing to read. */

import { zipSync } from 'fflate';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../../tools/registry.ts';
import type { ToolContext, ToolResult } from '../../../tools/tool.ts';
import { createWebClient } from '../../../tools/web/client.ts';
import { ending } from '../../support/ending.ts';
import { fakeWeb, type Page } from '../../support/fake-web.ts';
import { bench } from '../support.ts';

const { later } = ending();
const registry = createRegistry();

async function web(pages: Record<string, Page | string>) {
  const fake = await fakeWeb(pages);
  const client = createWebClient(
    { user_agent: 'T', timeout_seconds: 10, requests_per_second: 0, cache_seconds: 0 },
    fake.network,
    { now: () => performance.now(), sleep: async () => {} },
  );
  later(fake.stop);
  later(client.close);
  const { context } = await bench();
  const here: ToolContext = { ...context, web: { ...context.web, client } };
  const get = (url: string, args: Record<string, unknown> = {}, more: Partial<ToolContext> = {}) =>
    registry.run('web_fetch', { url, ...args }, { ...here, ...more });
  return { ...fake, context: here, get };
}

const as =
  (type: string, body: string | Uint8Array, status = 200): Page =>
  (_, response) =>
    response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(body);

const WORDS = 'The quick brown fox, as they say, jumps over the lazy dog while the others look on. ';
const ARTICLE = `<!doctype html><html><head><title>On foxes &amp; dogs</title><style>p{}</style><script>alert(1)</script></head>
<body><nav><a href="/home">Home</a> <a href="/about">About us</a></nav>
<main><article><h1>On foxes</h1><p>${WORDS.repeat(30)}</p>
<h2>Figures</h2><table><thead><tr><th>Animal</th><th>Legs | feet</th></tr></thead><tbody><tr><td>fox</td><td>4</td></tr></tbody></table>
<pre><code>def jump():
    return 1</code></pre>
<ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul>
<p>See <a href="../more?x=1">more</a> and <a href="javascript:evil()">this</a>.</p></article></main>
<footer>Cookies! Subscribe!</footer></body></html>`;

describe('a page', () => {
  it('is its article as Markdown: headings, tables, code, lists, links that lead somewhere', async () => {
    const { get } = await web({ 'a.example': ARTICLE });
    const { output, data, success, untrusted } = await get('http://a.example/blog/foxes');
    expect(success).toBe(true);
    expect(untrusted).toEqual({ source: 'http://a.example/blog/foxes' });
    expect(data).toMatchObject({ status_code: 200, content_kind: 'html', article: true });
    expect(output).toMatch(/^On foxes[^\n]*\nhttp:\/\/a\.example\/blog\/foxes\n/);
    expect(output).toContain('## Figures');
    expect(output).toContain('| Animal | Legs \\| feet |\n| --- | --- |\n| fox | 4 |');
    expect(output).toContain('```\ndef jump():\n    return 1\n```');
    expect(output).toContain('[more](http://a.example/more?x=1)');
    for (const clutter of ['alert', 'Cookies!', 'About us', 'javascript:', 'p{}'])
      expect(output).not.toContain(clutter);
  });

  it('is all of it when asked for, and its source', async () => {
    const { get } = await web({ 'a.example': ARTICLE });
    const whole = (await get('http://a.example/x', { mode: 'page' })).output;
    expect(whole).toContain('Cookies! Subscribe!');
    expect(whole).not.toContain('alert');
    expect((await get('http://a.example/x', { mode: 'source' })).output).toContain('<script>alert(1)');
  });

  it('without an article is read whole: a list of links is what it is about', async () => {
    const links = Array.from({ length: 60 }, (_, i) => `<li><a href="/${i}">Result number ${i}</a></li>`);
    const { get } = await web({
      'a.example': `<html><title>Index</title><ul>${links.join('')}</ul><p>${'Short. '.repeat(8)}</p></html>`,
    });
    const { output } = await get('http://a.example/');
    expect(output).toContain('[Result number 0](http://a.example/0)');
    expect(output).toContain('[Result number 59](http://a.example/59)');
  });

  it.each([
    ['html without html or body', '<title>Hi</title><p>Some text'],
    ['a body without html', '<body><p>Some text</body>'],
    ['no closing tags', '<html><body><div><p>Some text<p>more'],
    ['broken tags', '<html><body><p <b>>Some text</p></</>'],
    ['a comment that never ends', '<html><body><p>Some text</p><!-- '],
  ])('that is %s can be read', async (_, html) => {
    const { get } = await web({ 'a.example': html });
    expect((await get('http://a.example/')).output).toContain('Some text');
  });

  it.each([
    ['deep', `<html><body>${'<div>'.repeat(50_000)}the end`],
    ['wide', `<html><body>${'<p>a</p>'.repeat(150_000)}the end`],
    ['all brackets', `<html><body>the end ${'<'.repeat(1_000_000)}`],
    ['tags without an end', `<html><body>the end${'<a '.repeat(300_000)}`],
    ['all blanks', `<html><body><p>${' '.repeat(1_000_000)}the end${'\t\n'.repeat(200_000)}`],
    ['scripts without an end', `<html><body>the end${'<script>'.repeat(100_000)}`],
  ])('that is %s is read in bounded time', async (_, html) => {
    const { get } = await web({ 'a.example': html });
    const start = performance.now();
    const { output } = await get('http://a.example/', {}, { outputLimit: 3_000_000 });
    expect(output).toContain('the end');
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});

describe('characters', () => {
  const text = 'Grüße, 世界 — “ok”';
  const latin = 'Grüße — “ok”';
  const rows: [string, string, Uint8Array, string][] = [
    ['the server says so', 'text/plain; charset=windows-1252', iconv.encode(latin, 'windows-1252'), latin],
    [
      'Latin-1 is read as browsers do',
      'text/plain; charset=ISO-8859-1',
      iconv.encode(latin, 'windows-1252'),
      latin,
    ],
    ['quoted', 'text/plain; charset="shift_jis"', iconv.encode('世界', 'shift_jis'), '世界'],
    ['the page says so', 'text/html', iconv.encode(`<meta charset="gb18030"><p>${text}`, 'gb18030'), text],
    [
      'XML says so',
      'text/xml',
      iconv.encode('<?xml version="1.0" encoding="euc-jp"?><a>世界</a>', 'euc-jp'),
      '世界',
    ],
    ['a mark wins', 'text/plain; charset=latin1', Buffer.from(`\ufeff${text}`), text],
    ['UTF-16 with a mark', 'text/plain', Buffer.from(`\ufeff${text}`, 'utf16le'), text],
    ['UTF-8 without a word', 'text/plain', Buffer.from(text), text],
    [
      'something else without a word',
      'text/plain',
      iconv.encode('Grüße und Küsse, schöne Österreicher', 'windows-1252'),
      'Grüße und Küsse',
    ],
    ['a name nobody knows', 'text/plain; charset=klingon', Buffer.from(text), text],
  ];
  it.each(rows)('%s', async (_, type, body, expected) => {
    const { get } = await web({ 'a.example': as(type, body) });
    expect((await get('http://a.example/')).output).toContain(expected);
  });
});

const RSS = `<?xml version="1.0"?><rss version="2.0"><channel><title>News &amp; views</title>
<item><title><![CDATA[One <b>bold</b> thing]]></title><link>http://n.example/1</link><pubDate>Mon, 02 Feb 2026</pubDate><description>&lt;p&gt;Body &amp;amp; soul&lt;/p&gt;</description></item>
<item><title>Two</title><guid>http://n.example/2</guid></item></channel></rss>`;
const ATOM = `<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">Log</title><entry><title>Entry</title>
<link rel="self" href="http://n.example/self"/><link rel="alternate" href="http://n.example/e"/><updated>2026-02-02</updated><summary>Sum</summary></entry></feed>`;

describe('kinds', () => {
  it.each([
    ['application/rss+xml', RSS],
    ['text/xml', RSS],
    ['', RSS],
    ['application/octet-stream', RSS],
  ])('a feed sent as %j is a list', async (type, body) => {
    const { get } = await web({ 'a.example': as(type, body) });
    const { output, data } = await get('http://a.example/feed');
    expect(data).toMatchObject({ content_kind: 'feed', entries: 2, title: 'News & views' });
    expect(output).toContain('1. One bold thing (Mon, 02 Feb 2026)\n   http://n.example/1\n   Body & soul');
    expect(output).toContain('2. Two\n   http://n.example/2');
  });

  it('Atom as well', async () => {
    const { get } = await web({ 'a.example': as('application/atom+xml; charset=utf-8', ATOM) });
    expect((await get('http://a.example/')).output).toContain(
      '1. Entry (2026-02-02)\n   http://n.example/e\n   Sum',
    );
  });

  it('a feed with entities of its own expands none of them', async () => {
    const bomb = `<!DOCTYPE rss [<!ENTITY a "${'x'.repeat(1000)}">${Array.from({ length: 9 }, (_, i) => `<!ENTITY ${String.fromCharCode(98 + i)} "${`&${String.fromCharCode(97 + i)};`.repeat(20)}">`).join('')}]><rss><channel><title>&j;</title><item><title>&j;</title></item></channel></rss>`;
    const { get } = await web({ 'a.example': as('application/rss+xml', bomb) });
    const { output } = await get('http://a.example/');
    expect(output.length).toBeLessThan(5_000);
  });

  it.each([
    ['application/json', '{"a":[1,2],"b":"x y"}', '{\n "a": [\n  1,'],
    ['application/problem+json', '{"title":"No"}', '{\n "title": "No"\n}'],
    ['application/vnd.api+json; charset=utf-8', '{"a":1}', '{\n "a": 1\n}'],
    ['', '{"a":1}', '{\n "a": 1\n}'],
    ['application/json', '{"n":12345678901234567890}', '{"n":12345678901234567890}'],
    ['application/json', '{"n":1.0}', '{"n":1.0}'],
    ['application/json', '{\n   "kept": true\n}', '{\n   "kept": true\n}'],
    ['application/json', '{broken', '{broken'],
    ['application/x-ndjson', '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}'],
    ['application/xml', '<a><b>1</b></a>', '<a><b>1</b></a>'],
    ['image/svg+xml', '<svg><text>hi</text></svg>', '<svg><text>hi</text></svg>'],
    ['text/markdown', '# Hi\n\n<b>x</b>', '# Hi\n\n<b>x</b>'],
    ['text/csv', 'a,b\n1,2', 'a,b\n1,2'],
    ['application/octet-stream', 'just text', 'just text'],
    ['', '<!doctype html><p>markup</p>', 'markup'],
    ['text/plain', '<b>kept</b>', '<b>kept</b>'],
  ])('%j %j', async (type, body, expected) => {
    const { get } = await web({ 'a.example': as(type, body) });
    const { output } = await get('http://a.example/');
    expect(output).toContain(expected);
  });

  it('a document is read, and kept', async () => {
    const docx = zipSync({
      '[Content_Types].xml': Buffer.from(
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
      ),
      '_rels/.rels': Buffer.from(
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
      ),
      'word/document.xml': Buffer.from(
        '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Dear reader</w:t></w:r></w:p></w:body></w:document>',
      ),
    });
    const { get, context } = await web({ 'a.example': as('application/octet-stream', docx) });
    const { output, data, untrusted } = await get('http://a.example/download?id=1');
    expect(output).toContain('Dear reader');
    expect(data).toMatchObject({ content_kind: 'docx' });
    expect(untrusted).toEqual({ source: 'http://a.example/download?id=1' });
    const kept = await context.artifacts.get(data['artifact_ref'] as string);
    expect(kept).toMatchObject({ source: 'http://a.example/download?id=1', untrusted: true });
    expect(kept.content.equals(Buffer.from(docx))).toBe(true);
  });

  it.each([
    ['bytes', 'application/octet-stream', Buffer.from([1, 2, 3, 0, 255, 7])],
    ['a PDF that is none', 'application/pdf', Buffer.from('%PDF-1.7 and then nothing')],
    ['an archive that is none', 'application/zip', Buffer.from('PK\x03\x04 broken')],
  ])('%s: kept and named, with what can be said', async (_, type, body) => {
    const { get, context } = await web({ 'a.example': as(type, body) });
    const { output, data, success } = await get('http://a.example/file.bin');
    expect(success).toBe(true);
    expect(output).toMatch(/file\.bin from http:\/\/a\.example\/file\.bin, \d+ bytes of application\/\w+/);
    expect((await context.artifacts.get(data['artifact_ref'] as string)).content.equals(body)).toBe(true);
  });
});

it('a long text is cut for the model; the rest is read by its id and is untrusted, too', async () => {
  const long = Array.from({ length: 5_000 }, (_, i) => `line ${i}`).join('\n');
  const { get, context } = await web({ 'a.example': as('text/plain', long) });
  const { output, data } = await get('http://a.example/long.txt', {}, { outputLimit: 2_000 });
  expect(output.length).toBeLessThanOrEqual(2_000);
  const rest = await registry.run(
    'read_artifact',
    { artifact_ref: data['artifact_ref'], offset: 30_000 },
    context,
  );
  expect(rest.output).toContain('line 3');
  expect(rest.untrusted).toEqual({ source: 'http://a.example/long.txt' });
});

describe('failures', () => {
  it('of the server say what it answered, with its words as data', async () => {
    const { get } = await web({
      'a.example/404': as('text/html', '<h1>Not here</h1>', 404),
      'a.example/500': as('application/json', '{"error":"boom"}', 500),
    });
    const missing = await get('http://a.example/404');
    expect(missing).toMatchObject({
      success: false,
      error: { code: 'http_error', kind: 'terminal' },
      untrusted: { source: 'http://a.example/404' },
    });
    expect(missing.error?.message).toBe('http://a.example/404 answered 404: there is no such page.');
    expect(missing.output).toContain('Not here');
    expect(await get('http://a.example/500')).toMatchObject({ error: { kind: 'retryable' } });
  });

  it('of the guard have one code, through the tool as well', async () => {
    const { get, dialled } = await web({});
    for (const url of ['http://localhost:1/', 'file:///etc/passwd', 'http://a:b@c.example/', 'no url']) {
      const result: ToolResult = await get(url);
      expect(result.error?.code, url).toBe('address_refused');
    }
    expect(dialled).toEqual([]);
  });

  it('an empty answer is told as empty', async () => {
    const { get } = await web({ 'a.example': (_, response) => response.writeHead(204).end() });
    expect((await get('http://a.example/')).output).toContain('(no text)');
  });
});

it('is judged by its host', async () => {
  const { context } = await bench();
  const subject = async (url: string) =>
    (await registry.assess('web_fetch', { url }, context.workspace)).subject;
  expect(await subject('https://Docs.Example.org/a/b?c')).toBe('docs.example.org');
  expect(await subject('http://localhost:3000/x')).toBe('localhost:3000');
  expect(await subject('http://[::1]:80/')).toBe('[::1]');
  expect(await subject('http://0x7f.1/')).toBe('127.0.0.1');
  expect(await registry.assess('web_fetch', { url: 'http://a.example/' }, context.workspace)).toMatchObject({
    risks: ['network'],
    effect: 'repeatable',
    mutates: false,
  });
});
