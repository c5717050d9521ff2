/** Connections of the web tools: a name is resolved once, every address it has is judged, and the connection goes to one
 *  of exactly these. A resolver that fails, answers nothing or names one private address among public ones refuses. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Agent, buildConnector } from 'undici';
import { LoomError } from '../../machines/failure.ts';
import { addressRefused, bareHost, refusedAddress } from './address.ts';

type Dial = buildConnector.connector;

/** How names are resolved and connections made. Replaced as a whole by tests and by programs with a network of their own;
 *  the guard stands before both. */
export interface Network {
  /** All addresses of a name. */
  resolve(host: string): Promise<string[]>;
  /** Connects to `hostname`, an address that has been judged; `servername` is who it must be. */
  connect?: Dial;
}

const CONNECT_MS = 10_000;
/** Addresses tried before a host counts as not reachable. */
const MAX_TRIES = 3;

export const systemNetwork: Network = {
  resolve: async host => (await lookup(host, { all: true, verbatim: true })).map(found => found.address),
};

/**
 * Addresses of a host that may be connected to.
 * @throws LoomError `address_refused`
 */
async function judgedAddresses(host: string, network: Network): Promise<string[]> {
  const bare = bareHost(host);
  const found = isIP(bare) ? [bare] : await resolved(bare, network);
  for (const address of found) {
    const why = refusedAddress(address);
    if (why !== null) throw addressRefused(bare === address ? bare : `${bare} (${address})`, why);
  }
  return found;
}

async function resolved(host: string, network: Network): Promise<string[]> {
  const found = await network.resolve(host).catch((error: NodeJS.ErrnoException) => {
    throw addressRefused(host, `its name could not be resolved (${error.code ?? error.message})`);
  });
  if (found.length === 0) throw addressRefused(host, 'its name resolves to nothing');
  return found;
}

/** A server on this machine is asked on this machine, whatever a resolver says of its name. */
const loopbackOf = (host: string): string[] =>
  isIP(bareHost(host)) ? [bareHost(host)] : ['127.0.0.1', '::1'];

/** An undici agent whose every connection passes the guard. `local`: only for servers the user has opened. */
export async function openAgent(network: Network, local: boolean): Promise<Agent> {
  const { makeAgent, makeConnector } = await import('./undici.ts');
  const dial = network.connect ?? makeConnector({ timeout: CONNECT_MS });
  return makeAgent((options, callback) => {
    const judged = local
      ? Promise.resolve(loopbackOf(options.hostname))
      : judgedAddresses(options.hostname, network);
    judged.then(
      addresses => tryEach(dial, options, addresses.slice(0, MAX_TRIES), callback),
      error => callback(error, null),
    );
  });
}

function tryEach(
  dial: Dial,
  options: buildConnector.Options,
  [address, ...others]: string[],
  callback: buildConnector.Callback,
): void {
  const name = bareHost(options.hostname);
  // The name, not the address, is what the certificate must be for.
  const servername = options.servername || (isIP(name) ? '' : name);
  dial({ ...options, hostname: address!, ...(servername ? { servername } : {}) }, (error, socket) => {
    if (error && others.length > 0) tryEach(dial, options, others, callback);
    else if (error) callback(error, null);
    else callback(null, socket);
  });
}

const WHY: Record<string, string> = {
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'it is not reachable',
  ENETUNREACH: 'there is no network',
  UND_ERR_SOCKET: 'it closed the connection',
};

/** What a request died of, as data. */
export function connectionError(error: unknown, where: string, signal: AbortSignal): LoomError {
  if (error instanceof LoomError) return error;
  if (signal.aborted && signal.reason?.name !== 'TimeoutError') return signal.reason;
  const { code = '', message = '', name = '' } = error as NodeJS.ErrnoException;
  if (/TIMEOUT|ETIMEDOUT/.test(code) || name === 'TimeoutError')
    return new LoomError('retryable', 'timeout', `${where} did not answer in time.`);
  if (name === 'HTTPParserError' || /UND_ERR_RES|HEADERS_OVERFLOW/.test(code))
    return new LoomError('terminal', 'bad_response', `${where} does not answer in valid HTTP (${message}).`);
  if (/CERT|TLS|SSL|SIGNATURE|ALTNAME/.test(code))
    return new LoomError(
      'terminal',
      'bad_certificate',
      `The certificate of ${where} is not valid (${code}).`,
    );
  return new LoomError('retryable', 'connection', `${where} could not be reached: ${WHY[code] ?? message}.`);
}
