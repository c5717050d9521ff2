/** The files of `<home>/blobs`, for those who keep them: backup, purge and retention.
 *
 *  Taking one away: rename it aside (`<sha256>.aside`), look at its age again, remove it. A writer that finds its content
 *  there already makes the file young first (`blobs.ts`): if it came before the rename, the look sees it and the file
 *  goes back; if it came after, it found nothing and writes anew. Crash in between: a reader that does not find a file
 *  looks aside too, and the next collection decides anew. */

import type { Dirent } from 'node:fs';
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ASIDE } from './blobs.ts';
import { crashPoint } from './crash-points.ts';

export interface BlobFile {
  sha256: string;
  path: string;
  size: number;
  /** Milliseconds since the epoch of the last write of this content. */
  written: number;
  /** Renamed aside by a collection that was killed. */
  aside: boolean;
}

const NAME = /^([0-9a-f]{64})(\.aside)?$/;
const TEMPORARY = /^[0-9a-f]{64}\.[\w-]+\.tmp$/;

const entriesOf = (folder: string): Promise<Dirent[]> =>
  readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

/** Every file, folder by folder. What disappears meanwhile is left out.
 *  @param strays also called with temporary files that a killed writer left */
export async function* blobFiles(
  dir: string,
  strays?: (path: string, written: number) => Promise<void>,
): AsyncGenerator<BlobFile> {
  for (const folder of await entriesOf(dir)) {
    if (!folder.isDirectory() || !/^[0-9a-f]{2}$/.test(folder.name)) continue;
    for (const { name } of await entriesOf(join(dir, folder.name))) {
      const path = join(dir, folder.name, name);
      const [, sha256, aside] = NAME.exec(name) ?? [];
      if (!sha256 && !(strays && TEMPORARY.test(name))) continue;
      const found = await stat(path).catch(() => null);
      if (!found) continue;
      if (!sha256) await strays?.(path, found.mtimeMs);
      else yield { sha256, path, size: found.size, written: found.mtimeMs, aside: aside !== undefined };
    }
  }
}

/** False when somebody wrote the same content meanwhile, and it stays. */
export async function removeBlob({ path, aside }: BlobFile, olderThan: number): Promise<boolean> {
  const away = aside ? path : path + ASIDE;
  if (!aside) await rename(path, away);
  crashPoint('blob-aside');
  if ((await stat(away)).mtimeMs >= olderThan) {
    await bringBack(away);
    return false;
  }
  await rm(away);
  crashPoint('blob-removed');
  return true;
}

/** The name again for a file that was set aside. */
export async function bringBack(aside: string): Promise<void> {
  await link(aside, aside.slice(0, -ASIDE.length)).catch((error: NodeJS.ErrnoException) => {
    // written anew meanwhile, with the same content
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(aside);
}
