/** Over TLS the certificate must be that of the name that was asked for, although the connection goes to an address. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createWebClient } from '../../../tools/web/client.ts';
import { makeConnector } from '../../../tools/web/undici.ts';
import { ending } from '../../support/ending.ts';
import { failureOf } from '../support.ts';

const { later } = ending();

/** Made for this test, for the name secure.example, signed by nobody. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBozCCAUqgAwIBAgIUekZb9y5gNkVfs55D0vBwjPOEos4wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOc2VjdXJlLmV4YW1wbGUwIBcNMjYxMTIyMTkyNTQ4WhgPMjEy
NjEwMjkxOTI1NDhaMBkxFzAVBgNVBAMMDnNlY3VyZS5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEy5Byg5/13LFP/vEjCrmqi331V71Q0jDfCC70pPPH
aeJjQH0QJoSKptm3AZRaOACWj6oy1abL1txstnsHWGwJSaNuMGwwHQYDVR0OBBYE
FNFk0Soq3gf43iHZmsG6QD9K/FXzMB8GA1UdIwQYMBaAFNFk0Soq3gf43iHZmsG6
QD9K/FXzMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOc2VjdXJlLmV4YW1w
bGUwCgYIKoZIzj0EAwIDRwAwRAIgLUzSKG8bOhe8wdyv2ogDoLZPPa7FoMM+w5d9
8+1WUAYCIAF6VMU+rFYX2FibRKgOLEA3zXpA5+MP040iNBaACZtx
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgf48PdRgkpRsSlCdp
ZHT497yAF1OPYlHfBzfzmHXVy8+hRANCAATLkHKDn/XcsU/+8SMKuaqLffVXvVDS
MN8ILvSk88dp4mNAfRAmhIqm2bcBlFo4AJaPqjLVpsvW3Gy2ewdYbAlJ
-----END PRIVATE KEY-----
`;

async function client(ca: string | undefined) {
  const names: string[] = [];
  const server = createServer({ key: KEY, cert: CERTIFICATE }, (request, response) =>
    response.end(`hello ${request.headers.host}`),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  const dial = makeConnector(ca ? { ca } : {});
  const made = createWebClient(
    { user_agent: 'Test/1', timeout_seconds: 10, requests_per_second: 0, cache_seconds: 0 },
    {
      resolve: async () => ['93.184.216.34'],
      connect(options, callback) {
        names.push(options.servername ?? '');
        dial({ ...options, hostname: '127.0.0.1', port }, callback);
      },
    },
    { now: () => 0, sleep: async () => {} },
  );
  later(made.close);
  later(() => {
    server.closeAllConnections();
    server.close();
  });
  const get = (url: string) =>
    made.fetch(url, { signal: new AbortController().signal, local: () => false, follow: () => true });
  return { get, names };
}

it('a valid certificate of the name is accepted, and the name is what the server is told', async () => {
  const { get, names } = await client(CERTIFICATE);
  expect((await get('https://secure.example/')).bytes.toString()).toBe('hello secure.example');
  expect(names).toEqual(['secure.example']);
});

it('one of another name, or that nobody vouches for, is refused', async () => {
  const known = await client(CERTIFICATE);
  expect((await failureOf(known.get('https://other.example/'))).code).toBe('bad_certificate');
  const unknown = await client(undefined);
  const failure = await failureOf(unknown.get('https://secure.example/'));
  expect(failure).toMatchObject({ code: 'bad_certificate', kind: 'terminal' });
});
