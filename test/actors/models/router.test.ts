/** The router: who answers for a role, what is tried again and what is not, and who takes over. */
import { afterEach, describe, expect, test } from 'vitest';
import { backoffMs } from '../../../actors/models/backoff.ts';
import { createModel } from '../../../actors/models/create-model.ts';
import type { Message, Model } from '../../../actors/models/model.ts';
import { createRouter, type RouterDeps } from '../../../actors/models/router.ts';
import type { Config, ModelConfig } from '../../../store/config.ts';
import { ask, failureOf, options, screen, user, WRITE_FILE } from '../../support/calls.ts';
import type { FakeOptions, FakeServer } from '../../support/fake-http.ts';
import { type FakeKind, startFakeServer } from '../../support/fake-server.ts';
import { loomConfig } from '../../support/loom-config.ts';
import { modelConfig } from '../../support/model-config.ts';

const running: FakeServer[] = [];
afterEach(async () => void (await Promise.all(running.splice(0).map(server => server.stop()))));

async function serverWith(scenario: string, fake: FakeOptions = {}, kind: FakeKind = 'openai') {
  const server = await startFakeServer(kind, scenario, fake);
  running.push(server);
  return server;
}

const openai = (alias: string, server: { url: string }, rest: Partial<ModelConfig> = {}) =>
  modelConfig({ alias, provider: 'openai_compatible', base_url: server.url, model: alias, ...rest });

const router = (models: ModelConfig[], deps: RouterDeps = {}, execution: Partial<Config['execution']> = {}) =>
  createRouter(loomConfig(models, execution), deps);

describe('choice', () => {
  const model = (alias: string, tier: number, roles: ModelConfig['roles']) =>
    modelConfig({ alias, model: alias, tier, roles });

  test.each([
    [1, 'small'],
    [2, 'middle'],
    [3, 'large'],
  ])('tier %i goes to the smallest model that suffices', (tier, alias) => {
    const three = ['large', 'small', 'middle'].map((name, i) =>
      model(name, { large: 3, small: 1, middle: 2 }[name] ?? i, ['executor']),
    );
    expect(router(three).pick('executor', { tier }).config.alias).toBe(alias);
  });

  test('without a model that is large enough, the largest below serves', () => {
    const two = [model('a', 1, ['executor']), model('b', 2, ['executor'])];
    expect(router(two).pick('executor', { tier: 3 }).config.alias).toBe('b');
  });

  test('replanner and resolver follow the planner, session follows the executor', () => {
    const both = router([model('p', 1, ['planner']), model('e', 1, ['executor', 'verifier'])]);
    const picked = (['planner', 'replanner', 'resolver', 'executor', 'session', 'verifier'] as const).map(
      role => both.pick(role).config.alias,
    );
    expect(picked).toEqual(['p', 'p', 'p', 'e', 'e', 'e']);
    expect(both.describe()).toMatchObject([
      { alias: 'p', roles: ['planner', 'replanner', 'resolver'] },
      { alias: 'e', roles: ['executor', 'verifier', 'extractor', 'compactor', 'session'] },
    ]);
  });

  test('advice comes from the model named for it, otherwise from the largest planner or executor', () => {
    const named = [model('p', 3, ['planner']), model('e', 1, ['executor']), model('r', 1, ['resolver'])];
    expect(router(named).pick('resolver', { tier: 3 }).config.alias).toBe('r');
    const large = [model('p', 1, ['planner']), model('e', 1, ['executor']), model('big', 3, ['executor'])];
    expect(router(large).pick('resolver', { tier: 3 }).config.alias).toBe('big');
    expect(router(large).pick('planner', { tier: 3 }).config.alias).toBe('p');
  });

  test('one model fills every role, whatever its record says', () => {
    const only = router([model('one', 1, ['executor'])]);
    expect(only.describe()[0]?.roles).toHaveLength(8);
  });

  test('an excluded model is used only when the role has no other', () => {
    const two = [model('a', 1, ['executor']), model('b', 2, ['executor'])];
    expect(router(two).pick('executor', { exclude: ['a'] }).config.alias).toBe('b');
    expect(router(two).pick('executor', { exclude: ['a', 'b'] }).config.alias).toBe('a');
  });

  test('no model at all says what to do', () => {
    expect(() => router([]).pick('executor')).toThrow(/no model is configured.*loom\.toml/);
  });
});

