/** Blobs: whole content or none, content-addressed, checked on every read. */

import { mkdtemp, readdir, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlobs, openMemoryBlobs } from '../../store/blobs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'loom-blobs-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    error => error.failure?.code,
  );

describe.each([
  ['on disk', () => openBlobs(join(dir, 'blobs'))],
  ['in memory', openMemoryBlobs],
])('blobs %s', (_, open) => {
  it.each([0, 1, 4_095, 4_096, 300_000])('give back %d bytes as they were', async size => {
    const blobs = open();
    const ref = await blobs.put(bytes(size));
    expect(ref.size).toBe(size);
    expect(ref.inline === undefined).toBe(size >= 4_096);
    expect(Buffer.compare(await blobs.get(ref), bytes(size))).toBe(0);
  });

  it('refuse an inline reference whose content was changed', async () => {
    const blobs = open();
    const ref = await blobs.put(bytes(10));
    expect(await codeOf(blobs.get({ ...ref, inline: Buffer.from('other').toString('base64') }))).toBe(
      'blob_damaged',
    );
  });

  it('name what is missing', async () => {
    const blobs = open();
    expect(await codeOf(blobs.get({ sha256: 'ab'.repeat(32), size: 5_000 }))).toBe('blob_missing');
  });
});

describe('blob files', () => {
  const pathOf = (sha256: string) => join(dir, 'blobs', sha256.slice(0, 2), sha256);

  it('are private, named by hash, and leave no temporary file', async () => {
    const blobs = openBlobs(join(dir, 'blobs'));
    const ref = await blobs.put(bytes(5_000));
    expect((await stat(pathOf(ref.sha256))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'blobs'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(dir, 'blobs', ref.sha256.slice(0, 2)))).toEqual([ref.sha256]);
  });

  it('survive many writers of the same content at once', async () => {
    const blobs = openBlobs(join(dir, 'blobs'));
    const refs = await Promise.all(Array.from({ length: 8 }, () => blobs.put(bytes(5_000))));
    expect(new Set(refs.map(ref => ref.sha256)).size).toBe(1);
    expect(await blobs.get(refs[0]!)).toHaveLength(5_000);
  });

  it('that were damaged or deleted are reported, and a new write of the same content heals a cut one', async () => {
    const blobs = openBlobs(join(dir, 'blobs'));
    const ref = await blobs.put(bytes(5_000));
    await truncate(pathOf(ref.sha256), 100);
    expect(await codeOf(blobs.get(ref))).toBe('blob_damaged');
    await blobs.put(bytes(5_000));
    expect(await blobs.get(ref)).toHaveLength(5_000);
    await unlink(pathOf(ref.sha256));
    expect(await codeOf(blobs.get(ref))).toBe('blob_missing');
  });

  it('that cannot be written say where and what to do', async () => {
    await writeFile(join(dir, 'blobs'), 'a file where the folder should be');
    await expect(openBlobs(join(dir, 'blobs')).put(bytes(5_000))).rejects.toThrow(
      /Cannot record in .*blobs.*resume/,
    );
  });
});
