import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entryOf, writeAtomically } from '../../tools/disk.ts';
import { openWorkspace } from '../../tools/workspace.ts';
import { bench, failureOf, fill, samples, tempFolder } from './support.ts';

const rows = samples<{ input: unknown; expected: string }>('paths.jsonl').filter(
  (row): row is { input: string; expected: string } => typeof row.input === 'string',
);

describe('a path inside the workspace', () => {
  it('is answered relative, without dots and doubled slashes', async () => {
    const { context, root } = await bench({ 'src/a.ts': '' });
    const { resolve } = context.workspace;
    expect(await resolve('./src//a.ts')).toBe('src/a.ts');
    expect(await resolve('src/../src/a.ts')).toBe('src/a.ts');
    expect(await resolve(join(root, 'src/a.ts'))).toBe('src/a.ts');
    expect(await resolve('.')).toBe('.');
    expect(await resolve('new/deep/file.txt')).toBe('new/deep/file.txt');
    expect(await resolve('.gitignore')).toBe('.gitignore');
  });

  it('may begin with the name of the workspace, unless such a folder exists', async () => {
    const outer = await tempFolder();
    await fill(outer, { 'proj/src/a.ts': '' });
    const { resolve } = await openWorkspace(join(outer, 'proj'));
    expect(await resolve('proj/src/a.ts')).toBe('src/a.ts');
    expect(await resolve('proj/proj/new.ts')).toBe('new.ts');
    expect(await resolve('proj')).toBe('proj');
    expect(await resolve('proj', { mustExist: true })).toBe('.');
    await mkdir(join(outer, 'proj/proj'));
    expect(await resolve('proj/src/a.ts')).toBe('proj/src/a.ts');
  });

  it('is the target when a link inside leads to it, and the link itself on request', async () => {
    const { context, root } = await bench({ 'real/a.txt': 'x' });
    await symlink('real', join(root, 'alias'));
    await symlink('real/a.txt', join(root, 'short'));
    const { resolve } = context.workspace;
    expect(await resolve('alias/a.txt')).toBe('real/a.txt');
    expect(await resolve('short')).toBe('real/a.txt');
    expect(await resolve('short', { follow: false })).toBe('short');
    expect(await resolve('alias/a.txt', { follow: false })).toBe('real/a.txt');
  });

  it('works when the workspace itself is opened through a link', async () => {
    const outer = await tempFolder();
    await fill(outer, { 'real/a.txt': 'x' });
    await symlink(join(outer, 'real'), join(outer, 'ws'));
    const { resolve } = await openWorkspace(join(outer, 'ws'));
    expect(await resolve(join(outer, 'ws', 'a.txt'))).toBe('a.txt');
  });
});

describe('a path that leads out', () => {
  const escapes: [string, string][] = [
    ['parent', '../x'],
    ['parent after a folder', 'src/../../x'],
    ['absolute', '/etc/passwd'],
    ['home', '~/.ssh/id_rsa'],
    ['link to a folder outside', 'out/secret.txt'],
    ['link to a file outside', 'leak'],
    ['link to a file that does not exist outside', 'dangling'],
    ['link then parent', 'out/../x'],
    ['chain of links', 'chain/secret.txt'],
    ['relative link upwards', 'up/secret.txt'],
    ['new file below a link outside', 'out/new.txt'],
  ];
  it.each(escapes)('is refused: %s', async (_, path) => {
    const outer = await tempFolder();
    await fill(outer, { 'ws/src/a.ts': '', 'elsewhere/secret.txt': 's' });
    const ws = join(outer, 'ws');
    await symlink(join(outer, 'elsewhere'), join(ws, 'out'));
    await symlink(join(outer, 'elsewhere/secret.txt'), join(ws, 'leak'));
    await symlink(join(outer, 'elsewhere/none.txt'), join(ws, 'dangling'));
    await symlink('out', join(ws, 'chain'));
    await symlink('../elsewhere', join(ws, 'up'));
    const { resolve } = await openWorkspace(ws);
    for (const access of ['read', 'write'] as const)
      expect((await failureOf(resolve(path, { access }))).code).toBe('path_outside');
  });

  it('a sibling folder whose name begins like the workspace is outside', async () => {
    const outer = await tempFolder();
    await fill(outer, { 'ws/a': '', 'ws-two/b': '' });
    const { resolve } = await openWorkspace(join(outer, 'ws'));
    expect((await failureOf(resolve(join(outer, 'ws-two/b')))).code).toBe('path_outside');
  });

  it('links in a circle are refused', async () => {
    const { context, root } = await bench();
    await symlink('b', join(root, 'a'));
    await symlink('a', join(root, 'b'));
    expect((await failureOf(context.workspace.resolve('a/x'))).code).toBe('path_invalid');
  });

  it('a folder swapped for a link after the check is noticed', async () => {
    const { context, root } = await bench({ 'src/a.ts': 'old' });
    const elsewhere = await tempFolder();
    const path = await context.workspace.resolve('src/a.ts');
    execFileSync('mv', [join(root, 'src'), join(root, 'src-old')]);
    await symlink(elsewhere, join(root, 'src'));
    const failure = await failureOf(
      writeAtomically(root, path, Buffer.from('new'), { mode: 0o644, tag: 't' }),
    );
    expect(failure.code).toBe('path_denied');
    expect(existsSync(join(elsewhere, 'a.ts'))).toBe(false);
    expect((await failureOf(entryOf(root, path))).code).toBe('path_denied');
  });
});

