/** An overlay of the workspace for one command: it sees its own effects, the workspace sees none of them until they are merged.
 *  Made in a mount namespace of its own, as root directly, otherwise in a user namespace; nothing is mounted where others see it.
 */

import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface OverlayStatus {
  available: boolean;
  /** What is used, or why nothing is; for `loom doctor`. */
  detail: string;
  /** Which way into a namespace works. */
  way: 'root' | 'user' | null;
}

export interface Overlay {
  /** Holds the layers; goes away with them. */
  folder: string;
  /** What the command wrote. */
  upper: string;
  root: string;
  way: 'root' | 'user';
}

/** Layers are named relative to the folder, because paths may hold the characters that separate mount options. */
const LAYERS = 'lowerdir=lower,upperdir=upper,workdir=work,userxattr,index=off';
const MOUNT = `cd "$1" && mount -t overlay overlay -o ${LAYERS} "$2" && : > mounted && cd "$2" && shift 2 && exec "$@"`;
const PROBE_TIMEOUT = 5_000;
const WAYS = ['root', 'user'] as const;

const enter = (way: Overlay['way']): string[] => ['unshare', ...(way === 'user' ? ['-Ur'] : []), '-m', '--'];

/** Back to being oneself: the way in made the user root of the namespace. */
function asUser(argv: string[]): string[] {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (argv[0] === 'bwrap')
    return ['bwrap', '--unshare-user', '--uid', String(uid), '--gid', String(gid), ...argv.slice(1)];
  return ['unshare', '-U', `--map-user=${uid}`, `--map-group=${gid}`, '--', ...argv];
}

/** The program and arguments that run `argv` inside the overlay. */
export function overlaid(argv: string[], { folder, root, way }: Omit<Overlay, 'upper'>): string[] {
  const inside = way === 'user' ? asUser(argv) : argv;
  return [...enter(way), '/bin/sh', '-c', MOUNT, 'sh', folder, root, ...inside];
}

/** Makes the layers. The folder must not exist yet. */
export async function openOverlay(folder: string, root: string, way: Overlay['way']): Promise<Overlay> {
  for (const name of ['upper', 'work']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
  const upper = join(folder, 'upper');
  // The upper layer's root is what the command sees as the mode of the workspace itself.
  await chmod(upper, (await stat(root)).mode & 0o7777);
  await symlink(root, join(folder, 'lower'));
  return { folder, upper, root, way };
}

/** False: the command was never started, because the overlay could not be mounted. */
export const wasMounted = async ({ folder }: Overlay): Promise<boolean> =>
  (await lstat(join(folder, 'mounted')).catch(() => null)) !== null;

/** Removes the layers, the kernel's locked work folder and closed folders of the command included. */
export async function dropOverlay(folder: string): Promise<void> {
  await chmod(join(folder, 'work', 'work'), 0o700).catch(() => {});
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    await run('chmod', ['-R', 'u+rwX', folder]);
    await rm(folder, { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
  }
}

/** An overlay this old belongs to a run that nobody took up again after a crash. ms */
const FORGOTTEN = 7 * 24 * 3_600_000;

/** Removes layers that crashed runs have left in a folder of overlays. */
export async function dropForgotten(overlays: string): Promise<void> {
  for (const name of await readdir(overlays).catch(() => [])) {
    const found = await stat(join(overlays, name)).catch(() => null);
    if (found && Date.now() - found.mtimeMs > FORGOTTEN) await dropOverlay(join(overlays, name));
  }
}

function run(program: string, args: string[]): Promise<{ failed: string | null; stdout: string }> {
  return new Promise(resolve => {
    const options = {
      timeout: PROBE_TIMEOUT,
      maxBuffer: 1 << 24,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    };
    execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ failed: error ? stderr.trim().split('\n')[0] || error.message : null, stdout }),
    );
  });
}

/** What is mounted somewhere below a folder would be missing from an overlay of it. */
async function mountedBelow(root: string): Promise<string | null> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  for (const line of table.split('\n')) {
    const at = (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    if (at.startsWith(`${root}/`)) return at;
  }
  return null;
}

