/** What stood in the workspace before and after a command: sizes and times, not contents. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChangeRecord } from '../tool.ts';

/** Entries looked at. */
export const MANIFEST_LIMIT = 50_000;
/** Made by package managers and compilers in thousands; nobody calls them a result. */
const SKIPPED = new Set(['.git', 'node_modules', '.venv', '__pycache__']);
/** Larger files are told as changed without a hash. Bytes. */
const HASHED = 16 * 1024 * 1024;
const HASHED_FILES = 500;

interface Stamp {
  /** size:mtime:ctime:inode:mode */
  key: string;
  mode: number;
  size: number;
  link: boolean;
}

export interface Manifest {
  files: Map<string, Stamp>;
  /** False: the workspace has more entries than were looked at. */
  complete: boolean;
}

/** @param deadline on the clock of `performance.now()`: what is not seen by then is not seen */
export async function takeManifest(
  root: string,
  limit = MANIFEST_LIMIT,
  deadline = Number.POSITIVE_INFINITY,
): Promise<Manifest> {
  const files = new Map<string, Stamp>();
  const folders = [''];
  let complete = true;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
    if (files.size + entries.length > limit || performance.now() > deadline) {
      complete = false;
      break;
    }
    const base = folder;
    await Promise.all(
      entries.map(async entry => {
        const path = base === '' ? entry.name : `${base}/${entry.name}`;
        if (entry.isDirectory()) {
          if (!SKIPPED.has(entry.name)) folders.push(path);
          return;
        }
        const found = await lstat(join(root, path), { bigint: true }).catch(() => null);
        if (!found || !(found.isFile() || found.isSymbolicLink())) return;
        files.set(path, {
          key: `${found.size}:${found.mtimeNs}:${found.ctimeNs}:${found.ino}:${found.mode}`,
          mode: Number(found.mode) & 0o7777,
          size: Number(found.size),
          link: found.isSymbolicLink(),
        });
      }),
    );
  }
  return { files, complete };
}

function hashOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(path)
      .on('data', chunk => hash.update(chunk))
      .on('error', reject)
      .on('end', () => resolve(hash.digest('hex')));
  });
}

/** Stands for a hash nobody computed; it equals no file's, so that later checks fail on the safe side. */
const NOT_HASHED = 'not-hashed';

/** Changes between two manifests. Their old contents are not kept, so none can be undone. */
export async function compareManifests(
  root: string,
  before: Manifest,
  after: Manifest,
): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  const paths = [...new Set([...before.files.keys(), ...after.files.keys()])].sort();
  let hashed = 0;
  for (const path of paths) {
    const [old, now] = [before.files.get(path), after.files.get(path)];
    if (old?.key === now?.key) continue;
    // Half seen: absent from one list says nothing.
    if ((!old && !before.complete) || (!now && !after.complete)) continue;
    const small = now && !now.link && now.size <= HASHED && hashed++ < HASHED_FILES;
    const sha256 = small ? await hashOf(join(root, path)).catch(() => NOT_HASHED) : NOT_HASHED;
    records.push({
      operation: !old ? 'create' : !now ? 'delete' : 'modify',
      path,
      before: null,
      after: now ? sha256 : null,
      ...((now ?? old)!.link ? { kind: 'symlink' as const } : {}),
      mode_before: old?.mode ?? null,
      mode_after: now?.mode ?? null,
      undoable: false,
    });
  }
  return records;
}
