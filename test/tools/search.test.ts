import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { globFind } from '../../tools/files/glob-find.ts';
import { listDirectory } from '../../tools/files/list-directory.ts';
import { ripgrepSearch } from '../../tools/files/ripgrep-search.ts';
import { searchFiles } from '../../tools/files/search-files.ts';
import { openWorkspace } from '../../tools/workspace.ts';
import { bench, failureOf, fill, tempFolder } from './support.ts';

const tree = {
  '.gitignore': '*.log\ndist/\n/src/gen\n',
  'src/a.ts': 'needle one\n',
  'src/a.log': 'needle\n',
  'src/gen/g.ts': 'needle\n',
  'src/deep/b.js': 'needle two\n',
  'dist/x.js': 'needle\n',
  'lib/c.py': 'needle\n',
};

describe('search_files', () => {
  const search = async (args: Record<string, unknown>, files: Record<string, string> = tree) =>
    searchFiles.run({ pattern: 'needle', ...args }, (await bench(files)).context);

  it('understands braces and finds relative paths', async () => {
    expect((await search({ file_pattern: '*.{js,ts}' })).output).toBe(
      'src/a.ts:1:needle one\nsrc/deep/b.js:1:needle two',
    );
    expect((await search({ file_pattern: 'src/**/*.js' })).output).toBe('src/deep/b.js:1:needle two');
    expect((await search({ path: 'lib' })).output).toBe('lib/c.py:1:needle');
    expect((await search({ pattern: 'zzz' })).output).toBe('No matches for zzz.');
  });

  it('limits all matches together, and takes the first in order', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`f${String(i).padStart(2, '0')}.txt`, 'needle\n'.repeat(5)]),
    );
    const result = await search({}, many);
    const lines = result.output.split('\n');
    expect(lines.length).toBe(201);
    expect(lines[199]).toBe('f39.txt:5:needle');
    expect(lines[200]).toMatch(/more than 200 matches/);
    expect(result.data).toEqual({ match_count: 200, file_count: 40, truncated: true });
  });

  it('takes linear time whatever the pattern, and says what it cannot read', async () => {
    const start = performance.now();
    await search({ pattern: '(a+)+$' }, { 'a.txt': `${'a'.repeat(50_000)}!` });
    expect(performance.now() - start).toBeLessThan(5_000);
    const failure = await failureOf(search({ pattern: '[invalid' }));
    expect(failure).toMatchObject({
      code: 'bad_pattern',
      message: expect.stringContaining('search_files failed'),
    });
    expect((await failureOf(search({ pattern: '(?=x)y' }))).code).toBe('bad_pattern');
  });

  it('cuts long lines and survives names and contents that are odd', async () => {
    const { output } = await search(
      {},
      {
        'long.js': `needle${'x'.repeat(5_000)}\n`,
        'a:1:b.txt': 'needle\r\n',
        'odd [... x].txt': 'needle [... not cut]\n',
      },
    );
    const lines = output.split('\n');
    expect(lines[0]).toBe('a:1:b.txt:1:needle');
    expect(lines[1]).toMatch(/^long\.js:1:needlex{200,300}…$/);
    expect(lines[2]).toBe('odd [... x].txt:1:needle [... not cut]');
  });
});

