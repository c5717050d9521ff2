import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyChanges, type PlannedChange, tagOf } from '../../tools/changes.ts';
import { changeReport, cutDiff } from '../../tools/diff.ts';
import { sha256 } from '../../tools/disk.ts';
import { bench, failureOf } from './support.ts';

const write = (path: string, text: string, guard: 'read' | 'fresh' | 'none' = 'read'): PlannedChange => ({
  operation: 'write',
  path,
  content: Buffer.from(text),
  guard,
});
const planned =
  (...changes: PlannedChange[]) =>
  async () =>
    changes;

describe('changes to files', () => {
  it('are checkpointed with before-images before the first byte changes', async () => {
    const { context, root } = await bench({ 'a.txt': 'old' });
    let seen = '';
    let noted: unknown;
    await applyChanges(planned(write('a.txt', 'new', 'none')), {
      ...context,
      async checkpoint(value) {
        seen = await readFile(join(root, 'a.txt'), 'utf8');
        noted = value;
      },
    });
    expect(seen).toBe('old');
    expect(noted).toMatchObject({
      changes: [{ path: 'a.txt', before: { sha256: sha256('old') }, after: sha256('new') }],
    });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('new');
  });

  it('make missing folders, keep the mode of old files and give new ones the usual mode', async () => {
    const { context, root } = await bench({ 'run.sh': 'old' });
    await chmod(join(root, 'run.sh'), 0o750);
    const records = await applyChanges(
      planned(write('run.sh', 'new', 'none'), write('a/b/c.txt', 'c')),
      context,
    );
    expect(records.map(record => [record.operation, record.path, record.kind])).toEqual([
      ['modify', 'run.sh', undefined],
      ['create', 'a', 'directory'],
      ['create', 'a/b', 'directory'],
      ['create', 'a/b/c.txt', undefined],
    ]);
    expect((await stat(join(root, 'run.sh'))).mode & 0o777).toBe(0o750);
    expect((await stat(join(root, 'a/b/c.txt'))).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it('that change nothing are no changes', async () => {
    const { context, checkpoints } = await bench({ 'a.txt': 'same' });
    expect(await applyChanges(planned(write('a.txt', 'same')), context)).toEqual([]);
    expect(checkpoints).toEqual([]);
  });

  it('wait for each other under the workspace lock', async () => {
    const { context, root } = await bench({ 'n.txt': '0' });
    const addOne = async (): Promise<PlannedChange[]> => {
      const now = Number(await readFile(join(root, 'n.txt'), 'utf8'));
      return [write('n.txt', String(now + 1), 'none')];
    };
    await Promise.all(Array.from({ length: 8 }, () => applyChanges(addOne, context)));
    expect(await readFile(join(root, 'n.txt'), 'utf8')).toBe('8');
  });

  it('of a batch are taken back when one of them fails', async () => {
    const { context, root } = await bench({ 'a.txt': 'a', 'b.txt': 'b' });
    const broken = {
      ...context,
      async checkpoint() {
        await writeFile(join(root, 'late'), '');
      },
    };
    const plan = planned(write('a.txt', 'A', 'none'), { operation: 'rename', from: 'b.txt', path: 'late' });
    expect((await failureOf(applyChanges(plan, broken))).code).toBe('exists');
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('a');
    expect(await readFile(join(root, 'b.txt'), 'utf8')).toBe('b');
  });
});

describe('the lost-update check', () => {
  it('refuses to overwrite a file that was never read, and leaves it alone', async () => {
    const { context, root } = await bench({ 'a.txt': 'theirs' });
    expect((await failureOf(applyChanges(planned(write('a.txt', 'mine')), context))).code).toBe('not_read');
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('theirs');
  });

  it('refuses when somebody else changed it since it was read', async () => {
    const { context, root, reads } = await bench({ 'a.txt': 'one' });
    reads.set('a.txt', sha256('one'));
    await writeFile(join(root, 'a.txt'), 'two');
    for (const guard of ['read', 'fresh'] as const) {
      const failure = await failureOf(applyChanges(planned(write('a.txt', 'mine', guard)), context));
      expect(failure).toMatchObject({
        code: 'changed_since_read',
        message: expect.stringContaining('read_file'),
      });
    }
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('two');
  });

  it('lets a person at the command line decide', async () => {
    const { context, root } = await bench({ 'a.txt': 'one' });
    await applyChanges(planned(write('a.txt', 'mine')), { ...context, subtask: null });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('mine');
  });
});

describe('after a crash, the same key', () => {
  /** Runs until the checkpoint and dies there, as kill -9 would. */
  async function crashAtCheckpoint(files: Record<string, string>, ...changes: PlannedChange[]) {
    const b = await bench(files);
    let recovered: unknown;
    const died = applyChanges(planned(...changes), {
      ...b.context,
      async checkpoint(value) {
        recovered = structuredClone(value);
        throw new Error('killed');
      },
    });
    await expect(died).rejects.toThrow('killed');
    const plan = async (): Promise<PlannedChange[]> => {
      throw new Error('planned again');
    };
    return { ...b, again: () => applyChanges(plan, { ...b.context, recovered }) };
  }

  it('does what was not done', async () => {
    const { again, root } = await crashAtCheckpoint(
      { 'a.txt': 'old' },
      write('a.txt', 'new', 'none'),
      write('d/b.txt', 'b'),
    );
    const records = await again();
    expect(records.map(record => record.path)).toEqual(['a.txt', 'd', 'd/b.txt']);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('new');
    expect(await readFile(join(root, 'd/b.txt'), 'utf8')).toBe('b');
  });

  it('does not do again what was done', async () => {
    const { again, root } = await crashAtCheckpoint({ 'a.txt': 'old' }, write('a.txt', 'new', 'none'));
    await writeFile(join(root, 'a.txt'), 'new');
    const before = (await stat(join(root, 'a.txt'), { bigint: true })).ino;
    expect(await again()).toHaveLength(1);
    expect((await stat(join(root, 'a.txt'), { bigint: true })).ino).toBe(before);
  });

  it('finishes a half done batch', async () => {
    const { again, root } = await crashAtCheckpoint(
      { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' },
      write('a.txt', 'A', 'none'),
      { operation: 'delete', path: 'b.txt', guard: 'none' },
      { operation: 'rename', from: 'c.txt', path: 'd.txt' },
    );
    await writeFile(join(root, 'a.txt'), 'A');
    await again();
    expect((await readdir(root)).sort()).toEqual(['a.txt', 'd.txt']);
  });

  it('is uncertain when somebody else changed the file meanwhile, and touches nothing', async () => {
    const { again, root, context } = await crashAtCheckpoint(
      { 'a.txt': 'old', 'b.txt': 'b' },
      write('b.txt', 'B', 'none'),
      write('a.txt', 'new', 'none'),
    );
    await writeFile(join(root, 'a.txt'), 'third');
    await writeFile(join(root, `.a.txt.${tagOf(context.key)}.tmp`), 'half');
    expect(await failureOf(again())).toMatchObject({
      kind: 'uncertain',
      code: 'file_changed_meanwhile',
      detail: { paths: ['a.txt'] },
    });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('third');
    expect(await readFile(join(root, 'b.txt'), 'utf8')).toBe('b');
    expect((await readdir(root)).sort()).toEqual(['a.txt', 'b.txt']);
  });

  it('reuses and thereby removes a half written temporary file', async () => {
    const { again, root, context } = await crashAtCheckpoint(
      { 'a.txt': 'old' },
      write('a.txt', 'new', 'none'),
    );
    await writeFile(join(root, `.a.txt.${tagOf(context.key)}.tmp`), 'half');
    await again();
    expect(await readdir(root)).toEqual(['a.txt']);
    expect(existsSync(join(root, 'a.txt'))).toBe(true);
  });
});

describe('the report of changes', () => {
  it('shows a unified diff with a/ and b/ names', async () => {
    const { context } = await bench({ 'a.txt': '1\n2\n3\n4\n5\n6\n7\n8\n9\n' });
    const records = await applyChanges(
      planned(write('a.txt', '1\n2\n3\n4\nFIVE\n6\n7\n8\n9\n', 'none')),
      context,
    );
    const { diff, files_changed } = await changeReport(records, context.blobs);
    expect(files_changed).toEqual(['a.txt']);
    expect(diff.split('\n')).toEqual([
      '--- a/a.txt',
      '+++ b/a.txt',
      '@@ -2,7 +2,7 @@',
      ' 2',
      ' 3',
      ' 4',
      '-5',
      '+FIVE',
      ' 6',
      ' 7',
      ' 8',
    ]);
  });

  it('cuts after 40 lines and keeps the whole as an artifact', async () => {
    const { context } = await bench();
    const text = Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n');
    const records = await applyChanges(planned(write('a.txt', `${text}\n`)), context);
    const report = await changeReport(records, context.blobs);
    expect(report.diff.split('\n')).toHaveLength(41);
    expect(report.diff).toMatch(/\.\.\. \(63 more diff lines\)$/);
    expect((await context.blobs.get(report.artifact!)).toString()).toContain('+line 99');
    expect(cutDiff('a\nb\n', 2)).toEqual({ shown: 'a\nb', cut: false });
  });

  it('names binary files instead of printing them', async () => {
    const { context } = await bench();
    const bytes = Buffer.from([0x89, 0x50, 0, 1, 2, 3]);
    const records = await applyChanges(
      planned({ ...write('a.png', ''), content: bytes } as PlannedChange),
      context,
    );
    expect((await changeReport(records, context.blobs)).diff).toBe(
      'Binary files /dev/null and b/a.png differ',
    );
  });
});
