/** A command in an overlay: what it sees, what comes of it, and what does not. */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { storedBefore } from '../../tools/shell/contents.ts';
import { dropOverlay, openOverlay, overlaid, overlayStatus } from '../../tools/shell/overlay.ts';
import { sandboxStatus } from '../../tools/shell/sandbox.ts';
import { shellExecute } from '../../tools/shell/shell-execute.ts';
import { unkeptIn } from '../../tools/shell/unkept.ts';
import { openWorkspace } from '../../tools/workspace.ts';
import { treeOf } from '../support/tree.ts';
import { type Bench, bench, fill, tempFolder } from './support.ts';

const probed = mkdtempSync(join(tmpdir(), 'loom-probe-'));
mkdirSync(join(probed, 'root'));
const status = await overlayStatus(join(probed, 'root'), join(probed, 'scratch'));
rmSync(probed, { recursive: true });
const boxed = (await sandboxStatus()).available;

const exec = promisify(execFile);
const sh = (b: Bench, command: string, change: object = {}) =>
  shellExecute.run({ command }, { ...b.context, ...change });

describe.runIf(status.available)('a command in an overlay', () => {
  it('sees its own effects at the same paths, and the workspace sees none before it has ended', async () => {
    const b = await bench({ 'a.txt': 'one\n', 'd/b.txt': 'b\n' });
    const running = sh(b, `echo two >> a.txt; rm d/b.txt; cat ${b.root}/a.txt; ls d; sleep 1; pwd`);
    await vi.waitFor(() => expect(b.groups.length).toBe(1));
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(await readFile(join(b.root, 'a.txt'), 'utf8')).toBe('one\n');
    expect(existsSync(join(b.root, 'd/b.txt'))).toBe(true);
    const { output, data } = await running;
    expect(output).toContain(`one\ntwo\n${b.root}\n[`);
    expect(data).toMatchObject({ exit_code: 0, undoable: true });
    expect(treeOf(b.root)).toMatchObject({ 'a.txt': expect.any(String), d: 'folder 755' });
    expect(existsSync(join(b.root, 'd/b.txt'))).toBe(false);
  });

  it('that is stopped on request has changed nothing; after a time limit what it did is kept', async () => {
    const b = await bench({ 'a.txt': 'one\n' });
    const stop = new AbortController();
    const running = sh(b, 'echo two > a.txt; touch new; sleep 20', { signal: stop.signal });
    setTimeout(() => stop.abort(), 400);
    expect(await running).toMatchObject({ success: false, files_changed: [] });
    expect(treeOf(b.root)).toEqual({ 'a.txt': expect.any(String) });
    const late = await shellExecute.run(
      { command: 'echo two > a.txt; sleep 20', timeout_seconds: 1 },
      b.context,
    );
    expect(late).toMatchObject({ success: false, files_changed: ['a.txt'], data: { stopped: 'timeout' } });
    expect(await readFile(join(b.root, 'a.txt'), 'utf8')).toBe('two\n');
  });

  it('leaves the times of files as the command left them, for build tools', async () => {
    const b = await bench({ source: 's', product: 'p', stale: 'x' });
    await utimes(join(b.root, 'source'), 1_000, 1_000);
    await sh(b, 'touch -d @2000 product; touch -d @3000 made; echo y > stale; touch -d @500 stale');
    const times = ['product', 'made', 'stale', 'source'].map(
      path => lstatSync(join(b.root, path)).mtimeMs / 1000,
    );
    expect(times).toEqual([2_000, 3_000, 500, 1_000]);
  });

  it('names what somebody else changed meanwhile, and their version can be had back', async () => {
    const b = await bench({ 'a.txt': 'one\n' });
    const running = sh(b, 'echo two > a.txt; sleep 1');
    await vi.waitFor(() => expect(b.groups.length).toBe(1));
    await new Promise(resolve => setTimeout(resolve, 400));
    await writeFile(join(b.root, 'a.txt'), 'mine\n');
    const { output, changes } = await running;
    expect(output).toContain('also changed by somebody else meanwhile, now as the command left it: a.txt');
    expect((await b.context.blobs.get(changes![0]!.before!)).toString()).toBe('mine\n');
  });

  it('cannot leave pipes and sockets behind, and says so', async () => {
    const b = await bench();
    const { output, files_changed } = await sh(b, 'mkfifo pipe; echo x > file');
    expect(output).toContain('pipes, sockets and devices are not kept: pipe');
    expect(files_changed).toEqual(['file']);
  });

  it.runIf(boxed)('that insists on moving a folder in one step runs in place', async () => {
    const b = await bench({ 'd/a.txt': 'a' });
    const command = `node -e "fs.renameSync('d','e')"`;
    const boxedRun = await sh(b, command, { sandbox: 'required' });
    expect(boxedRun.success, boxedRun.output).toBe(true);
    expect(boxedRun.files_changed).toEqual(['d/a.txt', 'e/a.txt']);
    expect(Object.keys(treeOf(b.root)).sort()).toEqual(['e', 'e/a.txt']);
  });

  it('works in folders whose names mean something to mount', async () => {
    const b = await bench();
    const odd = join(b.root, 'a:b,c=d \\e');
    await mkdir(odd);
    const workspace = await openWorkspace(odd);
    const result = await sh(b, 'echo x > "f:g,h"; pwd', { workspace });
    expect(result.output).toContain(odd);
    expect(result.data['undoable']).toBe(true);
    expect(Object.keys(treeOf(odd))).toEqual(['f:g,h']);
  });

  it('merges folders that are closed to their owner', async () => {
    const b = await bench({ 'd/a.txt': 'a' });
    await sh(b, 'mkdir closed; echo x > closed/f; chmod 500 closed; chmod 555 d');
    expect(treeOf(b.root)).toMatchObject({ closed: 'folder 500', d: 'folder 555' });
    expect(await readFile(join(b.root, 'closed/f'), 'utf8')).toBe('x\n');
    await chmod(join(b.root, 'd'), 0o755);
  });

  it('can be had by a user without privileges, who stays who they are', async () => {
    const root = await tempFolder();
    await fill(root, { 'a.txt': 'one\n', 'd/b.txt': 'b\n' });
    const layers = join(await tempFolder(), 'layers');
    const overlay = await openOverlay(layers, root, 'user');
    const [program, ...args] = overlaid(['/bin/sh', '-c', 'id -u; rm -r d; mkdir d; cat a.txt'], overlay);
    const { stdout } = await exec(program!, args);
    expect(stdout).toBe(`${process.getuid!()}\none\n`);
    expect(lstatSync(join(overlay.upper, 'd')).isDirectory()).toBe(true);
    await dropOverlay(layers);
    expect(existsSync(layers)).toBe(false);
    expect(existsSync(join(root, 'd/b.txt'))).toBe(true);
  });
});

