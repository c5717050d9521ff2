/** A look at the file header before LMDB maps it: a file cut short would end this process with SIGBUS, not an error.
 *
 *  LMDB keeps two meta pages and writes them in turn; the one with the higher transaction id counts. After the page
 *  header: magic u32, version u32, address u64, map size u64, then two trees of 48 bytes (free pages, main), each with
 *  its root page in the last 8 bytes; then last page u64, transaction id u64. The page size is the first u32 of the
 *  first tree. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MAGIC = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

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
    return inspect(file);
  } catch (error) {
    return (error as Error).message;
  } finally {
    closeSync(file);
  }
}

function inspect(file: number): string | null {
  const head = Buffer.alloc(256);
  if (readSync(file, head, 0, head.length, 0) === 0) return null;
  const at = head.subarray(0, 64).indexOf(MAGIC);
  if (at < 0) return 'it is not an LMDB data file';
  const pageSize = head.readUInt32LE(at + 24);
  const second = Buffer.alloc(256);
  if (pageSize < 256 || pageSize > 65_536 || readSync(file, second, 0, 256, pageSize) < 256) {
    return 'its header is damaged';
  }
  const txn = (meta: Buffer): bigint => meta.readBigUInt64LE(at + 24 + 96 + 8);
  const meta = second.subarray(at, at + 4).equals(MAGIC) && txn(second) > txn(head) ? second : head;
  // after the header: the file grows before a header names the new pages, so this size covers them
  const size = BigInt(fstatSync(file).size);
  for (const tree of [0, 1]) {
    const root = meta.readBigUInt64LE(at + 24 + tree * 48 + 40);
    if (root !== NO_PAGE && (root + 1n) * BigInt(pageSize) > size) return 'it has been cut short';
  }
  return null;
}
