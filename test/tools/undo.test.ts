import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile as put, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffRecords } from '../../tools/diff.ts';
import { deleteFile } from '../../tools/files/delete-file.ts';
import { editFile } from '../../tools/files/edit-file.ts';
import { moveFile } from '../../tools/files/move-file.ts';
import { undoChanges } from '../../tools/files/undo-changes.ts';
import { writeFile } from '../../tools/files/write-file.ts';
import { shellExecute } from '../../tools/shell/shell-execute.ts';
import type { Args, ChangelogEntry, Tool } from '../../tools/tool.ts';
import { applyUndo, planUndo, type Selection } from '../../tools/undo.ts';
import { bench, failureOf } from './support.ts';

/** A workspace whose tool calls are kept in a changelog, as the host does. */
async function run(files: Record<string, string> = {}) {
  const b = await bench(files);
  const entries: ChangelogEntry[] = [];
  const keep = (tool: string, subtask: string, changes: ChangelogEntry['changes']) => {
    const id = `c${entries.length + 1}`;
    entries.push({ id, key: id, subtask, tool, changes });
    return id;
  };
  async function call(tool: Tool, args: Args, subtask = 'a') {
    const result = await tool.run(args, { ...b.context, key: `k${entries.length}`, subtask: null });
    return keep(tool.name, subtask, result.changes ?? []);
  }
  async function undo(selection: Selection, options: { force?: boolean } = {}) {
    const plan = planUndo(entries, selection);
    const outcome = await applyUndo(plan, { ...b.context, key: `u${entries.length}` }, options);
    if (outcome.changes.length === 0) return outcome;
    const id = keep('undo', 'a', outcome.changes);
    for (const entry of entries) if (plan.entries.includes(entry.id)) entry.undone_by = id;
    return outcome;
  }
  const tree = async () => {
    const found: Record<string, string> = {};
    for (const path of (await readdir(b.root, { recursive: true })).sort()) {
      const entry = await stat(join(b.root, path));
      found[path] = entry.isDirectory() ? '/' : await readFile(join(b.root, path), 'utf8');
    }
    return found;
  };
  return { ...b, entries, call, undo, tree };
}

describe('undo', () => {
  it('of everything gives the workspace back as it was, modes and folders included', async () => {
    const { call, undo, tree, root } = await run({ 'a.sh': 'one\n', 'b.txt': 'b\n', 'd/c.txt': 'c\n' });
    await chmod(join(root, 'b.txt'), 0o640);
    const before = await tree();
    await call(editFile, { path: 'a.sh', old_str: 'one', new_str: 'two' });
    await call(writeFile, { path: 'new/deep/x.txt', content: 'x' });
    await call(moveFile, { source: 'a.sh', destination: 'new/a.sh' });
    await call(editFile, { path: 'new/a.sh', old_str: 'two', new_str: 'three' });
    await call(deleteFile, { path: 'b.txt' });
    await call(deleteFile, { path: 'd/c.txt' });
    await call(deleteFile, { path: 'd' });
    const { changes, skipped } = await undo({ all: true });
    expect(await tree()).toEqual(before);
    expect(skipped).toEqual([]);
    expect((await stat(join(root, 'b.txt'))).mode & 0o777).toBe(0o640);
    expect(new Set(changes.map(record => record.path)).size).toBe(changes.length);
  });

  it('can itself be undone, and that again', async () => {
    const { call, undo, tree, entries } = await run({ 'a.txt': 'one\n' });
    await call(editFile, { path: 'a.txt', old_str: 'one', new_str: 'two' });
    await call(writeFile, { path: 'd/b.txt', content: 'b' });
    const after = await tree();
    await undo({ all: true });
    expect(await tree()).toEqual({ 'a.txt': 'one\n' });
    await undo({ ids: [entries.at(-1)!.id] });
    expect(await tree()).toEqual(after);
    await undo({ all: true });
    expect(await tree()).toEqual({ 'a.txt': 'one\n' });
    expect((await undo({ all: true })).changes).toEqual([]);
  });

  it('of one subtask leaves the others alone', async () => {
    const { call, undo, tree } = await run();
    await call(writeFile, { path: 'a.txt', content: 'a' }, 'a');
    await call(writeFile, { path: 'b.txt', content: 'b' }, 'b');
    await undo({ subtask: 'a' });
    expect(await tree()).toEqual({ 'b.txt': 'b' });
  });

  it('of one change in the middle works when nothing lies on top', async () => {
    const { call, undo, tree } = await run({ 'a.txt': '1' });
    const first = await call(writeFile, { path: 'a.txt', content: '2' });
    await call(writeFile, { path: 'b.txt', content: 'b' });
    await undo({ ids: [first] });
    expect(await tree()).toEqual({ 'a.txt': '1', 'b.txt': 'b' });
  });

  it('moves a folder back, alone and together with changes in it', async () => {
    const { call, undo, tree } = await run({ 'd/a.txt': 'a', 'd/e/b.txt': 'b' });
    const before = await tree();
    const moved = await call(moveFile, { source: 'd', destination: 'x/y' });
    await undo({ ids: [moved] });
    expect(await tree()).toEqual(before);
    const again = await run({ 'd/a.txt': 'a', 'd/e/b.txt': 'b' });
    await again.call(moveFile, { source: 'd', destination: 'x/y' });
    await again.call(writeFile, { path: 'x/y/a.txt', content: 'A' });
    await again.undo({ all: true });
    expect(await again.tree()).toEqual(before);
  });
});