describe('a protected or unusable path', () => {
  it.each(['.git/config', '.GIT/hooks/post-commit', 'sub/.git/x', '.git', 'src/.Git', '.g\u200cit/config'])(
    '%s is denied for reading and writing',
    async path => {
      const { context } = await bench({ '.git/config': '' });
      expect((await failureOf(context.workspace.resolve(path))).code).toBe('path_denied');
      expect((await failureOf(context.workspace.resolve(path, { access: 'write' }))).code).toBe(
        'path_denied',
      );
    },
  );

  it('a link with another name to .git is denied too', async () => {
    const { context, root } = await bench({ '.git/config': '' });
    await symlink('.git', join(root, 'innocent'));
    expect((await failureOf(context.workspace.resolve('innocent/config'))).code).toBe('path_denied');
  });

  it('.loom may be read, not written', async () => {
    const { context } = await bench({ '.loom/memory.md': 'x' });
    expect(await context.workspace.resolve('.loom/memory.md')).toBe('.loom/memory.md');
    const failure = await failureOf(context.workspace.resolve('.loom/memory.md', { access: 'write' }));
    expect(failure.code).toBe('path_denied');
  });

  it.each(['', '  ', 'a\0b', 'a\nb', 'a\x1b[31m', 'x'.repeat(5000), 'a.txt/b'])(
    '%j is invalid',
    async path => {
      const { context } = await bench({ 'a.txt': '' });
      expect((await failureOf(context.workspace.resolve(path))).code).toBe('path_invalid');
    },
  );

  it('pipes and devices are refused', async () => {
    const { context, root } = await bench();
    execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: root });
    expect((await failureOf(context.workspace.resolve('pipe'))).code).toBe('path_denied');
    expect((await failureOf(entryOf(root, 'pipe'))).code).toBe('path_denied');
  });

  it('what must exist and does not is told by name', async () => {
    const { context } = await bench();
    const failure = await failureOf(context.workspace.resolve('none.txt', { mustExist: true }));
    expect(failure).toMatchObject({ code: 'not_found', message: expect.stringContaining('none.txt') });
  });

  it('a workspace that is no folder is refused', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'f'), '');
    expect((await failureOf(openWorkspace(join(folder, 'f')))).code).toBe('workspace_missing');
    expect((await failureOf(openWorkspace(join(folder, 'none')))).code).toBe('workspace_missing');
  });
});

describe.runIf(rows.length > 0)('traversal strings from outside', () => {
  it('each is blocked or stays inside, as expected', async () => {
    const { context, root } = await bench();
    const wrong: string[] = [];
    for (const { input, expected } of rows) {
      const answer = await context.workspace.resolve(input).then(
        path => (join(root, path).startsWith(root + sep) ? 'allow' : 'escaped'),
        () => 'block',
      );
      if (answer !== expected) wrong.push(`${input}: ${answer}`);
    }
    expect(rows.length).toBeGreaterThan(30);
    expect(wrong).toEqual([]);
  });
});

describe('an atomic write', () => {
  it('leaves no temporary file and keeps the mode it is given', async () => {
    const { root } = await bench({ 'a.sh': 'old' });
    await writeAtomically(root, 'a.sh', Buffer.from('new'), { mode: 0o755, tag: 't' });
    expect(await readFile(join(root, 'a.sh'), 'utf8')).toBe('new');
    expect(execFileSync('ls', ['-A', root], { encoding: 'utf8' })).toBe('a.sh\n');
    expect(await entryOf(root, 'a.sh')).toMatchObject({ mode: 0o755 });
  });
});
