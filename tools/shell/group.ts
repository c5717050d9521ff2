/** Runs a program in a process group of its own and never leaves anything of it behind.
 * The child waits until its group is recorded, and ends by itself when we die before that.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { currentBoot, type ProcessGroup, startedAt } from '../../store/process-identity.ts';
import { refusal } from '../result.ts';
import { childEnvironment } from './environment.ts';
import { OutputLog } from './output.ts';

/** Between the polite and the final signal, ms. */
const GRACE = 300;
/** How long pipes may stay open after the program itself has ended, ms. */
const LINGER = 150;

export interface Ended {
  exitCode: number | null;
  /** The signal that ended it, or '' . */
  endedBy: string;
  reason: 'exit' | 'timeout' | 'aborted';
  /** Something it started was still running when it ended, and was stopped. */
  leftover: boolean;
  /** Its names, where they are known. */
  jobs: string[];
  log: OutputLog;
  durationMs: number;
}

export interface GroupOptions {
  argv: string[];
  cwd: string;
  env?: Record<string, string>;
  /** Found in the environment of every descendant. */
  mark: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** The kernel ends all descendants with the program (a process namespace). */
  contained: boolean;
  record(group: ProcessGroup | null): Promise<void>;
}

/** stdout and stderr are one pipe, so that lines stand in the order they were written. */
const GATE = 'exec 2>&1; IFS= read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Descendants that left the group with setsid still carry the mark in their environment. */
async function killMarked(mark: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const wanted = `LOOM_CALL=${mark}\0`;
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async pid =>
      (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).includes(wanted) ? Number(pid) : 0,
    ),
  );
  let killed = false;
  for (const pid of found.filter(pid => pid > 0)) {
    try {
      process.kill(pid, 'SIGKILL');
      killed = true;
    } catch {}
  }
  return killed;
}

export async function runGroup(options: GroupOptions): Promise<Ended> {
  options.signal.throwIfAborted();
  const started = performance.now();
  const child = spawn('/bin/sh', ['-c', GATE, 'sh', ...options.argv], {
    cwd: options.cwd,
    env: { ...childEnvironment(options.mark), ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe', 'pipe'],
  });
  const log = new OutputLog();
  child.stdout!.on('data', (chunk: Buffer) => log.add(chunk));
  const left = child.stdio[4] as Readable;
  let names = '';
  left.on('data', (chunk: Buffer) => (names += chunk.toString()));
  left.on('error', () => {});
  const exited = new Promise<{ code: number | null; signal: string }>((resolve, reject) => {
    child.once('error', error =>
      reject(refusal('spawn_failed', `The command could not be started in ${options.cwd}: ${error.message}`)),
    );
    child.once('exit', (code, signal) => resolve({ code, signal: signal ?? '' }));
  });
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()));
  exited.catch(() => {});
  if (child.pid === undefined) {
    await exited;
    throw refusal('spawn_failed', 'The command could not be started.');
  }
  const stop = stopper(child, child.pid, options);
  try {
    await options.record({ pgid: child.pid, started: startedAt(child.pid), boot: currentBoot() });
    const gate = child.stdio[3] as Writable;
    gate.on('error', () => {});
    gate.end('go\n');
    const end = await exited;
    const settled = await settle(child.pid, closed, options, stop.reason() === 'exit');
    // Whatever still holds the pipes is not waited for.
    child.stdout!.destroy();
    left.destroy();
    const jobs = names.split(/\s+/).filter(Boolean);
    return {
      exitCode: end.code,
      endedBy: end.signal,
      reason: stop.reason(),
      leftover: (settled.leftover || jobs.length > 0) && stop.reason() === 'exit',
      jobs: [...new Set(jobs)],
      log,
      durationMs: Math.round(performance.now() - started),
    };
  } finally {
    stop.disarm();
    left.destroy();
    // Only while the number is certainly ours: a process id may be used again.
    if (child.exitCode === null && child.signalCode === null) signalGroup(child.pid, 'SIGKILL');
    await options.record(null);
  }
}

/** Stops the group when time is up or somebody says so: politely, then finally. */
function stopper(child: ChildProcess, pgid: number, options: GroupOptions) {
  let reason: Ended['reason'] = 'exit';
  let final: NodeJS.Timeout | undefined;
  const end = (why: Ended['reason']) => {
    if (reason !== 'exit' || child.exitCode !== null) return;
    reason = why;
    signalGroup(pgid, 'SIGTERM');
    final = setTimeout(() => signalGroup(pgid, 'SIGKILL'), GRACE);
  };
  const onAbort = () => end('aborted');
  const timer = setTimeout(() => end('timeout'), options.timeoutMs);
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  return {
    reason: () => reason,
    disarm() {
      clearTimeout(timer);
      clearTimeout(final);
      options.signal.removeEventListener('abort', onAbort);
    },
  };
}

/** After the program itself has ended: whatever it left behind is stopped. */
async function settle(
  pgid: number,
  closed: Promise<void>,
  options: GroupOptions,
  patient: boolean,
): Promise<{ leftover: boolean }> {
  let open = true;
  // Jobs that are just about to end get a moment, unless time is up.
  await Promise.race([closed.then(() => (open = false)), wait(patient ? LINGER : 0)]);
  const inGroup = signalGroup(pgid, 'SIGTERM');
  if (inGroup) {
    for (let waited = 0; waited < GRACE && signalGroup(pgid, 0); waited += 30) await wait(30);
    signalGroup(pgid, 'SIGKILL');
  }
  const elsewhere = !options.contained && (await killMarked(options.mark));
  if (open) await Promise.race([closed, wait(LINGER)]);
  return { leftover: inGroup || elsewhere };
}
