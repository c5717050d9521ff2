/** What was acknowledged stays: while others open the store, when the disk is full, and a damaged file is a sentence. */

import { chmod, mkdir, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enter, leave, prepareFolder } from '../../store/environment.ts';
import { networkFileSystem } from '../../store/file-systems.ts';
import { openLmdbReader, openLmdbStore } from '../../store/lmdb.ts';
import { verifyStore } from '../../store/verify.ts';
import { namespacesWork, type SmallDisk, smallDisk } from '../support/store-namespace.ts';
import { storeProcesses } from '../support/store-processes.ts';
import { newHead } from './conformance.ts';

const deep = process.env['LOOM_DEEP'] === '1';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'loom-durable-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => ({ code: 'no error', message: '' }),
    (error: Error & { failure?: { code: string } }) => ({
      code: error.failure?.code,
      message: error.message,
    }),
  );

describe('the environment', () => {
  it('is opened without overlappingSync, the default that loses acknowledged commits', async () => {
    const environment = await enter(prepareFolder(home, true), 'test', async () => {});
    expect(environment.rows).toMatchObject({ overlappingSync: false });
    for (const unsafe of ['noSync', 'noMetaSync', 'useWritemap', 'mapAsync', 'cache']) {
      expect((environment.rows as unknown as Record<string, unknown>)[unsafe]).toBeFalsy();
    }
    await leave(environment, 'test');
  });

  it('keeps every acknowledged commit while another process opens the store again and again', {
    timeout: deep ? 600_000 : 40_000,
  }, async () => {
    for (let round = 0; round < (deep ? 60 : 2); round++) {
      const processes = storeProcesses();
      try {
        const [writer, opener] = [await processes.start(), await processes.start({ open: false })];
        const writing = writer.call<number>('writeLoop', 'w', 1_500);
        let opens = 0;
        for (let done = false; !done; opens++) {
          await opener.call('openAndClose', opens % 2 === 0);
          done = await Promise.race([
            writing.then(() => true),
            new Promise<false>(r => setTimeout(r, 1, false)),
          ]);
        }
        const written = await writing;
        expect(opens).toBeGreaterThan(2);
        expect(written).toBeGreaterThan(5);
        expect(writer.acks).toHaveLength(written);
        await writer.kill();
        const store = await openLmdbReader(processes.home);
        expect(await store.head('w')).toMatchObject({ rev: written, seq: written });
        expect(await store.range('w', 'j/')).toHaveLength(written);
        expect((await verifyStore(store)).problems).toEqual([]);
        await store.close();
      } finally {
        await processes.end();
      }
    }
  });

  it('keeps every acknowledged commit of a writer that is killed', { timeout: 120_000 }, async () => {
    for (let round = 0; round < (deep ? 100 : 4); round++) {
      const processes = storeProcesses();
      try {
        const writer = await processes.start();
        void writer.call('writeLoop', 'w', 10_000).catch(() => {});
        await new Promise(resolve => setTimeout(resolve, 40 + 37 * (round % 7)));
        await writer.kill();
        const store = await openLmdbReader(processes.home);
        const lines = await store.range<{ seq: number }>('w', 'j/');
        expect(lines.length).toBeGreaterThanOrEqual(writer.acks.length);
        expect((await store.head('w'))?.rev ?? 0).toBe(lines.length);
        expect((await verifyStore(store)).problems).toEqual([]);
        await store.close();
      } finally {
        await processes.end();
      }
    }
  });

  it.each([
    ['before-commit:1', null],
    ['after-commit:1', { rev: 0, row: null }],
    ['before-commit:2', { rev: 0, row: null }],
    ['after-commit:2', { rev: 1, row: 'x' }],
  ])('is whole after a kill at %s', async (point, expected) => {
    const processes = storeProcesses();
    try {
      const writer = await processes.start({ env: { LOOM_TEST: '1', LOOM_CRASH_AT: point } });
      const written = (async () => {
        const lease = await writer.call('create', 'r1');
        await writer.call('commit', lease, 0, 'a/x', 'x');
      })();
      await expect(written).rejects.toThrow('the process ended');
      const reader = await openLmdbReader(processes.home);
      const head = await reader.head('r1');
      expect(head && { rev: head.rev, row: await reader.get('r1', 'a/x') }).toEqual(expected);
      expect((await verifyStore(reader)).problems).toEqual([]);
      await reader.close();
    } finally {
      await processes.end();
    }
  });

  it('shows a reader a store that has grown a hundredfold since it opened', async () => {
    const processes = storeProcesses();
    try {
      const writer = await processes.start();
      await writer.call('create', 'first');
      const reader = await openLmdbReader(processes.home);
      expect(await reader.head('first')).toMatchObject({ rev: 0 });
      const written = await writer.call<number>('writeLoop', 'w', 800);
      const lease = await writer.call('claim', 'first', {});
      expect(lease).toBeNull();
      expect(await reader.range('w', 'j/')).toHaveLength(written);
      await reader.close();
    } finally {
      await processes.end();
    }
  });

  it('keeps its folder private', async () => {
    await mkdir(join(home, 'store'), { mode: 0o755 });
    await (await openLmdbStore(home, { minFreeMb: 0 })).close();
    expect((await stat(join(home, 'store'))).mode & 0o777).toBe(0o700);
  });
});