describe('retry', () => {
  test.each([408, 409, 429, 500, 502, 503, 529])('status %i is tried again', async status => {
    const server = await serverWith(
      `[{role: executor, error: {status: ${status}, message: busy}}, {role: executor, reply: fine}]`,
    );
    const answer = await router([openai('one', server)]).call(
      'executor',
      ask('executor', [user('Hi')]),
      options(),
    );
    expect(answer.response.content).toBe('fine');
    expect(answer.failed).toHaveLength(1);
    expect(server.calls()).toHaveLength(2);
  });

  test.each([400, 401, 403, 404, 422])('status %i is not', async status => {
    const server = await serverWith(
      `[{role: executor, repeat: true, error: {status: ${status}, message: no}}]`,
    );
    await failureOf(
      router([openai('one', server)]).call('executor', ask('executor', [user('Hi')]), options()),
    );
    expect(server.calls()).toHaveLength(1);
  });

  test('attempts end at the configured number, and the failure says how many there were', async () => {
    const server = await serverWith(
      '[{role: executor, repeat: true, error: {status: 500, message: broken}}]',
    );
    const call = router([openai('one', server)]).call('executor', ask('executor', [user('Hi')]), options());
    const error = await failureOf(call);
    expect(server.calls()).toHaveLength(3);
    expect(error.failure).toMatchObject({ code: 'server', kind: 'retryable' });
    expect(error.message).toMatch(/broken.*\(3 attempts\)/);
  });

  test('a refused connection is tried again until the server is back', async () => {
    const server = await serverWith('[]');
    const port = Number(new URL(server.url).port);
    await server.stop();
    let restarted: Promise<unknown> | undefined;
    const create = (config: ModelConfig): Model => {
      const model = createModel(config);
      const restart = async (error: unknown) => {
        restarted ??= startFakeServer('openai', '[{role: executor, reply: back}]', {}, port).then(back =>
          running.push(back),
        );
        await restarted;
        throw error;
      };
      return { ...model, complete: (...call) => model.complete(...call).catch(restart) };
    };
    const answer = await router([openai('one', server)], { create }).call(
      'executor',
      ask('executor', [user('Hi')]),
      options(),
    );
    expect(answer.response.content).toBe('back');
    expect(answer.failed.map(attempt => attempt.code)).toEqual(['connection']);
  });

  test('a cut stream is tried again and nothing shown appears twice', async () => {
    const reply = 'first half, second half';
    const server = await serverWith(
      `[{role: executor, fault: cut_stream, reply: "${reply}"}, {role: executor, reply: "${reply}"}]`,
    );
    const seen = screen();
    const answer = await router([openai('one', server)]).call(
      'executor',
      ask('executor', [user('Hi')], { stream: true }),
      options(seen),
    );
    expect(answer.response.content).toBe(reply);
    expect(seen.text()).toBe(reply);
    expect(seen.resets()).toBe(1);
  });

  test('Retry-After is waited for, also beyond the longest configured wait', async () => {
    const server = await serverWith(
      '[{role: executor, error: {status: 429, message: slow, retry_after: 0.3}}, {role: executor, reply: fine}]',
    );
    const one = router([openai('one', server)], {}, { model_call_retry_max_delay_seconds: 0.05 });
    await one.call('executor', ask('executor', [user('Hi')]), { ...options(), patience_ms: 60_000 });
    const [first, second] = server.calls();
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(290);
    const limits = { base_ms: 500, max_ms: 8_000, jitter_ms: 250 };
    expect(backoffMs(1, limits, 's', 60_000)).toBeGreaterThanOrEqual(60_000);
  });

  test.each([
    ['for which no time is left', 20, 10_000],
    ['longer than anybody waits', 3_600, Number.POSITIVE_INFINITY],
  ])('a Retry-After %s ends the call at once and names the time', async (_, retry_after, patience_ms) => {
    const server = await serverWith(
      `[{role: executor, repeat: true, error: {status: 429, message: slow, retry_after: ${retry_after}}}]`,
    );
    const call = router([openai('one', server)]).call('executor', ask('executor', [user('Hi')]), {
      ...options(),
      patience_ms,
    });
    const { failure } = await failureOf(call);
    expect(failure).toMatchObject({ code: 'rate_limit', kind: 'retryable' });
    const { message } = failure;
    expect(message).toContain(`left alone for ${retry_after} s`);
    const named = Date.parse(/resume after (\S+Z)/.exec(message)![1]!);
    expect(Math.abs(named - Date.now() - retry_after * 1_000)).toBeLessThan(10_000);
    expect(server.calls()).toHaveLength(1);
  });

  test('waits double up to their bound, with jitter that repeats for the same seed and differs between seeds', () => {
    const limits = { base_ms: 500, max_ms: 8_000, jitter_ms: 250 };
    const waits = (seed: string) => [1, 2, 3, 4, 5, 6].map(n => backoffMs(n, limits, seed, undefined));
    const floors = [500, 1000, 2000, 4000, 8000, 8000];
    waits('run-1').forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(floors[i]!);
      expect(wait).toBeLessThanOrEqual(floors[i]! + 250);
    });
    expect(waits('run-1')).toEqual(waits('run-1'));
    expect(waits('run-1')).not.toEqual(waits('run-2'));
  });

  test('an abort ends the wait between attempts at once', async () => {
    const server = await serverWith('[{role: executor, repeat: true, error: {status: 500, message: no}}]');
    const slow = { model_call_retry_base_delay_seconds: 30, model_call_retry_max_delay_seconds: 30 };
    const controller = new AbortController();
    const call = failureOf(
      router([openai('one', server)], {}, slow).call('executor', ask('executor', [user('Hi')]), {
        signal: controller.signal,
      }),
    );
    await expect.poll(() => server.calls().length).toBe(1);
    controller.abort();
    expect((await call).failure.code).toBe('aborted');
  });
});

