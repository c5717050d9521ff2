/** What real servers and small models do wrong, and that the run gets through it, or says what is wrong. */
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import type { FakeKind } from '../support/fake-server.ts';
import { lab, ofType, QUICK, servedLab, wordsOf } from '../support/lab.ts';
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
const KINDS: FakeKind[] = ['ollama', 'openai', 'anthropic'];
const report = plan({ id: 'report', files: ['report.md'] });
const ARGS = { path: 'report.md', content: 'It rained.\n' };
const finished = done('report', ['report.md']);

const written: [string, string][] = [
  ['bare JSON', JSON.stringify({ name: 'write_file', arguments: ARGS })],
  [
    'a code block',
    `I will write it now.\n\`\`\`json\n${JSON.stringify({ name: 'write_file', arguments: ARGS })}\n\`\`\``,
  ],
  ['tags', `<tool_call>\n${JSON.stringify({ name: 'write_file', arguments: ARGS })}\n</tool_call>`],
  [
    'a wrapped list',
    JSON.stringify({ tool_calls: [{ function: { name: 'write_file', arguments: JSON.stringify(ARGS) } }] }),
  ],
];

test.each(written)(
  'a tool call written as text (%s) is carried out, and the journal says so',
  async (_, text) => {
    const here = keep(await servedLab('ollama', script(report, says('report', text), finished)));
    const { result, events } = await here.go('Write the report');
    expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(here.read('report.md')).toBe('It rained.\n');
    expect(ofType(events, 'tool_call_completed')).toHaveLength(1);
    // What the model said is sent back to it as the call it was.
    const last = here.servers[0]!.calls().at(-1)!;
    expect(JSON.stringify(last.body.messages)).toContain('tool_calls');
  },
);

const broken: [string, string][] = [
  ['a trailing comma', '{"path": "report.md", "content": "It rained.\\n",}'],
  ['single quotes', "{'path': 'report.md', 'content': 'It rained.\\n'}"],
  ['a brace that is missing', '{"path": "report.md", "content": "It rained.\\n"'],
  ['a fence inside', '```json\n{"path": "report.md", "content": "It rained.\\n"}\n```'],
];

test.each(broken)(
  'arguments with %s are repaired, and labelled as repaired in the journal',
  async (_, raw) => {
    const here = keep(
      await servedLab('openai', script(report, calls('report', call('write_file', raw)), finished)),
    );
    const { result, events } = await here.go('Write the report');
    expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(here.read('report.md')).toBe('It rained.\n');
    expect(ofType(events, 'tool_call_repaired')[0]?.data).toMatchObject({
      subtask_id: 'report',
      tool: 'write_file',
    });
    const [repaired] = [ofType(events, 'tool_call_completed')[0]?.data['repaired'] as string[]];
    expect(repaired?.length).toBeGreaterThan(0);
  },
);

test('arguments in Python spelling and of the wrong type with one reading are repaired', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        report,
        calls('report', call('list_directory', "{'path': '.', 'recursive': True}")),
        writes('report', 'report.md'),
        finished,
      ),
    ),
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('arguments that cannot be read, and tools that do not exist, are told to the model, which corrects itself', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        report,
        calls(
          'report',
          call('write_file', 'path is report.md'),
          call('make_coffee', { cups: 2 }),
          call('read_file', { path: 'notes.md' }),
        ),
        writes('report', 'report.md'),
        finished,
      ),
    ),
  );
  here.write('notes.md', 'the notes\n');
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const answered = wordsOf(here.servers[0]!.calls()[2]!);
  // The good call ran; each bad one got an error of its own.
  expect(answered).toContain('the notes');
  expect(answered).toContain('make_coffee');
  expect(answered.match(/Error: /g)?.length).toBeGreaterThanOrEqual(2);
});

test.each(['ollama', 'openai'] as FakeKind[])(
  'a model whose %s server refuses tools works through its prompt; that is learned once and kept',
  async kind => {
    const asText = (name: string, args: object) =>
      says('report', `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`);
    const job = script(
      always(report),
      { ...asText('write_file', ARGS), step: 0, repeat: true },
      always(finished),
      // The second run writes what is there already, which only a reader can tell from no work.
      always(verdict('report', true)),
    );
    const here = keep(await servedLab(kind, job, { options: { refuseTools: true } }));
    const { result } = await here.go('Write the report');
    expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(here.read('report.md')).toBe('It rained.\n');
    const withTools = () => here.servers[0]!.calls().filter(sent => sent.body.tools?.length > 0).length;
    expect(withTools()).toBeLessThanOrEqual(1);
    const before = withTools();
    await here.reopen();
    expect((await here.go('Write the report again')).result.exit_code).toBe(0);
    expect(withTools()).toBe(before);
  },
);

