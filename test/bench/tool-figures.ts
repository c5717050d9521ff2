/** Figures of the tools: search against bare ripgrep, a long PDF, the map of a large folder. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rgPath } from '@vscode/ripgrep';
import { mapDirectory } from '../../tools/code/map.ts';
import { readFile } from '../../tools/files/read-file.ts';
import { ripgrepSearch } from '../../tools/files/ripgrep-search.ts';
import { classify } from '../../tools/shell/classify.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { openWorkspace } from '../../tools/workspace.ts';
import { makePdf } from '../support/documents.ts';
import { ORDINARY, READS } from '../tools/commands-everyday.ts';

type Print = (name: string, figure: string, limit: string, holds: boolean) => void;

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const FILES = 5_000;
const PAGES = 200;

/** 5,000 sources of 40 to 60 lines in 100 folders; every twentieth has the word that is searched for. */
function writeTree(root: string): void {
  for (let i = 0; i < FILES; i++) {
    const folder = join(root, `part-${i % 10}`, `module-${i % 100}`);
    mkdirSync(folder, { recursive: true });
    const functions = Array.from(
      { length: 10 + (i % 5) },
      (_, n) =>
        `export function step${n}(value: number): number {\n  const next = value * ${i + n};\n  return next;\n}\n`,
    );
    const word = i % 20 === 0 ? '// needle\n' : '';
    writeFileSync(
      join(folder, `file-${i}.ts`),
      `import { base } from './base.ts';\n${word}${functions.join('')}`,
    );
  }
}

const bareSearch = (root: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(rgPath, ['--no-config', '-n', 'needle', './'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.resume();
    child.once('error', reject);
    child.once('close', () => resolve(performance.now() - start));
  });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function search(root: string, print: Print): Promise<void> {
  const context = {
    workspace: await openWorkspace(root),
    signal: new AbortController().signal,
    outputLimit: 100_000,
  } as unknown as ToolContext;
  const ours = async () => {
    const { data } = await ripgrepSearch.run({ pattern: 'needle', max_matches: 2_000 }, context);
    if (data['match_count'] !== FILES / 20) throw new Error(`the search found ${data['match_count']} lines`);
  };
  await ours();
  await bareSearch(root);
  const ratios: number[] = [];
  for (let i = 0; i < 15; i++) {
    const bare = await bareSearch(root);
    ratios.push((await timed(ours)) / bare);
  }
  const ratio = median(ratios);
  print('ripgrep_search over 5,000 files, against bare rg', `${ratio.toFixed(2)} ×`, '≤ 1.3 ×', ratio <= 1.3);
}

async function longPdf(root: string, print: Print): Promise<void> {
  const line = 'The quick brown fox jumps over the lazy dog and counts its steps';
  const pages = Array.from({ length: PAGES }, (_, page) =>
    Array.from({ length: 48 }, (_, n) => `${page}.${n} ${line}`),
  );
  mkdirSync(root);
  writeFileSync(join(root, 'long.pdf'), makePdf(pages));
  const context = {
    workspace: await openWorkspace(root),
    signal: new AbortController().signal,
    outputLimit: 10_000_000,
  } as unknown as ToolContext;
  const ms = await timed(async () => {
    const { output } = await readFile.run({ path: 'long.pdf', page_start: 0, page_end: PAGES }, context);
    if (!output.includes(`${PAGES - 1}.47 The quick`)) throw new Error('the last page is missing');
  });
  print('read_file, all of a PDF of 200 pages', `${(ms / 1000).toFixed(2)} s`, '≤ 3 s', ms <= 3_000);
}

async function map(root: string, print: Print): Promise<void> {
  const { signal } = new AbortController();
  const once = () =>
    timed(async () => {
      const { files, outlined } = await mapDirectory(root, { budget: 12_000, signal });
      if (files !== FILES || outlined < 10)
        throw new Error(`the map has ${files} files, ${outlined} outlined`);
    });
  const first = await once();
  const second = await once();
  print('map of 5,000 files', `${(first / 1000).toFixed(2)} s`, '≤ 5 s', first <= 5_000);
  print('the same, second time', `${(second / 1000).toFixed(2)} s`, '≤ 1 s', second <= 1_000);
}

/** Commands of a usual day, judged one by one after a first round. */
async function judging(root: string, print: Print): Promise<void> {
  const commands = [...READS, ...ORDINARY];
  for (const command of commands) await classify(command, root);
  const times: number[] = [];
  for (const command of commands) times.push(await timed(() => classify(command, root)));
  const ms = median(times);
  print('a shell command is judged, median of a usual day', `${ms.toFixed(3)} ms`, '< 1 ms', ms < 1);
}

/** @param folder empty; what is made there is left to the caller to remove */
export async function toolFigures(folder: string, print: Print): Promise<void> {
  const tree = join(folder, 'tree');
  mkdirSync(tree, { recursive: true });
  writeTree(tree);
  await search(tree, print);
  await longPdf(join(folder, 'pdf'), print);
  await map(tree, print);
  await judging(tree, print);
}
