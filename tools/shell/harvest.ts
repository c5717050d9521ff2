/** Reads what a command left in its overlay as a list of changes of the workspace.
 * Kept changes become records with both contents stored; for ignored folders and very large files there is only the list
 * of what goes and what is moved over (`pour.ts`).
 */

import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Blobs } from '../../store/blobs-port.ts';
import { entryOf, isReached } from '../disk.ts';
import { inOrder, isGitsOwn, recordBetween } from '../records.ts';
import type { ChangeRecord } from '../tool.ts';
import { type Overlay, seenThrough } from './overlay.ts';
import type { Pour } from './pour.ts';
import { LARGEST_KEPT, type Unkept } from './unkept.ts';

/** Of one command; what comes after is changed without a way back. */
const MOST_KEPT = { files: 5_000, bytes: 1024 * 1024 * 1024 };
const READERS = 8;

export interface Harvest {
  /** In the order in which they are carried out. */
  records: ChangeRecord[];
  /** Tell what changes without its contents being kept. */
  told: ChangeRecord[];
  pour: Pour;
  /** Files whose time alone was changed, ms. */
  touched: { path: string; mtime: number }[];
  /** Pipes, sockets and devices that the command made: they stay behind. */
  special: string[];
  /** Paths that somebody else changed while the command ran, and that it changed as well. */
  overtaken: string[];
}

type Kind = 'missing' | 'file' | 'directory' | 'symlink' | 'special';

interface Seen {
  kind: Kind;
  stats: Stats | null;
}

/** One path that the overlay knows something about. */
interface Node {
  path: string;
  upper: Seen;
  lower: Seen;
}

const isWhiteout = (stats: Stats): boolean => stats.isCharacterDevice() && stats.rdev === 0;

async function look(path: string): Promise<Seen> {
  const stats = await lstat(path).catch(() => null);
  if (!stats || isWhiteout(stats)) return { kind: 'missing', stats: null };
  if (stats.isDirectory()) return { kind: 'directory', stats };
  if (stats.isSymbolicLink()) return { kind: 'symlink', stats };
  return { kind: stats.isFile() ? 'file' : 'special', stats };
}

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** Everything in the upper layer, and below it whatever of the workspace it hides. Outer before inner. */
async function survey(overlay: Overlay): Promise<Node[]> {
  const nodes: Node[] = [];
  /** Folders in both layers, with what only the workspace has in them. */
  const merged: { path: string; inherited: string[] }[] = [];
  const folders = [''];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const names = await readdir(join(overlay.upper, folder));
    const inherited = new Set(await readdir(join(overlay.root, folder)).catch(() => []));
    for (const name of names) {
      inherited.delete(name);
      const path = below(folder, name);
      const upper = await look(join(overlay.upper, path));
      const lower = await look(join(overlay.root, path));
      nodes.push({ path, upper, lower });
      if (upper.kind === 'directory') folders.push(path);
    }
    if (inherited.size > 0) merged.push({ path: folder, inherited: [...inherited] });
  }
  // A folder that was made anew hides all that it does not hold. The kernel marks it; whether one old entry still shows
  // through tells the same.
  const showing = await seenThrough(
    overlay,
    merged.map(({ path, inherited }) => below(path, inherited[0]!)),
  );
  for (const [i, { path, inherited }] of merged.entries()) {
    if (showing[i]) continue;
    for (const name of inherited) {
      const hidden = below(path, name);
      nodes.push({
        path: hidden,
        upper: { kind: 'missing', stats: null },
        lower: await look(join(overlay.root, hidden)),
      });
    }
  }
  return [...nodes, ...(await lostBelow(overlay.root, nodes))];
}

/** What goes away inside folders that go away. */
async function lostBelow(root: string, nodes: Node[]): Promise<Node[]> {
  const lost: Node[] = [];
  const known = new Set(nodes.map(node => node.path));
  const folders = nodes
    .filter(node => node.lower.kind === 'directory' && node.upper.kind !== 'directory')
    .map(node => node.path);
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      const path = `${folder}/${name}`;
      if (known.has(path)) continue;
      known.add(path);
      const lower = await look(join(root, path));
      lost.push({ path, upper: { kind: 'missing', stats: null }, lower });
      if (lower.kind === 'directory') folders.push(path);
    }
  }
  return lost;
}

