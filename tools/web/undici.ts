/** The HTTP library, in a module of its own that is loaded with the first request: static imports of a CommonJS package
 *  survive bundling, dynamic ones lose their names. */

import { Agent, buildConnector } from 'undici';

/** Until the head of an answer is there, and between two pieces of it. */
const IDLE_MS = 15_000;
const KEPT_MS = 10_000;
const HEADER_BYTES = 64 * 1024;

export const makeConnector = (options: buildConnector.BuildOptions): buildConnector.connector =>
  buildConnector(options);

export const makeAgent = (connect: buildConnector.connector): Agent =>
  new Agent({
    connect,
    headersTimeout: IDLE_MS,
    bodyTimeout: IDLE_MS,
    keepAliveTimeout: KEPT_MS,
    maxHeaderSize: HEADER_BYTES,
    connections: 4,
    // A redirect is followed by the client, one judged hop at a time.
  });
