/** Runs ripgrep inside the workspace. It never follows links, so what it names is inside. */

import { spawn } from 'node:child_process';
import { refusal } from '../result.ts';

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
  const { rgPath } = await import('@vscode/ripgrep').catch(() => {
    throw refusal(
      'ripgrep_missing',
      'ripgrep is not installed for this platform; run npm install again, with optional packages.',
    );
  });
  signal.throwIfAborted();
  const noise = NOISE.filter(name => !path.split('/').includes(name)).flatMap(name => ['-g', `!${name}`]);
  const child = spawn(
    rgPath,
    [...COMMON, ...noise, ...args, '--', ...(path === '.' ? ['./'] : [`./${path}`])],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    },
  );
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
    if (records.every(onRecord)) return;
    stopped = true;
    child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      if (!stopped && rest !== '') onRecord(rest);
      resolve({ exitCode: stopped ? null : code, stderr: stderr.trim() });
    });
  });
}

export const plainPath = (path: string): string => (path.startsWith('./') ? path.slice(2) : path);
