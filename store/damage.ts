/** The header of the data file, read without LMDB: which commit is the newest, and whether the file may be mapped at
 *  all (a file cut short would end this process with SIGBUS instead of an error).
 *
 *  LMDB keeps two meta pages and writes them in turn; the one with the higher transaction id counts. After the page
 *  header: magic u32, version u32, address u64, map size u64, then two trees of 48 bytes (free pages, main), each with
 *  its root page in the last 8 bytes; then last page u64, transaction id u64. The page size is the first u32 of the
 *  first tree. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MAGIC = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
const BYTES = 256;

interface Header {
  pageSize: bigint;
  /** Of the newest commit. */
  txn: bigint;
  roots: bigint[];
}

/** A sentence fragment when the header makes no sense; null for an empty file. */
function headerOf(file: number): Header | string | null {
  const first = Buffer.alloc(BYTES);
  if (readSync(file, first, 0, BYTES, 0) === 0) return null;
  const at = first.subarray(0, 64).indexOf(MAGIC);
  if (at < 0) return 'it is not an LMDB data file';
  const pageSize = first.readUInt32LE(at + 24);
  const second = Buffer.alloc(BYTES);
  if (pageSize < BYTES || pageSize > 65_536 || readSync(file, second, 0, BYTES, pageSize) < BYTES) {
    return 'its header is damaged';
  }
  const txnOf = (meta: Buffer): bigint => meta.readBigUInt64LE(at + 24 + 96 + 8);
  const newest = second.subarray(at, at + 4).equals(MAGIC) && txnOf(second) > txnOf(first) ? second : first;
  const roots = [0, 1].map(tree => newest.readBigUInt64LE(at + 24 + tree * 48 + 40));
  return { pageSize: BigInt(pageSize), txn: txnOf(newest), roots };
}

/** What is wrong with the data file in a few words, null when it looks sound, is empty or is not there.
 *  Safe for a file in use: LMDB takes no POSIX locks on the data file. */
export function damageOf(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : (error as Error).message;
  }
  try {
    const header = headerOf(file);
    if (header === null || typeof header === 'string') return header;
    // after the header: the file grows before a header names the new pages, so this size covers them
    const size = BigInt(fstatSync(file).size);
    const outside = header.roots.some(root => root !== NO_PAGE && (root + 1n) * header.pageSize > size);
    return outside ? 'it has been cut short' : null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    closeSync(file);
  }
}

/** Number of the newest commit in an open data file; null when the header does not say. */
export function newestCommit(file: number): bigint | null {
  const header = headerOf(file);
  return header === null || typeof header === 'string' ? null : header.txn;
}
