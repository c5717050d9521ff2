/** A web of its own: names with addresses as a test wants them, and one real server on loopback that all connections go
 *  to, whatever address they were meant for. No packet can leave, even when a guard fails; what was meant is recorded. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectTo } from 'node:net';
import { type Network, systemNetwork } from '../../tools/web/connection.ts';

export interface FakeWeb {
  network: Network;
  /** Addresses that connections were meant for, in order. */
  dialled: string[];
  /** `host path` of every request that arrived. */
  requests: { host: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  /** Names that were looked up. */
  lookups: string[];
  /** Its port on loopback. */
  port: number;
  stop(): Promise<void>;
}

export type Page = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Answers of a resolver, one after the other, the last one for ever; an error is thrown. */
type Names = Record<string, (string[] | Error)[]>;

/** @param pages by `host/path`, or by `host` for all of its paths; anything else is 404
 *  @param names what names resolve to; others to 93.184.216.34, a public address */
export async function fakeWeb(
  pages: Record<string, Page | string>,
  names: Names | 'any' = 'any',
): Promise<FakeWeb> {
  const requests: FakeWeb['requests'] = [];
  const dialled: string[] = [];
  const lookups: string[] = [];
  const server = createServer(async (request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    let body = '';
    for await (const piece of request) body += piece;
    requests.push({ host, path: request.url ?? '', headers: request.headers, body });
    const path = (request.url ?? '').split('?')[0]!;
    const page = pages[`${host}${path}`] ?? pages[host];
    if (page === undefined) return response.writeHead(404).end('nothing here');
    if (typeof page !== 'string') return page(request, response);
    return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const asked = new Map<string, number>();
  return {
    requests,
    dialled,
    lookups,
    port,
    network: {
      ...systemNetwork,
      async resolve(host) {
        lookups.push(host);
        if (names === 'any') return ['93.184.216.34'];
        const answers = names[host];
        if (!answers) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
        const n = asked.get(host) ?? 0;
        asked.set(host, n + 1);
        const answer = answers[Math.min(n, answers.length - 1)]!;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      connect(options, callback) {
        dialled.push(options.hostname);
        const socket = connectTo(port, '127.0.0.1');
        socket.once('error', error => callback(error, null));
        socket.once('connect', () => callback(null, socket));
      },
    },
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