describe('failover', () => {
  const fine = '[{role: executor, repeat: true, reply: from the second}]';

  test.each([
    ['wrong key', '[{role: executor, repeat: true, error: {status: 401, message: bad key}}]', 'auth', 1],
    [
      'unknown model',
      '[{role: executor, repeat: true, error: {status: 404, message: no such model}}]',
      'not_found',
      1,
    ],
    ['server errors', '[{role: executor, repeat: true, error: {status: 500, message: broken}}]', 'server', 3],
  ])('%s: the next model of the role answers', async (_, scenario, code, calls) => {
    const [first, second] = [await serverWith(scenario), await serverWith(fine)];
    const two = router([openai('a', first, { tier: 1 }), openai('b', second, { tier: 2 })]);
    const answer = await two.call('executor', ask('executor', [user('Hi')]), options());
    expect(answer).toMatchObject({ alias: 'b', response: { content: 'from the second' } });
    expect(answer.failed.map(attempt => attempt.code)).toEqual(Array(calls).fill(code));
    expect(first.calls()).toHaveLength(calls);
  });

  test('a dead server is left at once when there is another, and asked last for a while', async () => {
    const [first, second] = [await serverWith(fine), await serverWith(fine)];
    await first.stop();
    let clock = 0;
    const two = router([openai('a', first, { tier: 1 }), openai('b', second, { tier: 2 })], {
      now: () => clock,
    });
    const call = () => two.call('executor', ask('executor', [user('Hi')]), options());
    expect((await call()).failed).toHaveLength(1);
    expect((await call()).failed).toHaveLength(0);
    clock += 61_000;
    expect((await call()).failed).toHaveLength(1);
  });

  test('a long Retry-After moves the call to the other model instead of waiting', async () => {
    const first = await serverWith(
      '[{role: executor, repeat: true, error: {status: 429, message: quota, retry_after: 3600}}]',
    );
    const second = await serverWith(fine);
    const two = router([openai('a', first, { tier: 1 }), openai('b', second, { tier: 2 })]);
    expect((await two.call('executor', ask('executor', [user('Hi')]), options())).alias).toBe('b');
    expect(first.calls()).toHaveLength(1);
  });

  test('a request too long for one window goes to a model with a larger one', async () => {
    const small = await serverWith(fine, { window: 100 });
    const large = await serverWith(fine, { window: 10_000 });
    const two = router([openai('a', small, { tier: 1 }), openai('b', large, { tier: 2 })]);
    const answer = await two.call('executor', ask('executor', [user('word '.repeat(300))]), options());
    expect(answer.alias).toBe('b');
    expect(answer.failed[0]?.code).toBe('context_length');
  });

  test('a bad request stays with its model', async () => {
    const first = await serverWith(
      '[{role: executor, repeat: true, error: {status: 400, message: nonsense}}]',
    );
    const second = await serverWith(fine);
    const two = router([openai('a', first, { tier: 1 }), openai('b', second, { tier: 2 })]);
    expect(
      (await failureOf(two.call('executor', ask('executor', [user('Hi')]), options()))).failure.code,
    ).toBe('bad_request');
    expect(second.calls()).toHaveLength(0);
  });

  test('when nobody answers, the failure says everything that was tried', async () => {
    const first = await serverWith(
      '[{role: executor, repeat: true, error: {status: 401, message: bad key}}]',
    );
    const second = await serverWith(
      '[{role: executor, repeat: true, error: {status: 500, message: burning}}]',
    );
    const two = router([openai('a', first, { tier: 1 }), openai('b', second, { tier: 2 })]);
    const error = await failureOf(two.call('executor', ask('executor', [user('Hi')]), options()));
    for (const word of ['executor', '"a"', 'bad key', '"b"', 'burning', '(3 attempts)'])
      expect(error.message).toContain(word);
    expect(error.failure.detail?.['tried']).toHaveLength(4);
    expect(error.failure.code).toBe('auth');
  });
});

