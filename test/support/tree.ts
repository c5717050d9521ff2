/** A workspace as it stands: everything that an undo has to give back. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Path → kind, mode and hash of the contents, of files, folders (empty ones too) and links. */
export function treeOf(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of readdirSync(root, { recursive: true }) as string[]) {
    const at = join(root, path);
    const stats = lstatSync(at);
    if (stats.isSymbolicLink()) found[path] = `link to ${readlinkSync(at)}`;
    else {
      const mode = (stats.mode & 0o7777).toString(8);
      const hash = stats.isFile() ? createHash('sha256').update(readFileSync(at)).digest('hex') : '';
      found[path] = stats.isDirectory() ? `folder ${mode}` : `file ${mode} ${hash.slice(0, 16)}`;
    }
  }
  return found;
}
