/** Engines with an API: one that a user runs, and two that want a key. */

import { subjectOf } from '../address.ts';
import { foundIn, jsonOf, type SearchEngine } from './engine.ts';

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

export const searxng: SearchEngine = {
  title: 'SearXNG',
  isSetUp: settings => settings.searxng_url !== '',
  async search({ query, settings, fetch }) {
    const base = settings.searxng_url.replace(/\/+$/, '').replace(/\/search$/, '');
    const own = URL.canParse(base) ? subjectOf(new URL(base)) : '';
    const url = `${base}/search?${new URLSearchParams({ q: query, format: 'json' })}`;
    // The user has set it up: it may stand on this machine.
    const page = await fetch(url, { redirects: 0, local: subject => subject === own });
    return foundIn(objectOf(jsonOf('SearXNG', page))['results'], 'content');
  },
};

export const brave: SearchEngine = {
  title: 'Brave',
  isSetUp: settings => settings.brave_api_key !== '',
  async search({ query, count, settings, fetch }) {
    const url = `https://api.search.brave.com/res/v1/web/search?${new URLSearchParams({ q: query, count: String(count) })}`;
    const headers = { 'x-subscription-token': settings.brave_api_key, accept: 'application/json' };
    const page = await fetch(url, { headers, redirects: 0 });
    return foundIn(objectOf(objectOf(jsonOf('Brave', page))['web'])['results'], 'description');
  },
};

export const tavily: SearchEngine = {
  title: 'Tavily',
  isSetUp: settings => settings.tavily_api_key !== '',
  async search({ query, count, settings, fetch }) {
    const page = await fetch('https://api.tavily.com/search', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${settings.tavily_api_key}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify({ query, max_results: count }),
      redirects: 0,
    });
    return foundIn(objectOf(jsonOf('Tavily', page))['results'], 'content');
  },
};
