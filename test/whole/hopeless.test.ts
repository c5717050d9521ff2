/** A subtask that nobody can do ends, with default settings, after few model calls and with a reason that helps. Requests
 *  are counted where they arrive. */
import { expect, test } from 'vitest';
import type { RunResult } from '../../actors/loom.ts';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { lab, ofType, QUICK, wordsOf } from '../support/lab.ts';
import { serverToml } from '../support/loom-process.ts';
import { always, call, script } from '../support/script.ts';

const { keep } = ending();

const MOST_CALLS = 20;

const work = (id: string, tier: number) => ({
  id,
  description: 'Write report.md about the moons of a planet that has none.',
  depends_on: [],
  verification_tier: tier,
  is_critical_path: false,
  acceptance_criteria: 'report.md names three moons.',
  deliverables: ['report.md'],
});

/** The planner never tires: each new plan has the same work under another name. */
const plans = (tier: number): ScenarioEntry[] => [
  { role: 'planner', reply: { subtasks: [work('report', tier)] } },
  ...['other', 'third', 'fourth', 'fifth'].map(id => ({
    role: 'replanner',
    reply: { subtasks: [work(id, tier)] },
  })),
];

const executor = (entry: Omit<ScenarioEntry, 'role'>): ScenarioEntry => ({ role: 'executor', ...entry });
const claims = { status: 'success', summary: 'I wrote report.md.', deliverables_touched: ['report.md'] };
const writes = { calls: [call('write_file', { path: 'report.md', content: 'No moons.\n' })] };
const rejection = (words: string): ScenarioEntry => ({
  role: 'verifier',
  reply: {
    passed: false,
    outcome: 'fail',
    reason_code: 'llm_semantic_failed',
    confidence: 0.9,
    feedback: words,
    issues: [words],
  },
});
const works = [always(executor({ step: 0, ...writes })), always(executor({ step: 1, reply: claims }))];
const WORDS = 'name date order style length source title table figure index note list link quote'.split(' ');

const advisorToml = (url: string, model: string, role: string) => `
[models.advisor]
provider = "openai_compatible"
base_url = "${url}"
model = "${model}"
api_key = "sk-test"
roles = ["${role}"]
context_tokens = 32768
`;

interface Hopeless {
  name: string;
  tier?: number;
  entries: ScenarioEntry[];
  /** What happened, and what to do about it. */
  says: RegExp[];
}

const hopeless: Hopeless[] = [
  {
    name: 'an executor that always fails in the same way',
    entries: [always(executor({ reply: claims }))],
    says: [/report\.md does not exist/, /failed exactly like/, /stronger model/],
  },
  {
    name: 'an executor that fails differently every time',
    entries: [
      always(executor({ attempt: 1, reply: claims })),
      always(executor({ attempt: 2, reply: { status: 'failed', reason: 'there is nothing to find' } })),
      always(
        executor({ attempt: 3, step: 0, calls: [call('write_file', { path: 'report.md', content: '' })] }),
      ),
      always(executor({ attempt: 3, step: 1, reply: claims })),
      always(executor({ attempt: 4, reply: { status: 'partial', reason: 'one moon is missing' } })),
    ],
    says: [/Given up after \d attempts?/, /stronger model/],
  },
  {
    name: 'a verifier that always rejects, in the same words',
    tier: 2,
    entries: [...works, always(rejection('The third moon is missing.'))],
    says: [/third moon is missing/, /failed exactly like/],
  },
  {
    name: 'a verifier that always rejects, each time for another reason',
    tier: 2,
    entries: [...works, ...WORDS.map(word => rejection(`The ${word} is wrong.`))],
    says: [/is wrong/, /Given up after \d attempts?/],
  },
  {
    name: 'a verifier that nobody can read',
    tier: 2,
    entries: [...works, always({ role: 'verifier', reply: 'Looks fine to me!' })],
    says: [/verifier|reviewer/i, /could not be judged/, /loom models --check/],
  },
  {
    name: 'an executor that only looks around, each time at something else',
    entries: Array.from({ length: 40 }, (_, step) =>
      always(executor({ step, calls: [call('read_file', { path: `moons/${step}.md` })] })),
    ),
    says: [/changed no file/, /model calls were spent/, /another model/],
  },
  {
    name: 'an executor that runs another command each time',
    entries: Array.from({ length: 40 }, (_, step) =>
      always(executor({ step, calls: [call('shell_execute', { command: `echo attempt ${step}` })] })),
    ),
    says: [/changed no file/, /model calls were spent/, /another model/],
  },
  {
    name: 'an executor that only loops',
    entries: [always(executor({ calls: [call('read_file', { path: 'missing.md' })] }))],
    says: [/repeating the same calls/, /another model/],
  },
];

