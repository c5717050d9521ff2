/** A process is known by pid, start time and boot; what does not match is never killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  currentBoot,
  currentOwner,
  killGroup,
  ownerAlive,
  ownerStopped,
  startedAt,
} from '../../store/process-identity.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // it has ended, as most tests want
    }
  }
});

/** A child that leads a process group of its own. */
async function start(command: string): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child, 'spawn');
  return { child, pid: child.pid! };
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('condition not met within 5 s');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

const identity = (pid: number) => ({ pid, started: startedAt(pid), boot: currentBoot() });
const group = (pid: number) => ({ pgid: pid, started: startedAt(pid), boot: currentBoot() });
const otherBoot = '00000000-0000-0000-0000-000000000000@1';

describe('ownerAlive', () => {
  it('knows this process and not a former one of the same pid', () => {
    const me = currentOwner('x');
    expect(ownerAlive(me)).toBe(true);
    expect(ownerAlive({ ...me, started: '1' })).toBe(false);
    expect(ownerAlive({ ...me, boot: otherBoot })).toBe(false);
  });

  it('is false once the process has ended', async () => {
    const { child, pid } = await start('sleep 60');
    const owner = identity(pid);
    expect(ownerAlive(owner)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(ownerAlive(owner)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('does not judge a pid of another container', () => {
    const elsewhere = `${currentBoot().split('@')[0]}@1`;
    expect(ownerAlive({ pid: 2 ** 22 + 1, started: '1', boot: elsewhere })).toBe(true);
    expect(ownerStopped({ pid: process.pid, started: '', boot: elsewhere })).toBe(false);
  });
});

describe('ownerStopped', () => {
  it('sees a process stop and continue', async () => {
    const { child, pid } = await start('sleep 60');
    const owner = identity(pid);
    expect(ownerStopped(owner)).toBe(false);
    child.kill('SIGSTOP');
    await until(() => ownerStopped(owner));
    expect(ownerAlive(owner)).toBe(true);
    child.kill('SIGCONT');
    await until(() => !ownerStopped(owner));
  });
});

describe('killGroup', () => {
  it('kills leader and members', async () => {
    const { child, pid } = await start('sleep 60 & sleep 60');
    expect(killGroup(group(pid))).toBe(true);
    await once(child, 'exit');
    await until(() => !killGroup({ pgid: pid, started: '0', boot: currentBoot() }));
  });

  it('kills members that outlived their leader', async () => {
    const { child, pid } = await start('sleep 60 & echo $!');
    const recorded = group(pid);
    const [line] = await once(child.stdout!, 'data');
    const member = identity(Number(String(line)));
    await until(() => child.exitCode !== null);
    expect(ownerAlive(member)).toBe(true);
    expect(killGroup(recorded)).toBe(true);
    await until(() => !ownerAlive(member));
    expect(killGroup(recorded)).toBe(false);
  });

  it.each([
    ['a leader started at another time', { started: '1' }],
    ['another boot', { boot: otherBoot }],
    ['an unknown start', { started: '' }],
  ])('spares a group with %s', async (_, change) => {
    const { pid } = await start('sleep 60');
    expect(killGroup({ ...group(pid), ...change })).toBe(false);
    expect(ownerAlive(identity(pid))).toBe(true);
  });

  it('never touches pid 0, 1 or a group that is gone', () => {
    expect(killGroup({ pgid: 0, started: '1', boot: currentBoot() })).toBe(false);
    expect(killGroup({ pgid: 1, started: startedAt(1), boot: currentBoot() })).toBe(false);
    expect(killGroup({ pgid: 2 ** 22 + 1, started: '1', boot: currentBoot() })).toBe(false);
  });
});
