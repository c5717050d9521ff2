/** What a command may change without Loom keeping the old contents: ignored folders, and files too large to be kept. */

import { execFile } from 'node:child_process';
import { dirname, isAbsolute, relative } from 'node:path';

/** Larger files are changed without a way back. Bytes. */
export const LARGEST_KEPT = 32 * 1024 * 1024;

/** Made by package managers and interpreters in thousands; they are made again, not brought back. */
const REGENERATED = new Set(['node_modules', '.venv', '__pycache__']);
/** Nothing that was committed may ever be lost, so what git adds there stays when a command is undone. */
const GIT_STORE = /(^|\/)\.git\/(.*\/)?(objects|logs|lfs)$/;

/** Git settings of the workspace must not start programs while we look. */
const CAREFUL = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.untrackedCache=false',
];

function git(root: string, args: string[], input?: string): Promise<string> {
  return new Promise(resolve => {
    const child = execFile(
      'git',
      ['--no-optional-locks', ...CAREFUL, '-C', root, ...args],
      {
        timeout: 10_000,
        maxBuffer: 1 << 26,
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: process.env['HOME'] ?? '', LC_ALL: 'C' },
      },
      (_, stdout) => resolve(stdout),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

const parts = (list: string): string[] => list.split('\0').filter(part => part !== '');

/** Folders whose contents are not kept. */
export class Unkept {
  readonly #root: string;
  readonly #ignored: Set<string>;
  /** Loom's home, where it lies in the workspace. */
  readonly #own: string | null;

  constructor(root: string, ignored: string[], own: string | null) {
    this.#root = root;
    this.#ignored = new Set(ignored);
    this.#own = own;
  }

  /** Ignored folders that were there before the command, relative to the workspace. */
  get ignored(): string[] {
    return [...this.#ignored];
  }

  has(folder: string): boolean {
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    return (
      REGENERATED.has(name) || this.#ignored.has(folder) || folder === this.#own || GIT_STORE.test(folder)
    );
  }

  /** Learns which of these folders are ignored, too; they are new. */
  async learn(folders: string[]): Promise<void> {
    for (const folder of await ignoredAmong(this.#root, folders)) this.#ignored.add(folder);
  }
}

async function ignoredAmong(root: string, folders: string[]): Promise<string[]> {
  if (folders.length === 0) return [];
  const asked = folders.map(folder => `${folder}/`).join('\0');
  const listed = await git(root, ['check-ignore', '-z', '--stdin'], `${asked}\0`);
  return parts(listed).map(folder => folder.replace(/\/$/, ''));
}

/**
 * Asks git, where the workspace belongs to a repository.
 * @param scratch lies in Loom's own home, which is left alone where it is part of the workspace
 */
export async function unkeptIn(root: string, scratch: string): Promise<Unkept> {
  const listed = await git(root, [
    ...['ls-files', '--others', '--ignored', '--exclude-standard', '--directory', '-z'],
  ]);
  // Git also lists a folder that merely holds nothing but ignored files.
  const folders = parts(listed)
    .filter(path => path.endsWith('/') && path !== './')
    .map(path => path.slice(0, -1));
  const own = relative(root, dirname(scratch));
  const inside = own !== '' && !own.startsWith('..') && !isAbsolute(own);
  return new Unkept(root, await ignoredAmong(root, folders), inside ? own : null);
}
