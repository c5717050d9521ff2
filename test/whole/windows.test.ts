/** The same suite at a window of 4k tokens as at 128k, over every wire: long files, long outputs, many calls, one result.
 *  The fake Ollama cuts at `num_ctx` without a word, the others refuse what is too long. */
import { afterEach, expect, test } from 'vitest';
import { tokensOf } from '../support/fake-http.ts';
import { type FakeKind, startFakeServer } from '../support/fake-server.ts';
import { type Lab, lab, ofType, PROVIDER, QUICK } from '../support/lab.ts';
import { GOALS, Reader } from '../support/reader.ts';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const SMALL = 4_096;
const LARGE = 131_072;

function fill(here: Lab): void {
  const lines = Array.from({ length: 260 }, (_, n) =>
    n % 20 === 7
      ? `## Section ${(n - 7) / 20 + 1}`
      : `Line ${n} of the handbook, with "words" that nobody needs twice.`,
  );
  here.write('long.md', `${lines.join('\n')}\n`);
  const log = Array.from({ length: 400 }, (_, n) =>
    n % 45 === 3
      ? `12:00:0${n % 10} ERROR disk ${n} is full`
      : `12:00:0${n % 10} info request ${n} took ${n * 3} ms`,
  );
  here.write('app.log', `${log.join('\n')}\n`);
  for (let n = 0; n < 14; n++)
    here.write(
      `src/f${n}.js`,
      `// f${n}.js\nexport default {\n  version: 1,\n${`  // a remark of no use to anybody at all\n`.repeat(12)}};\n`,
    );
}

interface Sent {
  messages: { content: unknown }[];
  tools?: unknown[];
  options?: { num_ctx: number; num_predict: number };
}

/** Tokens of a request as the fake Ollama counts them. */
const counted = ({ messages, tools }: Sent): number =>
  (tools ? tokensOf(tools) : 0) + messages.reduce((sum, message) => sum + tokensOf(message.content) + 4, 0);

interface Outcome {
  tree: Record<string, string>;
  dropped: number;
  refused: number;
  calls: number;
  largest: number;
}

async function suite(kind: FakeKind, window: number): Promise<Outcome> {
  const here = lab();
  ending.push(() => here.end());
  const server = await startFakeServer(kind, new Reader(), { window });
  here.servers.push(server);
  here.config(`${QUICK}[models.main]
provider = "${PROVIDER[kind]}"
base_url = "${server.url}"
model = "small"
${kind === 'ollama' ? '' : 'api_key = "sk-test"\n'}roles = ["planner", "executor", "verifier"]
context_tokens = ${window}
`);
  fill(here);
  const outcome: Outcome = { tree: {}, dropped: 0, refused: 0, calls: 0, largest: 0 };
  for (const goal of GOALS) {
    const { result, events } = await here.go(goal);
    expect(result, `${goal} at ${window}: ${result.summary} ${result.error?.message}`).toMatchObject({
      status: 'completed',
      exit_code: 0,
    });
    // At the first attempt: what is missing from the window must not be made up for by trying again.
    expect(result.subtasks.map(subtask => subtask.attempts)).toEqual(result.subtasks.map(() => 1));
    const done = ofType(events, 'model_invocation').filter(event => event.data['phase'] === 'done');
    outcome.largest = Math.max(outcome.largest, ...done.map(event => Number(event.data['input_tokens'])));
    expect(done.filter(event => event.data['prompt_truncated'])).toEqual([]);
    outcome.dropped += ofType(events, 'compaction_policy_decision').length;
    outcome.refused += ofType(events, 'overflow_fallback_applied').length;
  }
  outcome.calls = server.calls().length;
  outcome.tree = here.tree();
  if (kind === 'ollama')
    for (const { body } of server.calls() as { body: Sent }[]) {
      expect(body.options?.num_ctx).toBe(window);
      // Beyond it the server would have left out the oldest messages, or run out of room for its answer.
      expect(counted(body) + body.options!.num_predict).toBeLessThanOrEqual(window);
    }
  return outcome;
}

test.each(['ollama', 'openai', 'anthropic'] as FakeKind[])(
  'over the %s wire everything that is done in a window of 128k is done in one of 4k, with the same files',
  async kind => {
    const large = await suite(kind, LARGE);
    const small = await suite(kind, SMALL);
    expect(large.tree['index.md']).toBe(
      `${Array.from({ length: 13 }, (_, n) => `## Section ${n + 1}`).join('\n')}\n-- end of the index --\n`,
    );
    expect(large.tree['title.md']).toBe('The index is written.\n');
    expect(large.tree['errors.md']!.split('\n')).toHaveLength(10);
    expect(Object.keys(large.tree).filter(path => large.tree[path]!.includes('version: 1,'))).toEqual([]);
    expect(small.tree).toEqual(large.tree);
    expect(large).toMatchObject({ dropped: 0, refused: 0 });
    expect(small.dropped).toBeGreaterThan(5);
    expect(small.largest).toBeLessThanOrEqual(SMALL);
    console.log(
      `${kind}: ${large.calls} model calls at 128k (largest prompt ${large.largest}), ${small.calls} at 4k (largest ${small.largest}, cut ${small.dropped} times, refused ${small.refused})`,
    );
    expect(small.refused).toBeLessThanOrEqual(1);
  },
);

test.each(['openai', 'anthropic'] as FakeKind[])(
  'a request that an %s server refuses as too long is shrunk once and sent again, and later ones fit',
  async kind => {
    const here = lab();
    ending.push(() => here.end());
    const server = await startFakeServer(kind, new Reader(), { window: SMALL });
    here.servers.push(server);
    here.config(`${QUICK}[models.main]
provider = "${PROVIDER[kind]}"
base_url = "${server.url}"
model = "small"
api_key = "sk-test"
roles = ["planner", "executor", "verifier"]
context_tokens = 32768
`);
    fill(here);
    const { result, events } = await here.go('List the errors');
    expect(result, result.summary).toMatchObject({ status: 'completed', exit_code: 0 });
    const applied = ofType(events, 'overflow_fallback_applied');
    expect(applied).toHaveLength(1);
    expect(applied[0]?.data).toMatchObject({ role: 'executor', subtask_id: 'errors' });
    expect(applied[0]?.data['chars_reduced']).toBeGreaterThan(1_000);
    // The refused request is no model call of the run's.
    const done = ofType(events, 'model_invocation').filter(event => event.data['phase'] === 'done');
    expect(result.usage.model_calls).toBe(done.length);
    expect(Math.max(...done.map(event => Number(event.data['input_tokens'])))).toBeLessThanOrEqual(SMALL);
  },
);