describe.runIf(process.platform === 'linux')('a full disk', () => {
  let disk: SmallDisk | undefined;
  afterEach(async () => {
    await disk?.end();
    disk = undefined;
  });

  it('refuses writes with path and space, keeps what was acknowledged, and goes on once there is room', async () => {
    expect(namespacesWork(), 'user namespaces with a tmpfs are needed here').toBe(true);
    disk = await smallDisk(6);
    const { process: child, inside } = disk;
    await child.call('open', { minFreeMb: 0 });
    const failed = await child.call('writeLoop', 'w', 20_000).catch((error: Error) => error);
    expect(failed).toMatchObject({ name: 'StoreWriteError' });
    expect((failed as Error).message).toMatch(/Cannot record in .*store.* MB are free/);
    const acked = child.acks.length;
    expect(acked).toBeGreaterThan(100);

    expect(await child.call('head', 'w')).toMatchObject({ rev: acked });
    expect(await child.call('verify')).toMatchObject({ problems: [] });
    await expect(child.call('putGlobal', 'big', 500_000)).rejects.toMatchObject({ name: 'StoreWriteError' });

    inside('mount -o remount,size=24m "$HOME_DIR"');
    await child.call('putGlobal', 'big', 500_000);
    expect(await child.call('head', 'w')).toMatchObject({ rev: acked });
    expect(await child.call('verify')).toMatchObject({ problems: [] });
    expect(child.unhandled).toEqual([]);
    // LMDB's native part prints a line of its own; a stack trace would be ours
    expect(child.stderr()).not.toMatch(/\n\s+at |Error:/);
  });

  it('refuses new runs below min_free_mb and still reads and writes the old ones', async () => {
    disk = await smallDisk(24);
    const { process: child, inside } = disk;
    await child.call('open', { minFreeMb: 16 });
    const lease = await child.call('create', 'r1');
    inside('head -c 10000000 /dev/zero > "$HOME_DIR/ballast"');
    await expect(child.call('create', 'r2')).rejects.toMatchObject({ code: 'store_full' });
    await child.call('commit', lease, 0, 'a/x', 1);
    expect(await child.call('get', 'r1', 'a/x')).toBe(1);
    inside('rm "$HOME_DIR/ballast"');
    await child.call('create', 'r2');
  });
});

