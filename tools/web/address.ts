/** The address guard: which URLs and IP addresses tools may ask. Everything it refuses has the code `address_refused`.
 *
 * A URL is judged as its text says (scheme, credentials, name or literal address in any spelling); what a name resolves to
 * is judged when the connection is made (`connection.ts`), so that no second answer of a resolver can slip in between. */

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { refusal } from '../result.ts';

/** Numbers are spelled in many ways; a refusal shows what was understood. */
export const addressRefused = (where: string, why: string): Error =>
  refusal(
    'address_refused',
    `${where.slice(0, 200)} is not asked: ${why}. Only public http(s) addresses are; a server on this machine only where a rule of the user's names it, as in web_fetch(localhost:3000).`,
  );

/** Interface identifiers of ISATAP carry an IPv4 address in their last four bytes. */
const isIsatap = (bytes: number[]): boolean =>
  (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;

/** Why an IP address must not be asked, null when it is public. What is no address at all is refused, too. */
export function refusedAddress(text: string): string | null {
  // The strict reader: the tables' own takes short and octal forms, which connections may read otherwise.
  if (isIP(text) === 0 || text.includes('%')) return 'it is no plain IP address';
  const address = ipaddr.parse(text);
  const range = address.range();
  if (range !== 'unicast') return `it is a ${WORDS[range] ?? range} address`;
  if (address.kind() === 'ipv4') return null;
  const bytes = address.toByteArray();
  // Whatever the tables do not know of: only 2000::/3 is given out as public.
  if ((bytes[0]! & 0xe0) !== 0x20) return 'it is not in the public IPv6 range';
  return isIsatap(bytes) ? 'it stands for an IPv4 address' : null;
}

const WORDS: Record<string, string> = {
  loopback: 'loopback (this machine)',
  private: 'private',
  uniqueLocal: 'private',
  linkLocal: 'link-local',
  carrierGradeNat: 'carrier-grade NAT (100.64.0.0/10)',
  ipv4Mapped: 'IPv4-in-IPv6',
  rfc6052: 'NAT64',
  rfc6145: 'NAT64',
};

const isLocalName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');
const isLoopback = (host: string): boolean =>
  isLocalName(host) || (isIP(host) !== 0 && ipaddr.parse(host).range() === 'loopback');

/** A host as it is compared: lower case, without brackets and final dot. */
export const bareHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** `example.org`, `localhost:3000`, `[::1]:8080`: what rules match and people are asked about. */
export function subjectOf(url: URL): string {
  const host = bareHost(url.hostname);
  return `${host.includes(':') ? `[${host}]` : host}${url.port === '' ? '' : `:${url.port}`}`;
}

export interface Target {
  url: URL;
  /** A server on this machine that the user has opened. */
  local: boolean;
}

/**
 * @param text URL as written by a model or sent by a server
 * @param opened whether the user has opened this local `host:port`
 * @throws LoomError `address_refused`
 */
export function checkUrl(text: string, opened: (subject: string) => boolean = () => false): Target {
  if (!URL.canParse(text)) throw addressRefused(text, 'it is not a valid URL with a host');
  const url = new URL(text);
  const where = text.replace(/\/\/[^/@]*@/, '//…@');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw addressRefused(where, `${url.protocol}// is not http or https`);
  if (url.username !== '' || url.password !== '') throw addressRefused(where, 'it carries credentials');
  const host = bareHost(url.hostname);
  if (host === '') throw addressRefused(where, 'it names no host');
  url.hash = '';
  if (opened(subjectOf(url)) && isLoopback(host)) return { url, local: true };
  if (isLocalName(host)) throw addressRefused(where, 'it is this machine');
  if (isIP(host) === 0 && !host.includes(':')) return { url, local: false };
  const why = refusedAddress(host);
  if (why !== null) throw addressRefused(where === host ? where : `${where} (${host})`, why);
  return { url, local: false };
}

/** Whether a rule opens a local server: it must name the loopback host itself, with its port or any; a rule for
 *  everything opens none. */
export function opensLocal(rule: string, subject: string): boolean {
  const pattern = /^\s*web_fetch\(\s*(\S+?)\s*\)\s*$/.exec(rule)?.[1]?.toLowerCase();
  if (pattern === undefined) return false;
  const named = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}|\*))?$/.exec(pattern);
  if (!named || !isLoopback(bareHost(named[1]!))) return false;
  return pattern.endsWith(':*') ? subject.replace(/:\d+$/, '') === named[1] : subject === pattern;
}
