/** Every tool that takes a path, found by its declaration, against every way out of the workspace that a path can try. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRegistry } from '../../tools/registry.ts';
import type { Args, Tool, Workspace } from '../../tools/tool.ts';
import { openWorkspace } from '../../tools/workspace.ts';
import { bench, failureOf, fill, tempFolder } from './support.ts';

const SECRET = 'SECRET-of-somebody-else';
const registry = createRegistry();
const jailed = registry.list().filter(tool => (tool.paths ?? []).length > 0);

/** Parameters that hold patterns of names and not paths; they are tried by themselves below. */
const PATTERNS = ['glob', 'file_pattern', 'pattern'];

/** Complete arguments: required ones by their schema, and `path` for one path. */
function argsFor(tool: Tool, parameter: string, path: string): Args[] {
  const filled: Args = {};
  for (const name of new Set([...(tool.parameters.required ?? []), ...(tool.paths ?? [])])) {
    const schema = tool.parameters.properties[name]!;
    filled[name] =
      (schema['enum'] as unknown[] | undefined)?.[0] ??
      { array: [], object: {} }[String(schema['type'])] ??
      'x';
  }
  if (tool.name === 'edit_file') Object.assign(filled, { old_str: SECRET, new_str: 'gone' });
  if (tool.name === 'move_file') Object.assign(filled, { source: 'here.txt', destination: 'there.txt' });
  for (const name of ['pattern', 'content'])
    if (name in filled) filled[name] = name === 'pattern' ? '.' : 'new';
  const operations = (tool.parameters.properties['operation']?.['enum'] ?? [null]) as (string | null)[];
  return operations.map(operation => ({ ...filled, ...(operation ? { operation } : {}), [parameter]: path }));
}

/** These mean a link itself and not what it leads to: it may go, its target stays. */
const meansLink = (tool: Tool, parameter: string): boolean =>
  tool.name === 'delete_file' || (tool.name === 'move_file' && parameter === 'source');

const cases = jailed.flatMap(tool => tool.paths!.map(parameter => ({ name: tool.name, parameter, tool })));

/** A workspace beside a folder with a secret, with everything in it that could lead there. */
async function trap() {
  const outer = await tempFolder();
  await fill(outer, {
    'ws/src/a.txt': 'inside\n',
    'ws/here.txt': 'here\n',
    'ws/.git/config': `[core] ${SECRET}\n`,
    'elsewhere/secret.txt': `${SECRET}\n`,
    'elsewhere/a.txt': `${SECRET}\n`,
  });
  const ws = join(outer, 'ws');
  await symlink('../elsewhere', join(ws, 'out'));
  await symlink('../elsewhere/secret.txt', join(ws, 'leak.txt'));
  await symlink('/proc/self/root', join(ws, 'root'));
  await symlink('.git', join(ws, 'harmless'));
  execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: ws });
  const workspace = await openWorkspace(ws);
  const { context } = await bench();
  return {
    outer,
    ws,
    elsewhere: join(outer, 'elsewhere'),
    context: { ...context, workspace, subtask: null },
  };
}

const hostile = (elsewhere: string): string[] => [
  '../elsewhere/secret.txt',
  'src/../../elsewhere/secret.txt',
  './/..//elsewhere//secret.txt',
  `${elsewhere}/secret.txt`,
  `${elsewhere}/new/deep.txt`,
  '/etc/passwd',
  '/proc/self/environ',
  '/proc/self/cwd/../elsewhere/secret.txt',
  'root/etc/passwd',
  '~/.ssh/id_rsa',
  'out/secret.txt',
  'out/new.txt',
  'out',
  'leak.txt/../../elsewhere/secret.txt',
  '.git/config',
  '.GIT/config',
  '.g\u200cit/config',
  '.git./config',
  'GIT~1/config',
  'src/../.git/hooks/pre-commit',
  'harmless/config',
  'pipe',
  '/dev/zero',
  'src\0/../../elsewhere/secret.txt',
  `${'x'.repeat(300)}/a.txt`,
  `${'x/'.repeat(3000)}a.txt`,
  'here.txt/below',
];

/** Everything outside the workspace, and what must not change within. */
async function world(outer: string) {
  const names = (await readdir(join(outer, 'elsewhere'), { recursive: true })).sort();
  const texts = await Promise.all(
    ['elsewhere/secret.txt', 'elsewhere/a.txt', 'ws/.git/config'].map(path =>
      readFile(join(outer, path), 'utf8'),
    ),
  );
  return { names, texts, git: await readdir(join(outer, 'ws/.git')) };
}

