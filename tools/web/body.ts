/** Reads the body of an answer: decompressed piece by piece, so that nothing small can become something huge, and cut
 *  where its kind has its limit. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { LoomError } from '../../machines/failure.ts';
import { looksText, mediaType } from './kind.ts';

/** Bytes of a text that are read; the rest is left out, and said to be. */
const TEXT_LIMIT = 2 * 1024 * 1024;
/** Bytes of anything else; half a document is none, so a larger one is refused. */
const DOCUMENT_LIMIT = 32 * 1024 * 1024;
/** Compressions on top of each other that anybody means. */
const MAX_ENCODINGS = 3;

function decoders(encoding: string, head: number | undefined): NodeJS.ReadWriteStream[] {
  const names = encoding
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name !== 'identity');
  if (names.length > MAX_ENCODINGS) return [];
  return names.reverse().flatMap(name => {
    if (name === 'gzip' || name === 'x-gzip') return [createGunzip()];
    // Some servers send what the standard calls deflate, others the bare data without its frame.
    if (name === 'deflate') return [(head ?? 0x78) % 16 === 8 ? createInflate() : createInflateRaw()];
    return name === 'br' ? [createBrotliDecompress()] : [];
  });
}

/** The types of node do not know that the last one of a list may be a function. */
type Streams = NodeJS.ReadWriteStream[];

/**
 * @param where names the server in messages
 * @throws LoomError `too_large`, `bad_response`
 */
export async function readBody(
  body: Readable,
  headers: Record<string, string>,
  where: string,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; truncated: boolean }> {
  const declared = Number(headers['content-length'] ?? 0);
  const source = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await source.next();
  if (first.done) return { bytes: Buffer.alloc(0), truncated: false };
  const pieces: Buffer[] = [];
  let size = 0;
  let limit = 0;
  let full = false;
  const collect = async (stream: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of stream) {
      pieces.push(piece);
      size += piece.length;
      limit ||= looksText(mediaType(headers), piece) ? TEXT_LIMIT : DOCUMENT_LIMIT;
      if (limit === DOCUMENT_LIMIT && (size > limit || declared > limit)) throw tooLarge(where, declared);
      full = size > limit;
      if (full) return;
    }
  };
  const all = Readable.from(
    (async function* () {
      yield first.value;
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
    })(),
    { objectMode: false },
  );
  const chain = decoders(headers['content-encoding'] ?? '', first.value[0]);
  try {
    await pipeline([all, ...chain, collect] as unknown as Streams, { signal });
  } catch (error) {
    // What stands before the end of the reader is cut off by it, and says so.
    if (full) return cutAt(pieces, limit);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (/^(Z_|ERR_BROTLI|ERR__ERROR|ERR_PADDING|BROTLI)/.test(code))
      throw new LoomError('terminal', 'bad_response', `${where} sent data that cannot be decompressed.`);
    throw error;
  } finally {
    discard(body);
  }
  return full ? cutAt(pieces, limit) : { bytes: Buffer.concat(pieces), truncated: false };
}

const cutAt = (pieces: Buffer[], limit: number) => ({
  bytes: Buffer.concat(pieces).subarray(0, limit),
  truncated: true,
});

/** Ends an answer nobody reads on; that it ends early is no error. */
export const discard = (body: Readable): void => void body.on('error', () => {}).destroy();

const tooLarge = (where: string, declared: number): LoomError =>
  new LoomError(
    'terminal',
    'too_large',
    `${where} sent more than ${DOCUMENT_LIMIT / 1024 / 1024} MiB${declared > DOCUMENT_LIMIT ? ` (${declared} bytes)` : ''}; nothing of it was kept. Look for a smaller version, or download it with shell_execute.`,
    { limit: DOCUMENT_LIMIT },
  );
