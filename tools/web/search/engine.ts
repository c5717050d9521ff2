/** What a search engine is: one question to one server, answered with results or with the reason why there are none. */

import { LoomError } from '../../../machines/failure.ts';
import type { Fetched, FetchOptions, SearchSettings } from '../access.ts';

export interface Found {
  title: string;
  url: string;
  snippet: string;
}

/** What an engine needs, bound to one call. */
interface Asking {
  query: string;
  /** Most results wanted. */
  count: number;
  settings: SearchSettings;
  fetch(url: string, options?: Partial<FetchOptions>): Promise<Fetched>;
}

export interface SearchEngine {
  /** As people know it. */
  title: string;
  /** Whether it can be asked with these settings. */
  isSetUp(settings: SearchSettings): boolean;
  /** The results, none when the engine says that there are none. Throws LoomError `search_blocked`, `search_failed` and what the
   *  client throws. */
  search(asking: Asking): Promise<Found[]>;
}

/** It answers, but not with results: a captcha, a consent page, an empty page. */
export const blocked = (title: string, what: string): LoomError =>
  new LoomError('retryable', 'search_blocked', `${title} ${what} instead of results`);

/** The JSON of an answer, or the reason why there is none. */
export function jsonOf(title: string, page: Fetched): unknown {
  if (page.status === 401 || page.status === 403)
    throw new LoomError(
      'terminal',
      'search_failed',
      `${title} refuses the key or the request (${page.status})`,
    );
  if (page.status === 429) throw blocked(title, 'answered that it was asked too often (429)');
  if (page.status !== 200)
    throw new LoomError('retryable', 'search_failed', `${title} answered ${page.status}`);
  try {
    return JSON.parse(page.bytes.toString('utf8'));
  } catch {
    throw blocked(title, 'answered with a page that is no JSON');
  }
}

const flat = (value: unknown): string =>
  typeof value === 'string'
    ? value
        .replace(/<[^<>]*>/g, '')
        .replace(/\s+/g, ' ')
        .trim()
    : '';

/** Results out of a list of objects; those without an address are none. */
export const foundIn = (list: unknown, snippetKey: string): Found[] =>
  (Array.isArray(list) ? (list as Record<string, unknown>[]) : []).flatMap(item => {
    const url = flat(item?.['url']);
    return /^https?:/.test(url) ? [{ title: flat(item['title']), url, snippet: flat(item[snippetKey]) }] : [];
  });
