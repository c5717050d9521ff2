/** Memory across subtasks: what one leaves reaches those it matters to, with its completion, and a model of its own may
 *  add to it but never take a subtask down. */
import { afterEach, expect, test } from 'vitest';
import type { MemoryEntry } from '../../actors/effects/rows.ts';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { type Lab, lab, ofType, QUICK, servedLab, wordsOf } from '../support/lab.ts';
import { call, calls, delivers, done, plan, script, shell, verdict, writes } from '../support/script.ts';

const labs: Lab[] = [];
const keep = (made: Lab): Lab => {
  labs.push(made);
  return made;
};
afterEach(async () => {
  for (const made of labs.splice(0)) await made.end();
});

const QUESTION = 'Which spelling shall be used?';
const HEADING = '## Known from earlier subtasks';

/** `top` depends on `base`; `side` comes later for want of room and names base's command; `far` has nothing to do with it. */
const chain = (...more: (ScenarioEntry | ScenarioEntry[])[]): string =>
  script(
    plan(
      { id: 'base', files: ['base.md'] },
      { id: 'top', needs: ['base'], files: ['top.md'] },
      { id: 'side', needs: ['top'], files: ['side.md'], criteria: '`sh check.sh` still passes' },
      { id: 'far', needs: ['side'], files: ['far.md'] },
    ),
    calls('base', call('ask_user', { question: QUESTION })),
    writes('base', 'base.md'),
    shell('base', 'sh check.sh'),
    shell('base', 'sh other.sh'),
    done('base', ['base.md']),
    delivers('top', 'top.md'),
    writes('side', 'side.md'),
    shell('side', 'sh check.sh'),
    done('side', ['side.md']),
    delivers('far', 'far.md'),
    ...more,
  );

const ALLOW = '[approval]\nallow = ["shell_execute"]\n';

function prepared(here: Lab): Lab {
  here.write('check.sh', 'echo fine\n');
  here.write('other.sh', 'echo other\n');
  return here;
}

/** The known facts that a subtask's first request carries. */
function known(here: Lab, subtask: string): string[] {
  const asked = here.servers[0]!.calls().find(
    request =>
      wordsOf(request).includes('# Loom executor') && wordsOf(request).includes(`Subtask: ${subtask}`),
  );
  const prompt = (asked!.body.messages as { role: string; content: string }[]).find(
    message => message.role === 'user',
  )!.content;
  const section = prompt.split('\n\n').find(part => part.startsWith(HEADING));
  return section?.split('\n').slice(1) ?? [];
}

test('dependents see answers of people and commands with exit codes; later subtasks what concerns them', async () => {
  const here = prepared(keep(await servedLab('openai', chain(), { toml: ALLOW })));
  const { result } = await here.go('Stack them', { onQuestion: async () => ({ answer: 'British' }) });
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(known(here, 'base')).toEqual([]);
  expect(known(here, 'top')).toEqual([
    `- base (decision): ${QUESTION} → British`,
    '- base (tool_result): sh other.sh → exit 0',
    '- base (tool_result): sh check.sh → exit 0',
  ]);
  // By its own dependency first, then by the command its criteria name, then what holds for the whole task.
  expect(known(here, 'side')).toEqual([
    '- base (tool_result): sh check.sh → exit 0',
    `- base (decision): ${QUESTION} → British`,
  ]);
  expect(known(here, 'far')).toEqual([
    '- side (tool_result): sh check.sh → exit 0',
    `- base (decision): ${QUESTION} → British`,
  ]);
});

test('what is remembered is committed with the completion of its subtask', async () => {
  const here = prepared(keep(await servedLab('openai', chain(), { toml: ALLOW })));
  const seen: Promise<MemoryEntry[][]>[] = [];
  const { result } = await here.go('Stack them', {
    onQuestion: async () => ({ answer: 'British' }),
    onEvent: ({ event_type, data, task_id }) => {
      if (event_type !== 'subtask_completed' || data['subtask_id'] !== 'base') return;
      // Another reader, at the moment the completion is told.
      seen.push(
        openLmdbReader(here.home).then(async reader => {
          const rows = await reader.range<MemoryEntry[]>(task_id, 'mem/');
          await reader.close();
          return rows.map(({ value }) => value);
        }),
      );
    },
  });
  expect(result.exit_code).toBe(0);
  const [entries] = (await seen[0])!;
  expect(entries!.map(({ type, relevance_to }) => [type, relevance_to])).toEqual([
    ['decision', ['top']],
    ['artifact', ['top']],
    ['tool_result', ['top']],
    ['tool_result', ['top']],
  ]);
  expect(entries![1]).toMatchObject({ subtask: 'base', summary: 'created base.md', tags: ['base.md'] });
});

