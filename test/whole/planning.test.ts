/** What a planner may answer: usable plans in any clothes, repairs with the errors named, and then the degraded policy. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { ofType, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import { always, delivers, done, plan, script, subtasks } from '../support/script.ts';

const { keep } = ending();
const GOAL = 'Write the report';
const answers = (reply: unknown, rest: Partial<ScenarioEntry> = {}): ScenarioEntry => ({
  role: 'planner',
  reply,
  ...rest,
});
const good = plan({ id: 'report', files: ['report.md'] });
const node = subtasks([{ id: 'report', files: ['report.md'] }])[0]!;

const accepted: [string, unknown][] = [
  ['a bare array', [node]],
  [
    'an array in a fence with prose around it',
    `Here it is:\n\`\`\`json\n${JSON.stringify([node])}\n\`\`\`\nGood luck!`,
  ],
  [
    'an object after thinking aloud',
    `<think>one step {will} do</think>${JSON.stringify({ subtasks: [node] })}`,
  ],
  [
    'trailing commas and comments',
    `{"subtasks": [{"id": "report", "description": "Do it", "verification_tier": 1, "deliverables": ["report.md"],},],}`,
  ],
  [
    'a single deliverable as text, ids in another spelling',
    { subtasks: [{ ...node, id: 'Report', deliverables: 'report.md' }] },
  ],
  ['a list under another name', { plan: { steps: [node] } }],
  ['an object whose last bracket is missing', `{"subtasks": [${JSON.stringify(node)}]`],
  [
    'no optional field at all',
    { subtasks: [{ id: 'report', description: 'Write report.md', verification_tier: 1 }] },
  ],
];

test.each(accepted)('%s is a plan', async (_, reply) => {
  const here = keep(scriptedLab(script(answers(reply), delivers('report', 'report.md'))));
  const { result } = await here.go(GOAL);
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks.map(subtask => subtask.id)).toEqual(['report']);
});

const refused: [string, unknown, RegExp, Partial<ScenarioEntry>?][] = [
  [
    'a cycle',
    {
      subtasks: subtasks([
        { id: 'a', needs: ['b'] },
        { id: 'b', needs: ['a'] },
      ]),
    },
    /cycle/i,
  ],
  ['a subtask that needs itself', { subtasks: subtasks([{ id: 'a', needs: ['a'] }]) }, /itself|cycle/i],
  ['the same id twice', { subtasks: subtasks([{ id: 'a' }, { id: 'a' }]) }, /duplicate|twice/i],
  ['a dependency that does not exist', { subtasks: subtasks([{ id: 'a', needs: ['ghost'] }]) }, /ghost/],
  ['wrong types', { subtasks: [{ id: 'a', description: 7, depends_on: 'b' }] }, /description.*string/],
  ['no subtasks', { subtasks: [] }, /fewer than 1/],
  ['a number', 42, /no JSON object/],
  [
    'a list that is cut off in the middle of a word',
    '[{"id": "report", "description": "Write the rep',
    /ends in the middle/,
  ],
  [
    'a plan that is cut off between two subtasks',
    '{"subtasks": [{"id": "report", "description": "Write"},',
    /ends in the middle/,
  ],
  ['prose', 'I would first look at the code and then write the report.', /no JSON object/],
  ['an answer that is cut off', '{"subtasks": [{"id": "report", "descr', /cut off/, { finish: 'length' }],
];

test.each(refused)(
  '%s is sent back with the error, and the next answer counts',
  async (_, reply, error, rest) => {
    const here = keep(
      await servedLab('openai', script(answers(reply, rest), good, delivers('report', 'report.md'))),
    );
    const { result } = await here.go(GOAL);
    expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
    const [first, second, third] = here.servers[0]!.calls().map(wordsOf);
    expect(first).not.toContain('could not be used');
    expect(second).toContain('# Loom planner');
    expect(second).toContain(GOAL);
    const sentBack = /could not be used(.*)Answer with a corrected plan/.exec(second!)?.[1];
    expect(sentBack).toMatch(error);
    expect(third).toContain('# Loom executor');
  },
);

const never = always(answers('I would rather not say.'));

test('after two repairs the goal runs as one subtask, and the journal says why', async () => {
  const here = keep(await servedLab('openai', script(never, done('goal'))));
  const planned = () =>
    here.servers[0]!.calls().filter(request => wordsOf(request).includes('# Loom planner'));
  const { result, events } = await here.go('Look around');
  expect(planned()).toHaveLength(3);
  expect(ofType(events, 'task_plan_degraded')[0]?.data).toMatchObject({
    reason_code: 'planner_invalid_plan',
    policy_mode: 'allow',
  });
  expect(result.subtasks).toHaveLength(1);
});

test('the single subtask of a degraded plan carries the whole goal and is judged like any other', async () => {
  const here = keep(
    scriptedLab(
      script(
        never,
        { role: 'executor', calls: [{ name: 'write_file', arguments: { path: 'a.md', content: 'a\n' } }] },
        { role: 'executor', reply: { status: 'success', summary: 'Done.', deliverables_touched: ['a.md'] } },
        {
          role: 'verifier',
          reply: { passed: true, outcome: 'pass', confidence: 0.9, feedback: '', issues: [] },
        },
      ),
    ),
  );
  const { result, events } = await here.go('Write a.md');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0, files_changed: ['a.md'] });
  expect(result.subtasks[0]?.description).toContain('Write a.md');
  expect(ofType(events, 'verification_outcome').map(event => event.data['tier'])).toContain(2);
});

test('with planner_degraded_mode = deny the run fails with the reason', async () => {
  const here = keep(scriptedLab(script(never), 'planner_degraded_mode = "deny"\n'));
  const { result } = await here.go(GOAL);
  expect(result).toMatchObject({ status: 'failed', exit_code: 1, error: { code: 'plan_invalid' } });
  expect(result.error?.message).toMatch(/no JSON object/);
  expect(here.tree()).toEqual({});
});

test('with require_approval nothing is done until a person says yes; then the run goes on', async () => {
  const yes = { role: 'executor', reply: { status: 'success', summary: 'Looked.' } };
  const pass = {
    role: 'verifier',
    reply: { passed: true, outcome: 'pass', confidence: 0.9, feedback: '', issues: [] },
  };
  const here = keep(scriptedLab(script(never, yes, pass), 'planner_degraded_mode = "require_approval"\n'));
  const { result } = await here.go(GOAL);
  expect(result).toMatchObject({ status: 'waiting_approval', exit_code: 3 });
  expect(result.questions).toMatchObject([{ kind: 'plan', choices: ['approve', 'reject'] }]);
  await here.loom.answer(result.task_id, { answer: 'approve' });
  const { result: after } = await here.goOn(result.task_id);
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('with require_approval a no ends the run', async () => {
  const here = keep(scriptedLab(script(never), 'planner_degraded_mode = "require_approval"\n'));
  const { result } = await here.go(GOAL);
  await here.loom.answer(result.questions![0]!.id, { answer: 'reject' });
  const { result: after } = await here.goOn(result.task_id);
  expect(after).toMatchObject({ status: 'failed', exit_code: 1, error: { code: 'plan_rejected' } });
});

test('--plan-only makes a plan, does nothing else, and exits 0', async () => {
  const here = keep(
    scriptedLab(script(plan({ id: 'one', files: ['one.md'] }, { id: 'two', needs: ['one'] }))),
  );
  const text = await here.run(['run', GOAL, '--plan-only']);
  expect(text.code, text.stderr).toBe(0);
  expect(text.stdout).toContain('one');
  expect(text.stdout).toContain('two');
  const { value, ended } = await here.json(['run', GOAL, '--plan-only']);
  expect(ended.code).toBe(0);
  expect(value).toMatchObject({ plan_only: true, exit_code: 0, files_changed: [] });
  expect(value.subtasks.map(subtask => [subtask.id, subtask.depends_on, subtask.status])).toEqual([
    ['one', [], 'pending'],
    ['two', ['one'], 'pending'],
  ]);
  expect(value.status).not.toBe('completed');
  expect(here.tree()).toEqual({});
});

test('a plan of forty subtasks in ten layers runs whole', async () => {
  const nodes = Array.from({ length: 40 }, (_, i) => ({
    id: `n${i}`,
    needs: i < 4 ? [] : [`n${i - 4}`],
    files: [`n${i}.md`],
  }));
  const here = keep(
    scriptedLab(
      script(plan(...nodes), ...nodes.map(({ id }) => delivers(id, `${id}.md`))),
      'max_parallel_subtasks = 8\n',
    ),
  );
  const { result } = await here.go('Forty');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(Object.keys(here.tree())).toHaveLength(40);
});