describe('the tools', () => {
  it('declare every parameter that is a path', () => {
    const named = /(^|_)(path|file|filename|folder|dir|directory|source|destination|output)s?$/;
    const missing = registry.list().flatMap(tool =>
      Object.entries(tool.parameters.properties)
        .filter(([name, schema]) => named.test(name) && schema['type'] === 'string')
        .filter(([name]) => !PATTERNS.includes(name) && !tool.paths?.includes(name))
        .map(([name]) => `${tool.name}.${name}`),
    );
    expect(missing).toEqual([]);
    expect(jailed.map(tool => tool.name)).toEqual(
      expect.arrayContaining([
        'read_file',
        'write_file',
        'edit_file',
        'delete_file',
        'move_file',
        'list_directory',
        'glob_find',
        'ripgrep_search',
        'search_files',
      ]),
    );
    expect(jailed.every(tool => tool.paths!.every(name => name in tool.parameters.properties))).toBe(true);
  });
});

describe.each(cases)('$name by its parameter $parameter', ({ tool, parameter }) => {
  it('leads nowhere else, whatever is written there', async () => {
    const box = await trap();
    const before = await world(box.outer);
    for (const path of hostile(box.elsewhere).filter(path => path !== 'out' || !meansLink(tool, parameter)))
      for (const args of argsFor(tool, parameter, path)) {
        const result = await registry.run(tool.name, args, box.context);
        expect(result, JSON.stringify({ args, output: result.output })).toMatchObject({ success: false });
        expect(result.output + JSON.stringify(result.data)).not.toContain(SECRET);
        expect(result.error?.code, path).toMatch(/^(path_|invalid_arguments|not_found|exists)/);
      }
    expect(await world(box.outer)).toEqual(before);
  });

  it('leads nowhere else when a folder becomes a link between check and use', async () => {
    const { ws, elsewhere, context } = await trap();
    const before = await world(join(ws, '..'));
    const inside = context.workspace;
    const swapping: Workspace = {
      root: inside.root,
      async resolve(path, options) {
        const resolved = await inside.resolve(path, options);
        if (existsSync(join(ws, 'src-real')) || !resolved.startsWith('src')) return resolved;
        await rename(join(ws, 'src'), join(ws, 'src-real'));
        await symlink(elsewhere, join(ws, 'src'));
        return resolved;
      },
    };
    for (const path of ['src/a.txt', 'src/new.txt', ...(meansLink(tool, parameter) ? [] : ['src'])])
      for (const args of argsFor(tool, parameter, path)) {
        const result = await registry.run(tool.name, args, { ...context, workspace: swapping });
        expect(result.output + JSON.stringify(result.data)).not.toContain(SECRET);
        expect(result.success, JSON.stringify({ args, output: result.output })).toBe(false);
        if (!existsSync(join(ws, 'src-real'))) continue;
        await rename(join(ws, 'src'), join(ws, `link-${Math.random()}`));
        await rename(join(ws, 'src-real'), join(ws, 'src'));
      }
    expect(await world(join(ws, '..'))).toEqual(before);
  });
});

it('patterns of names do not lead out either', async () => {
  const { context } = await trap();
  const calls: [string, Args][] = [
    ...[
      '../**',
      '../elsewhere/*',
      '/**',
      '**/../../elsewhere/*',
      'out/*',
      '.git/*',
      '{src,../elsewhere}/*',
    ].flatMap((pattern): [string, Args][] => [
      ['glob_find', { pattern }],
      ['ripgrep_search', { pattern: 'SECRET', glob: pattern }],
      ['search_files', { pattern: 'SECRET', file_pattern: pattern }],
    ]),
  ];
  for (const [name, args] of calls) {
    const result = await registry.run(name, args, context);
    if (result.success)
      expect(result.output, JSON.stringify(args)).not.toMatch(/SECRET-of|elsewhere\/|secret\.txt$|config$/m);
  }
});

it.runIf(existsSync('/dev/shm'))('a workspace in memory is one like any other', async () => {
  const root = mkdtempSync('/dev/shm/loom-jail-');
  try {
    writeFileSync(join(root, 'a.txt'), 'a');
    expect(await (await openWorkspace(root)).resolve('a.txt', { mustExist: true })).toBe('a.txt');
  } finally {
    rmSync(root, { recursive: true });
  }
});

it('a workspace that is the whole disk still ends where the kernel begins', async () => {
  const { resolve } = await openWorkspace('/');
  for (const path of ['/proc/self/environ', 'proc/1/root', '/sys/kernel', '/dev/null', 'dev/sda'])
    expect((await failureOf(resolve(path))).code, path).toBe('path_denied');
  expect(await resolve('/tmp')).toBe('tmp');
});

it('the gate is shown where a path leads, and a run through run_tool meets the same walls', async () => {
  const { context, ws } = await trap();
  await mkdir(join(ws, 'sub'));
  await writeFile(join(ws, 'sub/b.txt'), 'b');
  const { subject } = await registry.assess(
    'write_file',
    { path: 'sub/../sub/b.txt', content: '' },
    context.workspace,
  );
  expect(subject).toBe('sub/b.txt');
  const result = await registry.run(
    'run_tool',
    { name: 'read_file', arguments: { path: 'out/secret.txt' } },
    context,
  );
  expect(result.success).toBe(false);
  expect(result.output).not.toContain(SECRET);
});
