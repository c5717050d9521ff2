import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chalk } from 'chalk';
import { afterAll, describe, expect, it } from 'vitest';
import { openLoom } from '../../../actors/engine.ts';
import type { Question } from '../../../actors/loom.ts';
import type { Ask } from '../../../cli/ask.ts';
import { decide, questionLines, rulesFor } from '../../../cli/session/approve.ts';
import { preview } from '../../../cli/session/preview.ts';
import { workspaceRules } from '../../../cli/session/workspace-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'loom-approve-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asked = (more: Partial<Question> = {}): Question => ({
  id: 'q1',
  task_id: 't1',
  kind: 'approval',
  subtask_id: null,
  prompt: 'shell_execute: rm -rf build',
  choices: ['approve', 'reject'],
  call: '',
  detail: '',
  rule: 'shell_execute(rm -rf build)',
  risk: 'destructive',
  asked_at: '',
  ...more,
});

/** Answers in their order; null is Esc. */
function person(...answers: (string | null)[]): Ask {
  const next = async () => answers.shift() ?? null;
  return { choose: next, text: next, secret: next, yes: async () => (await next()) === 'y' };
}

describe('always', () => {
  it.each([
    ['shell_execute(npm test --silent)', ['shell_execute(npm test --silent)', 'shell_execute(npm test*)']],
    ['shell_execute(rm -rf build)', ['shell_execute(rm -rf build)', 'shell_execute(rm*)']],
    ['write_file(src/a/b.ts)', ['write_file(src/a/b.ts)', 'write_file(src/a/**)', 'write_file']],
    ['web_fetch(docs.example.org)', ['web_fetch(docs.example.org)', 'web_fetch']],
    ['', []],
  ])('%s offers %j', (rule, rules) => {
    expect(rulesFor(asked({ rule }))).toEqual(rules);
  });
});

describe('a decision', () => {
  it('yes, no with its reason, always, the rest of the turn, nothing', async () => {
    const question = asked();
    expect(await decide(question, person('yes'))).toEqual({ answer: { answer: 'approve' } });
    expect(await decide(question, person('no', 'precious'))).toEqual({
      answer: { answer: 'reject', reason: 'precious' },
    });
    expect(await decide(question, person('no', ''))).toEqual({ answer: { answer: 'reject' } });
    expect(await decide(question, person('always', 'workspace shell_execute(rm*)'))).toEqual({
      answer: { answer: 'approve' },
      rule: { text: 'shell_execute(rm*)', scope: 'workspace' },
    });
    expect(await decide(question, person('turn'))).toEqual({ answer: { answer: 'approve' }, turn: true });
    expect(await decide(question, person(null))).toBeNull();
    expect(await decide(question, person('no', null))).toBeNull();
    expect(await decide(asked({ kind: 'ask_user', choices: [] }), person('blue'))).toEqual({
      answer: { answer: 'blue' },
    });
    expect(await decide(asked({ kind: 'uncertain', choices: ['retry', 'done'] }), person('done'))).toEqual({
      answer: { answer: 'done' },
    });
  });

  it('is made with the whole of it in sight', () => {
    const paint = new Chalk({ level: 0 });
    const lines = questionLines(asked({ prompt: 'write_file a.md', detail: '+one\n+two\u001b[2J' }), paint);
    expect(lines).toEqual(['? write_file a.md (destructive)', '    +one', '    +two']);
  });
});

describe('rules of a folder', () => {
  it('are kept in the home, one folder apart from another', async () => {
    const rules = workspaceRules(folder, '/work/a');
    await rules.add('shell_execute(npm test*)');
    await rules.add('shell_execute(npm test*)');
    expect(workspaceRules(folder, '/work/a').list()).toEqual(['shell_execute(npm test*)']);
    expect(workspaceRules(folder, '/work/b').list()).toEqual([]);
    expect(await rules.remove('shell_execute(npm test*)')).toBe(true);
    expect(await rules.remove('shell_execute(npm test*)')).toBe(false);
  });

  it('an unreadable file counts as none, and is not written over', async () => {
    const home = join(folder, 'broken');
    mkdirSync(home);
    writeFileSync(join(home, 'rules.toml'), '[[[');
    const rules = workspaceRules(home, '/work/a');
    expect(rules.list()).toEqual([]);
    await expect(rules.add('read_file')).rejects.toThrow();
  });
});

describe('/open', () => {
  it('shows text, Markdown, tables, JSON, HTML and folders, and nothing outside of the workspace', async () => {
    const workspace = join(folder, 'work');
    mkdirSync(join(workspace, 'sub'), { recursive: true });
    const put = (name: string, text: string) => writeFileSync(join(workspace, name), text);
    put('a.md', '# Title\n\nSome *words*.');
    put('b.csv', 'name,size\nx,1\n"y, z",22\n');
    put('c.json', '{"a":[1,2]}');
    put('d.html', '<h1>Hi</h1><script>bad()</script><p>There</p>');
    put('e.txt', 'plain\u001b[2J text\n');
    const loom = await openLoom({ home: join(folder, 'home'), workspace, env: {} });
    const style = { paint: new Chalk({ level: 0 }), highlight: (code: string) => code, columns: 60 };
    const shown = (path: string) => preview(loom, path, style);
    expect(await shown('a.md')).toEqual(['Title', '', 'Some words.']);
    expect(await shown('b.csv')).toEqual(['name │ size', '─────┼─────', 'x    │ 1', 'y, z │ 22']);
    expect(await shown('c.json')).toEqual(['{', '  "a": [', '    1,', '    2', '  ]', '}']);
    expect(await shown('d.html')).toEqual(['Hi', '', 'There']);
    expect(await shown('e.txt')).toEqual(['plain text']);
    expect((await shown('../outside')).join()).toMatch(/outside/);
    expect((await shown('missing.txt')).join()).toMatch(/missing\.txt/);
    await loom.close();
  });
});