/** The outermost folder around a path (or itself) whose contents are not kept. */
function unkeptAround(node: Node, unkept: Unkept): string | null {
  const folders = node.path.split('/');
  const isFolder = node.upper.kind === 'directory' || node.lower.kind === 'directory';
  for (let n = 1; n <= folders.length - (isFolder ? 0 : 1); n++) {
    const folder = folders.slice(0, n).join('/');
    if (unkept.has(folder)) return folder;
  }
  return null;
}

const notKept = (path: string, { upper, lower }: Node): ChangeRecord => ({
  operation: lower.kind === 'missing' ? 'create' : upper.kind === 'missing' ? 'delete' : 'modify',
  path,
  before: null,
  after: null,
  ...(upper.kind === 'directory' || lower.kind === 'directory' ? { kind: 'directory' as const } : {}),
  mode_before: null,
  mode_after: null,
  undoable: false,
});

/**
 * @param since when the command began, ms: what changed later in the workspace was changed by somebody else
 * @throws Error when the overlay cannot be read
 */
export async function harvest(
  overlay: Overlay,
  unkept: Unkept,
  blobs: Blobs,
  since: number,
): Promise<Harvest> {
  const nodes = await survey(overlay);
  await unkept.learn(
    nodes
      .filter(({ upper, lower }) => upper.kind === 'directory' && lower.kind === 'missing')
      .map(node => node.path)
      .slice(0, MOST_KEPT.files),
  );
  const pour: Pour = { folder: overlay.folder, remove: [], paths: [] };
  const kept: Node[] = [];
  const untold = new Map<string, ChangeRecord>();
  const special: string[] = [];
  const room = { ...MOST_KEPT };
  for (const seen of nodes) {
    const { path, lower } = seen;
    const around = unkeptAround(seen, unkept);
    const made = seen.upper.kind === 'special';
    if (made) special.push(path);
    if (made && lower.kind === 'missing') continue;
    // What stood there is gone, even if nothing comes in its place.
    const node: Node = made ? { ...seen, upper: { kind: 'missing', stats: null } } : seen;
    const { upper } = node;
    const bytes = Math.max(upper.stats?.size ?? 0, lower.stats?.size ?? 0);
    const isFile = upper.kind === 'file' || lower.kind === 'file';
    const fits = !isFile || (bytes <= LARGEST_KEPT && room.files > 0 && room.bytes >= bytes);
    if (around === null && fits && lower.kind !== 'special') {
      if (isFile) {
        room.files--;
        room.bytes -= bytes;
      }
      kept.push(node);
      continue;
    }
    const turned = upper.kind !== lower.kind && lower.kind !== 'missing';
    // What a kept folder holds goes by records, so that the folder is not to be removed as a whole.
    if (turned && (around !== null || lower.kind !== 'directory'))
      pour.remove.push({ path, kind: lower.kind });
    if (upper.kind !== 'missing') pour.paths.push(path);
    const shown = around ?? path;
    if (!untold.has(shown)) untold.set(shown, notKept(shown, node));
  }
  const recorded = await recordAll(kept, overlay, blobs);
  return {
    records: inOrder(recorded.records),
    // What git stores is not the user's to miss.
    told: [...untold.values()].filter(record => !isGitsOwn(record.path)),
    pour,
    touched: recorded.touched,
    special,
    overtaken: recorded.records
      .map(record => nodes.find(node => node.path === record.path)!)
      .filter(({ lower }) => lower.kind !== 'directory' && (lower.stats?.ctimeMs ?? 0) > since)
      .map(node => node.path),
  };
}

async function recordAll(nodes: Node[], overlay: Overlay, blobs: Blobs) {
  const records: ChangeRecord[] = [];
  const touched: Harvest['touched'] = [];
  const queue = [...nodes];
  const work = async () => {
    for (let node = queue.pop(); node; node = queue.pop()) {
      const { path, upper, lower } = node;
      // A path below a link of the workspace is not the one that the overlay's folder of that name stands for.
      const lowerThere = lower.kind !== 'missing' && (await isReached(overlay.root, path));
      const old = lowerThere ? await entryOf(overlay.root, path) : ({ kind: 'missing' } as const);
      const now =
        upper.kind === 'missing' ? ({ kind: 'missing' } as const) : await entryOf(overlay.upper, path);
      const record = await recordBetween(path, old, now, blobs);
      const mtime = upper.kind === 'file' ? upper.stats!.mtimeMs : undefined;
      if (record) records.push(mtime === undefined ? record : { ...record, mtime });
      else if (mtime !== undefined && mtime !== lower.stats?.mtimeMs) touched.push({ path, mtime });
    }
  };
  await Promise.all(Array.from({ length: READERS }, work));
  return { records, touched };
}
