/** Long random series of file tools and commands: undone, the workspace is to the bit what it was; redone, what it became. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { deleteFile } from '../../tools/files/delete-file.ts';
import { editFile } from '../../tools/files/edit-file.ts';
import { moveFile } from '../../tools/files/move-file.ts';
import { writeFile } from '../../tools/files/write-file.ts';
import type * as overlays from '../../tools/shell/overlay.ts';
import { overlayStatus } from '../../tools/shell/overlay.ts';
import { shellExecute } from '../../tools/shell/shell-execute.ts';
import type { Args, ChangelogEntry, Tool } from '../../tools/tool.ts';
import { applyUndo, planUndo, type Selection } from '../../tools/undo.ts';
import { DEEP, random } from '../support/lanes.ts';
import { treeOf } from '../support/tree.ts';
import { bench, tempFolder } from './support.ts';

const mode = vi.hoisted(() => ({ overlay: true }));
vi.mock(import('../../tools/shell/overlay.ts'), async original => {
  const real: typeof overlays = await original();
  return {
    ...real,
    overlayStatus: (root: string, scratch: string) =>
      mode.overlay
        ? real.overlayStatus(root, scratch)
        : Promise.resolve({ available: false, way: null, detail: 'not here' }),
  };
});

const probed = mkdtempSync(join(tmpdir(), 'loom-probe-'));
mkdirSync(join(probed, 'root'));
const { available } = await overlayStatus(join(probed, 'root'), join(probed, 'scratch'));
rmSync(probed, { recursive: true });

const START = {
  a: 'one\ntwo\n',
  'b.sh': '#!/bin/sh\necho b\n',
  'd/c': 'c\n',
  'd/e/f': 'f\n',
  'd/e/g': 'x'.repeat(9_000),
  'm/n': 'n\n',
};
const NAMES = ['a', 'b.sh', 'd/c', 'd/e/f', 'd/e/g', 'm/n', 'new', 'd/new', 'p/q/r', 'm'];
const FOLDERS = ['d', 'd/e', 'm', 'p', 'p/q'];

/** What commands do to a workspace, in the ways in which it is awkward to record. */
const COMMANDS: ((path: string, other: string, folder: string) => string)[] = [
  (path, other) => `mkdir -p "$(dirname ${other})"; cp -r ${path} ${other}`,
  path => `echo more >> ${path}; chmod 600 ${path}`,
  path => `chmod 755 ${path}; touch ${path}`,
  (path, other) => `mkdir -p "$(dirname ${other})"; mv -f ${path} ${other}`,
  path => `rm -rf ${path}; mkdir ${path} && echo in > ${path}/in`,
  (path, _, folder) => `rm -rf ${folder}; echo file > ${folder}; ls ${path}`,
  (path, other) => `ln -sfn ${other} ${path}`,
  (_, __, folder) => `rm -rf ${folder}; mkdir -p ${folder}/empty; echo anew > ${folder}/anew`,
  (_, __, folder) => `mv ${folder} moved; mkdir -p ${folder}; echo again > ${folder}/again`,
  (_, __, folder) => `chmod 750 ${folder}; find ${folder} -type f -exec sed -i s/o/0/ {} +`,
  (_, __, folder) => `rmdir ${folder} 2>&1; mkdir -p hollow/deep/er; chmod 700 hollow`,
  path => `tr a-z A-Z < ${path} > tmp && mv tmp ${path}; exit 3`,
  path => `ln -f ${path} hard; echo both >> hard`,
  path => `chmod 444 ${path}; rm -f ${path}; printf 'a\\tb\\n' > 'odd name [1].txt'`,
  (_, __, folder) => `tar cf t.tar ${folder} && rm -rf ${folder} && tar xf t.tar; rm t.tar`,
  () => 'for i in $(seq 30); do mkdir -p many/$((i % 3)); echo $i > many/$((i % 3))/$i; done',
  () => 'rm -rf many hollow moved hard p; ls -R > listing',
  (path, other) => `truncate -s 3 ${path}; : > ${other}; exec 3<&-`,
];

