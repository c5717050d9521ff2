import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { tempFolder } from './support.ts';

/** Writes A and B in turn, each under its own key, until it is killed; a new one first finishes what was left. */
const WRITER = `
  import { readFileSync, renameSync, writeFileSync } from 'node:fs';
  import { openWorkspace } from './tools/workspace.ts';
  import { sha256 } from './tools/disk.ts';
  import { writeFile } from './tools/files/write-file.ts';
  const [root, notes] = process.argv.slice(2);
  const workspace = await openWorkspace(root);
  const kept = new Map();
  const blobs = {
    async put(content) { return { sha256: sha256(content), size: content.length, inline: Buffer.from(content).toString('base64') }; },
    async get(ref) { return Buffer.from(ref.inline, 'base64'); },
  };
  const context = (key, recovered) => ({ workspace, key, recovered, subtask: null, lastRead: () => undefined, blobs,
    signal: new AbortController().signal, lock: async () => async () => {},
    checkpoint: async value => {
      writeFileSync(notes + '.new', JSON.stringify({ key, value }));
      renameSync(notes + '.new', notes);
    } });
  const texts = ['A', 'B'].map(letter => letter.repeat(300_000));
  let n = 0;
  try {
    const { key, value } = JSON.parse(readFileSync(notes, 'utf8'));
    n = Number(key);
    await writeFile.run({ path: 'd/file.txt', content: texts[n % 2] }, context(key, value));
  } catch (error) {
    if (error.code !== 'ENOENT') { console.log('FAILED ' + error.message); process.exit(1); }
  }
  console.log('ready');
  for (;;) await writeFile.run({ path: 'd/file.txt', content: texts[++n % 2] }, context(String(n)));
`;

it('kill -9 at any moment leaves the old or the new contents, and the next start finishes the write', async () => {
  const folder = await tempFolder();
  const root = join(folder, 'ws');
  const bundle = join(folder, 'writer.mjs');
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  await build({
    stdin: { contents: WRITER, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: bundle,
  });
  await mkdir(root);
  for (const delay of [3, 11, 23, 38, 57, 90]) {
    const child = spawn(process.execPath, [bundle, root, join(folder, 'notes.json')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise(resolve => child.once('exit', resolve));
    const first = await new Promise<string>(resolve =>
      child.stdout.once('data', chunk => resolve(String(chunk).trim())),
    );
    expect(first).toBe('ready');
    await new Promise(resolve => setTimeout(resolve, delay));
    child.kill('SIGKILL');
    await ended;
    const text = await readFile(join(root, 'd/file.txt'), 'utf8').catch(() => '');
    expect(['', 'A'.repeat(300_000), 'B'.repeat(300_000)]).toContain(text);
    expect((await readdir(join(root, 'd')).catch(() => [])).length).toBeLessThanOrEqual(2);
  }
}, 30_000);
