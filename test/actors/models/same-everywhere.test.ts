/** One scenario, four ways to play it: what the engine reads is the same over every wire. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAnswer } from '../../../actors/models/answer.ts';
import { extractJson } from '../../../actors/models/extract-json.ts';
import type { Message } from '../../../actors/models/model.ts';
import { createRouter } from '../../../actors/models/router.ts';
import type { ModelConfig } from '../../../store/config.ts';
import { ask, options, user, WRITE_FILE } from '../../support/calls.ts';
import { type FakeKind, startFakeServer } from '../../support/fake-server.ts';
import { loomConfig } from '../../support/loom-config.ts';
import { modelConfig } from '../../support/model-config.ts';

const SCENARIO = `
entries:
  - role: planner
    reply: {subtasks: [{id: a, description: Write a.}, {id: b, description: Write b., depends_on: [a]}]}
  - role: executor
    subtask: a
    step: 0
    reply: First the file.
    calls: [{name: write_file, arguments: {path: a.txt, content: "hello\\n"}}]
  - {role: executor, subtask: a, step: 1, error: {status: 503, message: busy}}
  - {role: executor, subtask: a, step: 1, reply: {status: success, summary: done}}
  - role: executor
    subtask: b
    step: 0
    calls: [{name: write_file, arguments: "{'path': 'b.txt', 'content': 'x',}"}]
  - {role: executor, subtask: b, step: 1, attempt: 2, reply: again}
  - {role: executor, subtask: b, step: 1, reply: done, finish: length}
  - {role: verifier, subtask: a, repeat: true, reply: {passed: true, confidence: 0.9}}
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loom-same-'));
  await writeFile(join(folder, 'play.yaml'), SCENARIO);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A small run: plan, two subtasks of two steps each, one review; what the engine would make of every answer. */
async function play(config: ModelConfig, stream: boolean): Promise<unknown[]> {
  const router = createRouter(loomConfig([config]));
  const seen: unknown[] = [];
  const call = async (role: 'planner' | 'executor' | 'verifier', messages: Message[], rest = {}) => {
    const { response, failed } = await router.call(role, ask(role, messages, { stream, ...rest }), options());
    seen.push(failed.map(attempt => attempt.code));
    return response;
  };
  const plan = await call('planner', [user('## Goal\nTwo files.')], {
    schema: { name: 'plan', schema: { type: 'object', properties: { subtasks: { type: 'array' } } } },
  });
  seen.push(extractJson(plan.content, ['subtasks'])?.value);
  for (const id of ['a', 'b']) {
    const start: Message[] = [user(`Do it.\nSubtask: ${id}`)];
    const first = await call('executor', start, { tools: [WRITE_FILE] });
    const answer = readAnswer(first, [WRITE_FILE]);
    seen.push(
      answer.content,
      answer.calls.map(({ id: _, ...rest }) =>
        'arguments' in rest ? { name: rest.name, arguments: rest.arguments } : rest,
      ),
    );
    const thread: Message[] = [
      ...start,
      { role: 'assistant', content: first.content, tool_calls: first.tool_calls },
      ...first.tool_calls.map(
        (made): Message => ({ role: 'tool', tool_call_id: made.id, name: made.name, content: 'wrote it' }),
      ),
      ...(first.tool_calls.length === 0 ? [user('<tool_response>wrote it</tool_response>')] : []),
    ];
    const second = await call('executor', thread, { tools: [WRITE_FILE] });
    seen.push(second.content, second.finish);
  }
  const verdict = await call('verifier', [user('Judge.\nSubtask: a')]);
  seen.push(extractJson(verdict.content, ['passed']));
  return seen;
}

const SERVERS: [FakeKind, ModelConfig['provider']][] = [
  ['ollama', 'ollama'],
  ['openai', 'openai_compatible'],
  ['anthropic', 'anthropic'],
];

test.each(
  SERVERS.flatMap(([kind, provider]) => [true, false].map(stream => [kind, provider, stream] as const)),
)('%s (%s, stream %s) reads like the scripted model', async (kind, provider, stream) => {
  const scripted = await play(modelConfig({ scenario: join(folder, 'play.yaml') }), stream);
  const server = await startFakeServer(kind, SCENARIO);
  try {
    const served = await play(modelConfig({ provider, base_url: server.url, api_key: 'k' }), stream);
    expect(served).toEqual(scripted);
  } finally {
    await server.stop();
  }
});