test.each(KINDS)(
  'over %s, 429 with Retry-After is waited for, and cut streams are asked again',
  async kind => {
    const here = keep(
      await servedLab(
        kind,
        script(
          { role: 'planner', error: { status: 429, message: 'slow down', retry_after: 0.3 } },
          report,
          { ...says('report', 'I will write the report now, in all its length.'), fault: 'cut_stream' },
          writes('report', 'report.md'),
          { ...says('report', 'nothing'), error: { status: 503, message: 'overloaded' } },
          finished,
        ),
        { toml: 'model_call_retry_max_delay_seconds = 1.0\n' },
      ),
    );
    const previews: string[] = [];
    let resets = 0;
    const { result, events } = await here.go('Write the report', {
      onPreview: preview => {
        if (preview.reset) resets += 1;
        else previews.push(preview.text);
      },
    });
    expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
    const sent = here.servers[0]!.calls();
    expect(sent[1]!.at - sent[0]!.at).toBeGreaterThanOrEqual(290);
    const retried = ofType(events, 'model_invocation').filter(event => event.data['phase'] === 'retry');
    expect(retried).toHaveLength(3);
    // What was shown of the cut answer was taken back.
    expect(resets).toBeGreaterThanOrEqual(1);
    expect(result.usage.model_calls).toBe(3);
  },
);

test.each([400, 403])('an answer of %i is not asked again', async status => {
  const here = keep(
    await servedLab(
      'openai',
      script(always({ role: 'planner', error: { status, message: 'no such luck' } })),
      { toml: 'planner_degraded_mode = "deny"\n' },
    ),
  );
  const { result } = await here.go('Write the report');
  expect(result.exit_code).not.toBe(0);
  expect(result.error?.message).toContain('no such luck');
  // At most without the schema, in case that was refused; the same request is never sent twice.
  const bodies = here.servers[0]!.calls().map(sent => JSON.stringify(sent.body));
  expect(bodies.length).toBeLessThanOrEqual(2);
  expect(new Set(bodies).size).toBe(bodies.length);
});

test('an answer that is cut off is continued, and the parts count as one', async () => {
  const half = '{"status":"success","summary":"The report is wri';
  const here = keep(
    await servedLab(
      'openai',
      script(
        report,
        writes('report', 'report.md'),
        { ...says('report', half), finish: 'length' },
        says('report', 'tten.","deliverables_touched":["report.md"]}'),
      ),
    ),
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.summary).toContain('The report is written.');
  expect(wordsOf(here.servers[0]!.calls().at(-1)!)).toContain('cut off');
});

test('a call that is cut off inside is not carried out', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        report,
        {
          ...calls('report', call('write_file', '{"path": "report.md", "content": "It rai')),
          finish: 'length',
        },
        calls('report', call('write_file', ARGS)),
        finished,
      ),
    ),
  );
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.read('report.md')).toBe('It rained.\n');
  expect((await here.loom.changes(result.task_id)).length).toBe(1);
});

test('reasoning is kept apart: it is no answer, no claim, and goes back as the server wants it', async () => {
  for (const kind of KINDS) {
    const here = keep(
      await servedLab(
        kind,
        script(
          { ...report, reasoning: 'Maybe {"subtasks": []} is enough?' },
          { ...writes('report', 'report.md'), reasoning: 'I already wrote other.md, did I?' },
          { ...finished, reasoning: 'I created secret.md as well.' },
        ),
      ),
    );
    const { result } = await here.go('Write the report');
    expect(result, `${kind}: ${result.summary}`).toMatchObject({ status: 'completed', exit_code: 0 });
    expect(result.summary).not.toContain('secret.md');
  }
});

