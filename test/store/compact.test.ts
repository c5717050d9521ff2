/** Compaction and backup of a store that others have open: nothing acknowledged is lost, and everybody goes on. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupStore } from '../../store/backup.ts';
import { openBlobs } from '../../store/blobs.ts';
import { compactStore } from '../../store/compact.ts';
import { openLmdbReader, openLmdbStore } from '../../store/lmdb.ts';
import { type Lease, seqKey } from '../../store/port.ts';
import { verifyStore } from '../../store/verify.ts';
import { type StoreProcess, type StoreProcesses, storeProcesses } from '../support/store-processes.ts';

let root: string;
let processes: StoreProcesses;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loom-compact-'));
  processes = storeProcesses(join(root, 'home'));
});
afterEach(async () => {
  await processes.end();
  await rm(root, { recursive: true, force: true });
});

const home = () => processes.home;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: { code?: string; failure?: { code: string } }) => error.failure?.code ?? error.code,
  );
const problemsOf = async (folder: string) => {
  const reader = await openLmdbReader(folder);
  const { problems } = await verifyStore(reader);
  await reader.close();
  return problems;
};
const dataBytes = () => statSync(join(home(), 'store', 'data.mdb')).size;

/** A store with a finished run and a lot of free pages. */
async function grown(): Promise<void> {
  const store = await openLmdbStore(home(), { minFreeMb: 0 });
  for (let n = 0; n < 40; n++) await store.putGlobal(`filler/${n}`, 'x'.repeat(60_000));
  for (let n = 0; n < 40; n++) await store.putGlobal(`filler/${n}`, null);
  await store.close();
}
async function finishedRun(by: StoreProcess, id: string): Promise<void> {
  const lease = await by.call<Lease>('create', id);
  await by.call('commit', lease, 0, 'a/x', id);
  await by.call('release', lease);
}

describe('a compaction', () => {
  it('gives space back and keeps every row', async () => {
    await grown();
    const store = await openLmdbStore(home(), { minFreeMb: 0 });
    await store.putGlobal('kept', 'yes');
    const { before, after } = await compactStore(store);
    expect(before).toBeGreaterThan(2_000_000);
    expect(after).toBeLessThan(200_000);
    expect(dataBytes()).toBe(after);
    expect(await store.getGlobal('kept')).toBe('yes');
    await store.putGlobal('later', 'yes');
    expect(await store.getGlobal('later')).toBe('yes');
    await store.close();
    expect(await problemsOf(home())).toEqual([]);
    expect(readdirSync(join(home(), 'store')).sort()).toEqual(['data.mdb', 'lock.mdb', 'opening']);
  });

  it('is seen by other processes that have the store open: they write to and read from the new file', async () => {
    await grown();
    const [writer, reader] = [await processes.start(), await processes.start({ open: { readOnly: true } })];
    await finishedRun(writer, 'r1');
    expect(await reader.call('head', 'r1')).toMatchObject({ rev: 1 });
    for (let round = 0; round < 3; round++) {
      const compactor = await processes.start();
      await compactor.call('compact');
      await compactor.call('close');
      await finishedRun(writer, `after-${round}`);
      expect(await reader.call('head', `after-${round}`)).toMatchObject({ rev: 1 });
      expect(await reader.call('get', 'r1', 'a/x')).toBe('r1');
    }
    const fresh = await openLmdbReader(home());
    expect((await fresh.runs()).map(head => head.id).sort()).toEqual(['after-0', 'after-1', 'after-2', 'r1']);
    await fresh.close();
    expect(await problemsOf(home())).toEqual([]);
  });

  it('is refused while a run is at work, and changes nothing', async () => {
    await grown();
    const writer = await processes.start();
    await writer.call('create', 'r1');
    const before = dataBytes();
    const compactor = await processes.start();
    expect(await codeOf(compactor.call('compact'))).toBe('store_busy');
    expect(dataBytes()).toBe(before);
    await writer.kill();
    expect(await codeOf(compactor.call('compact'))).toBe('no error');
  });

  it('loses no acknowledged commit of writers that begin and end around it', {
    timeout: 60_000,
  }, async () => {
    await grown();
    const writers = await Promise.all([processes.start(), processes.start()]);
    const compactor = await processes.start();
    let going = true;
    const compacting = (async () => {
      let done = 0;
      while (going) if ((await codeOf(compactor.call('compact'))) === 'no error') done += 1;
      return done;
    })();
    const written: string[] = [];
    const writing = writers.map(async (writer, w) => {
      for (let n = 0; n < 60; n++) {
        await finishedRun(writer, `w${w}-${n}`);
        written.push(`w${w}-${n}`);
      }
    });
    await Promise.all(writing);
    going = false;
    expect(await compacting).toBeGreaterThan(1);
    const reader = await openLmdbReader(home());
    expect((await reader.runs()).map(head => head.id).sort()).toEqual(written.sort());
    for (const id of written) expect(await reader.get(id, 'a/x')).toBe(id);
    await reader.close();
    expect(await problemsOf(home())).toEqual([]);
  });

  it.each(['compact-copied:1', 'compact-swapped:1'])('killed at %s leaves a sound store', async at => {
    await grown();
    const witness = await processes.start();
    await finishedRun(witness, 'r1');
    const compactor = await processes.start({ env: { LOOM_TEST: '1', LOOM_CRASH_AT: at } });
    await expect(compactor.call('compact')).rejects.toThrow();
    expect(await problemsOf(home())).toEqual([]);
    await finishedRun(witness, 'r2');
    const store = await openLmdbStore(home(), { minFreeMb: 0 });
    expect((await store.runs()).map(head => head.id)).toEqual(['r1', 'r2']);
    await compactStore(store);
    expect((await store.runs()).map(head => head.id)).toEqual(['r1', 'r2']);
    await store.close();
    expect(readdirSync(join(home(), 'store')).filter(name => name.startsWith('compacting'))).toEqual([]);
  });
});

