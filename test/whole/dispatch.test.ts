/** Subtasks start the moment they can, side by side, and share one workspace without harming each other's files. */
import { expect, test } from 'vitest';
import type { JournalEvent } from '../../actors/loom.ts';
import { ending } from '../support/ending.ts';
import type { FakeKind } from '../support/fake-server.ts';
import { ofType, scriptedLab, servedLab } from '../support/lab.ts';
import { call, calls, delivers, done, plan, script, shell, verdict, writes } from '../support/script.ts';

const { keep } = ending();
const at = (events: JournalEvent[], type: string, id: string): number =>
  Date.parse(
    events.find(event => event.event_type === type && event.data['subtask_id'] === id)?.timestamp ?? '',
  );

test('what depends on the quick one does not wait for the slow one', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        plan(
          { id: 'fast', files: ['fast.md'] },
          { id: 'slow', files: ['slow.md'] },
          { id: 'next', needs: ['fast'], files: ['next.md'] },
        ),
        { ...writes('fast', 'fast.md'), delay_ms: 100 },
        done('fast', ['fast.md']),
        { ...writes('slow', 'slow.md'), delay_ms: 2_000 },
        done('slow', ['slow.md']),
        delivers('next', 'next.md'),
      ),
    ),
  );
  const { result, events } = await here.go('Race');
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  const started = at(events, 'subtask_started', 'slow');
  expect(at(events, 'subtask_started', 'next') - started).toBeLessThan(1_000);
  expect(at(events, 'subtask_completed', 'next') - started).toBeLessThan(1_500);
  expect(at(events, 'subtask_completed', 'slow') - started).toBeGreaterThanOrEqual(2_000);
  // At the server, too: the request of next came while slow was still being answered.
  const requests = here.servers[0]!.calls();
  const of = (id: string) =>
    requests.find(request => JSON.stringify(request.body).includes(`Subtask: ${id}`))!.at;
  expect(of('next') - of('slow')).toBeLessThan(1_000);
});

test('no more than max_parallel_subtasks run at once, and all of them run', async () => {
  const ids = Array.from({ length: 7 }, (_, i) => `n${i}`);
  const here = keep(
    scriptedLab(
      script(
        plan(...ids.map(id => ({ id, files: [`${id}.md`] }))),
        ids.flatMap(id => [{ ...writes(id, `${id}.md`), delay_ms: 20 }, done(id, [`${id}.md`])]),
      ),
      'max_parallel_subtasks = 2\n',
    ),
  );
  const { result, events } = await here.go('Seven');
  expect(result.exit_code).toBe(0);
  let running = 0;
  let most = 0;
  for (const { event_type } of events) {
    if (event_type === 'subtask_started') running += 1;
    if (event_type === 'subtask_completed') running -= 1;
    most = Math.max(most, running);
  }
  expect(most).toBe(2);
  expect(Object.keys(here.tree())).toHaveLength(7);
});

test('parallel writers in one workspace lose nothing of each other', async () => {
  const ids = Array.from({ length: 6 }, (_, i) => `w${i}`);
  const here = keep(
    scriptedLab(
      script(
        plan(...ids.map(id => ({ id, files: [`${id}.md`] }))),
        ids.flatMap(id => [
          calls(
            id,
            call('write_file', { path: `${id}.md`, content: `${id}\n` }),
            call('write_file', { path: `shared/${id}.md`, content: `${id}\n` }),
          ),
          calls(id, call('edit_file', { path: `${id}.md`, old_str: id, new_str: `${id}!` })),
          done(id, [`${id}.md`, `shared/${id}.md`]),
        ]),
      ),
      'max_parallel_subtasks = 6\n',
    ),
  );
  const { result } = await here.go('Six writers');
  expect(result.exit_code).toBe(0);
  const expected = ids.flatMap(id => [
    [`${id}.md`, `${id}!\n`],
    [`shared/${id}.md`, `${id}\n`],
  ]);
  expect(here.tree()).toEqual(Object.fromEntries(expected));
});

