/** Nothing but verified work is ever a success, and verified work is one even when the way to it was not straight. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { lab, ofType, QUICK, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import {
  always,
  call,
  calls,
  delivers,
  done,
  plan,
  says,
  script,
  verdict,
  writes,
} from '../support/script.ts';

const { keep } = ending();
const one = (...entries: (ScenarioEntry | ScenarioEntry[])[]) =>
  script(plan({ id: 'report', files: ['report.md'] }), ...entries);
/** New plans never help these runs. */
const NO_REPLAN = 'max_task_replans = 0\n';
const lying = (toml = NO_REPLAN, ...entries: (ScenarioEntry | ScenarioEntry[])[]) =>
  keep(scriptedLab(one(...entries), toml));

test('an executor that claims a file it never wrote fails the run as soon as it does so again', async () => {
  const here = lying(NO_REPLAN, always(done('report', ['report.md'], 'I wrote report.md.')));
  const { result, events } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1, files_changed: [], deliverables: [] });
  expect(result.subtasks[0]).toMatchObject({ status: 'failed', attempts: 2 });
  expect(result.error?.message).toContain('report.md does not exist');
  expect(ofType(events, 'verification_outcome').every(event => event.data['passed'] === false)).toBe(true);
  expect(events.at(-1)?.event_type).toBe('task_failed');
});

test('a claim in prose alone is held against the files, too', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'fix' }),
        always(says('fix', 'I updated src/app.ts and created docs/guide.md as asked.')),
      ),
      NO_REPLAN,
    ),
  );
  const { result } = await here.go('Fix it');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.subtasks[0]?.verification ?? { reason_code: '' }).not.toMatchObject({ outcome: 'pass' });
});

test('a claim about a file that was there before and that nothing changed fails', async () => {
  const here = lying(NO_REPLAN, always(done('report', ['report.md'], 'I rewrote report.md.')));
  here.write('report.md', 'old\n');
  const { result } = await here.go('Rewrite the report');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.error?.message).toContain('report.md');
  expect(here.read('report.md')).toBe('old\n');
});

test('an empty deliverable and one that does not parse fail', async () => {
  const empty = lying(NO_REPLAN, [
    always(writes('report', 'report.md', '')),
    always(done('report', ['report.md'])),
  ]);
  expect((await empty.go('Write')).result.exit_code).toBe(1);
  const broken = keep(
    scriptedLab(
      script(
        plan({ id: 'data', files: ['data.json'] }),
        { ...always(writes('data', 'data.json', '{"a": 1,')), step: 0 },
        always(done('data', ['data.json'])),
      ),
      NO_REPLAN,
    ),
  );
  const { result } = await broken.go('Write data');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.error?.message).toContain('data.json does not parse');
});

test('a failed look around before a good deliverable does not count against it', async () => {
  const here = lying(
    NO_REPLAN,
    calls('report', call('read_file', { path: 'missing.md' }), call('list_directory', { path: 'nowhere' })),
    delivers('report', 'report.md'),
  );
  const { result, events } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0, files_changed: ['report.md'] });
  const failures = ofType(events, 'tool_call_completed').filter(event => event.data['success'] === false);
  expect(failures).toHaveLength(2);
});

test('a first attempt that lies and a second that delivers is completed with two attempts', async () => {
  const here = lying(
    NO_REPLAN,
    { ...done('report', ['report.md']), attempt: 1 },
    ...delivers('report', 'report.md').map(entry => ({ ...entry, attempt: 2 })),
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({ status: 'completed', attempts: 2 });
});

test('work that the verifier fails is told to the next attempt, in the request itself, and can then pass', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        plan({ id: 'report', files: ['report.md'], tier: 2, criteria: 'report.md names the year 1999.' }),
        delivers('report', 'report.md', 'no year\n').map(entry => ({ ...entry, attempt: 1 })),
        verdict('report', false, 'The year 1999 is not mentioned in report.md.'),
        writes('report', 'report.md', 'It was 1999.\n'),
        done('report', ['report.md']),
        verdict('report', true),
      ),
    ),
  );
  const { result, events } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({ attempts: 2, verification: { outcome: 'pass' } });
  expect(here.read('report.md')).toBe('It was 1999.\n');
  const requests = here.servers[0]!.calls().map(wordsOf);
  const second = requests.filter(text => text.includes('# Loom executor') && text.includes('Attempt: 2'));
  expect(second[0]).toContain('The year 1999 is not mentioned in report.md.');
  expect(second[0]).toContain('report.md');
  // The verifier judges without the worker's transcript.
  const judged = requests.filter(text => text.includes('# Loom verifier'));
  expect(judged).toHaveLength(2);
  expect(judged[0]).toContain('no year');
  expect(ofType(events, 'subtask_retrying')[0]?.data).toMatchObject({ attempt: 2 });
});