describe('a backup', () => {
  const blob = (letter: string) => Buffer.from(letter.repeat(5_000));

  it('taken while a writer commits opens cleanly and holds every commit acknowledged before it began', async () => {
    const writer = await processes.start();
    const loop = writer.call('writeLoop', 'r1', 3_000);
    for (let n = 0; n < 5; n++) {
      await expect.poll(() => writer.acks.length, { timeout: 10_000 }).toBeGreaterThan(20 * n + 5);
      const acknowledged = writer.acks.at(-1)!;
      const made = await backupStore(home(), join(root, 'backup'));
      expect(made).toMatchObject({ runs: 1, problems: [] });
      const copy = await openLmdbReader(join(root, 'backup'));
      expect((await copy.head('r1'))!.seq).toBeGreaterThanOrEqual(acknowledged);
      expect(await copy.get('r1', `j/${seqKey(acknowledged)}`)).toMatchObject({ seq: acknowledged });
      await copy.close();
    }
    await loop;
    expect(await problemsOf(home())).toEqual([]);
  });

  it('has the blobs, is cheap to repeat, and forgets what the home forgot', async () => {
    const store = await openLmdbStore(home(), { minFreeMb: 0 });
    const blobs = openBlobs(join(home(), 'blobs'));
    const [a, b] = [await blobs.put(blob('a')), await blobs.put(blob('b'))];
    await store.putGlobal('names', [a, b]);
    const target = join(root, 'backup');
    expect(await backupStore(home(), target)).toMatchObject({ blobs: 2, new_blobs: 2 });
    expect(await backupStore(home(), target)).toMatchObject({ blobs: 2, new_blobs: 0 });
    const copies = openBlobs(join(target, 'blobs'));
    expect(await copies.get(a)).toEqual(blob('a'));
    await rm(join(home(), 'blobs', b.sha256.slice(0, 2), b.sha256));
    expect(await backupStore(home(), target)).toMatchObject({ blobs: 1, new_blobs: 0 });
    expect(await codeOf(copies.get(b))).toBe('blob_missing');
    await store.close();
  });

  it('is a home: work in it goes on, and is not overwritten by a later backup', async () => {
    const writer = await processes.start();
    await finishedRun(writer, 'r1');
    const target = join(root, 'backup');
    await backupStore(home(), target);
    const copy = await openLmdbStore(target, { minFreeMb: 0 });
    expect((await copy.runs()).map(head => head.id)).toEqual(['r1']);
    await copy.close();
    expect(await codeOf(backupStore(home(), target))).toBe('no error');
    const worked = await openLmdbStore(target, { minFreeMb: 0 });
    await worked.putGlobal('work', 1);
    await worked.close();
    expect(await codeOf(backupStore(home(), target))).toBe('backup_folder');
  });

  it('goes to a folder of its own', async () => {
    const writer = await processes.start();
    await finishedRun(writer, 'r1');
    const full = join(root, 'full');
    await writer.call('close');
    await backupStore(home(), full);
    await rm(join(full, 'backup.json'));
    for (const folder of [home(), join(home(), 'store'), root, full])
      expect(await codeOf(backupStore(home(), folder)), folder).toBe('backup_folder');
    await writeFile(join(root, 'file'), '');
    expect(await codeOf(backupStore(home(), join(root, 'file')))).toBe('backup_folder');
    expect(existsSync(join(home(), 'backup.json'))).toBe(false);
  });
});
