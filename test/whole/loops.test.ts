/** Models that go round in circles, over real wires and with real tools: the run ends by itself and says why; polling goes on. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import type { FakeKind } from '../support/fake-server.ts';
import { type Lab, ofType, servedLab, wordsOf } from '../support/lab.ts';
import { always, call, calls, done, plan, script, shell, writes } from '../support/script.ts';

const { keep } = ending();
const report = plan({ id: 'report', files: ['report.md'] });
const ONCE = 'max_subtask_retries = 0\nmax_task_replans = 0\n';

const executed = (here: Lab): number =>
  here.servers[0]!.calls().filter(sent => wordsOf(sent).includes('# Loom executor')).length;

const at = (step: number, name: string, args: Record<string, unknown> | string): ScenarioEntry => ({
  ...calls('report', call(name, args)),
  step,
});
const cycle = (length: number, make: (n: number) => ScenarioEntry): ScenarioEntry[] =>
  Array.from({ length: 20 }, (_, n) => ({ ...make(n % length), step: n }));

const LOOPS: [string, FakeKind, number, ScenarioEntry[]][] = [
  [
    'reads one file again and again',
    'openai',
    2,
    [always(calls('report', call('read_file', { path: 'notes.md' })))],
  ],
  [
    'goes through three calls, spelled anew each time',
    'anthropic',
    4,
    Array.from({ length: 20 }, (_, n) =>
      at(
        n,
        ...([
          ['read_file', { path: `${'./'.repeat(n % 2)}notes.md` }],
          ['shell_execute', { command: `ls${' '.repeat(1 + n)}-l notes.md`, timeout_seconds: 20 + n }],
          ['list_directory', { path: '.' }],
        ][n % 3] as [string, Record<string, unknown>]),
      ),
    ),
  ],
  [
    'goes through five calls',
    'ollama',
    6,
    cycle(5, n => calls('report', call('read_file', { path: `notes-${n}.md` }))),
  ],
  [
    'sends arguments that nobody can read',
    'openai',
    2,
    Array.from({ length: 20 }, (_, n) => at(n, 'write_file', `path is ${'x'.repeat(n)}`)),
  ],
  [
    'writes calls as text that nobody can read',
    'ollama',
    2,
    Array.from({ length: 20 }, (_, n) => at(n, 'write_file', `{"path": ${'{'.repeat(1 + n)}`)),
  ],
];

test.each(LOOPS)(
  'a model that %s is stopped, and the run says what a person can do',
  async (_, kind, first, says) => {
    const here = await servedLab(kind, script(report, says), { toml: ONCE });
    keep(here);
    here.write('notes.md', 'the notes\n');
    const { result, events } = await here.go('Write the report');
    expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
    expect(ofType(events, 'subtask_failed')[0]?.data).toMatchObject({ reason_code: 'loop' });
    expect(ofType(events, 'subtask_failed')[0]?.data['feedback']).toMatch(
      /stronger model|better at calling tools/,
    );
    expect(executed(here) - first).toBeLessThanOrEqual(6);
    expect(executed(here)).toBeGreaterThan(first);
    const nudges = here.servers[0]!.calls().filter(sent =>
      /results you already have|could not be carried out/.test(wordsOf(sent)),
    );
    expect(nudges.length).toBeGreaterThan(0);
  },
);

test('a model that polls until its build is done is left alone, and so is one that tests after each edit', async () => {
  const polls = Array.from({ length: 9 }, () =>
    shell('report', 'n=$(cat n); echo $((n + 1)) > n; echo "step $n of 9"'),
  );
  const repairs = Array.from({ length: 4 }, (_, n) => [
    writes('report', 'report.md', `draft ${n}\n`),
    shell('report', 'grep -q final report.md || { echo "1 failing"; exit 1; }'),
  ]).flat();
  const here = await servedLab(
    'openai',
    script(report, polls, repairs, writes('report', 'report.md', 'final\n'), done('report', ['report.md'])),
    { toml: `${ONCE}[limits.runner]\nmax_tool_iterations = 40\n` },
  );
  keep(here);
  here.write('n', '1\n');
  const { result } = await here.go('Write the report');
  expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.read('n')).toBe('10\n');
  expect(executed(here)).toBe(9 + 8 + 2);
});