const actable = (result: RunResult, says: RegExp[]) => {
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  const message = result.error?.message ?? '';
  expect(message).toMatch(/^subtask "[a-z]+" failed: /);
  for (const words of says) expect(message).toMatch(words);
};

test.each(hopeless)(
  '$name ends within 20 model calls, with a reason',
  async ({ tier = 1, entries, says }) => {
    const here = lab();
    keep(here);
    const server = await here.serve('openai', script(plans(tier), entries));
    here.config(`${QUICK}${serverToml('openai_compatible', server.url)}`);
    const { result, events } = await here.go('Write the report');
    actable(result, says);
    console.log(
      `${server.calls().length} model calls, ${result.subtasks[0]?.attempts} attempts at the last name`,
    );
    expect(server.calls().length).toBeLessThanOrEqual(MOST_CALLS);
    expect(ofType(events, 'subtask_failed').length).toBeGreaterThan(0);
  },
);

test.each(hopeless)(
  '$name ends within 20 model calls, advice included',
  async ({ tier = 1, entries, says }) => {
    const here = lab();
    keep(here);
    const server = await here.serve('openai', script(plans(tier), entries));
    const advice = always({ role: 'resolver', reply: 'Cause: no moons. 1. Say so in report.md.' });
    const advisor = await here.serve('openai', script(advice));
    here.config(
      `${QUICK}${serverToml('openai_compatible', server.url)}${advisorToml(advisor.url, 'advisor', 'resolver')}`,
    );
    const { result } = await here.go('Write the report');
    actable(result, says);
    const calls = server.calls().length + advisor.calls().length;
    console.log(`${calls} model calls, ${advisor.calls().length} of them for advice`);
    expect(calls).toBeLessThanOrEqual(MOST_CALLS);
  },
);

test('advice becomes part of the next attempt, and one that cannot be had changes nothing', async () => {
  const outcomes: RunResult['status'][] = [];
  for (const entry of [
    { role: 'resolver', reply: '1. Call write_file with the names of the moons.' },
    { role: 'resolver', error: { status: 400, message: 'no advice today' } },
  ]) {
    const here = lab();
    keep(here);
    const server = await here.serve(
      'openai',
      script(
        executor({ attempt: 1, reply: claims }),
        executor({ attempt: 2, step: 0, ...writes }),
        executor({ attempt: 2, step: 1, reply: claims }),
        always({
          role: 'verifier',
          reply: { passed: true, outcome: 'pass', confidence: 1, feedback: '', issues: [] },
        }),
      ),
    );
    // A planner of a higher tier than the executor's, which needs no role of its own for it.
    const advisor = await here.serve('openai', script(plans(1), always(entry)));
    here.config(
      `${QUICK}${serverToml('openai_compatible', server.url).replace('"planner", ', '')}${advisorToml(advisor.url, 'big-70b', 'planner')}`,
    );
    const { result } = await here.go('Write the report');
    outcomes.push(result.status);
    const asked = advisor
      .calls()
      .map(wordsOf)
      .find(words => words.includes('# Loom resolver'))!;
    expect(asked).toContain('report.md does not exist');
    const second = server
      .calls()
      .map(wordsOf)
      .find(words => words.includes('Attempt: 2'))!;
    expect(second.includes('Call write_file with the names')).toBe('reply' in entry);
    expect(result.subtasks[0]).toMatchObject({ attempts: 2 });
  }
  expect(outcomes).toEqual(['completed', 'completed']);
});
