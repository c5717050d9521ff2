/** web_search: the first engine that answers, of those that are set up; when none does, what each of them said. */

import { LoomError } from '../../machines/failure.ts';
import { success } from '../result.ts';
import type { Tool } from '../tool.ts';
import type { SearchEngineName, SearchSettings } from './access.ts';
import { duckduckgo } from './search/duckduckgo.ts';
import type { Found, SearchEngine } from './search/engine.ts';
import { brave, searxng, tavily } from './search/keyed.ts';

const MAX_RESULTS = 20;

/** In the order in which they are asked where none is chosen. */
const ENGINES: Record<SearchEngineName, SearchEngine> = { searxng, brave, tavily, duckduckgo };

const HOW: Record<SearchEngineName, string> = {
  searxng: 'tools.search.searxng_url is not set',
  brave: 'tools.search.brave_api_key names no variable that is set',
  tavily: 'tools.search.tavily_api_key names no variable that is set',
  duckduckgo: '',
};

function enginesFor(settings: SearchSettings): SearchEngine[] {
  const { engine } = settings;
  if (engine === 'auto') return Object.values(ENGINES).filter(one => one.isSetUp(settings));
  if (ENGINES[engine].isSetUp(settings)) return [ENGINES[engine]];
  throw new LoomError(
    'terminal',
    'search_failed',
    `web_search is set to ${ENGINES[engine].title}, but ${HOW[engine]}.`,
  );
}

const line = ({ title, url, snippet }: Found, i: number): string =>
  `${i + 1}. ${title || url}\n   ${url}${snippet === '' ? '' : `\n   ${snippet}`}`;

function distinct(found: Found[]): Found[] {
  const seen = new Set<string>();
  return found.filter(({ url }) => !seen.has(url) && seen.add(url));
}

export const webSearch: Tool = {
  name: 'web_search',
  description: 'Search the web; returns titles, URLs and snippets.',
  category: 'web',
  keywords: ['research', 'internet', 'online', 'find out', 'latest', 'news', 'current'],
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', minLength: 1, maxLength: 1_000 },
      max_results: { type: 'integer', minimum: 1, maximum: MAX_RESULTS, default: 10 },
    },
    required: ['query'],
    additionalProperties: false,
  },
  effects: 'network',
  timeoutMs: 60_000,

  async run(args, { web, signal }) {
    const query = args['query'] as string;
    const count = args['max_results'] as number;
    const said: string[] = [];
    for (const engine of enginesFor(web.search)) {
      try {
        const found = await engine.search({
          query,
          count,
          settings: web.search,
          fetch: (url, options = {}) =>
            web.client.fetch(url, { local: () => false, follow: () => false, ...options, signal }),
        });
        const results = distinct(found).slice(0, count);
        return success(results.length > 0 ? results.map(line).join('\n') : `No results for: ${query}`, {
          data: { query, engine: engine.title, count: results.length, results },
          untrusted: { source: `${engine.title} search` },
        });
      } catch (error) {
        if (signal.aborted || !(error instanceof LoomError)) throw error;
        said.push(error.message.replace(/\.$/, ''));
      }
    }
    throw new LoomError(
      'retryable',
      'search_failed',
      `No search engine gave results: ${said.join('; ')}. Try again later, or set up tools.search.searxng_url, BRAVE_API_KEY or TAVILY_API_KEY.`,
      { engines: said },
    );
  },
};
