/** Long conversations in small windows: no request is larger than the window, results are never without their calls, and what
 *  left the window is found again word for word. The fake Ollama cuts at `num_ctx` without a word, the others refuse. */
import { afterEach, expect, test } from 'vitest';
import { openLmdbStore } from '../../store/lmdb.ts';
import { tokensOf } from '../support/fake-http.ts';
import type { FakeKind } from '../support/fake-server.ts';
import { type Lab, lab, PROVIDER, QUICK } from '../support/lab.ts';
import { writeSession } from '../support/long-session.ts';
import { call, script } from '../support/script.ts';
import { talk } from '../support/talk.ts';
import { messageRows } from '../support/talk-corpus.ts';

const FIRST =
  'The very first thing: the password of the lighthouse is Ω-kraken-7, in "quotes" and\non two lines.';
const TURNS = 300;

const scenario = script(
  { role: 'session', calls: [call('read_file', { path: 'long.md' }), call('list_directory', { path: '.' })] },
  { role: 'session', calls: [call('shell_execute', { command: 'cat long.md' })] },
  { role: 'session', calls: [call('read_file', { path: 'long.md', offset: 100 })] },
  { role: 'session', calls: [call('conversation_recall', { action: 'search', query: 'lighthouse kraken' })] },
  { role: 'session', reply: 'It is Ω-kraken-7.' },
  { role: 'session', repeat: true, reply: `Very well. ${'And so on and so forth. '.repeat(20)}` },
);

interface Sent {
  messages: { role: string; content: unknown; tool_calls?: { id: string }[]; tool_call_id?: string }[];
  system?: unknown;
  tools?: unknown[];
  max_tokens?: number;
  max_completion_tokens?: number;
  options?: { num_ctx: number; num_predict: number };
}

const counted = ({ messages, tools, system }: Sent): number =>
  (tools ? tokensOf(tools) : 0) +
  (system ? tokensOf(system) : 0) +
  messages.reduce((sum, message) => sum + tokensOf(message.content) + 4, 0);

let here: Lab;
afterEach(() => here.end());

/** Calls and results of a request as the OpenAI wire carries them. */
function checkPairs({ messages }: Sent): void {
  const open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool')
      expect(open.delete(message.tool_call_id ?? ''), 'a result without its call').toBe(true);
    else expect([...open], 'a call without its result').toEqual([]);
    for (const { id } of message.tool_calls ?? []) open.add(id);
  }
  expect([...open]).toEqual([]);
}

test.each(
  (['ollama', 'openai', 'anthropic'] as FakeKind[]).flatMap(kind =>
    [4_096, 8_192, 32_768].map(window => ({ kind, window })),
  ),
)('$kind, a window of $window tokens', async ({ kind, window }) => {
  here = lab();
  const server = await here.serve(kind, scenario, { window });
  here.config(`${QUICK}[models.main]
provider = "${PROVIDER[kind]}"
base_url = "${server.url}"
model = "small"
${kind === 'ollama' ? '' : 'api_key = "sk-test"\n'}roles = ["planner", "executor", "verifier"]
context_tokens = ${window}
`);
  here.write('long.md', 'A line of the handbook, with "words" that nobody needs twice.\n'.repeat(400));
  const store = await openLmdbStore(here.home, { minFreeMb: 0 });
  await writeSession(store, {
    id: 'longtalk',
    workspace: here.workspace,
    messages: TURNS * 2,
    rows: (corpus, from, to) =>
      messageRows(corpus, from, to).map((row, i) =>
        from + i === 0 ? { ...row, value: { message: { role: 'user', content: FIRST } } } : row,
      ),
  });
  await store.close();
  await here.reopen();
  const { session, say, told } = await talk(here.loom, { resume: 'longtalk' });
  expect(session.state().turns).toBe(TURNS);
  await say('read the handbook, then tell me the password of the lighthouse');
  // Larger than a small window by itself.
  await say(`and what of this? ${'more of what a person pasted '.repeat(window === 32_768 ? 40 : 600)}`);
  await say('well then');
  expect(told('turn_ended')).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  const sent = server.calls().map(({ body }) => body as unknown as Sent);
  expect(sent.length).toBeGreaterThanOrEqual(7);
  for (const body of sent) {
    const answer = body.options?.num_predict ?? body.max_completion_tokens ?? body.max_tokens ?? 0;
    expect(counted(body) + answer).toBeLessThanOrEqual(window);
    if (kind === 'openai') checkPairs(body);
  }
  expect(told('model_invocation').filter(data => data['prompt_truncated'])).toEqual([]);
  // The first message left the window long ago, and recall brought it back as it was.
  expect(JSON.stringify(sent[0]!.messages)).not.toContain('kraken');
  const results = (await session.history(60)).filter(entry => entry.tool === 'conversation_recall');
  expect(results[0]?.text).toContain(FIRST);
  await session.close();
});
