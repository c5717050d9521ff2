/** Families of checks that need a closer look than the liars give them: commands, parsers, rules, outcomes of calls. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CheckRules, DEFAULT_RULES, type RegexRule } from '../../../actors/effects/checks/check.ts';
import { commandsIn } from '../../../actors/effects/checks/commands.ts';
import { PARSERS } from '../../../actors/effects/checks/parsers.ts';
import { judgement, runChecks } from '../../../actors/effects/checks/run.ts';
import type { ToolTrace } from '../../../actors/effects/rows.ts';
import { type PlanNode, singleNodePlan } from '../../../machines/plan.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loom-families-'));
  await writeFile(join(root, 'a.txt'), 'some text\n');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const trace = (more: Partial<ToolTrace>): ToolTrace => ({
  tool: 'shell_execute',
  subject: 'npm test',
  success: true,
  files_changed: [],
  destructive: false,
  mutates: true,
  ...more,
});
const ran = (subject: string, exit_code = 0): ToolTrace =>
  trace({ subject, exit_code, success: exit_code === 0 });
const edited = trace({ tool: 'edit_file', subject: 'a.txt', files_changed: ['a.txt'] });

const judged = async (
  traces: ToolTrace[],
  { plan = {} as Partial<PlanNode>, rules = {} as Partial<CheckRules>, answer = 'Done.' } = {},
) =>
  judgement(
    await runChecks({
      root,
      goal: '',
      node: { ...singleNodePlan('x').subtasks[0]!, id: 'a', description: 'Do it.', ...plan },
      answer,
      changelog: [],
      traces,
      everything: async () => [],
      blobs: { get: () => Promise.reject(new Error('nothing is kept')) },
      rules: { ...DEFAULT_RULES, ...rules },
    }),
  );

describe('a command that the criteria name', () => {
  it.each([
    ['`npm test` passes.', ['npm test']],
    [
      '`npx vitest run` and `npx tsc --noEmit` succeed without errors',
      ['npx vitest run', 'npx tsc --noEmit'],
    ],
    ['npm run build succeeds', ['npm run build']],
    ['`add(1, 2)` returns 3', []],
    ['`src/a.ts` exports `run`', []],
    ['`npm test` fails with a clear message', []],
  ])('%s', (criteria, commands) => {
    expect(commandsIn(criteria)).toEqual(commands);
  });

  const plan = { acceptance_criteria: '`npm test` passes' };
  it.each([
    ['npm test'],
    ['cd app && npm test'],
    ['CI=1 npm test 2>&1'],
    ['npm ci && npm test > out.log'],
    ['npm  test'],
  ])('counts when it was run as %s', async command => {
    expect(await judged([edited, ran(command)], { plan })).toMatchObject({ outcome: 'pass' });
  });

  it.each([
    ['npm test || true'],
    ['npm test; echo ok'],
    ['npm test | tail -3'],
    ['npm test -- --grep nothing'],
    ['npm test &'],
    ['echo npm test'],
    ['npm run lint'],
  ])('does not count, but fails nothing, when it was run as %s', async command => {
    expect(await judged([edited, ran(command)], { plan })).toMatchObject({ outcome: 'inconclusive' });
  });

  it('does not grow old by what it or a report writes', async () => {
    const own = trace({ subject: 'npm test', exit_code: 0, files_changed: ['coverage/a.json'] });
    const report = trace({ tool: 'write_file', subject: 'out.md', files_changed: ['out.md'] });
    await writeFile(join(root, 'out.md'), 'All tests pass.\n');
    expect(await judged([edited, own, report], { plan })).toMatchObject({ outcome: 'pass' });
  });
});

describe('calls', () => {
  const failed = trace({ tool: 'edit_file', subject: 'a.txt', success: false });
  it('count by their last outcome, whichever tool had it', async () => {
    expect(
      await judged([failed, trace({ tool: 'write_file', subject: 'a.txt', files_changed: ['a.txt'] })]),
    ).toMatchObject({
      outcome: 'pass',
    });
    expect(await judged([edited, failed])).toMatchObject({ outcome: 'inconclusive' });
  });

  it('that only looked around never count', async () => {
    const look = trace({ tool: 'read_file', subject: 'nowhere', success: false, mutates: false });
    expect(await judged([look, edited, look])).toMatchObject({ outcome: 'pass' });
  });

  it('are told but do not count where a process asks for safety and integrity alone', async () => {
    const rules = { tool_success_policy: 'safety_integrity_only' } as const;
    expect(await judged([edited, failed], { rules })).toMatchObject({ outcome: 'pass_with_warnings' });
    const refused = trace({ tool: 'write_file', subject: '/etc/x', success: false, error: 'path_outside' });
    expect(await judged([edited, refused], { rules })).toMatchObject({ outcome: 'inconclusive' });
  });
});

describe('rules of a process', () => {
  const rule = (more: Partial<RegexRule>): Partial<CheckRules> => ({
    regex: [
      { id: 'r', pattern: 'some', target: 'changes', enforcement: 'hard', message: 'not some', ...more },
    ],
  });
  it.each([
    [rule({}), 'fail'],
    [rule({ enforcement: 'advisory' }), 'pass_with_warnings'],
    [rule({ pattern: 'none' }), 'pass'],
    [rule({ target: 'output', pattern: 'done', flags: 'gi' }), 'fail'],
    [rule({ target: 'deliverables' }), 'pass'],
    [rule({ pattern: '(' }), 'inconclusive'],
  ])('%j', async (rules, outcome) => {
    expect(await judged([edited], { rules })).toMatchObject({ outcome });
  });
});

describe('reading work', () => {
  it('needs one successful look', async () => {
    const plan = { description: 'Say what a.txt is about.' };
    const look = trace({ tool: 'read_file', subject: 'a.txt', mutates: false });
    expect(await judged([look], { plan })).toMatchObject({ outcome: 'pass', established: true });
    expect(await judged([{ ...look, success: false }], { plan })).toMatchObject({ established: false });
    expect(await judged([], { plan })).toMatchObject({ established: false });
  });
});

describe('parsers', () => {
  const RIGHT: [string, string][] = [
    ['a.json', '{"a": [1, 2.5e3, "\\u00e9"]}'],
    ['tsconfig.jsonc', '{\n  // why\n  "a": 1,\n}'],
    ['a.jsonl', '{"a":1}\n\n{"a":2}\n'],
    ['a.yaml', 'a: &x [1]\nb: *x\nc: !Ref thing\n---\nd: |\n  text\n'],
    ['a.toml', 'a = 1\n[b.c]\nd = 1979-05-27\n'],
    ['a.csv', 'a;b\n"x;y";2\n'],
    ['a.tsv', 'a\tb\n1\t2,3\n'],
    [
      'a.py',
      'async def f():\n    async with x as y, z:\n        yield\n    print(f"{a["b"]}")\ntype A = int\n',
    ],
    ['old.py', 'print "hello"\n'],
    ['a.js', '#!/usr/bin/env node\nreturn; await x; const a = <b>c</b>;\n'],
    ['a.cjs', 'with (a) { b }\nmodule.exports = 010;\n'],
    ['a.mjs', 'import a from "./a.json" with { type: "json" };\nexport default a?.b ?? (c ||= 1n);\n'],
    [
      'a.ts',
      'enum A { B }\n@d class C<T> { accessor #x!: T; declare y: string }\nlet z = <any>1 satisfies unknown;\n',
    ],
    ['nest.ts', 'class A { constructor(@Inject() private readonly b: B) {} }\n'],
    ['a.d.ts', 'declare function f(a: string): void;\nexport as namespace F;\n'],
    ['a.tsx', 'const A = <T,>(p: T) => <div {...p}>{/* c */}</div>;\n'],
    ['a.html', '<ul><li>one<li>two</ul><img src=a><script>if (a < b) {}</script>'],
  ];
  const WRONG: [string, string][] = [
    ['a.json', "{'a': 1}"],
    ['a.jsonl', '{"a":1}\n{"a":\n'],
    ['a.yaml', 'a: "x\nb: 1\n'],
    ['a.toml', 'a = \n'],
    ['a.csv', 'a,b\n"x,2\n'],
    ['a.py', 'def f()\n    return 1\n'],
    ['b.py', 'x = [1, 2\nprint(x)\n'],
    ['a.js', 'function f() { return 1;\n'],
    ['a.mjs', 'const a = ;\n'],
    ['a.ts', 'interface A { b: }\n'],
    ['a.tsx', 'const a = <div><span></div>;\n'],
    ['a.html', '<p>x<!-- never closed'],
    ['b.html', '<script>let a = 1;'],
  ];
  const parse = (path: string, text: string) => PARSERS[path.slice(path.lastIndexOf('.'))]!(text, path);

  it.each(RIGHT)('take %s', async (path, text) => expect(await parse(path, text)).toBeNull());
  it.each(WRONG)('refuse %s and say why', async (path, text) => {
    expect((await parse(path, text))?.message).toMatch(/\w/);
  });
});
