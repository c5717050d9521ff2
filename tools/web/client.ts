/** The one HTTP client of all tools: guarded at every hop, paced per host, bounded in size and time, with a cache. */

import type { Agent, Dispatcher } from 'undici';
import { LoomError } from '../../machines/failure.ts';
import type { Fetched, FetchOptions, WebClient, WebSettings } from './access.ts';
import { checkUrl, subjectOf, type Target } from './address.ts';
import { discard, readBody } from './body.ts';
import { freshSeconds, pageCache } from './cache.ts';
import { connectionError, type Network, openAgent, systemNetwork } from './connection.ts';
import { type Clock, pacer, systemClock } from './pace.ts';

const MAX_REDIRECTS = 8;
const MAX_ATTEMPTS = 3;
const FIRST_WAIT_MS = 400;
/** A server that wants a longer wait is told so to the model. */
const LONGEST_WAIT_MS = 5_000;
const WORTH_ANOTHER = new Set([408, 425, 429, 500, 502, 503, 504]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const ACCEPT =
  'text/html,application/xhtml+xml,text/markdown,application/json,application/xml;q=0.9,text/*;q=0.9,*/*;q=0.8';

export function createWebClient(
  settings: WebSettings,
  network: Network = systemNetwork,
  clock: Clock = systemClock,
): WebClient {
  const gap = settings.requests_per_second > 0 ? 1000 / settings.requests_per_second : 0;
  const pace = pacer(gap, clock);
  const cache = pageCache(() => clock.now());
  let agents: { open: Promise<Agent>; local: Promise<Agent> } | null = null;
  const agentFor = (local: boolean): Promise<Agent> => {
    agents ??= { open: openAgent(network, false), local: openAgent(network, true) };
    return local ? agents.local : agents.open;
  };

  async function send({ url, local }: Target, options: FetchOptions, signal: AbortSignal): Promise<Answer> {
    await pace(url.host, signal);
    const agent = await agentFor(local);
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: options.method ?? 'GET',
      headers: {
        'user-agent': settings.user_agent,
        accept: ACCEPT,
        'accept-language': 'en,*;q=0.5',
        'accept-encoding': 'gzip, deflate, br',
        ...options.headers,
      },
      body: options.body ?? null,
      signal,
    });
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [
        name,
        (Array.isArray(value) ? value[0] : value) ?? '',
      ]),
    );
    return { status: answer.statusCode, headers, body: answer.body };
  }

  /** Once more where the server or the way to it is only momentarily unable. */
  async function patiently(target: Target, options: FetchOptions, signal: AbortSignal): Promise<Answer> {
    const where = subjectOf(target.url);
    for (let attempt = 1; ; attempt++) {
      const wait = FIRST_WAIT_MS * 2 ** (attempt - 1);
      const last = attempt >= MAX_ATTEMPTS || options.method === 'POST';
      try {
        const answer = await send(target, options, signal);
        const asked = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0;
        if (last || !WORTH_ANOTHER.has(answer.status) || asked > LONGEST_WAIT_MS) return answer;
        discard(answer.body);
        await clock.sleep(Math.max(wait, asked), signal);
      } catch (error) {
        const failed = connectionError(error, where, signal);
        if (!(failed instanceof LoomError) || last || failed.failure.code !== 'connection') throw failed;
        await clock.sleep(wait, signal).catch(() => {
          throw failed;
        });
      }
    }
  }

  async function fetchFresh(text: string, asked: FetchOptions, signal: AbortSignal): Promise<Fetched> {
    const hosts: string[] = [];
    let target = checkUrl(text, asked.local);
    let options = asked;
    const most = asked.redirects ?? MAX_REDIRECTS;
    for (;;) {
      hosts.push(subjectOf(target.url));
      const answer = await patiently(target, options, signal);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined || most === 0) {
        const body = await readBody(answer.body, answer.headers, subjectOf(target.url), signal);
        return {
          url: target.url.href,
          status: answer.status,
          headers: answer.headers,
          ...body,
          hosts,
          cached: false,
        };
      }
      discard(answer.body);
      if (hosts.length > most)
        throw new LoomError(
          'terminal',
          'too_many_redirects',
          `${text} redirects more than ${most} times; the last one leads to ${location.slice(0, 200)}.`,
        );
      target = redirected(target, location, asked);
      options = answer.status >= 307 ? options : withoutBody(options);
    }
  }

  return {
    async fetch(url, options) {
      const signal = AbortSignal.any([options.signal, AbortSignal.timeout(settings.timeout_seconds * 1000)]);
      const { url: checked } = checkUrl(url, options.local);
      const usable = (options.method ?? 'GET') === 'GET' && !options.headers;
      const known = usable ? cache.get(checked.href) : undefined;
      // Whoever asks now may go less far than the one before.
      if (known?.hosts.slice(1).every(host => options.follow(host) || host === known.hosts[0]))
        return { ...known, cached: true };
      const page = await fetchFresh(url, options, signal).catch(error => {
        throw connectionError(error, subjectOf(checked), signal);
      });
      if (usable && page.status === 200)
        cache.put(checked.href, page, freshSeconds(page.headers, settings.cache_seconds));
      return page;
    },
    async close() {
      const open = agents ? await Promise.all([agents.open, agents.local]) : [];
      agents = null;
      await Promise.all(open.map(agent => agent.destroy()));
    },
  };
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Dispatcher.ResponseData['body'];
}

const withoutBody = ({ body: _, ...options }: FetchOptions): FetchOptions => ({ ...options, method: 'GET' });

/** `www.` in front or not, and the other scheme, are the same host. */
const isSameHost = (a: URL, b: URL): boolean =>
  a.hostname.replace(/^www\./, '') === b.hostname.replace(/^www\./, '') &&
  (a.port === b.port || (a.port === '' && b.port === ''));

function redirected(from: Target, location: string, reach: FetchOptions): Target {
  const absolute = URL.canParse(location, from.url.href) ? new URL(location, from.url.href).href : location;
  const to = checkUrl(absolute, reach.local);
  if (isSameHost(from.url, to.url) || reach.follow(subjectOf(to.url))) return to;
  throw new LoomError(
    'terminal',
    'redirect_needs_approval',
    `${from.url.href} redirects to ${to.url.href.slice(0, 500)}, on another host. Call web_fetch with that URL if it is wanted.`,
    { url: to.url.href },
  );
}