describe('undo refuses', () => {
  it('to overwrite what somebody changed since, and then touches nothing', async () => {
    const { call, undo, tree, root, entries } = await run({ 'a.txt': '1', 'b.txt': '1' });
    await call(writeFile, { path: 'a.txt', content: '2' });
    await call(writeFile, { path: 'b.txt', content: '2' });
    await put(join(root, 'a.txt'), 'mine');
    const failure = await failureOf(undo({ all: true }));
    expect(failure).toMatchObject({
      code: 'undo_conflict',
      detail: { conflicts: [{ entry: entries[0]!.id, path: 'a.txt', reason: 'was changed since' }] },
    });
    expect(await tree()).toEqual({ 'a.txt': 'mine', 'b.txt': '2' });
  });

  it('unless forced; what it overwrites can be had back', async () => {
    const { call, undo, tree, root, entries } = await run({ 'a.txt': '1' });
    await call(writeFile, { path: 'a.txt', content: '2' });
    await put(join(root, 'a.txt'), 'mine');
    await undo({ all: true }, { force: true });
    expect(await tree()).toEqual({ 'a.txt': '1' });
    await undo({ ids: [entries.at(-1)!.id] });
    expect(await tree()).toEqual({ 'a.txt': 'mine' });
  });

  it('to revert one subtask over the work of another on the same file', async () => {
    const { call, undo, tree } = await run({ 'a.txt': '1' });
    await call(writeFile, { path: 'a.txt', content: '2' }, 'a');
    await call(writeFile, { path: 'a.txt', content: '3' }, 'b');
    expect((await failureOf(undo({ subtask: 'a' }))).code).toBe('undo_conflict');
    expect(await tree()).toEqual({ 'a.txt': '3' });
  });

  it.each([
    ['a deleted file exists again', 'a.txt', 'exists again with other contents'],
    ['the old place of a move is taken', 'm.txt', 'exists again with other contents'],
  ])('when %s', async (_, path, reason) => {
    const { call, undo, root } = await run({ 'a.txt': '1', 'm.txt': 'm' });
    await call(deleteFile, { path: 'a.txt' });
    await call(moveFile, { source: 'm.txt', destination: 'n.txt' });
    await put(join(root, path), 'theirs');
    expect((await failureOf(undo({ all: true }))).detail).toMatchObject({ conflicts: [{ path, reason }] });
    expect(await readFile(join(root, path), 'utf8')).toBe('theirs');
  });

  it('an id that is not in the changelog', () => {
    expect(() => planUndo([], { ids: ['x'] })).toThrow(/no entry x/);
  });
});

