/** What runs teach later ones: where a kind of work starts, what it was sent back for, which plans worked. Real runs over
 *  real servers, one per model; nothing is put into the store by hand. */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { JournalEvent, LearnedPattern } from '../../actors/loom.ts';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { openTerminal } from '../cli/terminal.ts';
import { type Lab, lab, ofType, QUICK, servedLab, wordsOf } from '../support/lab.ts';
import { always, done, script, subtasks, verdict, writes } from '../support/script.ts';

const labs: Lab[] = [];
const keep = (made: Lab): Lab => {
  labs.push(made);
  return made;
};
afterEach(async () => {
  for (const made of labs.splice(0)) await made.end();
});

const model = (alias: string, url: string, roles: string[], tier: number) => `[models.${alias}]
provider = "openai_compatible"
base_url = "${url}/v1"
model = "org/${alias}"
api_key = "sk-test"
context_tokens = 32768
tier = ${tier}
roles = ${JSON.stringify(roles)}
`;

interface Work {
  goal: string;
  doc: string;
  code: string;
}

/** Two subtasks a run: a document and a module, with names that differ from run to run. */
const works = (seed: number, count: number): Work[] => {
  const word = fc.constantFrom('amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heath');
  return fc
    .sample(fc.tuple(word, word), { seed, numRuns: count })
    .map(([a, b], i) => ({ goal: `Job ${i}: ${a} and ${b}`, doc: `${a}-${i}.md`, code: `${b}-${i}.js` }));
};

const planOf = ({ goal, doc, code }: Work): ScenarioEntry => ({
  role: 'planner',
  goal,
  reply: {
    subtasks: subtasks([
      { id: 'doc', files: [doc], description: `Write ${doc}.` },
      { id: 'code', files: [code], description: `Write ${code}.` },
    ]),
  },
});

const fromGoal = (work: Work, entry: ScenarioEntry): ScenarioEntry => ({
  ...entry,
  goal: work.goal,
  repeat: true,
});

const coding = (work: Work): ScenarioEntry[] => [
  fromGoal(work, { ...writes('code', work.code, 'export const a = 1;\n'), step: 0 }),
  fromGoal(work, { ...done('code', [work.code]), step: 1 }),
];

/** The small model writes code but only talks of documents; the big one does both. */
const small = (all: Work[]): string =>
  script(
    always({ role: 'executor', subtask: 'doc', reply: { status: 'success', summary: 'I wrote it.' } }),
    ...all.map(coding),
  );
const big = (all: Work[]): string =>
  script(
    ...all.map(work => [
      planOf(work),
      ...coding(work),
      fromGoal(work, { ...writes('doc', work.doc, '# Title\n\nWords.\n'), step: 0 }),
      fromGoal(work, { ...done('doc', [work.doc]), step: 1 }),
    ]),
  );

async function twoModels(all: Work[]): Promise<Lab> {
  const here = keep(lab());
  const weak = await here.serve('openai', small(all));
  const strong = await here.serve('openai', big(all));
  here.config(
    `${QUICK}${model('small', weak.url, ['executor'], 1)}${model('big', strong.url, ['planner', 'executor', 'verifier'], 2)}`,
  );
  return here;
}

/** Where the subtasks of a run started, by its journal. */
const starts = (events: JournalEvent[]) =>
  Object.fromEntries(
    ofType(events, 'model_tier_chosen').map(({ data }) => [
      String(data['subtask_id']),
      { tier: data['tier'], alias: data['alias'], reason: data['reason'] },
    ]),
  );

const firstAnswer = (events: JournalEvent[], subtask: string): unknown =>
  ofType(events, 'model_invocation').find(
    ({ data }) => data['phase'] === 'done' && data['role'] === 'executor' && data['subtask_id'] === subtask,
  )?.data['alias'];

const PLANNED = { tier: 1, alias: 'small', reason: 'planned' };
const LEARNED = { tier: 2, alias: 'big', reason: 'learned' };