it('there is no overlay over a workspace that holds the layers themselves, and that is said', async () => {
  const root = await tempFolder();
  expect(await overlayStatus(root, join(root, '.home/scratch'))).toMatchObject({
    available: false,
    detail: "Loom's own files lie inside the workspace",
  });
});

it('a command whose overlay is away runs in place, and what it changed is recorded all the same', async () => {
  const b = await bench({ 'a.txt': 'one\n' });
  const scratch = join(b.root, '.home/scratch');
  const { changes } = await sh(b, 'echo two > a.txt; mkdir e', { scratch });
  expect(changes).toMatchObject([
    { operation: 'modify', path: 'a.txt', undoable: true },
    { operation: 'create', path: 'e', kind: 'directory' },
  ]);
});

describe('stored contents', () => {
  /** As another process would find them. */
  async function anew(root: string, scratch: string) {
    vi.resetModules();
    const contents = await import('../../tools/shell/contents.ts');
    return contents.storeContents(root, scratch, await unkeptIn(root, scratch));
  }

  it('are copied once, and found again by other processes with all that came since', async () => {
    const b = await bench({ 'a.txt': 'one\n', 'd/b.txt': 'b\n', 'gone.txt': 'g\n' });
    const { scratch } = b.context;
    await new Promise(resolve => setTimeout(resolve, 60));
    const first = await anew(b.root, scratch);
    const again = await anew(b.root, scratch);
    expect(again.id).toBe(first.id);
    expect(again.index).toEqual(first.index);
    await writeFile(join(b.root, 'a.txt'), 'two\n');
    rmSync(join(b.root, 'gone.txt'));
    await new Promise(resolve => setTimeout(resolve, 60));
    const second = await anew(b.root, scratch);
    const third = await anew(b.root, scratch);
    expect(second.id).not.toBe(first.id);
    expect(third.id).toBe(second.id);
    expect([...third.index.keys()].sort()).toEqual(['a.txt', 'd', 'd/b.txt']);
    expect(third.index.get('d/b.txt')!.copy).toBe(first.index.get('d/b.txt')!.copy);
    const copies = readdirSync(third.folder).filter(name => !/json/.test(name));
    expect(copies.sort()).toEqual(
      [third.index.get('a.txt')!.copy!, third.index.get('d/b.txt')!.copy!].sort(),
    );
    expect(await readFile(join(third.folder, third.index.get('a.txt')!.copy!), 'utf8')).toBe('two\n');
    // A command that was cut off is held against the state it began with, and no other.
    expect((await storedBefore(b.root, scratch, second.id))?.index).toEqual(third.index);
    expect(await storedBefore(b.root, scratch, first.id)).toBeNull();
  });

  it('survive a line that a power cut left half written', async () => {
    const b = await bench({ 'a.txt': 'one\n' });
    const { scratch } = b.context;
    await anew(b.root, scratch);
    await writeFile(join(b.root, 'a.txt'), 'two\n');
    const { folder } = await anew(b.root, scratch);
    const later = join(folder, 'later.jsonl');
    await writeFile(later, (await readFile(later, 'utf8')).slice(0, -20));
    const after = await anew(b.root, scratch);
    expect(await readFile(join(folder, after.index.get('a.txt')!.copy!), 'utf8')).toBe('two\n');
  });
});
