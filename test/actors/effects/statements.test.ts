/** Criteria that state facts word for word: what contradicts them fails, what only sounds like them is left to a reader. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../../actors/effects/checks/check.ts';
import { runChecks } from '../../../actors/effects/checks/run.ts';
import type { ChangelogEntry } from '../../../actors/effects/rows.ts';
import { singleNodePlan } from '../../../machines/plan.ts';
import type { BlobRef } from '../../../store/blobs-port.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loom-statements-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** `before`: text of the file before this subtask; null for a new file. */
interface Written {
  path: string;
  before: string | null;
  now: string | null;
  /** Default: write_file. */
  tool?: string;
}

async function failed(criteria: string, written: Written[], deliverables: string[] = []): Promise<string[]> {
  for (const { path, now } of written) if (now !== null) await writeFile(join(root, path), now);
  const texts = new Map(written.map(({ path, before }) => [path, before ?? '']));
  const changelog = written.map(
    ({ path, before, now, tool = 'write_file' }, n): ChangelogEntry => ({
      id: `c${n}`,
      key: `k|${n}|0`,
      subtask: 'a',
      tool,
      at: '',
      changes: [
        {
          operation: before === null ? 'create' : 'modify',
          path,
          before: before === null ? null : ({ sha256: path, size: before.length } as BlobRef),
          after: now === null ? null : 'x',
          mode_before: null,
          mode_after: 0o644,
          undoable: true,
        },
      ],
    }),
  );
  const checks = await runChecks({
    root,
    goal: '',
    node: { ...singleNodePlan('x').subtasks[0]!, id: 'a', acceptance_criteria: criteria, deliverables },
    answer: 'Done.',
    changelog,
    traces: [],
    everything: async () => changelog,
    blobs: { get: async ref => Buffer.from(texts.get((ref as BlobRef).sha256) ?? '') },
    rules: DEFAULT_RULES,
  });
  return checks.filter(check => check.result === 'failed').map(check => check.detail);
}

const ini = (now: string): Written => ({ path: 'app.ini', before: 'port = 1\n', now });

describe('a line that is stated', () => {
  it('fails where it is missing and passes where it is there, indented or not', async () => {
    const criteria = '`app.ini` contains the line `port = 2`.';
    expect(await failed(criteria, [ini('port = 20\n')])).toEqual([
      'app.ini does not contain the line "port = 2".',
    ]);
    expect(await failed(criteria, [ini('[a]\r\n  port = 2\r\n')])).toEqual([]);
  });

  it('fails where it should be gone, in one sentence with one that should be there', async () => {
    const criteria =
      'app.ini no longer contains the line `port = 1` and contains the line `port = 2; x and y`';
    expect(await failed(criteria, [ini('port = 1\n')])).toEqual([
      'app.ini contains the line "port = 1".',
      'app.ini does not contain the line "port = 2; x and y".',
    ]);
    expect(await failed(criteria, [ini('port = 2; x and y\n')])).toEqual([]);
  });

  it.each([
    'app.ini has lines such as `port = 2`',
    'app.ini contains the line numbers of `port = 2`',
    'app.ini or local.ini contains the line `port = 2`',
    'One of the files contains the line `port = 2`',
  ])('is left to a reader in words with more than one reading: %s', async criteria => {
    expect(await failed(criteria, [ini('port = 3\n'), { ...ini('x\n'), path: 'local.ini' }])).toEqual([]);
  });

  it('is looked for in the file of that name, not in a copy in another folder', async () => {
    const criteria = '`app.ini` contains the line `port = 2`. No other file is created or changed.';
    await writeFile(join(root, 'app.ini'), 'port = 1\n');
    await mkdir(join(root, 'src'));
    const copy = { path: 'src/app.ini', before: null, now: 'port = 2\n' };
    const wrong = [
      'app.ini does not contain the line "port = 2".',
      'src/app.ini was changed, although nothing else should be.',
    ];
    expect(await failed(criteria, [copy])).toEqual(wrong);
    expect(await failed(criteria, [copy], ['app.ini'])).toEqual(wrong);
    // Where no file has exactly that name, or the plan says which, the folder may be left out.
    expect(await failed(criteria, [copy], ['src/app.ini'])).toEqual([]);
    await rm(join(root, 'app.ini'));
    expect(await failed(criteria, [copy])).toEqual([]);
  });

  it('is counted where the number is exact', async () => {
    expect(await failed('`app.ini` has exactly 2 lines.', [ini('a\nb\nc\n')])).toEqual([
      'app.ini has 3 lines, where exactly 2 are asked for.',
    ]);
    expect(await failed('`app.ini` has exactly 2 lines.', [ini('a\nb')])).toEqual([]);
    expect(await failed('app.ini has 2 lines of comment', [ini('a\nb\nc\n')])).toEqual([]);
  });
});

describe('nothing else', () => {
  const criteria = '`app.ini` contains the line `a`. No other file is created or changed.';
  const stray = (before: string | null, now: string | null): Written[] => [
    ini('a\n'),
    { path: 'stray.txt', before, now },
  ];

  it('fails a file that was made or changed besides', async () => {
    const wrong = ['stray.txt was changed, although nothing else should be.'];
    expect(await failed(criteria, stray(null, 'x'))).toEqual(wrong);
    expect(await failed(criteria, stray('old', 'new'))).toEqual(wrong);
    expect(await failed(criteria, stray(null, ''))).toEqual(wrong);
  });

  it('leaves by-products of commands to a reader', async () => {
    const [mine, cache] = stray(null, 'x');
    expect(await failed(criteria, [mine!, { ...cache!, tool: 'shell_execute' }])).toEqual([]);
  });

  it('passes what was cleared away or put back, and deliverables', async () => {
    expect(await failed(criteria, stray(null, null))).toEqual([]);
    expect(await failed(criteria, stray('old', 'old'))).toEqual([]);
    expect(await failed(criteria, stray('', ''))).toEqual([]);
    expect(await failed(criteria, stray(null, 'x'), ['stray.txt'])).toEqual([]);
  });
});

describe('unchanged', () => {
  it('fails a file that was changed, passes one that is as it was', async () => {
    const criteria = '`other.ini` is unchanged.';
    const other = (now: string): Written[] => [{ path: 'other.ini', before: 'x\n', now }];
    expect(await failed(criteria, other('y\n'))).toEqual([
      'other.ini was changed, although it should stay as it is.',
    ]);
    expect(await failed(criteria, other('x\n'))).toEqual([]);
    expect(await failed('The files a.ini and other.ini are unchanged', other('y\n'))).toHaveLength(1);
  });

  it('is left to a reader where only a part of the file is meant', async () => {
    const criteria = 'The header of app.ini is unchanged.';
    expect(await failed(criteria, [ini('port = 2\n')])).toEqual([]);
  });
});