/** Entries whose owner is looked at. */
const OWNERS = 5_000;

/** A namespace of ours knows one user and one group: a file of another could not be copied up when a command changes it. */
async function ofOthers(root: string): Promise<string | null> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const folders = [root];
  let looked = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift())
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      const found = await lstat(path).catch(() => null);
      if (found && (found.uid !== uid || found.gid !== gid)) return path;
      if (++looked > OWNERS) return null;
      if (entry.isDirectory()) folders.push(path);
    }
  return null;
}

/** Mounts the very workspace once and deletes a file that only a second lower layer has: what then works, works. */
async function tryOnce(root: string, scratch: string, way: Overlay['way']): Promise<string | null> {
  const folder = join(scratch, `probe-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const name = '.loom-overlay-probe';
  try {
    const overlay = await openOverlay(folder, root, way);
    await mkdir(join(folder, 'second'));
    await writeFile(join(folder, 'second', name), '');
    const argv = overlaid(['/bin/sh', '-c', `rm ${name} && : > ${name}-2`], overlay);
    const { failed } = await run(
      argv[0]!,
      argv.slice(1).map(part => part.replace('lowerdir=lower,', 'lowerdir=lower:second,')),
    );
    if (failed !== null) return failed;
    const marks = await lstat(join(overlay.upper, name)).catch(() => null);
    const made = await lstat(join(overlay.upper, `${name}-2`)).catch(() => null);
    return marks?.isCharacterDevice() && made?.isFile() ? null : 'deletions are not recorded';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await dropOverlay(folder);
  }
}

async function probe(root: string, scratch: string): Promise<OverlayStatus> {
  const none = (detail: string): OverlayStatus => ({ available: false, detail, way: null });
  if (process.platform !== 'linux') return none('only Linux has overlays');
  const below = await mountedBelow(root);
  if (below) return none(`${below} is a mount of its own inside the workspace`);
  if (`${scratch}/`.startsWith(`${root}/`)) return none(`Loom's own files lie inside the workspace`);
  const ways = process.getuid?.() === 0 ? WAYS : WAYS.slice(1);
  let why = '';
  for (const way of ways) {
    const others = way === 'user' ? await ofOthers(root) : null;
    if (others) return none(`${others} belongs to another user or group`);
    const failed = await tryOnce(root, scratch, way);
    if (failed === null)
      return { available: true, way, detail: way === 'root' ? 'overlay' : 'overlay in a user namespace' };
    why = failed;
  }
  return none(why);
}

const probed = new Map<string, Promise<OverlayStatus>>();

/** Whether commands in this workspace can have an overlay; tried once for real, about 20 ms. */
export function overlayStatus(root: string, scratch: string): Promise<OverlayStatus> {
  const key = `${root}\0${scratch}`;
  const known = probed.get(key) ?? probe(root, scratch);
  probed.set(key, known);
  return known;
}

/** Which of `paths` exist for somebody who looks through the overlay. It must not be in use. */
export async function seenThrough(overlay: Overlay, paths: string[]): Promise<boolean[]> {
  const look = 'for p; do if [ -e "$p" ] || [ -L "$p" ]; then printf 1; else printf 0; fi; done';
  const seen: boolean[] = [];
  for (let from = 0; from < paths.length; from += 500) {
    const some = paths.slice(from, from + 500).map(path => `./${path}`);
    // Root of the namespace, so that a folder closed to its owner hides nothing.
    const argv = [...enter(overlay.way), '/bin/sh', '-c', MOUNT, 'sh', overlay.folder, overlay.root];
    const { failed, stdout } = await run(argv[0]!, [...argv.slice(1), '/bin/sh', '-c', look, 'sh', ...some]);
    if (failed !== null || stdout.length !== some.length)
      throw new Error(
        `the overlay of ${overlay.root} could not be looked at again: ${failed ?? 'no answer'}`,
      );
    for (const mark of stdout) seen.push(mark === '1');
  }
  return seen;
}
