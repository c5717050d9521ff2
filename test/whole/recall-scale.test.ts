/** A hundred thousand messages in one session: searched, written on and taken up as fast as a short one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLmdbStore } from '../../store/lmdb.ts';
import type { Store } from '../../store/port.ts';
import { type Lab, lab } from '../support/lab.ts';
import { writeSession } from '../support/long-session.ts';
import { serverToml } from '../support/loom-process.ts';
import { appendFigure, resumeFigure, searchFigures } from '../support/recall-figures.ts';
import type { Corpus } from '../support/talk-corpus.ts';

const MESSAGES = 100_000;
const root = join(import.meta.dirname, '../..');
let here: Lab;
let store: Store;
let corpus: Corpus;
let folder: string;

beforeAll(async () => {
  here = lab();
  here.config(serverToml('ollama', 'http://127.0.0.1:9'));
  store = await openLmdbStore(here.home, { minFreeMb: 0 });
  corpus = await writeSession(store, {
    id: 'longest',
    workspace: here.workspace,
    messages: MESSAGES,
    batch: 50_000,
  });
  folder = mkdtempSync(join(root, 'node_modules', '.loom-resume-'));
  await build({
    entryPoints: [join(root, 'test/support/resume-child.ts')],
    outfile: join(folder, 'resume.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(async () => {
  await store.close();
  await here.end();
  rmSync(folder, { recursive: true, force: true });
});

test('a search takes at most 20 ms, 19 times out of 20, whatever is looked for', async () => {
  const figures = await searchFigures(store, ['longest'], corpus);
  console.log(
    `${MESSAGES} messages, p95: ${Object.entries(figures)
      .map(([kind, ms]) => `${kind} ${ms.toFixed(2)} ms`)
      .join(', ')}`,
  );
  for (const [kind, ms] of Object.entries(figures)) expect(ms, kind).toBeLessThanOrEqual(20);
});

test('a message adds at most 2 ms to its commit', async () => {
  const ms = await appendFigure(store, 'longest', MESSAGES, corpus);
  console.log(`one more message: ${ms.toFixed(2)} ms`);
  expect(ms).toBeLessThanOrEqual(2);
});

test('it is taken up within 300 ms and 150 MB', async () => {
  const rounds = [];
  for (let i = 0; i < 3; i++)
    rounds.push(await resumeFigure(join(folder, 'resume.mjs'), here.home, here.workspace, 'longest'));
  const ms = Math.min(...rounds.map(round => round.ms));
  const anon = Math.max(...rounds.map(round => round.anon_mb));
  console.log(`taken up in ${ms.toFixed(0)} ms, ${anon.toFixed(0)} MB`);
  expect(rounds[0]!.tail).toBe(40);
  expect(ms).toBeLessThanOrEqual(300);
  expect(anon).toBeLessThanOrEqual(150);
});
