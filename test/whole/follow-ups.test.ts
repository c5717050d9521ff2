/** What a reviewer could not confirm is followed up: looked up, in the end taken out, or said to be open. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { ending } from '../support/ending.ts';
import { type Lab, ofType, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import { always, delivers, done, type Node, says, script, subtasks, writes } from '../support/script.ts';

const { keep } = ending();
const NO_REPLAN = 'max_task_replans = 0\n';
const QUEUE = '[verification]\nremediation_queue_backoff_seconds = 0.05\n';

const ordinary = (...nodes: Node[]): ScenarioEntry => ({
  role: 'planner',
  reply: { subtasks: subtasks(nodes).map(node => ({ ...node, is_critical_path: false })) },
});
const review = (subtask: string, outcome: string, feedback = '', more = {}): ScenarioEntry => ({
  role: 'verifier',
  subtask,
  reply: {
    passed: outcome !== 'fail',
    outcome,
    reason_code: outcome === 'fail' ? 'unconfirmed_claims' : '',
    severity_class: 'semantic',
    confidence: 0.9,
    feedback,
    issues: feedback ? [feedback] : [],
    metadata: {},
    ...more,
  },
});
const facts = { id: 'facts', files: ['facts.md'], tier: 2 as const };
const CLAIM = 'That there are 95 moons is shown nowhere.';
const attempt = (n: number, content: string): ScenarioEntry[] =>
  [writes('facts', 'facts.md', content), done('facts', ['facts.md'])].map(entry => ({
    ...entry,
    attempt: n,
  }));

const items = async (here: Lab, run: string): Promise<unknown[]> => {
  const reader = await openLmdbReader(here.home);
  try {
    return (await reader.range(run, 'rem/')).map(({ value }) => value);
  } finally {
    await reader.close();
  }
};
const names = (events: Parameters<typeof ofType>[0]) =>
  events.map(event => event.event_type).filter(name => name.startsWith('remediation'));

test('an unconfirmed result holds back what depends on it until its follow-up is accepted', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        ordinary(facts, { id: 'report', needs: ['facts'], files: ['report.md'] }),
        ...attempt(1, '95 moons\n'),
        review('facts', 'fail', CLAIM),
        ...attempt(2, '95 moons (list.txt)\n'),
        review('facts', 'pass'),
        ...delivers('report', 'report.md'),
      ),
      { toml: NO_REPLAN + QUEUE },
    ),
  );
  const { result, events } = await here.go('Report on moons');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({ status: 'completed', attempts: 2 });
  expect(names(events)).toEqual([
    'remediation_queued',
    'remediation_started',
    'remediation_attempt',
    'remediation_resolved',
    'remediation_terminal',
  ]);
  expect(ofType(events, 'unconfirmed_data_queued')).toHaveLength(1);
  expect(ofType(events, 'subtask_failed')).toEqual([]);
  const order = events.filter(event =>
    ['remediation_resolved', 'subtask_started'].includes(event.event_type),
  );
  expect(order.map(event => event.data['subtask_id'])).toEqual(['facts', 'facts', 'report']);
  expect(await items(here, result.task_id)).toMatchObject([
    { state: 'resolved', attempts: 1, blocking: true },
  ]);
  const told = here.servers[0]!.calls()
    .map(wordsOf)
    .find(words => words.includes('What is left to do'))!;
  expect(told).toContain(CLAIM);
  expect(told).toContain('Look each of them up');
});

test('what cannot be confirmed is taken out in the end', async () => {
  const here = keep(
    scriptedLab(
      script(
        ordinary(facts),
        ...attempt(1, '95 moons\n'),
        review('facts', 'fail', CLAIM),
        ...attempt(2, 'About 95 moons\n'),
        review('facts', 'fail', `${CLAIM} Still.`),
        ...attempt(3, 'Some moons\n'),
        review('facts', 'pass'),
      ),
      `${NO_REPLAN}${QUEUE}remediation_queue_max_attempts = 2\n`,
    ),
  );
  const { result, events } = await here.go('Facts');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'facts.md': 'Some moons\n' });
  const phases = ofType(events, 'remediation_attempt').map(event => event.data['phase']);
  expect(phases).toEqual(['confirm', 'prune']);
  expect(await items(here, result.task_id)).toMatchObject([{ state: 'pruned', attempts: 2 }]);
});

test('what is never accepted fails its subtask once, within few calls, and says what to do', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        ordinary(facts),
        always({ ...writes('facts', 'facts.md', '95 moons\n'), step: 0 }),
        always({ ...done('facts', ['facts.md']), step: 1 }),
        ...['one', 'two', 'three', 'four', 'five'].map(word =>
          review('facts', 'fail', `${CLAIM} Claim ${word}.`),
        ),
      ),
      { toml: NO_REPLAN + QUEUE },
    ),
  );
  const { result, events } = await here.go('Facts');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.error?.message).toMatch(/shown nowhere.*follow-up failed after 3 of 3 attempts.*sources/);
  expect(ofType(events, 'subtask_failed')).toHaveLength(1);
  expect(result.subtasks[0]).toMatchObject({ status: 'failed', attempts: 4 });
  expect(here.servers[0]!.calls().length).toBeLessThanOrEqual(20);
});

test('what was accepted in part is completed, followed up beside the work, and its end waits for no success', async () => {
  const here = keep(
    scriptedLab(
      script(
        ordinary(facts, { id: 'report', needs: ['facts'], files: ['report.md'] }),
        ...attempt(1, '95 moons\n'),
        review('facts', 'partial_verified', CLAIM),
        always({ ...says('facts', { status: 'failed', reason: 'there is no list' }), attempt: 2 }),
        always({ ...says('facts', { status: 'failed', reason: 'there is no list' }), attempt: 3 }),
        ...delivers('report', 'report.md'),
      ),
      `${NO_REPLAN}[verification]\nremediation_queue_backoff_seconds = 30\n`,
    ),
  );
  const { result, events } = await here.go('Report');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({
    status: 'completed',
    verification: { outcome: 'partial_verified' },
  });
  // It would have waited half a minute for its second attempt.
  expect(result.duration_ms).toBeLessThan(15_000);
  expect(await items(here, result.task_id)).toMatchObject([
    { state: 'expired', blocking: false, attempts: 1 },
  ]);
  expect(names(events).slice(-2)).toEqual(['remediation_expired', 'remediation_terminal']);
});

test('what was left open and is confirmed after all counts as confirmed', async () => {
  const here = keep(
    scriptedLab(
      script(
        ordinary(facts),
        ...attempt(1, '95 moons\n'),
        review('facts', 'pass_with_warnings', CLAIM, { metadata: { remediation_required: true } }),
        ...attempt(2, '95 moons (list.txt)\n'),
        review('facts', 'pass'),
      ),
      NO_REPLAN + QUEUE,
    ),
  );
  const { result } = await here.go('Facts');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({ attempts: 2, verification: { outcome: 'pass' } });
  expect(here.tree()).toEqual({ 'facts.md': '95 moons (list.txt)\n' });
});

test('a follow-up goes on after the run was stopped in the middle of it, by another process', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        ordinary(facts),
        ...attempt(1, '95 moons\n'),
        review('facts', 'fail', CLAIM),
        ...attempt(2, '95 moons (list.txt)\n'),
        review('facts', 'pass'),
      ),
      { toml: NO_REPLAN + QUEUE },
    ),
  );
  const { result } = await here.go('Facts', { max_model_calls: 5 });
  expect(result).toMatchObject({ exit_code: 6, error: { code: 'budget' } });
  expect(await items(here, result.task_id)).toMatchObject([{ state: 'running' }]);
  await here.reopen();
  const { result: after, events } = await here.goOn(result.task_id, { max_model_calls: 50 });
  expect(after, after.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(names(events)).toEqual(['remediation_resolved', 'remediation_terminal']);
});

test('an item ends when its time is over, whatever it is doing', async () => {
  const here = keep(
    scriptedLab(
      script(
        ordinary(facts),
        ...attempt(1, '95 moons\n'),
        review('facts', 'fail', CLAIM),
        always({ ...done('facts', ['facts.md']), attempt: 2, delay_ms: 20_000 }),
      ),
      `${NO_REPLAN}[verification]\nremediation_queue_ttl_seconds = 1\n`,
    ),
  );
  const { result } = await here.go('Facts');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.error?.message).toContain('its time is over');
  expect(result.duration_ms).toBeLessThan(15_000);
  expect(await items(here, result.task_id)).toMatchObject([{ state: 'expired' }]);
});

test.each([
  ['remediation_mode = "off"', 'fail'],
  ['allow_partial_verified = false\nremediation_mode = "off"', 'partial_verified'],
])('%s: the retry ladder alone', async (toml, outcome) => {
  const here = keep(
    scriptedLab(
      script(
        ordinary(facts),
        ...attempt(1, '95 moons\n'),
        review('facts', outcome, CLAIM),
        ...attempt(2, '95 moons (list.txt)\n'),
        review('facts', 'pass'),
      ),
      `${NO_REPLAN}[verification]\n${toml}\n`,
    ),
  );
  const { result, events } = await here.go('Facts');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(names(events)).toEqual([]);
  expect(ofType(events, 'subtask_retrying')).toMatchObject([{ data: { failure_class: 'unconfirmed_data' } }]);
});
