/** Reads ZIP archives within bounds: what is listed or unpacked is limited before it is made, whatever the headers say. */

import { refusal } from '../result.ts';

export interface ArchiveEntry {
  name: string;
  /** Uncompressed bytes as the archive says; nothing relies on it. */
  size: number;
}

/** Compressed bytes that are handed to the inflater at once: at most about a thousand times as many come out. */
const STEP = 32 * 1024;
/** Other work of the process gets a turn after so many steps. */
const STEPS_PER_TURN = 32;

/** @throws LoomError `document_broken` */
export async function listZip(bytes: Uint8Array, shown: string): Promise<ArchiveEntry[]> {
  const { unzipSync } = await import('fflate');
  const entries: ArchiveEntry[] = [];
  try {
    unzipSync(bytes, {
      filter({ name, originalSize }) {
        entries.push({ name, size: originalSize });
        return false;
      },
    });
  } catch {
    throw refusal(
      'document_broken',
      `${shown} is damaged: its archive directory cannot be read. Get a new copy of it.`,
    );
  }
  return entries;
}

/**
 * Unpacks the entries that `wanted` names.
 * @param limit bytes that may come out in all
 * @throws LoomError `document_broken`, `too_large`; the signal's reason
 */
export async function unpackZip(
  bytes: Uint8Array,
  wanted: (name: string) => boolean,
  { limit, shown, signal }: { limit: number; shown: string; signal?: AbortSignal | undefined },
): Promise<Map<string, Buffer>> {
  const { Unzip, UnzipInflate } = await import('fflate');
  const files = new Map<string, Buffer>();
  let size = 0;
  let broken = false;
  const unzip = new Unzip(file => {
    if (!wanted(file.name)) return;
    const parts: Uint8Array[] = [];
    file.ondata = (error, chunk, final) => {
      if (error) broken = true;
      else {
        size += chunk.length;
        if (size <= limit) parts.push(chunk);
      }
      if (final) files.set(file.name, Buffer.concat(parts));
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  try {
    for (let at = 0, step = 1; at < bytes.length; at += STEP, step++) {
      signal?.throwIfAborted();
      unzip.push(bytes.subarray(at, at + STEP), at + STEP >= bytes.length);
      if (broken || size > limit) break;
      if (step % STEPS_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve));
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    broken = true;
  }
  if (size > limit)
    throw refusal(
      'too_large',
      `${shown} unpacks to more than ${Math.round(limit / 1024 / 1024)} MB and was not read.`,
    );
  if (broken)
    throw refusal('document_broken', `${shown} is damaged: a part of it cannot be unpacked. Get a new copy.`);
  return files;
}