interface Bad {
  name: string;
  toml?: string;
  entries: ScenarioEntry[];
  says: RegExp;
  status?: string;
}

const never: Bad[] = [
  {
    name: 'an answer that says blocked',
    entries: [
      always(says('report', '{"status":"blocked","reason":"the password of the database is missing"}')),
    ],
    says: /password of the database/,
  },
  {
    name: 'a partial answer',
    entries: [
      always(
        says('report', { status: 'partial', summary: 'half of it', reason: 'the second half is missing' }),
      ),
    ],
    says: /second half is missing/,
  },
  {
    name: 'a failed answer',
    entries: [always(says('report', { status: 'failed', reason: 'the compiler crashed' }))],
    says: /compiler crashed/,
  },
  {
    name: 'a status nobody knows',
    entries: [always(says('report', { status: 'sort of', reason: 'hard to say' }))],
    says: /hard to say/,
  },
  {
    name: 'calls without end',
    toml: '[limits.runner]\nmax_tool_iterations = 4\n',
    entries: Array.from({ length: 20 }, (_, i) => calls('report', call('list_directory', { path: `d${i}` }))),
    says: /did not finish within/,
  },
  {
    name: 'the same call for ever',
    entries: [always(calls('report', call('read_file', { path: 'missing.md' })))],
    says: /repeating the same calls/,
  },
  {
    name: 'answers cut off for ever',
    entries: [{ ...always(says('report', 'I wrote report.md and it is')), finish: 'length' }],
    says: /cut off/,
  },
  {
    name: 'empty answers for ever',
    entries: [always(says('report', ''))],
    says: /cut off|empty/,
  },
];

test.each(never)(
  '$name is never completed, and the reason can be acted on',
  async ({ toml = '', entries, says: words }) => {
    const here = keep(scriptedLab(one(...entries), `max_subtask_retries = 1\n${NO_REPLAN}${toml}`));
    // The file is there already: only honesty stands between this answer and a success.
    here.write('report.md', 'there before\n');
    const { result, events } = await here.go('Write the report');
    expect(result.status).toBe('failed');
    expect(result.exit_code).toBe(1);
    expect(result.subtasks[0]?.status).not.toBe('completed');
    expect(result.error?.message).toMatch(words);
    expect(result.error?.message).toContain('report');
    expect(events.at(-1)?.event_type).toBe('task_failed');
  },
);

test('a blocked subtask is not tried again: its reason needs a person', async () => {
  const here = lying(NO_REPLAN, says('report', { status: 'blocked', reason: 'no access' }));
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.subtasks[0]).toMatchObject({ status: 'blocked', attempts: 1 });
});

const reviewed = (...verdicts: ScenarioEntry[]) =>
  script(
    plan({ id: 'report', files: ['report.md'], tier: 2 }),
    always({ ...writes('report', 'report.md'), step: 0 }),
    always(done('report', ['report.md'])),
    ...verdicts,
  );

test.each(['Looks fine to me!', '', '{"passed": "maybe"}', '{"verdict": '])(
  'a verifier that answers %j for ever never completes a run',
  async answer => {
    const garbage = always({ role: 'verifier', reply: answer });
    const here = keep(scriptedLab(reviewed(garbage), `max_subtask_retries = 1\n${NO_REPLAN}`));
    const { result } = await here.go('Write the report');
    expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
    expect(result.error?.message).toMatch(/verif/i);
  },
);

test('an unreadable verdict is asked for once more before the work is redone', async () => {
  const here = keep(
    scriptedLab(reviewed({ role: 'verifier', reply: 'Looks fine to me!' }, verdict('report', true))),
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]?.attempts).toBe(1);
});

test('a verdict that contradicts itself counts as a failure', async () => {
  const contradiction = always({
    role: 'verifier',
    reply: { passed: true, outcome: 'fail', confidence: 0.9, feedback: 'Not good.', issues: ['wrong'] },
  });
  const here = keep(scriptedLab(reviewed(contradiction), `max_subtask_retries = 0\n${NO_REPLAN}`));
  expect((await here.go('Write the report')).result).toMatchObject({ status: 'failed', exit_code: 1 });
});

