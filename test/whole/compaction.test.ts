/** Under pressure what cannot be looked up again is made short by the compactor, where a model has that role; the rest is left out. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { lab, ofType, QUICK, wordsOf } from '../support/lab.ts';
import { always, call, calls, done, plan, script, shell, writes } from '../support/script.ts';

const { keep } = ending();

const report = plan({ id: 'report', files: ['report.md'] });
/** Prints a lot, and changes something, so that nobody could run it again to see. */
const build = (n: number): ScenarioEntry =>
  shell(
    'report',
    `echo ${n} > built-${n}; seq ${n}00 ${n}99 | sed 's/^/step of the build: /'; echo "build ${n} used port ${8000 + n}"`,
  );
const builds = [1, 2, 3, 4, 5, 6].map(build);

async function run(compactor: ScenarioEntry[], work: ScenarioEntry[], roles = '"compactor"') {
  const here = lab();
  keep(here);
  const worker = await here.serve(
    'openai',
    script(report, work, writes('report', 'report.md'), done('report', ['report.md'])),
    {
      window: 4_096,
    },
  );
  const second = await here.serve('ollama', script(...compactor), { window: 32_768 });
  here.config(`${QUICK}[models.main]
provider = "openai_compatible"
base_url = "${worker.url}"
model = "small"
roles = ["planner", "executor", "verifier"]
context_tokens = 4096
[models.second]
provider = "ollama"
base_url = "${second.url}"
model = "short"
roles = [${roles}]
context_tokens = 32768
`);
  for (let n = 0; n < 8; n++) here.write(`big-${n}.md`, `line of text ${n}\n`.repeat(200));
  const ran = await here.go('Build it and report the ports');
  expect(ran.result, ran.result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
  const executed = worker.calls().filter(sent => wordsOf(sent).includes('# Loom executor'));
  return { ...ran, executed, asked: second.calls() };
}

test('the outputs of commands are compacted before they are left out, and the worker sees what was kept', async () => {
  const kept = 'Build 1 used port 8001, build 2 used port 8002.';
  const { result, events, executed, asked } = await run([always({ role: 'compactor', reply: kept })], builds);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.length).toBeLessThanOrEqual(3);
  expect(wordsOf(asked[0]!)).toContain('build 1 used port 8001');
  expect(wordsOf(executed.at(-1)!)).toContain(kept);
  // The whole answer of the newest call stays as it is.
  expect(wordsOf(executed.at(-2)!)).toContain('build 6 used port 8006');
  const decided = ofType(events, 'compaction_policy_decision').filter(
    event => event.data['decision'] === 'compact_history',
  );
  expect(decided).toHaveLength(asked.length);
  // Planning, the work and the compactions: each is a model call of the run.
  expect(result.usage.model_calls).toBe(1 + executed.length + asked.length);
});

test('a compaction that does not shrink is thrown away and not tried again', async () => {
  const { events, executed, asked } = await run(
    [always({ role: 'compactor', reply: 'a word about the build, '.repeat(2_000) })],
    builds,
  );
  const decided = ofType(events, 'compaction_policy_decision').map(event => event.data['decision']);
  expect(asked).toHaveLength(1);
  expect(decided).toContain('skip');
  expect(decided).not.toContain('compact_history');
  expect(wordsOf(executed.at(-1)!)).not.toContain('a word about the build, a word');
});

test('a compactor that is down is done without', async () => {
  const { asked } = await run([always({ role: 'compactor', error: { status: 400, message: 'no' } })], builds);
  expect(asked.length).toBe(1);
});

test('what can be read again is left out without a compaction, and nobody compacts who was not given the role', async () => {
  const reads = Array.from({ length: 8 }, (_, n) =>
    calls('report', call('read_file', { path: `big-${n}.md` })),
  );
  const files = await run([], reads);
  expect(ofType(files.events, 'compaction_policy_decision').length).toBeGreaterThan(0);
  expect(files.asked).toEqual([]);
  const commands = await run([], builds, '"verifier"');
  expect(commands.asked).toEqual([]);
  // A line of each command is there all the same.
  expect(wordsOf(commands.executed.at(-1)!)).toContain('build 2 used port 8002');
});
