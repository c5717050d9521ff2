/** Tier 1 on real files: what is there decides, not what was said or which calls were green. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../../actors/effects/checks/check.ts';
import { runChecks } from '../../../actors/effects/checks/run.ts';
import type { ChangelogEntry, ToolTrace } from '../../../actors/effects/rows.ts';
import { singleNodePlan } from '../../../machines/plan.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loom-checks-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const node = (more: object = {}) => ({ ...singleNodePlan('x').subtasks[0]!, id: 'a', ...more });
const changed = (path: string): ChangelogEntry => ({
  id: `c-${path}`,
  key: 'k|1|0',
  subtask: 'a',
  tool: 'write_file',
  at: '',
  changes: [
    {
      operation: 'create',
      path,
      before: null,
      after: 'x',
      mode_before: null,
      mode_after: 0o644,
      undoable: true,
    },
  ],
});
const trace = (more: Partial<ToolTrace>): ToolTrace => ({
  tool: 'read_file',
  subject: '',
  success: true,
  files_changed: [],
  destructive: false,
  ...more,
});

const failures = async (
  answer: string,
  {
    plan = node(),
    log = [] as ChangelogEntry[],
    traces = [] as ToolTrace[],
    others = [] as ChangelogEntry[],
  } = {},
) => {
  const checks = await runChecks({
    root,
    goal: '',
    node: plan,
    answer,
    changelog: log,
    traces,
    everything: async () => [...log, ...others],
    blobs: { get: () => Promise.reject(new Error('nothing is kept')) },
    rules: DEFAULT_RULES,
  });
  return checks.filter(check => check.result === 'failed').map(check => check.name);
};

describe('tier 1', () => {
  it('fails a deliverable that is missing or empty', async () => {
    await writeFile(join(root, 'empty.md'), '');
    const plan = node({ deliverables: ['missing.md', 'empty.md'] });
    expect(await failures('Done.', { plan })).toEqual(['deliverable_missing.md', 'deliverable_empty.md']);
  });

  it('fails a claim about a file that is not there', async () => {
    expect(await failures('I wrote report.md.')).toContain('claim_report.md');
  });

  it('fails a claim about a file that was there before and that nothing changed', async () => {
    await writeFile(join(root, 'old.md'), 'old');
    expect(await failures('I updated old.md.')).toEqual(['claim_old.md']);
  });

  it('fails a claim of a second file only where the sentence says that it was written', async () => {
    await writeFile(join(root, 'a.md'), 'x');
    const log = [changed('a.md')];
    expect(await failures('I wrote a.md. I also created b.md.', { log })).toEqual(['claim_b.md']);
    expect(await failures('I wrote a.md. Fixed what is said of keys in b.toml.', { log })).toEqual([]);
  });

  it('accepts a file that another subtask changed and this one speaks of', async () => {
    await writeFile(join(root, 'theirs.md'), 'x');
    await writeFile(join(root, 'mine.md'), 'x');
    const answer = 'I wrote mine.md, after theirs.md was written by the other subtask.';
    expect(await failures(answer, { log: [changed('mine.md')], others: [changed('theirs.md')] })).toEqual([]);
  });

  it('does not mind failed looks before good work', async () => {
    await writeFile(join(root, 'a.md'), 'x');
    const traces = [trace({ success: false, subject: 'nothing.txt' })];
    expect(await failures('I wrote a.md.', { log: [changed('a.md')], traces })).toEqual([]);
  });

  it('counts what a shell command changed', async () => {
    await writeFile(join(root, 'built.js'), 'x');
    const traces = [trace({ tool: 'shell_execute', files_changed: ['built.js'] })];
    expect(await failures('I generated built.js.', { traces })).toEqual([]);
  });

  it('holds criteria that name files against the files', async () => {
    await writeFile(join(root, 'left.txt'), 'x');
    const plan = node({ acceptance_criteria: 'new.txt exists; left.txt is removed' });
    expect(await failures('Done.', { plan })).toEqual(['criterion_new.txt', 'absent_left.txt']);
  });

  it.each([
    ['bad.json', '{"a":'],
    ['bad.yaml', 'a: [1'],
    ['bad.toml', 'a = = 1'],
  ])('fails a changed %s that does not parse', async (path, text) => {
    await writeFile(join(root, path), text);
    expect(await failures('Done.', { log: [changed(path)] })).toEqual([`syntax_${path}`]);
  });

  it('parses what is right, byte order mark or not', async () => {
    await writeFile(join(root, 'a.json'), '\uFEFF{"a":1}');
    await writeFile(join(root, 'b.yml'), 'a: 1\n---\nb: 2\n');
    expect(await failures('Done.', { log: [changed('a.json'), changed('b.yml')] })).toEqual([]);
  });
});
