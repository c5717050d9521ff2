/** Two subtasks write one file side by side: who comes second looks again and goes on, and nobody's work is lost unseen. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { ofType, servedLab, wordsOf } from '../support/lab.ts';
import { always, call, calls, done, script, subtasks, verdict } from '../support/script.ts';

const { keep } = ending();
const NO_REPLAN = 'max_task_replans = 0\n';
const plan: ScenarioEntry = {
  role: 'planner',
  reply: {
    subtasks: subtasks([
      { id: 'a', tier: 2, criteria: 'shared.md says A.' },
      { id: 'b', tier: 2, criteria: 'shared.md says B.' },
    ]).map(node => ({ ...node, is_critical_path: false })),
  },
};
type More = Partial<ScenarioEntry>;
const reads = (subtask: string, step: number, more: More = {}): ScenarioEntry => ({
  ...calls(subtask, call('read_file', { path: 'shared.md' })),
  step,
  ...more,
});
const edits = (subtask: string, step: number, from: string, to: string, more: More = {}): ScenarioEntry => ({
  ...calls(subtask, call('edit_file', { path: 'shared.md', old_str: from, new_str: to })),
  step,
  ...more,
});
const says = (subtask: string, step: number, more: More = {}): ScenarioEntry => ({
  ...done(subtask, ['shared.md']),
  step,
  ...more,
});
const judged = (subtask: string, passed: boolean, more: More = {}): ScenarioEntry => ({
  ...verdict(subtask, passed),
  ...more,
});
const run = async (...entries: ScenarioEntry[]) => {
  const here = keep(await servedLab('openai', script(plan, ...entries), { toml: NO_REPLAN }));
  here.write('shared.md', 'one\n\ntwo\n');
  const ran = await here.go('Both');
  const prompts = here.servers[0]!.calls().map(wordsOf);
  return { ...ran, here, prompts, words: (text: string) => prompts.find(words => words.includes(text)) };
};
const reviews = (prompts: string[], subtask: string) =>
  prompts.filter(words => words.includes('# Loom verifier') && words.includes(`Subtask: ${subtask}`));

test('a change refused because somebody else was first is made on what the file says then', async () => {
  const { result, events, here, words } = await run(
    reads('a', 0),
    edits('a', 1, 'one', 'A'),
    says('a', 2),
    judged('a', true),
    reads('b', 0, { attempt: 1 }),
    edits('b', 1, 'two', 'B', { attempt: 1, delay_ms: 700 }),
    says('b', 2, { attempt: 1 }),
    judged('b', false),
    reads('b', 0, { attempt: 2 }),
    edits('b', 1, 'two', 'B', { attempt: 2 }),
    says('b', 2, { attempt: 2 }),
    judged('b', true),
  );
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'shared.md': 'A\n\nB\n' });
  expect(ofType(events, 'subtask_retrying')).toMatchObject([
    { data: { subtask_id: 'b', failure_class: 'conflict' } },
  ]);
  expect(words('Changed by somebody else meanwhile')).toMatch(/was refused: shared\.md\. Read it first/);
});

test('a result whose file somebody else changed while it was judged is judged again, and nothing is done anew', async () => {
  const { result, events, here, prompts } = await run(
    reads('a', 0),
    edits('a', 1, 'one', 'A'),
    says('a', 2),
    reads('b', 0, { delay_ms: 600 }),
    edits('b', 1, 'two', 'B'),
    says('b', 2),
    judged('a', true, { delay_ms: 1_500 }),
    judged('a', true),
    always(judged('b', true)),
  );
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'shared.md': 'A\n\nB\n' });
  expect(ofType(events, 'subtask_retrying')).toEqual([]);
  expect(reviews(prompts, 'a')).toHaveLength(2);
  // Only the second one has seen what the other wrote.
  expect(reviews(prompts, 'a').map(words => words.includes(String.raw`3\tB`))).toEqual([false, true]);
});

test('a result that somebody else spoiled while it was judged is mended', async () => {
  const { result, events, here } = await run(
    reads('a', 0, { attempt: 1 }),
    edits('a', 1, 'one', 'A', { attempt: 1 }),
    says('a', 2, { attempt: 1 }),
    reads('b', 0, { delay_ms: 600 }),
    edits('b', 1, 'A', 'B'),
    says('b', 2),
    judged('a', true, { delay_ms: 1_500 }),
    judged('a', false),
    reads('a', 0, { attempt: 2 }),
    edits('a', 1, 'two', 'A', { attempt: 2 }),
    says('a', 2, { attempt: 2 }),
    always(judged('a', true)),
    always(judged('b', true)),
  );
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'shared.md': 'B\n\nA\n' });
  expect(ofType(events, 'subtask_retrying')).toMatchObject([
    { data: { subtask_id: 'a', failure_class: 'conflict' } },
  ]);
});