test('twenty runs in which the small model fails at documents make the next start at the big one, until all is forgotten', async () => {
  const all = works(10, 22);
  const here = await twoModels(all);
  const journals: JournalEvent[][] = [];
  for (const { goal } of all.slice(0, 20)) {
    const { result, events } = await here.go(goal);
    expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
    journals.push(events);
  }
  // Four failures without a success are enough to be sure; code never moves.
  expect(journals.map(events => starts(events)['doc'])).toEqual([
    ...Array.from({ length: 4 }, () => PLANNED),
    ...Array.from({ length: 16 }, () => LEARNED),
  ]);
  for (const events of journals) expect(starts(events)['code']).toEqual(PLANNED);

  const { result, events } = await here.go(all[20]!.goal);
  expect(starts(events)).toEqual({ doc: LEARNED, code: PLANNED });
  expect([firstAnswer(events, 'doc'), firstAnswer(events, 'code')]).toEqual(['big', 'small']);
  expect(result.subtasks.map(({ id, attempts }) => [id, attempts])).toEqual([
    ['doc', 1],
    ['code', 1],
  ]);
  await here.loom.close();

  const { value } = await here.json<LearnedPattern[]>(['learned', '--all']);
  const rates = value.filter(pattern => pattern.type === 'success_rate');
  expect(rates.map(({ data, seen, active }) => ({ ...data, seen, active }))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ alias: 'small', kind: 'docs/create', passed: 0, failed: 4, active: true }),
      expect.objectContaining({ alias: 'small', kind: 'code/create', passed: 21, failed: 0, active: false }),
      expect.objectContaining({ alias: 'big', kind: 'docs/create', passed: 21, failed: 0, active: false }),
    ]),
  );
  const shown = await here.run(['learned', '--all']);
  expect(shown.stdout).toMatch(/success_rate .*small \(org\/small\) as executor, docs\/create: 0 of 4 done/);
  const quiet = await here.run(['learned']);
  expect(quiet.stdout).toContain('docs/create: 0 of 4');
  expect(quiet.stdout).not.toContain('code/create: 21 of 21');
  expect(quiet.stdout).toContain('loom learned --all');

  const unasked = await here.run(['reset-learning']);
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  const reset = await here.json<{ removed: number }>(['reset-learning', '--yes']);
  expect(reset.value.removed).toBe(value.length);
  expect((await here.json(['learned', '--all'])).value).toEqual([]);
  await here.reopen();
  expect(starts((await here.go(all[21]!.goal)).events)).toEqual({ doc: PLANNED, code: PLANNED });
});

test('the same runs lead to the same choices, at another time and place', async () => {
  const all = works(11, 6);
  const choices = async (): Promise<unknown[]> => {
    const here = await twoModels(all);
    const made: unknown[] = [];
    for (const { goal } of all) {
      const { events } = await here.go(goal);
      made.push(
        ofType(events, 'model_tier_chosen')
          .map(({ data }) => data)
          .sort(bySubtask),
      );
    }
    return made;
  };
  const first = await choices();
  expect(first).toEqual(await choices());
  expect(new Set(first.flat().map(data => (data as { tier: number }).tier))).toEqual(new Set([1, 2]));
});

const bySubtask = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  String(a['subtask_id']) < String(b['subtask_id']) ? -1 : 1;

test('a run that was stopped in the middle goes on where it started, whatever was learned in the meantime', async () => {
  const all = works(12, 6);
  const here = await twoModels(all);
  for (const { goal } of all.slice(0, 3)) await here.go(goal);
  // Chosen while only three failures are known, and stopped before the model has answered.
  const stop = new AbortController();
  const { result } = await here.go(all[3]!.goal, {
    signal: stop.signal,
    onEvent: ({ event_type, data }) => {
      if (event_type === 'model_tier_chosen' && data['subtask_id'] === 'doc') stop.abort();
    },
  });
  expect(result.exit_code).toBe(130);
  const { events: between } = await here.go(all[4]!.goal, { adopt: false });
  expect(starts(between)['doc']).toEqual(PLANNED);
  const { events } = await here.goOn(result.task_id);
  expect(ofType(events, 'model_tier_chosen').filter(({ data }) => data['subtask_id'] === 'doc')).toEqual([]);
  expect(firstAnswer(events, 'doc')).toBe('small');
  expect(starts((await here.go(all[5]!.goal)).events)['doc']).toEqual(LEARNED);
});

const REWORK = [
  {
    role: 'planner',
    reply: {
      subtasks: subtasks([{ id: 'report', files: ['report.md'], tier: 2, description: 'Write report.md.' }]),
    },
    repeat: true,
  },
  { ...writes('report', 'report.md', '# Report\n\nWords.\n'), step: 0, repeat: true },
  { ...done('report', ['report.md']), step: 1, repeat: true },
];