test('a verifier that cannot be reached parks the run with exit 5, and resume completes it', async () => {
  const here = keep(lab());
  const worker = await here.serve('openai', reviewed());
  const judge = await here.serve('openai', script(verdict('report', true)));
  const { port } = new URL(judge.url);
  await judge.stop();
  const model = (alias: string, url: string, roles: string) => `[models.${alias}]
provider = "openai_compatible"
base_url = "${url}"
model = "${alias}"
roles = ${roles}
context_tokens = 32768
`;
  here.config(
    `${QUICK}${model('worker', worker.url, '["planner", "executor"]')}${model('judge', judge.url, '["verifier"]')}`,
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ exit_code: 5, error: { code: 'no_model' } });
  expect(result.status).not.toBe('completed');
  expect(result.error?.message).toContain(port);
  const { startFakeServer } = await import('../support/fake-server.ts');
  here.servers.push(await startFakeServer('openai', script(verdict('report', true)), {}, Number(port)));
  const before = worker.calls().length;
  const { result: after } = await here.goOn(result.task_id);
  expect(after).toMatchObject({ status: 'completed', exit_code: 0 });
  // What was done is not done again.
  expect(worker.calls()).toHaveLength(before);
});

test('a failure for good asks for another plan, and what was finished stays', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'base', files: ['base.md'] }, { id: 'top', needs: ['base'], files: ['top.md'] }),
        delivers('base', 'base.md'),
        always(says('top', { status: 'failed', reason: 'no such approach' })),
        {
          role: 'replanner',
          reply: {
            subtasks: [
              {
                id: 'other-top',
                description: 'Another way.',
                depends_on: ['base'],
                verification_tier: 1,
                deliverables: ['top.md'],
                is_critical_path: true,
              },
            ],
          },
        },
        delivers('other-top', 'top.md'),
      ),
      'max_subtask_retries = 0\n',
    ),
  );
  const { result } = await here.go('Build it');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks.map(subtask => [subtask.id, subtask.status])).toEqual([
    ['base', 'completed'],
    ['other-top', 'completed'],
  ]);
});

test('writing again what is there already is no lie', async () => {
  // Checks cannot tell it from work that was only pretended, so somebody reads it.
  const here = lying(NO_REPLAN, delivers('report', 'report.md', 'the same\n'), verdict('report', true));
  here.write('report.md', 'the same\n');
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0, files_changed: [] });
});

test.each(['openai', 'anthropic'] as const)(
  'a refusal over %s is no answer, whatever it says',
  async kind => {
    const refusal = always({
      ...says('report', '{"status":"success","summary":"I cannot help with that."}'),
    });
    const here = keep(
      await servedLab(kind, script(plan({ id: 'report' }), { ...refusal, finish: 'refusal' }), {
        toml: `max_subtask_retries = 1\n${NO_REPLAN}`,
      }),
    );
    const { result } = await here.go('Write the report');
    expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
    expect(result.error?.message).toMatch(/refused/);
  },
);

test('an attempt that did nothing and does not even say that it succeeded is no success', async () => {
  const words = always(says('report', 'I am sorry, but I cannot help with that.'));
  const here = keep(
    scriptedLab(script(plan({ id: 'report' }), words), `max_subtask_retries = 1\n${NO_REPLAN}`),
  );
  const { result } = await here.go('Look into it');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  // Nobody is there to judge it, and doing it anew would not change that.
  expect(result.subtasks[0]?.attempts).toBe(1);
});

const judged = (...verdicts: ScenarioEntry[]) =>
  script(
    plan({ id: 'report', files: ['report.md'], tier: 3 }),
    { ...writes('report', 'report.md'), step: 0 },
    { ...done('report', ['report.md']), step: 1 },
    ...verdicts,
  );

test('of three verifiers two decide', async () => {
  const yes = keep(
    scriptedLab(judged(verdict('report', true), verdict('report', false), verdict('report', true))),
  );
  const { result } = await yes.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]?.verification?.confidence).toBeCloseTo(2 / 3);
  const no = keep(
    scriptedLab(
      judged(verdict('report', true), verdict('report', false), verdict('report', false)),
      `max_subtask_retries = 0\n${NO_REPLAN}`,
    ),
  );
  expect((await no.go('Write the report')).result).toMatchObject({ status: 'failed', exit_code: 1 });
});
