/** Who a process is. A pid alone is not an identity: it is reused. With its start time and the boot id it is one. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Owner } from './port.ts';

/** A child's process group as recorded in a `k/<n>` row. */
export interface ProcessGroup {
  pgid: number;
  /** Start time of the group's leader, '' where unknown. */
  started: string;
  boot: string;
}

interface Seen {
  pid: number;
  pgid: number;
  /** R, S, D, T (stopped), t (traced), Z (ended, not yet reaped), X. */
  state: string;
  started: string;
}

const linux = process.platform === 'linux';

/** Fields of /proc/<pid>/stat. The command name may contain spaces and brackets, so fields count from the last `)`. */
function statOf(pid: number): Seen | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0] ?? '', pgid: Number(fields[2]), started: fields[19] ?? '' };
  } catch {
    return null;
  }
}

/** The same from `ps`, for systems without /proc. */
function psOf(selection: string[]): Seen[] {
  try {
    const text = execFileSync('ps', [...selection, '-o', 'pid=,pgid=,state=,lstart='], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.split('\n').flatMap(line => {
      const found = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
      if (!found) return [];
      return [{ pid: Number(found[1]), pgid: Number(found[2]), state: found[3]![0]!, started: found[4]! }];
    });
  } catch {
    return [];
  }
}

const look = (pid: number): Seen | null =>
  linux ? statOf(pid) : (psOf(['-p', String(pid)]).find(seen => seen.pid === pid) ?? null);

const everybody = (): Seen[] =>
  linux
    ? readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []))
    : psOf(['-ax']);

let bootId: string | undefined;

/** Boot id and, after `@`, the pid namespace: a pid of another container says nothing here. '' where unknown. */
export function currentBoot(): string {
  if (bootId !== undefined) return bootId;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    bootId = `${boot}@${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''}`;
  } catch {
    bootId = '';
  }
  return bootId;
}

/** Start time of a running process, '' where unknown. */
export const startedAt = (pid: number): string => look(pid)?.started ?? '';

let ownStart: string | undefined;

/** This process as an owner. @param instance random per opened store. */
export function currentOwner(instance: string): Owner {
  ownStart ??= startedAt(process.pid);
  return { pid: process.pid, started: ownStart, boot: currentBoot(), instance };
}

/** Whether what was recorded with `boot` belongs to this boot and pid namespace: yes, no, or not to be told from here. */
function sameWorld(boot: string): 'yes' | 'no' | 'unknown' {
  const here = currentBoot();
  if (boot === here || boot === '' || here === '') return 'yes';
  return boot.split('@')[0] === here.split('@')[0] ? 'unknown' : 'no';
}

const gone = (seen: Seen | null): boolean => seen === null || seen.state === 'Z' || seen.state === 'X';

/** False only when it is certain that the process has ended: no such pid, another start time, or another boot.
 *  A process in another container counts as alive, because nothing can be known about it. */
export function ownerAlive(owner: Omit<Owner, 'instance'>): boolean {
  const world = sameWorld(owner.boot);
  if (world !== 'yes') return world === 'unknown';
  const seen = look(owner.pid);
  if (gone(seen)) return false;
  return owner.started === '' || seen?.started === '' || seen?.started === owner.started;
}

/** The process exists and is stopped (SIGSTOP, Ctrl+Z, or held by a debugger). */
export function ownerStopped(owner: Omit<Owner, 'instance'>): boolean {
  if (sameWorld(owner.boot) !== 'yes') return false;
  const seen = look(owner.pid);
  if (!seen || (owner.started !== '' && seen.started !== owner.started)) return false;
  return seen.state === 'T' || seen.state === 't';
}

/** Kills what is left of a recorded process group; true when something was there to kill.
 *  A pid is not reused while a group of that number has members, so a leader with another start time means the group
 *  is somebody else's, and members without a leader are ours when none of them is older than the group. */
export function killGroup(group: ProcessGroup): boolean {
  if (group.pgid <= 1 || sameWorld(group.boot) !== 'yes') return false;
  const members = everybody().filter(seen => seen.pgid === group.pgid && !gone(seen));
  if (members.length === 0 || group.started === '') return false;
  const leader = members.find(seen => seen.pid === group.pgid);
  if (
    leader ? leader.started !== group.started : members.some(seen => olderThan(seen.started, group.started))
  )
    return false;
  try {
    process.kill(-group.pgid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Ticks on Linux, a date in words elsewhere. */
function olderThan(started: string, other: string): boolean {
  const [a, b] = linux ? [Number(started), Number(other)] : [Date.parse(started), Date.parse(other)];
  return a < b;
}