describe('undo leaves', () => {
  it('files that no run created, and folders that hold them', async () => {
    const { call, undo, tree, root } = await run();
    await call(writeFile, { path: 'd/a.txt', content: 'a' });
    await put(join(root, 'd/theirs.txt'), 't');
    const { skipped } = await undo({ all: true });
    expect(await tree()).toEqual({ d: '/', 'd/theirs.txt': 't' });
    expect(skipped).toMatchObject([{ path: 'd', reason: expect.stringContaining('holds other files') }]);
  });

  it('what a command did in a folder whose contents are not kept, and says why', async () => {
    const { call, undo, tree } = await run();
    await call(shellExecute, { command: 'mkdir node_modules; echo x > node_modules/m; echo y > y' });
    const { skipped } = await undo({ all: true });
    expect(await tree()).toEqual({ node_modules: '/', 'node_modules/m': 'x\n' });
    expect(skipped).toEqual([
      { entry: 'c1', path: 'node_modules', reason: 'was changed by shell_execute, which keeps no contents' },
    ]);
  });

  it('what is as it was already', async () => {
    const { call, undo, root } = await run();
    await call(writeFile, { path: 'a.txt', content: 'a' });
    execFileSync('rm', [join(root, 'a.txt')]);
    expect(await undo({ all: true })).toMatchObject({
      changes: [],
      skipped: [{ reason: 'is already as it was' }],
    });
  });

  it('what is outside: a folder that became a link is refused', async () => {
    const { call, undo, root } = await run();
    await call(writeFile, { path: 'd/a.txt', content: 'a' });
    const outside = await bench({ 'a.txt': 'a' });
    execFileSync('rm', ['-r', join(root, 'd')]);
    execFileSync('ln', ['-s', outside.root, join(root, 'd')]);
    expect((await failureOf(undo({ all: true }))).code).toBe('path_denied');
    expect(existsSync(join(outside.root, 'a.txt'))).toBe(true);
  });
});

describe('the undo of a subtask', () => {
  const args = { last: 1, dry_run: false };
  async function asSubtask() {
    const r = await run({ 'a.txt': '0' });
    const context = { ...r.context, subtask: 'a', history: async () => r.entries, key: 'u' };
    return { ...r, context, take: (change: Args = {}) => undoChanges.run({ ...args, ...change }, context) };
  }

  it('lists its own changes and takes back the newest, those of commands included', async () => {
    const { call, take, tree } = await asSubtask();
    await call(writeFile, { path: 'mine.txt', content: 'm' });
    await call(writeFile, { path: 'theirs.txt', content: 't' }, 'b');
    await call(shellExecute, { command: 'echo 1 > a.txt; mkdir d' });
    const listed = await take({ dry_run: true });
    expect(listed.output).toBe('c3 shell_execute: a.txt, d\nc1 write_file: mine.txt');
    const first = await take();
    expect(first).toMatchObject({ success: true, undone: ['c3'], files_changed: ['a.txt'] });
    expect(await tree()).toEqual({ 'a.txt': '0', 'mine.txt': 'm', 'theirs.txt': 't' });
    await take({ last: 50 });
    expect(await tree()).toEqual({ 'a.txt': '0', 'theirs.txt': 't' });
  });

  it('is not for what others did, nor over what they did since', async () => {
    const { call, take, tree } = await asSubtask();
    await call(writeFile, { path: 'a.txt', content: '1' });
    const theirs = await call(writeFile, { path: 'a.txt', content: '2' }, 'b');
    expect((await failureOf(take({ change: theirs }))).code).toBe('not_found');
    const failure = await failureOf(take());
    expect(failure.code).toBe('undo_conflict');
    expect(failure.message).toContain('a.txt was changed since');
    expect(failure.message).not.toContain('--force');
    expect(await tree()).toEqual({ 'a.txt': '2' });
  });

  it('says so when there is nothing to take back', async () => {
    const { take } = await asSubtask();
    expect((await failureOf(take())).code).toBe('nothing_to_undo');
  });
});

describe('an interrupted undo', () => {
  async function interrupted() {
    const r = await run({ 'a.txt': '1', 'b.txt': '1' });
    await r.call(writeFile, { path: 'a.txt', content: '2' });
    await r.call(moveFile, { source: 'b.txt', destination: 'c.txt' });
    await r.call(writeFile, { path: 'c.txt', content: '2' });
    await r.call(writeFile, { path: 'd/e.txt', content: 'e' });
    const plan = planUndo(r.entries, { all: true });
    let recovered: unknown;
    const died = applyUndo(plan, {
      ...r.context,
      async checkpoint(value) {
        recovered = structuredClone(value);
        throw new Error('killed');
      },
    });
    await expect(died).rejects.toThrow('killed');
    return { ...r, again: () => applyUndo(plan, { ...r.context, recovered }) };
  }

  it('is finished from wherever it stood', async () => {
    const { again, tree, root } = await interrupted();
    await put(join(root, 'a.txt'), '1');
    await put(join(root, 'b.txt'), '1');
    const { changes } = await again();
    expect(await tree()).toEqual({ 'a.txt': '1', 'b.txt': '1' });
    expect((await again()).changes).toEqual(changes);
  });

  it('is uncertain when somebody came between', async () => {
    const { again, root } = await interrupted();
    await put(join(root, 'a.txt'), 'mine');
    expect(await failureOf(again())).toMatchObject({ kind: 'uncertain', code: 'file_changed_meanwhile' });
    expect(existsSync(join(root, 'd/e.txt'))).toBe(true);
  });
});