async function series(seed: number) {
  const next = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const b = await bench(START);
  await mkdir(join(b.root, 'd/hollow'));
  const entries: ChangelogEntry[] = [];
  const keep = (tool: string, subtask: string | null, changes: ChangelogEntry['changes']) => {
    if (changes.length > 0)
      entries.push({ id: `c${entries.length}`, key: `k${entries.length}`, subtask, tool, changes });
  };
  let calls = 0;
  const call = async (tool: Tool, args: Args) => {
    // A call that is refused changes nothing; that is what the tree then shows.
    const result = await tool
      .run(args, { ...b.context, key: `k${calls++}`, subtask: null })
      .catch(() => null);
    keep(tool.name, 'a', result?.changes ?? []);
  };
  /** Whichever way it runs, the workspace must be what the command alone would have made of it. */
  const command = async (text: string) => {
    const twin = await tempFolder();
    execFileSync('cp', ['-a', `${b.root}/.`, twin]);
    spawnSync('/bin/bash', ['-c', text], { cwd: twin });
    await call(shellExecute, { command: text });
    expect(treeOf(b.root), `seed ${seed}: ${text}`).toEqual(treeOf(twin));
    rmSync(twin, { recursive: true });
  };
  const step = async () => {
    const [path, other, folder] = [pick(NAMES), pick(NAMES), pick(FOLDERS)];
    const kind = next();
    if (kind < 0.1) return command(pick(COMMANDS)(path, other, folder));
    if (kind < 0.45) return call(writeFile, { path, content: pick(['1\n', 'two\n', 'y'.repeat(5_000)]) });
    if (kind < 0.65) return call(editFile, { path, old_str: pick(['one', 'o', 'two', 'c']), new_str: 'z' });
    if (kind < 0.8) return call(deleteFile, { path: next() < 0.8 ? path : folder });
    return call(moveFile, { source: next() < 0.7 ? path : folder, destination: other });
  };
  const undo = async (selection: Selection) => {
    const plan = planUndo(entries, selection);
    const { changes } = await applyUndo(plan, { ...b.context, key: `u${calls++}` });
    keep('undo', null, changes);
    const id = changes.length > 0 ? entries.at(-1)!.id : 'nothing';
    for (const entry of entries) if (plan.entries.includes(entry.id)) entry.undone_by = id;
    return id;
  };
  return { root: b.root, entries, step, undo };
}

async function checkSeries(seed: number): Promise<number> {
  const { root, entries, step, undo } = await series(seed);
  const first = treeOf(root);
  const states: Record<string, string>[] = [first];
  let commands = 0;
  for (let n = 0; n < 20; n++) {
    const before = entries.length;
    await step();
    if (entries.length > before) states.push(treeOf(root));
    else expect(treeOf(root), `seed ${seed}: a call without records`).toEqual(states.at(-1));
    if (entries.at(-1)?.tool === 'shell_execute' && entries.length > before) commands++;
  }
  const last = treeOf(root);
  const ids = entries.map(entry => entry.id);
  // Half of them one by one, each state as it was; the rest at once.
  if (seed % 2 === 0)
    for (const [n, id] of ids.toReversed().entries()) {
      await undo({ ids: [id] });
      expect(treeOf(root), `seed ${seed}: back ${n + 1} of ${ids.length}`).toEqual(states.at(-2 - n));
    }
  else {
    const undone = await undo({ all: true });
    expect(treeOf(root), `seed ${seed}: undone`).toEqual(first);
    if (undone !== 'nothing') await undo({ ids: [undone] });
    expect(treeOf(root), `seed ${seed}: redone`).toEqual(last);
    await undo({ all: true });
    expect(treeOf(root), `seed ${seed}: undone again`).toEqual(first);
  }
  return commands;
}

const COUNT = Number(process.env['LOOM_SERIES'] ?? (DEEP ? 10_000 : 12));

describe('a series of 20 calls is undone and redone exactly', () => {
  it.runIf(available)('with commands in an overlay', { timeout: COUNT * 5_000 }, async () => {
    mode.overlay = true;
    let commands = 0;
    for (let seed = 1; seed <= COUNT; seed++) commands += await checkSeries(seed);
    expect(commands).toBeGreaterThan(COUNT / 2);
  });

  it('with commands in place', { timeout: COUNT * 5_000 }, async () => {
    mode.overlay = false;
    let commands = 0;
    for (let seed = 1; seed <= COUNT; seed++) commands += await checkSeries(10_000_000 + seed);
    expect(commands).toBeGreaterThan(COUNT / 2);
  });
});
