/** Which process a number means: process ids are used again, so the start time and the boot belong to it. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { currentBoot } from '../../store/process-identity.ts';

export interface GroupIdentity {
  pgid: number;
  started: string;
  /** As the store writes it, which compares it when it looks for survivors. */
  boot: string;
}

const output = async (program: string, args: string[]): Promise<string> =>
  (await promisify(execFile)(program, args)).stdout.trim();

/** Clock ticks after boot (field 22 of `/proc/<pid>/stat`), or what `ps` says; null when there is no such process. */
export async function startTime(pid: number): Promise<string | null> {
  try {
    if (process.platform !== 'linux')
      return (await output('ps', ['-o', 'lstart=', '-p', String(pid)])) || null;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces and brackets itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

export async function identify(pid: number): Promise<GroupIdentity> {
  return { pgid: pid, started: (await startTime(pid)) ?? '', boot: currentBoot() };
}

/** Kills a recorded group that is still the same one. @returns whether something was killed */
export async function killGroup(group: GroupIdentity): Promise<boolean> {
  if (currentBoot() !== group.boot || (await startTime(group.pgid)) !== group.started) return false;
  try {
    process.kill(-group.pgid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
