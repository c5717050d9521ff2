/** What archives hold: ZIP, tar and gzip, listed and never unpacked to disk. */

import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { refusal } from '../result.ts';
import type { Extraction } from './kind.ts';
import type { ArchiveEntry } from './unpack.ts';

const MAX_LISTED = 1_000;
/** Of a compressed archive, unpacked; listing stops there. Bytes. */
const MAX_UNPACKED = 512 * 1024 * 1024;
const BLOCK = 512;
/** Headers that carry a long name. Bytes. */
const MAX_NAME_HEADER = 16 * 1024;

interface Listing {
  entries: ArchiveEntry[];
  /** False: the end was not reached. */
  whole: boolean;
}

export function listed(format: string, { entries, whole }: Listing, shown: string): Extraction {
  const lines = entries.slice(0, MAX_LISTED).map(({ name, size }) => {
    // A line break in a name must not look like two entries.
    const safe = /[\u0000-\u001f\u007f]/.test(name) ? JSON.stringify(name) : name;
    return name.endsWith('/') ? safe : `${safe} (${size.toLocaleString('en-US')} bytes)`;
  });
  if (entries.length > MAX_LISTED) lines.push(`… ${entries.length - MAX_LISTED} more entries`);
  if (!whole) lines.push('… the rest was not read');
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  return {
    kind: 'archive',
    text: `[${format} archive: ${shown}, ${entries.length} entries, ${total.toLocaleString('en-US')} bytes unpacked]\n${lines.join('\n')}`,
    data: {
      type: 'archive',
      format,
      entries: entries.length,
      unpacked_bytes: total,
      truncated: !whole || entries.length > MAX_LISTED,
    },
  };
}

const field = (block: Buffer, from: number, to: number): string =>
  block.subarray(from, to).toString('utf8').split('\0')[0]!;

/** Octal, or base 256 where the first bit is set. */
function sizeField(block: Buffer): number {
  if ((block[124]! & 0x80) === 0) return Number.parseInt(field(block, 124, 136).trim() || '0', 8);
  return Number(block.readBigUInt64BE(128));
}

/** Reads headers from a stream of tar data and passes over the contents. */
async function tarEntries(source: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<Listing> {
  const entries: ArchiveEntry[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let skip = 0;
  let seen = 0;
  let longName = '';
  let naming = 0;
  let pax = false;
  for await (const chunk of source) {
    signal?.throwIfAborted();
    seen += chunk.length;
    if (seen > MAX_UNPACKED) return { entries, whole: false };
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const passed = Math.min(skip, rest.length);
      rest = rest.subarray(passed);
      skip -= passed;
      if (rest.length < Math.max(BLOCK, Math.ceil(naming / BLOCK) * BLOCK)) break;
      if (naming > 0) {
        longName = pax
          ? (/^\d+ path=([^\n]*)$/m.exec(rest.subarray(0, naming).toString('utf8'))?.[1] ?? '')
          : field(rest, 0, naming);
        rest = rest.subarray(Math.ceil(naming / BLOCK) * BLOCK);
        naming = 0;
        continue;
      }
      const block = rest.subarray(0, BLOCK);
      rest = rest.subarray(BLOCK);
      if (block.every(byte => byte === 0)) return { entries, whole: true };
      const size = sizeField(block);
      if (field(block, 257, 262) !== 'ustar' || !Number.isSafeInteger(size)) return { entries, whole: false };
      const type = String.fromCharCode(block[156]!);
      if ((type === 'L' || type === 'x') && size > 0 && size <= MAX_NAME_HEADER) {
        naming = size;
        pax = type === 'x';
        continue;
      }
      skip = Math.ceil(size / BLOCK) * BLOCK;
      if (type === 'x' || type === 'g' || type === 'L' || type === 'K') continue;
      // Only where the magic ends in NUL; GNU's own format keeps times there.
      const prefix = block[262] === 0 ? field(block, 345, 500) : '';
      const name = longName || (prefix ? `${prefix}/` : '') + field(block, 0, 100);
      longName = '';
      entries.push({ name, size });
    }
  }
  return { entries, whole: skip === 0 && rest.length === 0 };
}

export async function listTar(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  return listed('tar', await tarEntries(Readable.from([bytes]), signal), shown);
}

async function* followedBy(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

/** A compressed tar archive, or one compressed file. */
export async function listGzip(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  const unpacked = Readable.from([bytes]).pipe(createGunzip());
  const chunks: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => iterator };
  const iterator: AsyncIterator<Buffer> = unpacked[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    const head: Buffer = first.done ? Buffer.alloc(0) : first.value;
    if (head.subarray(257, 262).toString('latin1') === 'ustar')
      return listed('tar.gz', await tarEntries(followedBy(head, chunks), signal), shown);
    const name = shown.split('/').at(-1)!.replace(/\.gz$/i, '');
    let size = head.length;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (size > MAX_UNPACKED) break;
    }
    return listed('gzip', { entries: [{ name, size }], whole: size <= MAX_UNPACKED }, shown);
  } catch (error) {
    signal?.throwIfAborted();
    throw refusal(
      'document_broken',
      `${shown} is damaged: ${(error as Error).message}. Get a new copy of it.`,
    );
  } finally {
    unpacked.destroy();
  }
}
