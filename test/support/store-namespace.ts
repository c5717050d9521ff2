/** A store process inside a small tmpfs of its own (Linux user namespace), for a disk that really is full. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledChild, puppet, type StoreProcess } from './store-processes.ts';

/** Whether this system lets an ordinary user mount a tmpfs in a namespace. */
export function namespacesWork(): boolean {
  try {
    execFileSync('unshare', ['-Urm', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface SmallDisk {
  process: StoreProcess;
  /** Runs a command inside the namespace; the home is `$HOME_DIR`. */
  inside(command: string): string;
  end(): Promise<void>;
}

/** @param megabytes size of the tmpfs that holds the home */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const home = mkdtempSync(join(tmpdir(), 'loom-small-'));
  const script = `mount -t tmpfs -o size=${megabytes}m none "$0" && exec "$1" "$2" "$0"`;
  const child = spawn(
    'unshare',
    ['-Urm', 'sh', '-c', script, home, process.execPath, await bundledChild()],
    // the child's own IPC channel, handed through unshare, sh and exec
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  const running = puppet(child);
  await running.ready;
  return {
    process: running,
    inside: command =>
      execFileSync(
        'nsenter',
        ['-U', '-m', '--preserve-credentials', '-t', String(child.pid), 'sh', '-c', command],
        {
          encoding: 'utf8',
          env: { ...process.env, HOME_DIR: home },
        },
      ),
    async end() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}
