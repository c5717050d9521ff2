/** Runs ripgrep inside the workspace. It never follows links, so what it names is inside. */

import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseMoved } from '../disk.ts';
import { refusal } from '../result.ts';

/** Names that are given to ripgrep to be left out. */
const MAX_BESIDE = 500;

/** Folders left out although no ignore file names them, unless the search begins inside. */
const NOISE = ['.git', '.loom', 'node_modules', '__pycache__', '.venv'];

/** Ignore files of the workspace count, also without a repository; those of its parents and of the user do not. */
const COMMON = [
  '--no-config',
  '--hidden',
  '--no-require-git',
  '--no-ignore-parent',
  '--no-ignore-global',
  '--color=never',
];

const IGNORE_FILES = ['.gitignore', '.ignore', '.rgignore'];

const ignoreFilesIn = async (root: string, folder: string): Promise<string[]> => {
  const names = await readdir(join(root, folder)).catch(() => [] as string[]);
  return IGNORE_FILES.filter(name => names.includes(name)).map(name => `${folder}${name}`);
};

interface Scope {
  args: string[];
  start: string;
  /** Where the search begins above what is wanted: the folder that is. */
  inside: string;
}

/** A search below a folder heeds the ignore files between the workspace and that folder; ripgrep by itself would heed those above
 *  the workspace, too, or none. */
async function scopeOf(root: string, path: string): Promise<Scope> {
  if (path === '.') return { args: [], start: './', inside: '' };
  // Patterns of these count from where ripgrep runs, which is the workspace.
  const own = (await ignoreFilesIn(root, '')).map(name => `--ignore-file=${name}`);
  const parts = path.split('/');
  const between = parts.slice(0, -1).map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
  const nested = (await Promise.all(between.map(folder => ignoreFilesIn(root, folder)))).flat();
  if (nested.length === 0) return { args: own, start: `./${path}`, inside: '' };
  return { args: await besides(root, parts), start: './', inside: path };
}

/** Leaves out what stands beside each folder of a path. Too many to name are passed over one by one. */
async function besides(root: string, parts: string[]): Promise<string[]> {
  const args: string[] = [];
  let folder = '';
  for (const part of parts) {
    const names = await readdir(join(root, folder)).catch(() => [] as string[]);
    const others = names.filter(name => name !== part);
    for (const name of others.length <= MAX_BESIDE ? others : [])
      args.push('-g', `!/${folder}${name.replace(/[\\*?[\]{}!]/g, '\\$&')}`);
    folder += `${part}/`;
  }
  return args;
}

export interface RgRun {
  /** 0 found · 1 nothing found · 2 error; null when stopped because enough was found. */
  exitCode: number | null;
  stderr: string;
}

/**
 * @param path canonical, relative; '.' for all
 * @param onRecord one record of output (split at `separator`); false stops the search
 */
export async function ripgrep(
  root: string,
  args: string[],
  path: string,
  separator: '\n' | '\0',
  signal: AbortSignal,
  onRecord: (record: string) => boolean,
): Promise<RgRun> {
  // No argument of a program can hold one; whether in the pattern, a glob or a type, it matches nothing.
  if (args.some(arg => arg.includes('\0')))
    throw refusal('bad_pattern', 'A pattern to search for must not contain a NUL character.');
  const { rgPath } = await import('@vscode/ripgrep').catch(() => {
    throw refusal(
      'ripgrep_missing',
      'ripgrep is not installed for this platform; run npm install again, with optional packages.',
    );
  });
  const scope = await scopeOf(root, path);
  signal.throwIfAborted();
  const noise = NOISE.filter(name => !path.split('/').includes(name)).flatMap(name => ['-g', `!${name}`]);
  const child = spawn(rgPath, [...COMMON, ...noise, ...scope.args, ...args, '--', scope.start], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  // Names come first in every record.
  const prefix = `./${scope.inside}`;
  const within = (record: string): boolean => {
    const next = record[prefix.length];
    const belongs = record.startsWith(prefix) && (next === undefined || next === '/' || next === '\0');
    return scope.inside !== '' && !belongs ? true : onRecord(record);
  };
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 4000) stderr += text;
  });
  let rest = '';
  let stopped = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stopped) return;
    const records = (rest + text).split(separator);
    rest = records.pop()!;
    if (records.every(within)) return;
    stopped = true;
    child.kill('SIGKILL');
  });
  const run = await new Promise<RgRun>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      if (!stopped && rest !== '') within(rest);
      resolve({ exitCode: stopped ? null : code, stderr: stderr.trim() });
    });
  });
  await refuseMoved(root, path);
  return run;
}

export const plainPath = (path: string): string => (path.startsWith('./') ? path.slice(2) : path);
