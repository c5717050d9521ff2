import {
  chmod,
  mkdir,
  writeFile as put,
  readFile as read,
  readdir,
  stat,
  symlink,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { declaredAssessment } from '../../tools/declaration.ts';
import { sha256 } from '../../tools/disk.ts';
import { deleteFile } from '../../tools/files/delete-file.ts';
import { editFile } from '../../tools/files/edit-file.ts';
import { globFind } from '../../tools/files/glob-find.ts';
import { listDirectory } from '../../tools/files/list-directory.ts';
import { moveFile } from '../../tools/files/move-file.ts';
import { readFile } from '../../tools/files/read-file.ts';
import { ripgrepSearch } from '../../tools/files/ripgrep-search.ts';
import { writeFile } from '../../tools/files/write-file.ts';
import type { ToolResult } from '../../tools/tool.ts';
import { bench, failureOf, tempFolder } from './support.ts';

const numberedLines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');

describe('read_file', () => {
  it('gives the text and remembers what was seen', async () => {
    const { context } = await bench({ 'a.txt': 'one\ntwo\n' });
    const result = await readFile.run({ path: 'a.txt' }, context);
    expect(result.output).toBe('one\ntwo');
    expect(result.reads).toEqual({ 'a.txt': sha256('one\ntwo\n') });
    expect(result.data).toMatchObject({ lines: 2, encoding: 'utf-8', eol: 'lf', truncated: false });
  });

  it('shows a window and says how to go on', async () => {
    const { context } = await bench({ 'a.txt': numberedLines(10) });
    const result = await readFile.run(
      { path: 'a.txt', line_start: 4, line_end: 5, line_numbers: true },
      context,
    );
    expect(result.output).toBe('4\tline 4\n5\tline 5\n[showing lines 4–5 of 10; continue with line_start=6]');
    const end = await readFile.run({ path: 'a.txt', line_start: 9 }, context);
    expect(end.output).toBe('line 9\nline 10\n[showing lines 9–10 of 10]');
  });

  it('stops at whole lines when the file is too long, and the pieces give the whole', async () => {
    const { context } = await bench({ 'a.txt': numberedLines(500) });
    const small = { ...context, outputLimit: 1000 };
    const seen: string[] = [];
    for (let start: number | undefined = 1; start !== undefined; ) {
      const { output } = await readFile.run({ path: 'a.txt', line_start: start }, small);
      expect(output.length).toBeLessThanOrEqual(1000);
      const [text, note] = output.split('\n[');
      seen.push(text!);
      const next: string | undefined = /line_start=(\d+)/.exec(note ?? '')?.[1];
      start = next === undefined ? undefined : Number(next);
    }
    expect(`${seen.join('\n')}\n`).toBe(numberedLines(500));
  });

  it('cuts one endless line and says so', async () => {
    const { context } = await bench({ 'a.js': 'x'.repeat(5000) });
    const { output } = await readFile.run({ path: 'a.js' }, { ...context, outputLimit: 1000 });
    expect(output.length).toBeLessThanOrEqual(1000);
    expect(output).toMatch(/line 1 has 5000 characters/);
  });

  it('describes binary files and decodes UTF-16', async () => {
    const { context } = await bench({
      'a.bin': Buffer.from([0, 1, 2, 0, 0xff]),
      'b.txt': Buffer.from('\ufeffhé\r\n', 'utf16le'),
    });
    expect((await readFile.run({ path: 'a.bin' }, context)).output).toMatch(
      /^\[binary file: a\.bin, 5 bytes/,
    );
    const wide = await readFile.run({ path: 'b.txt' }, context);
    expect(wide.output).toBe('hé');
    expect(wide.data).toMatchObject({ encoding: 'utf-16le', bom: true, eol: 'crlf' });
  });

  it('refuses folders, missing files and windows behind the end, by name', async () => {
    const { context } = await bench({ 'd/a.txt': 'x\n' });
    expect((await failureOf(readFile.run({ path: 'd' }, context))).code).toBe('is_directory');
    expect((await failureOf(readFile.run({ path: 'none' }, context))).code).toBe('not_found');
    expect((await failureOf(readFile.run({ path: 'd/a.txt', line_start: 3 }, context))).code).toBe(
      'out_of_range',
    );
  });

  it('is judged as touching secrets where the file holds them', async () => {
    const { context } = await bench({ '.env': 'A=1', 'a.txt': '', '.env.example': '' });
    const risks = async (path: string) =>
      (await declaredAssessment(readFile, { path }, context.workspace)).risks;
    expect(await risks('.env')).toEqual(['read', 'secret']);
    expect(await risks('a.txt')).toEqual(['read']);
    expect(await risks('.env.example')).toEqual(['read']);
  });
});

describe('write_file', () => {
  it('creates a file with its folders and shows the diff', async () => {
    const { context, root } = await bench();
    const result = await writeFile.run({ path: 'src/new.ts', content: 'a\n' }, context);
    expect(await read(join(root, 'src/new.ts'), 'utf8')).toBe('a\n');
    expect(result.files_changed).toEqual(['src/new.ts']);
    expect(result.data['diff']).toContain('--- /dev/null\n+++ b/src/new.ts\n');
    expect(result.reads).toEqual({ 'src/new.ts': sha256('a\n') });
  });

  it('keeps BOM, CRLF, encoding and mode of what it replaces', async () => {
    const { context, root } = await bench({
      'a.cmd': '\ufeffone\r\ntwo\r\n',
      'w.txt': Buffer.from('\ufeffa\r\n', 'utf16le'),
    });
    await chmod(join(root, 'a.cmd'), 0o755);
    const owner = { ...context, subtask: null };
    await writeFile.run({ path: 'a.cmd', content: 'three\nfour\n' }, owner);
    await writeFile.run({ path: 'w.txt', content: 'b\n' }, owner);
    expect(await read(join(root, 'a.cmd'), 'utf8')).toBe('\ufeffthree\r\nfour\r\n');
    expect((await stat(join(root, 'a.cmd'))).mode & 0o777).toBe(0o755);
    expect(await read(join(root, 'w.txt'), 'utf16le')).toBe('\ufeffb\r\n');
  });

  it('may overwrite what this subtask wrote itself, not what others changed since', async () => {
    const { context, root, keep } = await bench();
    keep(await writeFile.run({ path: 'a.txt', content: '1' }, context));
    keep(await writeFile.run({ path: 'a.txt', content: '2' }, context));
    await put(join(root, 'a.txt'), 'theirs');
    const failure = await failureOf(writeFile.run({ path: 'a.txt', content: '3' }, context));
    expect(failure.code).toBe('changed_since_read');
    keep(await readFile.run({ path: 'a.txt' }, context));
    expect((await writeFile.run({ path: 'a.txt', content: '3' }, context)).success).toBe(true);
  });

  it('of identical content is a success without a change', async () => {
    const { context } = await bench({ 'a.txt': 'same' });
    const result = await writeFile.run({ path: 'a.txt', content: 'same' }, context);
    expect(result).toMatchObject({ success: true, files_changed: [], reads: { 'a.txt': sha256('same') } });
    expect(result.output).toContain('already');
  });

  it('accepts empty content and refuses a folder, .git and .loom', async () => {
    const { context } = await bench({ 'd/a': '' });
    expect((await writeFile.run({ path: 'empty', content: '' }, context)).success).toBe(true);
    expect((await failureOf(writeFile.run({ path: 'd', content: '' }, context))).code).toBe('is_directory');
    expect((await failureOf(writeFile.run({ path: 'd/', content: '' }, context))).code).toBe('path_invalid');
    expect((await failureOf(writeFile.run({ path: '.', content: '' }, context))).code).toBe('is_directory');
    for (const path of ['.git/hooks/pre-commit', '.loom/x'])
      expect((await failureOf(writeFile.run({ path, content: '' }, context))).code).toBe('path_denied');
  });

  it('names the file that is in the way of a folder', async () => {
    const { context } = await bench({ a: '' });
    expect((await failureOf(writeFile.run({ path: 'a/b', content: '' }, context))).code).toBe('path_invalid');
  });

  it('reports the same after a crash behind the write', async () => {
    const { context, checkpoints, root } = await bench();
    const first = await writeFile.run({ path: 'd/a.txt', content: 'x' }, context);
    const ino = (await stat(join(root, 'd/a.txt'))).ino;
    const second = await writeFile.run(
      { path: 'd/a.txt', content: 'x' },
      { ...context, recovered: checkpoints[0] },
    );
    expect(second).toEqual(first);
    expect((await stat(join(root, 'd/a.txt'))).ino).toBe(ino);
  });
});

describe('edit_file', () => {
  it('changes one place and keeps BOM, CRLF and mode', async () => {
    const { context, root } = await bench({ 'a.txt': '\ufeffone\r\ntwo\r\nthree\r\n' });
    await chmod(join(root, 'a.txt'), 0o640);
    const result = await editFile.run({ path: 'a.txt', old_str: 'one\ntwo', new_str: 'ONE\nTWO' }, context);
    expect(await read(join(root, 'a.txt'), 'utf8')).toBe('\ufeffONE\r\nTWO\r\nthree\r\n');
    expect((await stat(join(root, 'a.txt'))).mode & 0o777).toBe(0o640);
    expect(result.data).toMatchObject({ match: 'eol', ratio: 1 });
    expect(result.output).toContain('+ONE');
  });

  it('keeps a legacy encoding, and refuses what it cannot hold', async () => {
    const latin = Buffer.from('Gr\xfc\xdfe aus K\xf6ln und M\xfcnchen an alle Stra\xdfen\n', 'latin1');
    const { context, root, keep } = await bench({ 'a.txt': latin });
    keep(await editFile.run({ path: 'a.txt', old_str: 'Köln', new_str: 'Düren' }, context));
    const kept = await read(join(root, 'a.txt'));
    expect(kept.toString('latin1')).toContain('D\xfcren');
    const failure = await failureOf(
      editFile.run({ path: 'a.txt', old_str: 'Düren', new_str: '東京' }, context),
    );
    expect(failure.code).toBe('encoding');
    expect(await read(join(root, 'a.txt'))).toEqual(kept);
  });

  it('applies several edits in order, or none', async () => {
    const { context, root } = await bench({ 'a.txt': 'one\ntwo\n' });
    const failure = await failureOf(
      editFile.run(
        {
          path: 'a.txt',
          edits: [
            { old_str: 'one', new_str: '1' },
            { old_str: 'three', new_str: '3' },
          ],
        },
        context,
      ),
    );
    expect(failure).toMatchObject({ code: 'not_found', detail: { edit: 1 } });
    expect(await read(join(root, 'a.txt'), 'utf8')).toBe('one\ntwo\n');
    await editFile.run(
      {
        path: 'a.txt',
        edits: [
          { old_str: 'one', new_str: 'x' },
          { old_str: 'x\ntwo', new_str: 'done' },
        ],
      },
      context,
    );
    expect(await read(join(root, 'a.txt'), 'utf8')).toBe('done\n');
  });

  it('is refused on binary files, missing files, outdated views and incomplete arguments', async () => {
    const { context, reads } = await bench({ 'a.bin': Buffer.from([0, 1]), 'a.txt': 'x' });
    const run = (args: Record<string, unknown>) => failureOf(editFile.run(args, context));
    expect((await run({ path: 'a.bin', old_str: 'a', new_str: 'b' })).code).toBe('binary_file');
    expect((await run({ path: 'none', old_str: 'a', new_str: 'b' })).code).toBe('not_found');
    expect((await run({ path: 'a.txt' })).code).toBe('invalid_edit');
    reads.set('a.txt', sha256('older'));
    expect((await run({ path: 'a.txt', old_str: 'x', new_str: 'y' })).code).toBe('changed_since_read');
  });

  it('repeated after a crash does not look for text that is already replaced', async () => {
    const { context, checkpoints } = await bench({ 'a.txt': 'one\n' });
    const args = { path: 'a.txt', old_str: 'one', new_str: 'two' };
    const first = await editFile.run(args, context);
    const second = await editFile.run(args, { ...context, recovered: checkpoints[0] });
    expect(second.changes).toEqual(first.changes);
  });
});

describe('delete_file and move_file', () => {
  it('delete files, links (not their targets) and empty folders only', async () => {
    const { context, root } = await bench({ 'a.txt': 'x', 'full/b': 'y' });
    await symlink('a.txt', join(root, 'link'));
    await mkdir(join(root, 'empty'));
    const link = await deleteFile.run({ path: 'link' }, context);
    expect(link.changes).toMatchObject([{ operation: 'delete', kind: 'symlink' }]);
    await deleteFile.run({ path: 'empty' }, context);
    expect((await failureOf(deleteFile.run({ path: 'full' }, context))).code).toBe('not_empty');
    expect((await failureOf(deleteFile.run({ path: '.' }, context))).code).toBe('path_denied');
    expect((await failureOf(deleteFile.run({ path: 'gone' }, context))).code).toBe('not_found');
    const file = await deleteFile.run({ path: 'a.txt' }, context);
    expect(file.data['diff']).toContain('-x');
    expect(await readdir(root)).toEqual(['full']);
  });

  it('every change of every tool shows its diff, 40 lines of it, and keeps the rest', async () => {
    const { context, root } = await bench({ 'a.txt': numberedLines(100), 'd/b.txt': 'x\n' });
    const owner = { ...context, subtask: null };
    await mkdir(join(root, 'empty'));
    const diffOf = async (result: Promise<ToolResult>) => String((await result).data['diff']);
    expect(await diffOf(writeFile.run({ path: 'n.txt', content: 'new\n' }, owner))).toContain('+new');
    expect(await diffOf(writeFile.run({ path: 'd/b.txt', content: 'y\n' }, owner))).toContain('-x\n+y');
    expect(await diffOf(editFile.run({ path: 'd/b.txt', old_str: 'y', new_str: 'z' }, owner))).toContain(
      '+z',
    );
    expect(await diffOf(moveFile.run({ source: 'd', destination: 'e' }, owner))).toBe(
      'rename from d/\nrename to e/',
    );
    expect(await diffOf(deleteFile.run({ path: 'empty' }, owner))).toBe('deleted folder empty/');
    const long = await deleteFile.run({ path: 'a.txt' }, owner);
    const shown = String(long.data['diff']).split('\n');
    expect(shown).toHaveLength(41);
    expect(shown[40]).toBe('... (63 more diff lines)');
    expect((await context.blobs.get(long.artifact!)).toString()).toContain('-line 100');
  });

  it('move files and folders, make parents, carry over what was read, refuse existing destinations', async () => {
    const { context, root, keep } = await bench({ 'a.txt': 'x', 'b.txt': 'y', 'd/c.txt': 'z' });
    keep(await readFile.run({ path: 'a.txt' }, context));
    const moved = keep(await moveFile.run({ source: 'a.txt', destination: 'sub/a2.txt' }, context));
    expect(moved.reads).toEqual({ 'sub/a2.txt': sha256('x') });
    expect(moved.files_changed).toEqual(['a.txt', 'sub/a2.txt']);
    expect((await moveFile.run({ source: 'b.txt', destination: 'sub/' }, context)).data['path']).toBe(
      'sub/b.txt',
    );
    await moveFile.run({ source: 'd', destination: 'e' }, context);
    expect((await readdir(root, { recursive: true })).sort()).toEqual([
      'e',
      'e/c.txt',
      'sub',
      'sub/a2.txt',
      'sub/b.txt',
    ]);
    const again = moveFile.run({ source: 'e/c.txt', destination: 'sub/a2.txt' }, context);
    expect((await failureOf(again)).code).toBe('exists');
    expect((await failureOf(moveFile.run({ source: 'e', destination: 'e/f' }, context))).code).toBe(
      'path_invalid',
    );
  });
});

describe('list_directory', () => {
  it('shows two levels, folders first, noise closed', async () => {
    const { context } = await bench({
      'b.txt': '',
      'src/deep/x.ts': '',
      'src/a.ts': '',
      'node_modules/m/i.js': '',
    });
    expect((await listDirectory.run({}, context)).output).toBe('node_modules/\nsrc/\n  deep/\n  a.ts\nb.txt');
    expect((await listDirectory.run({ path: 'src/deep' }, context)).output).toBe('x.ts');
    expect((await failureOf(listDirectory.run({ path: 'b.txt' }, context))).code).toBe('not_a_directory');
  });

  it('says (empty directory), and how many entries it leaves out', async () => {
    const { context } = await bench();
    expect((await listDirectory.run({}, context)).output).toBe('(empty directory)');
    const many = await bench(Object.fromEntries(Array.from({ length: 520 }, (_, i) => [`f${i}`, ''])));
    const result = await listDirectory.run({}, many.context);
    expect(result.output).toMatch(/\.\.\. 20 more entries not shown/);
    expect(result.data).toMatchObject({ entries: 520, truncated: true });
  });
});

describe('glob_find', () => {
  it('finds newest first, respects .gitignore without a repository, stays out of .git and node_modules', async () => {
    const { context, root } = await bench({
      '.gitignore': 'build/\n*.log\n',
      'old.ts': '',
      'src/new.ts': '',
      'build/out.ts': '',
      'node_modules/m/i.ts': '',
      '.git/x.ts': '',
      'a.log': '',
      '.hidden/h.ts': '',
    });
    for (const [path, time] of [
      ['old.ts', 1000],
      ['src/new.ts', 3000],
      ['.hidden/h.ts', 2000],
    ] as const)
      await utimes(join(root, path), time, time);
    const find = async (args: Record<string, unknown>) => (await globFind.run(args, context)).output;
    expect(await find({ pattern: '**/*.ts' })).toBe('src/new.ts\n.hidden/h.ts\nold.ts');
    expect(await find({ pattern: '*.ts' })).toBe('src/new.ts\n.hidden/h.ts\nold.ts');
    expect(await find({ pattern: 'src/*.{ts,js}' })).toBe('src/new.ts');
    expect(await find({ pattern: '*.ts', path: 'src' })).toBe('src/new.ts');
    expect(await find({ pattern: './**/*', path: 'src' })).toBe('src/new.ts');
    expect(await find({ pattern: '*.log' })).toMatch(/No files match/);
    expect(await find({ pattern: '*.ts', path: 'node_modules' })).toBe('node_modules/m/i.ts');
  });

  it('works in a workspace below a folder called build that a parent ignores', async () => {
    const outer = await tempFolder();
    await put(join(outer, '.gitignore'), 'build/\n');
    await mkdir(join(outer, '.git'));
    await mkdir(join(outer, 'build/ws'), { recursive: true });
    await put(join(outer, 'build/ws/a.ts'), '');
    const { openWorkspace } = await import('../../tools/workspace.ts');
    const { context } = await bench();
    const inside = { ...context, workspace: await openWorkspace(join(outer, 'build/ws')) };
    expect((await globFind.run({ pattern: '*.ts' }, inside)).output).toBe('a.ts');
  });

  it('refuses to lead out and counts what it does not show', async () => {
    const { context } = await bench(
      Object.fromEntries(Array.from({ length: 510 }, (_, i) => [`f${i}.txt`, ''])),
    );
    expect((await failureOf(globFind.run({ pattern: '../*' }, context))).code).toBe('path_outside');
    expect((await failureOf(globFind.run({ pattern: '/etc/*' }, context))).code).toBe('path_outside');
    const result = await globFind.run({ pattern: '*.txt' }, context);
    expect(result.data).toEqual({ count: 510, truncated: true });
    expect(result.output).toMatch(/\.\.\. 10 more files match/);
  });
});

describe('ripgrep_search', () => {
  const files = {
    '.gitignore': 'out/\n',
    'a.ts': 'one\nfind me\nthree\n',
    'b.py': 'find me too\n',
    'out/c.ts': 'find me\n',
    'd.ts': 'x\nx\nx\nFind ME\n',
  };
  const search = async (args: Record<string, unknown>) => {
    const { context } = await bench(files);
    return ripgrepSearch.run(args, context);
  };

  it('answers relative paths with line numbers', async () => {
    const result = await search({ pattern: 'find me' });
    expect(result.output).toBe('a.ts:2:find me\nb.py:1:find me too');
    expect(result.data).toEqual({ match_count: 2, file_count: 2, truncated: false });
  });

  it.each([
    [{ case_insensitive: true, glob: '*.{js,ts}' }, 'a.ts:2:find me\nd.ts:4:Find ME'],
    [{ type: 'py' }, 'b.py:1:find me too'],
    [{ glob: '!*.py' }, 'a.ts:2:find me'],
    [{ glob: '**/*' }, 'a.ts:2:find me\nb.py:1:find me too'],
    [{ files_only: true }, 'a.ts\nb.py'],
    [{ path: 'a.ts', context: 1 }, 'a.ts-1-one\na.ts:2:find me\na.ts-3-three'],
    [{ path: 'out' }, 'out/c.ts:1:find me'],
  ])('with %j', async (options, expected) => {
    expect((await search({ pattern: 'find me', ...options })).output).toBe(expected);
  });

  it('does not show what is in files with secrets, unless they are named', async () => {
    const { context } = await bench({ '.env': 'KEY=find me', 'a.txt': 'find me' });
    const search = async (args: Record<string, unknown>) =>
      (await ripgrepSearch.run({ pattern: 'find me', ...args }, context)).output;
    expect(await search({})).toBe('a.txt:1:find me');
    expect(await search({ path: '.env' })).toBe('.env:1:KEY=find me');
    expect((await declaredAssessment(ripgrepSearch, { path: '.env' }, context.workspace)).risks).toContain(
      'secret',
    );
  });

  it('limits the total, not each file', async () => {
    const result = await search({ pattern: '.', max_matches: 3 });
    expect(result.output.split('\n')).toHaveLength(4);
    expect(result.data).toMatchObject({ match_count: 3, truncated: true });
  });

  it('tells nothing found from a wrong pattern', async () => {
    expect(await search({ pattern: 'absent' })).toMatchObject({ success: true, data: { match_count: 0 } });
    expect((await failureOf(search({ pattern: '(' }))).code).toBe('bad_pattern');
    expect((await failureOf(search({ pattern: 'x', type: 'klingon' }))).code).toBe('bad_pattern');
    expect((await search({ pattern: '-e' })).success).toBe(true);
  });

  it('stops when told to', async () => {
    const { context } = await bench(files);
    const stopped = { ...context, signal: AbortSignal.abort() };
    await expect(ripgrepSearch.run({ pattern: 'x' }, stopped)).rejects.toThrow(/abort/i);
  });
});
