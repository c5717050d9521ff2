/** Loom as the package that programs import: what `dist/index.js` gives them. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JournalEvent, Loom, OpenOptions } from '../../actors/loom.ts';
import { type Sandbox, sandbox } from '../support/loom-process.ts';
import { always, call, calls, delivers, done, plan, script, shell } from '../support/script.ts';

const INDEX = pathToFileURL(fileURLToPath(new URL('../../dist/index.js', import.meta.url))).href;
const { openLoom } = (await import(INDEX)) as { openLoom(options?: OpenOptions): Promise<Loom> };

let here: Sandbox;
const opened: Loom[] = [];
beforeEach(() => {
  here = sandbox();
});
afterEach(async () => {
  for (const loom of opened.splice(0)) await loom.close();
  here.remove();
});
const open = async (more: OpenOptions = {}): Promise<Loom> => {
  const loom = await openLoom({ home: here.home, workspace: here.workspace, env: here.env, ...more });
  opened.push(loom);
  return loom;
};
const job = script(
  always(plan({ id: 'report', files: ['report.md'] })),
  delivers('report', 'report.md').map((entry, step) => always({ ...entry, step })),
);

test('run resolves to the result; events can be read while it runs and again afterwards, without a gap', async () => {
  here.scenario(job);
  const loom = await open();
  let follow: Promise<JournalEvent[]> | undefined;
  const heard: JournalEvent[] = [];
  const result = await loom.run({
    goal: 'Write the report',
    onEvent: event => {
      heard.push(event);
      follow ??= collect(loom.events(event.task_id));
    },
  });
  expect(result).toMatchObject({ type: 'result', status: 'completed', exit_code: 0 });
  const live = await follow!;
  const later = await collect(loom.events(result.task_id));
  expect(live).toEqual(heard);
  expect(later).toEqual(heard);
  expect(later.map(event => event.seq)).toEqual(later.map((_, i) => i + 1));
  expect(later.at(-1)?.event_type).toBe('task_completed');
});

test('events from a number on, without following, and until the reader has enough', async () => {
  here.scenario(job);
  const loom = await open();
  const { task_id } = await loom.run({ goal: 'Write the report' });
  const all = await collect(loom.events(task_id, { follow: false }));
  const some = await collect(loom.events(task_id, { from: 5 }));
  expect(some).toEqual(all.slice(4));
  const first: JournalEvent[] = [];
  for await (const event of loom.events(task_id)) {
    first.push(event);
    if (first.length === 3) break;
  }
  expect(first).toEqual(all.slice(0, 3));
});

test('a signal interrupts a run; resume by id, by prefix or as last goes on', async () => {
  here.scenario(
    script(
      plan({ id: 'report', files: ['report.md'] }),
      delivers('report', 'report.md').map((entry, step) => ({ ...entry, step, delay_ms: 300 })),
    ),
  );
  const loom = await open();
  const stop = new AbortController();
  const result = await loom.run({
    goal: 'Write the report',
    signal: stop.signal,
    onEvent: event => event.event_type === 'subtask_started' && stop.abort(),
  });
  expect(result).toMatchObject({ exit_code: 130, error: { code: 'interrupted' } });
  expect(result.status).not.toBe('completed');
  const resumed = await loom.resume('last');
  expect(resumed).toMatchObject({ task_id: result.task_id, status: 'completed', exit_code: 0 });
  const again = await loom.resume(result.task_id.slice(0, 5));
  expect(again).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('two runs at once in one opened Loom do not disturb each other', async () => {
  here.scenario(
    script(
      always({ ...plan({ id: 'one', files: ['one.md'] }), goal: 'first' }),
      always({ ...plan({ id: 'two', files: ['two.md'] }), goal: 'second' }),
      delivers('one', 'one.md'),
      delivers('two', 'two.md'),
    ),
  );
  const loom = await open();
  const results = await Promise.all([loom.run({ goal: 'the first' }), loom.run({ goal: 'the second' })]);
  expect(results.map(result => result.exit_code)).toEqual([0, 0]);
  expect(here.tree()).toEqual({ 'one.md': 'one.md\n', 'two.md': 'two.md\n' });
  expect((await loom.tasks()).length).toBe(2);
});

test('tools can be called alone, in a workspace of their own, and refuse to leave it', async () => {
  const loom = await open();
  const wrote = await loom.tools.call('write_file', { path: 'a/b.md', content: 'hello\n' });
  expect(wrote).toMatchObject({ success: true, error: null, files_changed: ['a/b.md'] });
  expect(wrote.data['diff']).toContain('+hello');
  const ran = await loom.tools.call('shell_execute', { command: 'cat a/b.md' });
  expect(ran.output).toContain('hello');
  const left = await loom.tools.call('write_file', { path: '../out.md', content: 'x' });
  expect(left.success).toBe(false);
  expect(left.error?.message).toContain('../out.md');
  const unknown = await loom.tools.call('no_such_tool', {});
  expect(unknown.success).toBe(false);
  const wrong = await loom.tools.call('write_file', { path: 7 });
  expect(wrong.success).toBe(false);
});

test('tools.parse reads what a model wrote', async () => {
  const loom = await open();
  const parsed = loom.tools.parse(
    '<think>hm</think>Let me look.\n<tool_call>\n{"name": "read_file", "arguments": {"path": "a.md",}}\n</tool_call>',
  );
  expect(parsed.calls).toMatchObject([{ name: 'read_file', arguments: { path: 'a.md' } }]);
  expect(parsed.calls[0]?.repaired.length).toBeGreaterThan(0);
  expect(parsed.thinking).toContain('hm');
  expect(parsed.content).toContain('Let me look.');
  expect(parsed.content).not.toContain('tool_call');
  expect(loom.tools.parse('Nothing to do.').calls).toEqual([]);
});

test('questions of a run go to the function that was given, and its answer counts', async () => {
  here.scenario(
    script(
      plan({ id: 'clean' }),
      calls('clean', call('ask_user', { question: 'Really?' })),
      shell('clean', 'rm -rf old'),
      done('clean'),
    ),
  );
  here.write('old/a.md', 'a\n');
  const loom = await open();
  const kinds: string[] = [];
  const result = await loom.run({
    goal: 'Clean',
    onQuestion: async ({ kind }) => {
      kinds.push(kind);
      return { answer: kind === 'approval' ? 'approve' : 'Yes, really.' };
    },
  });
  expect(kinds).toEqual(['ask_user', 'approval']);
  expect(result.exit_code).toBe(0);
  expect(here.tree()).toEqual({});
});

test('a listener that throws is reported as a warning and does not harm the run', async () => {
  here.scenario(job);
  const warned: string[] = [];
  const hear = (warning: Error) => void warned.push(warning.message);
  process.on('warning', hear);
  const loom = await open();
  const result = await loom.run({
    goal: 'Write the report',
    onEvent: () => {
      throw new Error('my listener is broken');
    },
    onPreview: () => {
      throw new Error('my preview is broken');
    },
  });
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  await expect.poll(() => warned).toContain('my listener is broken');
  process.off('warning', hear);
});

test('what cannot be done rejects with a stable code and words', async () => {
  const loom = await open();
  await expect(loom.run({ goal: ' ' })).rejects.toMatchObject({ failure: { code: 'usage' } });
  await expect(loom.run({ goal: 'x', workspace: '/nowhere/at/all' })).rejects.toMatchObject({
    failure: { code: 'workspace_missing' },
  });
  await expect(loom.resume('nothing')).rejects.toMatchObject({ failure: { code: 'unknown_id' } });
  await expect(loom.task('nothing')).rejects.toMatchObject({ failure: { code: 'unknown_id' } });
  await expect(open({ config: '/nowhere/loom.toml' })).rejects.toMatchObject({ failure: { code: 'config' } });
});

test('close lets everything go: the home can be opened again, and closing twice is harmless', async () => {
  here.scenario(job);
  const loom = await open();
  await loom.run({ goal: 'Write the report' });
  await loom.close();
  await loom.close();
  const again = await open();
  expect((await again.tasks())[0]).toMatchObject({ status: 'completed' });
});

async function collect(events: AsyncIterable<JournalEvent>): Promise<JournalEvent[]> {
  const list: JournalEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}