describe('any series of calls', () => {
  it('is undone to the first state and redone to the last', async () => {
    const name = fc.constantFrom('a', 'b', 'd/c', 'd/e', 'f/g/h');
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        path: name,
        content: fc.constantFrom('1', '2', '3\n'),
      }),
      fc.record({ kind: fc.constant('delete' as const), path: fc.oneof(name, fc.constantFrom('d', 'f/g')) }),
      fc.record({
        kind: fc.constant('move' as const),
        from: fc.oneof(name, fc.constantFrom('d', 'f')),
        path: fc.oneof(name, fc.constantFrom('m', 'f/n')),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async steps => {
        const r = await run({ a: '0', 'd/c': '0' });
        const first = await r.tree();
        for (const one of steps) {
          const refusedIsFine = () => '';
          if (one.kind === 'write')
            await r.call(writeFile, { path: one.path, content: one.content }).catch(refusedIsFine);
          else if (one.kind === 'delete') await r.call(deleteFile, { path: one.path }).catch(refusedIsFine);
          else await r.call(moveFile, { source: one.from, destination: one.path }).catch(refusedIsFine);
        }
        const last = await r.tree();
        const { changes } = await r.undo({ all: true });
        expect(await r.tree()).toEqual(first);
        if (changes.length > 0) await r.undo({ ids: [r.entries.at(-1)!.id] });
        expect(await r.tree()).toEqual(last);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});

describe('the diff of a run', () => {
  it('is one per file, from first to last, through moves', async () => {
    const { call, entries, context } = await run({ 'a.txt': 'one\n', 'd/k.txt': 'k\n' });
    await call(editFile, { path: 'a.txt', old_str: 'one', new_str: 'two' });
    await call(moveFile, { source: 'a.txt', destination: 'b.txt' });
    await call(editFile, { path: 'b.txt', old_str: 'two', new_str: 'three' });
    await call(writeFile, { path: 'tmp.txt', content: 't' });
    await call(deleteFile, { path: 'tmp.txt' });
    await call(writeFile, { path: 'd/k.txt', content: 'K\n' });
    await call(moveFile, { source: 'd', destination: 'e' });
    const diffs = await diffRecords(
      entries.flatMap(entry => entry.changes),
      context.blobs,
    );
    expect(diffs.map(({ path, from, operation }) => ({ path, from, operation }))).toEqual([
      { path: 'b.txt', from: 'a.txt', operation: 'rename' },
      { path: 'e/k.txt', from: 'd/k.txt', operation: 'rename' },
    ]);
    expect(diffs[0]!.diff).toContain('--- a/a.txt\n+++ b/b.txt\n@@ -1,1 +1,1 @@\n-one\n+three');
  });

  it('is empty when everything was undone', async () => {
    const { call, undo, entries, context } = await run({ 'a.txt': 'one\n', 'd/k.txt': 'k\n' });
    await call(editFile, { path: 'a.txt', old_str: 'one', new_str: 'two' });
    await call(moveFile, { source: 'a.txt', destination: 'b.txt' });
    await call(writeFile, { path: 'b.txt', content: 'three\n' });
    await call(deleteFile, { path: 'd/k.txt' });
    await call(writeFile, { path: 'new.txt', content: 'n' });
    await undo({ all: true });
    expect(
      await diffRecords(
        entries.flatMap(entry => entry.changes),
        context.blobs,
      ),
    ).toEqual([]);
  });

  it('says where contents were not kept', async () => {
    const { call, entries, context } = await run();
    await call(shellExecute, { command: 'truncate -s 33M large' });
    const [diff] = await diffRecords(entries[0]!.changes, context.blobs);
    expect(diff!.diff).toBe('Contents not kept: /dev/null and b/large differ\n');
  });
});