const model = (alias: string, url: string, roles: string[]) => `[models.${alias}]
provider = "openai_compatible"
base_url = "${url}/v1"
model = "${alias}"
api_key = "sk-test"
context_tokens = 32768
roles = ${JSON.stringify(roles)}
`;

const PAIR = script(
  plan({ id: 'base', files: ['base.md'], tier: 2 }, { id: 'top', needs: ['base'], files: ['top.md'] }),
  delivers('base', 'base.md'),
  verdict('base', true),
  delivers('top', 'top.md'),
);

/** Two models: one that does everything but extracting, and one for that alone. */
async function withExtractor(scenario: string, toml = ''): Promise<Lab> {
  const here = keep(lab());
  const main = await here.serve('openai', PAIR);
  const reader = await here.serve('openai', scenario);
  const roles = ['planner', 'executor', 'verifier'];
  here.config(
    `${QUICK}${toml}${model('main', main.url, roles)}${model('reader', reader.url, ['extractor'])}`,
  );
  return here;
}

test('a model with the role extractor adds what only the report says', async () => {
  const entries = [
    {
      type: 'discovery',
      summary: 'The build needs Node 20.',
      tags: ['build'],
      relevance_to: ['top', 'nobody'],
    },
    { type: 'strange', summary: 'Names are short.', relevance_to: ['top'] },
    { type: 'context', summary: '' },
  ];
  const here = await withExtractor(
    script(
      { role: 'extractor', subtask: 'base', reply: { entries } },
      { role: 'extractor', reply: { entries: [] } },
    ),
  );
  const { result, events } = await here.go('Stack them');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(known(here, 'top')).toEqual([
    '- base (discovery): The build needs Node 20.',
    '- base (context): Names are short.',
  ]);
  expect(ofType(events, 'memory_extracted').map(({ data }) => data)).toEqual([
    { subtask_id: 'base', entries: 2 },
    { subtask_id: 'top', entries: 0 },
  ]);
  const [first] = here.servers[1]!.calls();
  expect(wordsOf(first!)).toContain('top: Do what top says.');
  expect(wordsOf(first!)).toContain('write_file base.md → done');
  expect(result.usage.model_calls).toBe(8);
});

test.each<[string, ScenarioEntry, string]>([
  ['answers with no list', { role: 'extractor', reply: 'Nothing special.' }, ''],
  ['refuses', { role: 'extractor', error: { status: 400, message: 'no' } }, ''],
  ['is down', { role: 'extractor', error: { status: 503, message: 'down' } }, ''],
  [
    'does not answer in time',
    { role: 'extractor', fault: 'hang' },
    '[limits.runner]\nextractor_timeout_guard_seconds = 0.3\n',
  ],
])('a subtask is done although its extractor %s', async (_, entry, toml) => {
  const here = await withExtractor(script({ ...entry, repeat: true }), toml);
  const { result, events } = await here.go('Stack them');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks.map(({ attempts }) => attempts)).toEqual([1, 1]);
  expect(known(here, 'top')).toEqual([]);
  expect(ofType(events, 'memory_extracted').map(({ data }) => data['entries'])).toEqual([0, 0]);
  expect(here.servers[1]!.calls().length).toBeGreaterThanOrEqual(2);
});

test('a single model that fills every role is never asked to extract', async () => {
  const here = keep(await servedLab('openai', PAIR));
  const { result, events } = await here.go('Stack them');
  expect(result.exit_code).toBe(0);
  expect(ofType(events, 'memory_extracted')).toEqual([]);
  expect(
    here.servers[0]!.calls()
      .map(wordsOf)
      .filter(text => text.includes('# Loom extractor')),
  ).toEqual([]);
});
