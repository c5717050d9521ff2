/** The HTTP client itself, in a module of its own: static imports of a CommonJS package survive bundling, dynamic ones lose their names. */
import { Agent, fetch as undiciFetch } from 'undici';

/** A local model may read a long prompt for minutes before its first byte. */
const FIRST_BYTE_MS = 900_000;
const BETWEEN_BYTES_MS = 300_000;
const CONNECT_MS = 10_000;

const dispatcher = new Agent({
  headersTimeout: FIRST_BYTE_MS,
  bodyTimeout: BETWEEN_BYTES_MS,
  connect: { timeout: CONNECT_MS },
});

const call = (url: Parameters<typeof undiciFetch>[0], init?: Parameters<typeof undiciFetch>[1]) =>
  undiciFetch(url, { ...init, dispatcher });

/** `fetch` with timeouts that suit models; the built-in one gives up after five minutes without a first byte. */
export const clientFetch = call as unknown as typeof fetch;
