/** The one door to files: turns any path a model writes into a canonical path inside the workspace, or refuses it. */

import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { ResolveOptions, Workspace } from './tool.ts';

const MAX_PATH = 4096;
/** The kernel's own limit for one look-up. */
const MAX_LINKS = 40;
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Characters that some file systems ignore when they compare names. */
const IGNORABLE = /[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** Files of the running system; what lies in memory (/dev/shm) is files like any other. */
const KERNEL = /^\/(?:proc|sys|dev(?!\/shm\/))(?:\/|$)/;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

const invalid = (path: string, why: string) =>
  new LoomError('terminal', 'path_invalid', `Path ${JSON.stringify(path)} is not usable: ${why}.`);
const outside = (path: string) =>
  new LoomError(
    'terminal',
    'path_outside',
    `Path ${JSON.stringify(path)} is outside the workspace; use a path relative to the workspace root.`,
  );
const denied = (path: string, why: string) =>
  new LoomError('terminal', 'path_denied', `Path ${JSON.stringify(path)} is not allowed: ${why}.`);

/** True when `real` is the root or below it. Both are real, absolute paths. */
const isInside = (root: string, real: string): boolean =>
  real === root || real.startsWith(root === sep ? sep : root + sep);

function entryAt(path: string, shown: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return null;
    if (code === 'ENOTDIR') throw invalid(shown, 'one of its folders is a file');
    if (code === 'ENAMETOOLONG') throw invalid(shown, 'a name in it is too long');
    throw denied(shown, `the system answered ${code || 'an error'}`);
  }
}

function targetOf(link: string, shown: string): string {
  try {
    return readlinkSync(link);
  } catch (error) {
    throw denied(shown, `the system answered ${codeOf(error) || 'an error'}`);
  }
}

/** Walks component by component, following links as the kernel would, so that nothing is trusted by its text. Without a
 *  pause: a path has many components, each look takes microseconds, and nothing of ours comes between two of them. */
function walk(start: string, parts: string[], shown: string, followLast: boolean) {
  const queue = [...parts];
  let current = start;
  let entry: Stats | null = null;
  let links = 0;
  while (queue.length > 0) {
    const part = queue.shift()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      current = dirname(current);
      entry = null;
      continue;
    }
    const next = join(current, part);
    entry = entryAt(next, shown);
    const isLast = queue.every(rest => rest === '' || rest === '.');
    if (entry?.isSymbolicLink() && (followLast || !isLast)) {
      if (++links > MAX_LINKS) throw invalid(shown, 'its links go round in a circle');
      const target = targetOf(next, shown);
      if (isAbsolute(target)) current = sep;
      queue.unshift(...target.split(sep));
      continue;
    }
    if (entry && !isLast && !entry.isDirectory() && !entry.isSymbolicLink())
      throw invalid(shown, 'one of its folders is a file');
    current = next;
  }
  return { real: current, entry: entryAt(current, shown) };
}

function refuseSpecial(entry: Stats | null, shown: string): void {
  if (!entry || entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) return;
  const kind = entry.isFIFO() ? 'a named pipe' : entry.isSocket() ? 'a socket' : 'a device';
  throw denied(shown, `it is ${kind}, not a file`);
}

/** A name as the most forgiving file system compares it: case, invisible characters, and on Windows disks dots, blanks and streams at the end. */
const plainName = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(IGNORABLE, '')
    .toLowerCase()
    .replace(/:.*$/, '')
    .replace(/[. ]+$/, '');

function refuseProtected(relative: string, shown: string, write: boolean): void {
  const parts = relative.split('/').map(plainName);
  // A hook or a config line written there would run as code at the next git command.
  if (parts.some(part => part === '.git' || /^git~\d+$/.test(part)))
    throw denied(shown, 'the .git folder is managed by git; use git_command');
  if (write && parts[0] === '.loom') throw denied(shown, "the .loom folder holds Loom's own files");
}

/** `proj/src/a.ts` inside the workspace `proj` means `src/a.ts`, unless a folder `proj` really is there. */
async function withoutOwnName(root: string, parts: string[], mustExist: boolean): Promise<string[]> {
  const name = basename(root);
  let rest = parts.filter(part => part !== '' && part !== '.');
  if (rest[0] !== name || rest.includes('..')) return parts;
  if ((await lstat(join(root, name)).catch(() => null)) !== null) return parts;
  while (rest[0] === name && (rest.length > 1 || mustExist)) rest = rest.slice(1);
  return rest;
}

/**
 * Opens a folder as a workspace.
 * @throws LoomError `workspace_missing` when it is not an existing folder.
 */
export async function openWorkspace(folder: string): Promise<Workspace> {
  const root = await realpath(folder).catch(() => null);
  if (root === null || !(await stat(root)).isDirectory())
    throw new LoomError(
      'terminal',
      'workspace_missing',
      `The workspace ${folder} is not an existing folder; create it or pass another with --workspace.`,
    );

  async function resolve(path: string, options: ResolveOptions = {}): Promise<string> {
    if (typeof path !== 'string' || path.trim() === '') throw invalid(String(path), 'it is empty');
    if (path.length > MAX_PATH) throw invalid(`${path.slice(0, 60)}…`, 'it is too long');
    if (CONTROL.test(path)) throw invalid(path, 'it contains control characters');
    const mustExist = options.mustExist ?? false;
    const expanded = path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path;
    const absolute = isAbsolute(expanded);
    const parts = expanded.split('/');
    const { real, entry } = walk(
      absolute ? sep : root!,
      absolute ? parts : await withoutOwnName(root!, parts, mustExist),
      path,
      options.follow ?? true,
    );
    if (!isInside(root!, real)) throw outside(path);
    // Only when the workspace is the whole disk: files of the kernel are no files.
    if (KERNEL.test(real)) throw denied(path, 'it belongs to the running system');
    const relative = real === root ? '.' : real.slice(root === sep ? 1 : root!.length + 1);
    refuseProtected(relative, path, options.access === 'write');
    refuseSpecial(entry, path);
    if (mustExist && !entry)
      throw new LoomError('terminal', 'not_found', `${path} does not exist in the workspace.`);
    return sep === '/' ? relative : relative.split(sep).join('/');
  }

  return { root, resolve };
}