describe('a store that cannot be opened', () => {
  const dataFile = () => join(home, 'store', 'data.mdb');
  async function filled(): Promise<void> {
    const store = await openLmdbStore(home, { minFreeMb: 0 });
    const lease = await store.create(newHead('r1'), []);
    for (let n = 0; n < 20; n++)
      await store.commit(lease, n, {}, [{ key: `a/${n}`, value: 'x'.repeat(9_000) }]);
    await store.close();
  }

  it.each([
    ['is not a database', async () => writeFile(dataFile(), 'not a database at all, '.repeat(1_000))],
    ['was cut short', async () => truncate(dataFile(), 16_384)],
    ['was cut inside its header', async () => truncate(dataFile(), 300)],
    [
      'has a damaged header',
      async () => {
        const file = await open(dataFile(), 'r+');
        await file.write(Buffer.alloc(8_192, 0x5a), 0, 8_192, 0);
        await file.close();
      },
    ],
  ])('because the file %s says so in a sentence, for writers and readers', async (_, damage) => {
    await filled();
    await damage();
    for (const attempt of [() => openLmdbStore(home, { minFreeMb: 0 }), () => openLmdbReader(home)]) {
      const { code, message } = await failureOf(attempt());
      expect(code).toBe('store_unreadable');
      expect(message).toContain(join(home, 'store'));
      expect(message).toMatch(/Restore it from a backup/);
      expect(message).not.toMatch(/\n|\bat \//);
    }
  });

  it('because a file stands where its folder should be says so', async () => {
    await writeFile(join(home, 'store'), '');
    expect((await failureOf(openLmdbStore(home))).code).toBe('store_unreadable');
  });

  it('because a newer Loom wrote it says so', async () => {
    const environment = await enter(prepareFolder(home, true), 'test', async () => {});
    await environment.rows!.put(Buffer.from('format'), '2');
    await leave(environment, 'test');
    const { code, message } = await failureOf(openLmdbStore(home));
    expect(code).toBe('store_unreadable');
    expect(message).toContain('newer Loom');
  });

  it('because it is read only still opens for readers', async () => {
    await filled();
    await chmod(join(home, 'store'), 0o500);
    const reader = await openLmdbReader(home);
    expect(await reader.get('r1', 'a/3')).toHaveLength(9_000);
    await reader.close();
    await chmod(join(home, 'store'), 0o700);
  });

  it('does not exist for a reader until somebody writes it, and reading makes nothing', async () => {
    const reader = await openLmdbReader(home);
    expect(await reader.runs()).toEqual([]);
    expect(await readdir(home)).toEqual([]);
    const store = await openLmdbStore(home, { minFreeMb: 0 });
    await store.create(newHead('r1'), []);
    expect(await reader.head('r1')).toMatchObject({ id: 'r1' });
    await store.close();
    await reader.close();
  });

  it('opened for reading refuses to write', async () => {
    await filled();
    const store = await openLmdbStore(home, { readOnly: true });
    const { code } = await failureOf(store.putGlobal('x', 1));
    expect(code).toBe('store_not_open');
    expect(await store.head('r1')).toMatchObject({ rev: 20 });
    await store.close();
    expect(await failureOf(store.putGlobal('x', 1))).toMatchObject({ code: 'store_not_open' });
    expect(await failureOf(store.head('r1'))).toMatchObject({ code: 'store_not_open' });
  });
});

describe('file systems', () => {
  it.each([
    ['NFS', 0x6969, '', true],
    ['CIFS, as a signed number', 0xff534d42 | 0, '', true],
    ['SMB2', 0xfe534d42, '', true],
    ['sshfs', 0x65735546, 'fuse.sshfs', true],
    ['a local FUSE', 0x65735546, 'fuse.gocryptfs', false],
    ['ext4', 0xef53, '', false],
    ['tmpfs', 0x01021994, '', false],
    ['btrfs', 0x9123683e, '', false],
    ['overlayfs', 0x794c7630, '', false],
  ])('%s: refused or not', (_, type, mountType, refused) => {
    expect(networkFileSystem(type, mountType) !== null).toBe(refused);
  });
});