describe('ignore files', () => {
  it('count below a folder that is named, too, and a folder that is itself ignored can be named', async () => {
    const { context } = await bench(tree);
    const files = async (path: string) =>
      (await ripgrepSearch.run({ pattern: 'needle', path, files_only: true }, context)).output;
    expect(await files('src')).toBe('src/a.ts\nsrc/deep/b.js');
    expect(await files('src/deep')).toBe('src/deep/b.js');
    expect(await files('dist')).toBe('dist/x.js');
    expect((await globFind.run({ pattern: '*', path: 'src' }, context)).output.split('\n').sort()).toEqual([
      'src/a.ts',
      'src/deep/b.js',
    ]);
  });

  it('of folders in between count as they stand there', async () => {
    const { context } = await bench({
      ...tree,
      'src/.gitignore': '/deep/no.txt\n*.tmp\n',
      'src/deep/no.txt': 'needle\n',
      'src/deep/in[1]/yes.txt': 'needle\n',
      'src/deep/in[1]/x.tmp': 'needle\n',
      'src/deep/in[1]/x.log': 'needle\n',
      'src/deeper/z.txt': 'needle\n',
    });
    const files = async (path: string) =>
      (await ripgrepSearch.run({ pattern: 'needle', path, files_only: true }, context)).output;
    expect(await files('src/deep')).toBe('src/deep/b.js\nsrc/deep/in[1]/yes.txt');
    expect(await files('src/deep/in[1]')).toBe('src/deep/in[1]/yes.txt');
    expect(await files('src/deep/b.js')).toBe('src/deep/b.js');
  });

  it('above the workspace never count', async () => {
    const outer = await tempFolder();
    await fill(outer, { '.gitignore': '*\n', 'work/src/a.ts': 'needle\n' });
    const { context } = await bench();
    const inner = { ...context, workspace: await openWorkspace(join(outer, 'work')) };
    expect((await ripgrepSearch.run({ pattern: 'needle', path: 'src' }, inner)).output).toBe(
      'src/a.ts:1:needle',
    );
    expect((await listDirectory.run({}, inner)).output).toBe('src/\n  a.ts');
  });

  it('leave entries out of listings, with their count; empty folders stay', async () => {
    const { context, root } = await bench({ ...tree, 'node_modules/x/y.js': '' });
    await mkdir(join(root, 'empty/nested'), { recursive: true });
    const { output, data } = await listDirectory.run({}, context);
    expect(output).toBe(
      'empty/\n  nested/\nlib/\n  c.py\nnode_modules/\nsrc/\n  deep/\n  a.ts\n.gitignore\n[3 entries left out by ignore files; name a folder to list it all the same]',
    );
    expect(data).toMatchObject({ ignored: 3, truncated: false });
    expect((await listDirectory.run({ path: 'dist' }, context)).output).toBe('x.js');
  });
});

describe('results', () => {
  it('never lead out of the workspace, by links or by patterns', async () => {
    const outside = await tempFolder();
    await writeFile(join(outside, 'secret.txt'), 'needle\n');
    const { context, root } = await bench({ 'a.txt': 'needle\n' });
    await symlink(outside, join(root, 'link'));
    await symlink(join(outside, 'secret.txt'), join(root, 'secret.txt'));
    expect((await ripgrepSearch.run({ pattern: 'needle' }, context)).output).toBe('a.txt:1:needle');
    expect((await globFind.run({ pattern: '**/*.txt' }, context)).output).toBe('a.txt');
    for (const tool of [ripgrepSearch, searchFiles, globFind])
      for (const path of ['link', '../', outside])
        expect((await failureOf(tool.run({ pattern: 'x', path }, context))).code).toBe('path_outside');
    expect((await failureOf(listDirectory.run({ path: 'link' }, context))).code).toBe('path_outside');
  });

  it('are the same as those of ripgrep itself', async () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 200; i++)
      files[`d${i % 7}/f${i}.txt`] = Array.from(
        { length: 9 },
        (_, n) => `line ${n} ${(i * n) % 5 === 0 ? 'needle' : ''}`,
      ).join('\n');
    const { context, root } = await bench(files);
    const { rgPath } = await import('@vscode/ripgrep');
    const bare = await promisify(execFile)(rgPath, ['--no-config', '-n', '--sort=path', 'needle', '.'], {
      cwd: root,
    });
    const ours = await ripgrepSearch.run({ pattern: 'needle', max_matches: 2000 }, context);
    const expected = bare.stdout
      .trim()
      .split('\n')
      .map(line => line.replace(/^\.\//, ''));
    expect(expected.length).toBeGreaterThan(300);
    expect(ours.output.split('\n').sort()).toEqual(expected.sort());
  });
});
