/** Content-addressed files `<dir>/ab/<sha256>`.
 *
 *  Order of a write: temporary file, fsync, rename, fsync of the folder. Only then may a commit name the blob.
 *  Crash before the rename: a temporary file that nothing names. Crash after: a blob that nothing names yet; the next
 *  write of the same content finds it. A name that exists therefore always stands for whole content. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { BlobRef, Blobs } from './blobs-port.ts';
import { crashPoint } from './crash-points.ts';
import { writeError } from './write-error.ts';

/** Below this many bytes content travels inside the row: a file of its own would cost more than it saves. */
const INLINE_BELOW = 4096;

/** Ending of a file that a collection is about to remove, see `blob-files.ts`. */
export const ASIDE = '.aside';

const hash = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function inlineRef(content: Uint8Array, sha256: string): BlobRef {
  return { sha256, size: content.byteLength, inline: Buffer.from(content).toString('base64') };
}

function checked(content: Buffer, ref: BlobRef, where: string): Buffer {
  if (hash(content) === ref.sha256) return content;
  throw new LoomError(
    'terminal',
    'blob_damaged',
    `Stored content ${ref.sha256.slice(0, 12)} in ${where} is damaged: its hash is not what was written. Restore ${where} from a backup.`,
    { sha256: ref.sha256, path: where },
  );
}

function missing(ref: BlobRef, where: string): LoomError {
  return new LoomError(
    'terminal',
    'blob_missing',
    `Stored content ${ref.sha256.slice(0, 12)} is gone from ${where}. Restore the file from a backup, or go on without it.`,
    { sha256: ref.sha256, path: where },
  );
}

/** Where it is, or where a collection has put it for a moment. */
async function readBlob(path: string, ref: BlobRef): Promise<Buffer> {
  for (const place of [path, path + ASIDE, path]) {
    try {
      return await readFile(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw missing(ref, path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @param dir usually `<home>/blobs`; made (0700) with the first blob. */
export function openBlobs(dir: string): Blobs {
  const pathOf = (sha256: string): string => join(dir, sha256.slice(0, 2), sha256);

  async function ensureFolder(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // a new folder is only durable once its parent has been synced, up to the first one that existed
    for (let at = folder; made && at.length >= made.length; at = dirname(at)) await syncFolder(dirname(at));
  }

  async function write(path: string, content: Uint8Array): Promise<void> {
    const folder = dirname(path);
    await ensureFolder(folder);
    // young first, so that no collection takes it away before the commit that names it
    const now = new Date();
    await utimes(path, now, now).catch(() => {});
    const known = await stat(path).catch(() => null);
    if (known?.size !== content.byteLength) {
      const temporary = `${path}.${randomUUID()}.tmp`;
      try {
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    }
    // also for a name that was already there: its writer may have died before this line
    await syncFolder(folder);
  }

  return {
    async put(content) {
      const sha256 = hash(content);
      if (content.byteLength < INLINE_BELOW) return inlineRef(content, sha256);
      try {
        await write(pathOf(sha256), content);
      } catch (error) {
        throw writeError(dir, error);
      }
      crashPoint('blob-written');
      return { sha256, size: content.byteLength };
    },
    async get(ref) {
      if (ref.inline !== undefined) return checked(Buffer.from(ref.inline, 'base64'), ref, 'the store');
      const path = pathOf(ref.sha256);
      return checked(await readBlob(path, ref), ref, path);
    },
  };
}

/** The same contract without a disk. */
export function openMemoryBlobs(): Blobs {
  const contents = new Map<string, Buffer>();
  return {
    async put(content) {
      const sha256 = hash(content);
      if (content.byteLength < INLINE_BELOW) return inlineRef(content, sha256);
      contents.set(sha256, Buffer.from(content));
      return { sha256, size: content.byteLength };
    },
    async get(ref) {
      if (ref.inline !== undefined) return checked(Buffer.from(ref.inline, 'base64'), ref, 'the store');
      const content = contents.get(ref.sha256);
      if (!content) throw missing(ref, 'memory');
      return Buffer.from(content);
    },
  };
}
