/** DuckDuckGo's page for browsers without scripts: no key, but it may ask for a captcha at any time. */

import { measured } from '../plain.ts';
import { blocked, type Found, type SearchEngine } from './engine.ts';

const TITLE = 'DuckDuckGo';
const ADDRESS = 'https://html.duckduckgo.com/html/';
const MAX_TAGS = 40_000;

interface Element {
  textContent: string | null;
  getAttribute(name: string): string | null;
  querySelector(selector: string): Element | null;
}
interface Page {
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

const flat = (element: Element | null): string => (element?.textContent ?? '').replace(/\s+/g, ' ').trim();

/** Results lead through an address of its own that names the real one. */
function targetOf(href: string): string {
  if (!URL.canParse(href, ADDRESS)) return '';
  const url = new URL(href, ADDRESS);
  return url.searchParams.get('uddg') ?? url.href;
}

export const duckduckgo: SearchEngine = {
  title: TITLE,
  isSetUp: () => true,
  async search({ query, fetch }) {
    const page = await fetch(ADDRESS, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ q: query, b: '' }).toString(),
    });
    const html = page.bytes.toString('utf8');
    if (/anomaly|challenge-form|captcha/i.test(html) && !html.includes('result__a'))
      throw blocked(TITLE, 'shows a captcha');
    // 202 is how it answers what it takes for a robot.
    if (page.status !== 200) throw blocked(TITLE, `answered ${page.status}`);
    if (measured(html).tags > MAX_TAGS) throw blocked(TITLE, 'sent an endless page');
    const { parseHTML } = await import('linkedom');
    const { document } = parseHTML(html) as unknown as { document: Page };
    const found: Found[] = [];
    for (const result of document.querySelectorAll('.result')) {
      if (/\bresult--ad\b/.test(result.getAttribute('class') ?? '')) continue;
      const link = result.querySelector('.result__a');
      const url = targetOf(link?.getAttribute('href') ?? '');
      if (link && /^https?:/.test(url) && !/^https?:\/\/duckduckgo\.com\/y\.js/.test(url))
        found.push({ title: flat(link), url, snippet: flat(result.querySelector('.result__snippet')) });
    }
    if (found.length === 0 && !/no-results|No results/.test(html)) throw blocked(TITLE, 'sent an empty page');
    return found;
  },
};
