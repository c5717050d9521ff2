/** Which file systems may hold the store. LMDB shares memory between processes; on a network file system that memory
 *  is not the same for everybody, and the store would be damaged without a sound. */

import { readFileSync, statfsSync } from 'node:fs';
import { LoomError } from '../machines/failure.ts';

/** statfs types that are always remote. */
const REMOTE: Record<number, string> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  1397113167: 'AFS',
  1937076805: 'Coda',
  12805120: 'Ceph',
  198183888: 'Lustre',
  16914839: '9P',
};
const FUSE = 0x65735546;
/** FUSE is also used by local file systems; the mount table knows which this is. */
const REMOTE_FUSE = /^fuse\.(sshfs|s3fs|rclone|glusterfs|ceph|gcsfuse|goofys|davfs2?|curlftpfs|smbnetfs)/;

/** Name of the network file system, null for a local one.
 *  @param type as statfs reports it (signed on some systems)
 *  @param mountType file system type in the mount table, used for FUSE only */
export function networkFileSystem(type: number, mountType: string): string | null {
  const unsigned = type >>> 0;
  if (unsigned === FUSE) return REMOTE_FUSE.test(mountType) ? mountType : null;
  return REMOTE[unsigned] ?? null;
}

/** File system type of the mount that holds `path`, '' when unknown. */
function mountTypeOf(path: string): string {
  let best = { point: '', type: '' };
  try {
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [left, right] = line.split(' - ');
      const point = left
        ?.split(' ')[4]
        ?.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
      if (point === undefined || right === undefined || point.length < best.point.length) continue;
      if (path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)) {
        best = { point, type: right.split(' ')[0] ?? '' };
      }
    }
  } catch {
    // no mount table: an unnamed FUSE passes
  }
  return best.type;
}

/** @param path an existing folder, as a real path
 *  @throws LoomError `store_network_fs` */
export function refuseNetworkFileSystem(path: string): void {
  if (process.platform !== 'linux') return;
  const { type } = statfsSync(path);
  const name = networkFileSystem(type, type >>> 0 === FUSE ? mountTypeOf(path) : '');
  if (name === null) return;
  throw new LoomError(
    'terminal',
    'store_network_fs',
    `${path} lies on a network file system (${name}), where the store cannot be kept safely. Set LOOM_HOME to a folder on a local disk.`,
    { path, file_system: name },
  );
}