test('of two that edit one file at once, the one that read it before the other wrote is refused and reads again', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'left', files: ['both.md'] }, { id: 'right', files: ['both.md'] }),
        calls('left', call('read_file', { path: 'both.md' })),
        calls('right', call('read_file', { path: 'both.md' })),
        {
          ...calls('left', call('edit_file', { path: 'both.md', old_str: 'left', new_str: 'LEFT' })),
          delay_ms: 30,
        },
        {
          ...calls('right', call('edit_file', { path: 'both.md', old_str: 'right', new_str: 'RIGHT' })),
          delay_ms: 300,
        },
        // Refused: reads again and repeats its edit.
        calls('right', call('read_file', { path: 'both.md' })),
        calls('right', call('edit_file', { path: 'both.md', old_str: 'right', new_str: 'RIGHT' })),
        done('left', ['both.md']),
        done('right', ['both.md']),
      ),
    ),
  );
  here.write('both.md', 'left right\n');
  const { result, events } = await here.go('Shout');
  expect(result.exit_code, result.summary).toBe(0);
  expect(here.read('both.md')).toBe('LEFT RIGHT\n');
  const refused = ofType(events, 'tool_call_completed').filter(event => event.data['success'] === false);
  expect(refused.map(event => [event.data['subtask_id'], event.data['tool']])).toEqual([
    ['right', 'edit_file'],
  ]);
});

test('shell commands that write are one after the other; the next writer waits, reads do not', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'one' }, { id: 'two' }, { id: 'look' }),
        shell('one', 'test ! -e busy && touch busy && sleep 0.3 && rm busy && echo 1 >> log.txt'),
        { ...shell('two', 'test ! -e busy && touch busy && rm busy && echo 2 >> log.txt'), delay_ms: 100 },
        { ...calls('look', call('read_file', { path: 'notes.md' })), delay_ms: 100 },
        done('one'),
        done('two'),
        done('look'),
      ),
      '[approval]\nallow = ["shell_execute"]\n',
    ),
  );
  here.write('notes.md', 'notes\n');
  const { result, events } = await here.go('Two commands');
  expect(result.exit_code, result.summary).toBe(0);
  expect(here.read('log.txt').split('\n').sort().join('')).toBe('12');
  const completed = ofType(events, 'tool_call_completed').map(event => event.data['subtask_id']);
  expect(completed.indexOf('look')).toBeLessThan(completed.indexOf('one'));
  expect(result.files_changed).toContain('log.txt');
});

test('a dependent is told what its dependencies left', async () => {
  const here = keep(
    await servedLab(
      'ollama',
      script(
        plan({ id: 'base', files: ['base.md'] }, { id: 'top', needs: ['base'] }),
        writes('base', 'base.md'),
        done('base', ['base.md'], 'The base is at level 7.'),
        done('top'),
        verdict('top', true),
      ),
    ),
  );
  expect((await here.go('Stack')).result.exit_code).toBe(0);
  const request = here.servers[0]!.calls().find(sent => JSON.stringify(sent.body).includes('Subtask: top'));
  expect(JSON.stringify(request?.body)).toContain('The base is at level 7.');
  expect(JSON.stringify(request?.body)).toContain('base.md');
});

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

test.each(['ollama', 'openai', 'anthropic'] as FakeKind[])(
  'over %s the first requests are small: executor 8 KB with its tools, planner 10 KB',
  async kind => {
    const goal = 'Write the report about the parser and fix its failing test';
    const here = keep(
      await servedLab(
        kind,
        script(plan({ id: 'report', files: ['report.md'] }), delivers('report', 'report.md')),
      ),
    );
    for (let i = 0; i < 40; i++) here.write(`src/module-${i}/index.ts`, 'export {};\n');
    expect((await here.go(goal)).result.exit_code).toBe(0);
    const [planner, executor] = here.servers[0]!.calls();
    const size = ({ system, messages, tools }: Record<string, unknown>) =>
      bytes(messages) + (system ? bytes(system) : 0) + (tools ? bytes(tools) : 0);
    expect(size(planner!.body)).toBeLessThanOrEqual(10 * 1024);
    expect(size(executor!.body)).toBeLessThanOrEqual(8 * 1024);
    expect(executor!.body.tools.length).toBeGreaterThanOrEqual(8);
  },
);