test('what made a kind of work pass is told to the next executor of the same workspace, and to no other', async () => {
  const feedback = 'The report must end with a list of sources.';
  const here = keep(
    await servedLab(
      'openai',
      script(...REWORK, verdict('report', false, feedback), always(verdict('report', true))),
    ),
  );
  const asked = () =>
    here.servers[0]!.calls()
      .map(wordsOf)
      .filter(text => text.includes('# Loom executor'));
  expect((await here.go('Report on amber')).result.subtasks[0]).toMatchObject({ attempts: 2 });
  const before = asked().length;
  await here.go('Report on birch');
  expect(asked()[before]).toContain('What work of this kind was sent back for before');
  expect(asked()[before]).toContain(feedback);
  const known = await here.loom.learned();
  expect(known.filter(pattern => pattern.type === 'retry_hint')).toMatchObject([
    { seen: 1, active: true, data: { kind: 'docs/create', code: 'llm_semantic_failed', feedback } },
  ]);

  const elsewhere = asked().length;
  await here.go('Report on cedar', { workspace: here.folder });
  expect(asked()[elsewhere]).not.toContain('list of sources');

  // Words about files go with the last run of their workspace.
  const hints = async () => (await here.loom.learned()).filter(({ type }) => type === 'retry_hint').length;
  await here.loom.purge(here.folder);
  expect(await hints()).toBe(1);
  await here.loom.purge(here.workspace);
  expect(await hints()).toBe(0);
});

test('the shape of a plan that completed is offered to the planner of a similar goal alone', async () => {
  const here = keep(await servedLab('openai', script(...REWORK, always(verdict('report', true)))));
  const asked = () =>
    here.servers[0]!.calls()
      .map(wordsOf)
      .filter(text => text.includes('# Loom planner'));
  await here.go('Write the quarterly report about cedar sales');
  expect(asked()[0]).not.toContain('Plans that worked');
  await here.go('Write the quarterly report about birch sales');
  expect(asked()[1]).toContain('Plans that worked for similar goals');
  expect(asked()[1]).toContain('completed once: 1 docs/create (model_tier 1, verification_tier 2)');
  expect(asked()[1]!.split('report.md').length).toBe(asked()[0]!.split('report.md').length + 1);
  await here.go('Paint the garden fence');
  expect(asked()[2]).not.toContain('Plans that worked');
});

test('one pattern is forgotten by its id, and an unknown id is an error', async () => {
  const here = keep(await servedLab('openai', script(...REWORK, always(verdict('report', true)))));
  await here.go('Write the quarterly report about cedar sales');
  const known = await here.loom.learned();
  expect(known.map(pattern => pattern.type)).toEqual(['success_rate', 'success_rate', 'plan_template']);
  await here.loom.close();
  const gone = await here.run(['learned', '--delete', known[2]!.id]);
  expect([gone.code, gone.stdout]).toEqual([0, expect.stringMatching(/^Forgotten: goals about .*cedar/)]);
  const again = await here.run(['learned', '--delete', known[2]!.id]);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('loom learned --all')]);
  const left = await here.json<LearnedPattern[]>(['learned', '--type', 'success_rate', '--limit', '5']);
  expect(left.value).toEqual(known.slice(0, 2));
  const wrong = await here.run(['learned', '--type', 'sucess_rate']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean success_rate?')]);
});

test('on a terminal reset-learning says how much it would forget and asks; no leaves everything', async () => {
  const here = keep(await servedLab('openai', script(...REWORK, always(verdict('report', true)))));
  expect((await here.run(['learned'])).stdout).toContain('Nothing has been learned yet');
  await here.go('Write the quarterly report about cedar sales');
  const count = (await here.loom.learned()).length;
  await here.loom.close();
  const loom = join(import.meta.dirname, '..', '..', 'dist', 'loom.js');
  const variables = Object.entries(here.env).map(([name, value]) => `${name}='${value}'`);
  const command = `env -u CI ${variables.join(' ')} TERM=xterm '${process.execPath}' '${loom}' reset-learning`;
  const say = async (key: string, end: RegExp): Promise<string> => {
    const terminal = openTerminal(command, { columns: 120, rawFile: join(here.folder, 'raw.txt') });
    try {
      const asked = await terminal.until(/Forget all/);
      terminal.keys(key);
      await terminal.until(end);
      return asked;
    } finally {
      terminal.close();
    }
  };
  expect(await say('n', /exit 1/)).toContain(`Forget all ${count} learned patterns?`);
  expect((await here.json<LearnedPattern[]>(['learned', '--all'])).value).toHaveLength(count);
  await say('y', /exit 0/);
  expect((await here.json<LearnedPattern[]>(['learned', '--all'])).value).toEqual([]);
});

test('a server that is down counts against nobody, and who stood in gets the credit', async () => {
  const all = works(13, 1);
  const here = await twoModels(all);
  const [weak] = here.servers;
  await weak!.stop();
  expect((await here.go(all[0]!.goal)).result.exit_code).toBe(0);
  const rates = (await here.loom.learned()).filter(pattern => pattern.type === 'success_rate');
  expect(rates.map(({ data }) => [data['alias'], data['kind'], data['passed']])).toEqual(
    expect.arrayContaining([
      ['big', 'docs/create', 1],
      ['big', 'code/create', 1],
      ['big', 'plan', 1],
    ]),
  );
  expect(rates).toHaveLength(3);
});