test('Ollama is always told its window, and a prompt that it cut is warned of', async () => {
  const here = keep(lab());
  const server = await here.serve('ollama', script(report, always(writes('report', 'report.md'))), {
    window: 2_048,
  });
  here.config(`${QUICK}max_subtask_retries = 0\nmax_task_replans = 0
[limits.runner]
max_tool_iterations = 4
[models.main]
provider = "ollama"
base_url = "${server.url}"
model = "small"
context_tokens = 32768
max_tokens = 512
`);
  for (let i = 0; i < 30; i++) here.write(`folder-${i}/a-rather-long-file-name-${i}.txt`, 'x'.repeat(200));
  const { events } = await here.go(
    `Write the report. ${'It matters a lot that every word is read. '.repeat(400)}`,
  );
  expect(server.calls().length).toBeGreaterThan(0);
  expect(server.calls().every(sent => sent.body.options.num_ctx === 32_768)).toBe(true);
  const warned = ofType(events, 'model_invocation').filter(event => event.data['prompt_truncated']);
  expect(warned.length).toBeGreaterThan(0);
});

test('a small window is kept to: old messages are left out before the server has to refuse', async () => {
  const long = 'line of text\n'.repeat(400);
  const here = keep(
    await servedLab(
      'openai',
      script(
        report,
        Array.from(
          { length: 12 },
          (_, i): ScenarioEntry => calls('report', call('read_file', { path: `big-${i}.md` })),
        ),
        writes('report', 'report.md'),
        finished,
      ),
      { options: { window: 8_192 } },
    ),
  );
  for (let i = 0; i < 12; i++) here.write(`big-${i}.md`, long);
  const toml = (await import('node:fs')).readFileSync(`${here.home}/loom.toml`, 'utf8');
  here.config(`${toml.replace('context_tokens = 32768', 'context_tokens = 8192')}max_tokens = 1024\n`);
  const { result, events } = await here.go('Write the report');
  expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(ofType(events, 'compaction_policy_decision').length).toBeGreaterThan(0);
});

const two = (first: string, second: string, more = '') => `${QUICK}${more}
[models.first]
provider = "openai_compatible"
base_url = "${first}"
model = "one"
roles = ["planner", "executor", "verifier"]
context_tokens = 32768
[models.second]
provider = "openai_compatible"
base_url = "${second}"
model = "two"
roles = ["planner", "executor", "verifier"]
context_tokens = 32768
`;

test('when the first model is down the second takes over, and the journal names both', async () => {
  const here = keep(lab());
  const first = await here.serve('openai', '[]');
  const second = await here.serve('openai', script(report, delivers('report', 'report.md')));
  await first.stop();
  here.config(two(first.url, second.url));
  const { result, events } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const calledOnes = ofType(events, 'model_invocation').filter(event => event.data['phase'] !== 'start');
  expect(calledOnes[0]?.data).toMatchObject({ phase: 'retry', alias: 'first' });
  expect(
    calledOnes.filter(event => event.data['phase'] === 'done').map(event => event.data['alias']),
  ).toEqual(['second', 'second', 'second']);
});

test('when a model fails for ever in the middle of a run, the next one goes on with the same conversation', async () => {
  const here = keep(lab());
  await here.serve(
    'openai',
    script(
      report,
      calls('report', call('read_file', { path: 'notes.md' })),
      always({ role: 'executor', error: { status: 500, message: 'out of memory' } }),
    ),
  );
  await here.serve('openai', script(writes('report', 'report.md'), finished));
  here.config(two(here.servers[0]!.url, here.servers[1]!.url, 'model_call_max_attempts = 2\n'));
  here.write('notes.md', 'the notes\n');
  const { result } = await here.go('Write the report');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(wordsOf(here.servers[1]!.calls()[0]!)).toContain('the notes');
});

test('--model puts one alias to work and leaves planning and judging where they are', async () => {
  const here = keep(lab());
  await here.serve('openai', script(report));
  await here.serve('openai', script(delivers('report', 'report.md')));
  here.config(two(here.servers[0]!.url, here.servers[1]!.url));
  const ended = await here.run(['run', 'Write the report', '-m', 'second']);
  expect(ended.code, ended.stderr).toBe(0);
  const roles = (n: number) => here.servers[n]!.calls().map(sent => /# Loom (\w+)/.exec(wordsOf(sent))?.[1]);
  expect(roles(0)).toEqual(['planner']);
  expect(roles(1)).toEqual(['executor', 'executor']);
});
