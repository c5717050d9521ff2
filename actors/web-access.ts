/** What the web tools of a run or a call by hand are given: one client of this process, and the settings' search engines. */
import type { Config } from '../store/config.ts';
import type { WebAccess, WebClient } from '../tools/web/access.ts';
import { createWebClient } from '../tools/web/client.ts';
import { type Network, systemNetwork } from '../tools/web/connection.ts';

/** Set when Loom is built. */
declare const LOOM_VERSION: string | undefined;

const OWN_NAME = `Loom/${typeof LOOM_VERSION === 'string' ? LOOM_VERSION : '0'} (+https://www.npmjs.com/package/loom-harness)`;

/** By network and settings: pace and cache of a host hold for all runs of this process. */
const clients = new WeakMap<Network, Map<string, WebClient>>();

const secretOf = (written: string, env: NodeJS.ProcessEnv): string =>
  env[/^(?:env:|\$\{)(\w+)\}?$/.exec(written)?.[1] ?? ''] ?? '';

/** A header takes no line ends, and nothing beyond Latin-1. */
const inHeader = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 300);

/** @param network how names are resolved and connections made */
export function webAccess(
  { tools: { web, search } }: Config,
  env: NodeJS.ProcessEnv,
  network: Network = systemNetwork,
): Pick<WebAccess, 'client' | 'search'> {
  const named = inHeader(env['LOOM_WEB_USER_AGENT'] ?? '') || inHeader(web.user_agent) || OWN_NAME;
  const settings = { ...web, user_agent: named };
  const known = clients.get(network) ?? new Map<string, WebClient>();
  clients.set(network, known);
  const key = JSON.stringify(settings);
  const client = known.get(key) ?? createWebClient(settings, network);
  known.set(key, client);
  return {
    client,
    search: {
      ...search,
      brave_api_key: secretOf(search.brave_api_key, env),
      tavily_api_key: secretOf(search.tavily_api_key, env),
    },
  };
}