describe('a server that refuses tools', () => {
  const scenario = `
- role: executor
  step: 0
  repeat: true
  reply: |
    <tool_call>
    {"name": "write_file", "arguments": {"path": "a.txt", "content": "hi"}}
    </tool_call>
- {role: executor, step: 1, repeat: true, reply: Done.}
`;
  const call = { id: 'c1', name: 'write_file', arguments: '{"path":"a.txt","content":"hi"}' };
  const thread: Message[] = [
    user('Write'),
    { role: 'assistant', content: 'Now.', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c1', name: 'write_file', content: 'wrote a.txt' },
  ];

  test.each(['openai', 'ollama'] as const)(
    '%s: works through the system message, learned once',
    async kind => {
      const server = await serverWith(scenario, { refuseTools: true }, kind);
      const learned = new Map<string, string>();
      const capabilities = {
        get: (key: string) => learned.get(key),
        set: (key: string, value: string) => void learned.set(key, value),
      };
      const provider = kind === 'ollama' ? ('ollama' as const) : ('openai_compatible' as const);
      const config = openai('one', server, { provider });
      const request = ask('executor', [user('Write')], { tools: [WRITE_FILE] });
      const first = await router([config], { capabilities }).call('executor', request, options());
      expect(first.tools_in_prompt).toBe(true);
      expect(first.response.content).toContain('<tool_call>');
      expect(server.calls()).toHaveLength(2);
      expect([...learned.values()]).toEqual(['refused']);
      // Another process with the same store does not ask again, and sends results as text.
      const later = ask('executor', thread, { tools: [WRITE_FILE] });
      const second = await router([config], { capabilities }).call('executor', later, options());
      expect(second.response.content).toBe('Done.');
      expect(server.calls()).toHaveLength(3);
      const sent = server.calls()[2]?.body;
      expect(sent.tools).toBeUndefined();
      expect(sent.messages.map((message: Message) => message.role)).toEqual([
        'system',
        'user',
        'assistant',
        'user',
      ]);
      expect(sent.messages[0].content).toContain('"name":"write_file"');
      expect(sent.messages[2].content).toContain('<tool_call>');
      expect(sent.messages[3].content).toContain('<tool_response>');
      expect(sent.messages[3].content).toContain('wrote a.txt');
    },
  );

  test('a model configured without tools is never asked with them', async () => {
    const server = await serverWith(scenario);
    const config = openai('one', server, { capabilities: { tools: false } });
    const request = ask('executor', [user('Write')], { tools: [WRITE_FILE] });
    expect((await router([config]).call('executor', request, options())).tools_in_prompt).toBe(true);
    expect(server.calls()[0]?.body.tools).toBeUndefined();
  });
});

test('independent is another model than the author’s, not another alias of the same', async () => {
  const server = await serverWith('[{role: verifier, repeat: true, reply: ok}]');
  const same = { model: 'm', base_url: server.url };
  const roles = (role: 'executor' | 'verifier') => ({ roles: [role] });
  const call = async (...models: ModelConfig[]) =>
    (await router(models).call('verifier', ask('verifier', [user('Hi')]), options())).independent;
  const executor = openai('e', server, { ...same, ...roles('executor') });
  expect(await call(openai('only', server))).toBe(false);
  expect(await call(executor, openai('v', server, { ...same, ...roles('verifier') }))).toBe(false);
  expect(await call(executor, openai('v', server, { ...same, model: 'other', ...roles('verifier') }))).toBe(
    true,
  );
});

test('an answer is never allowed more tokens than its model is configured for', async () => {
  const server = await serverWith('[{role: executor, reply: ok}]');
  await router([openai('one', server, { max_tokens: 300 })]).call(
    'executor',
    ask('executor', [user('Hi')], { max_tokens: 9000 }),
    options(),
  );
  expect(server.calls()[0]?.body.max_tokens).toBe(300);
});

test('check asks every model once and reports each failure with its own message', async () => {
  const good = await serverWith('[]', { models: ['a'], window: 4096 });
  const bad = await serverWith('[]', { key: 'secret' });
  const two = router([openai('a', good), openai('b', bad)]);
  const reports = await two.check(options().signal);
  expect(reports).toMatchObject([
    { alias: 'a', ok: true, window: 4096 },
    { alias: 'b', ok: false, error: { code: 'auth' } },
  ]);
});
