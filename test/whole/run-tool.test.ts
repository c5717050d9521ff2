/** Tools that a request does not carry: found, called through run_tool, and gated as what they are. */
import { afterEach, expect, test } from 'vitest';
import { type Lab, ofType, QUICK, scriptedLab, servedLab } from '../support/lab.ts';
import { serverToml } from '../support/loom-process.ts';
import { call, calls, delivers, done, plan, script, verdict, writes } from '../support/script.ts';

const open: Lab[] = [];
const keep = (here: Lab): Lab => {
  open.push(here);
  return here;
};
afterEach(async () => {
  for (const here of open.splice(0)) await here.end();
});

const through = (name: string, args: Record<string, unknown>) => call('run_tool', { name, arguments: args });

test('the gate judges the inner call: a destructive one is asked for by its own rule, and runs with it', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'tidy', files: ['done.txt'] }),
        calls('tidy', through('shell_execute', { command: 'git push --force' })),
        writes('tidy', 'done.txt'),
        done('tidy', ['done.txt']),
      ),
    ),
  );
  here.write('a.txt', 'x\n');
  const { result, events } = await here.go('Tidy up');
  expect(result.exit_code).toBe(3);
  const [asked] = ofType(events, 'approval_requested');
  expect(JSON.stringify(asked?.data)).toContain('shell_execute(git push --force)');
  expect(ofType(events, 'tool_call_started')).toEqual([]);
});

test('an inner call leaves the same rows and events as a direct one, and a hidden tool may be called directly, too', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'note', files: ['a.txt'] }),
        calls('note', call('list_tools', { query: 'write' })),
        calls('note', through('write_file', { path: 'a.txt', content: 'a\n' })),
        calls('note', call('move_file', { source: 'a.txt', destination: 'b.txt' })),
        calls('note', through('write_file', { path: 'a.txt', content: 'again\n' })),
        done('note', ['a.txt']),
      ),
    ),
  );
  const { result, events } = await here.go('Note');
  expect(result.exit_code).toBe(0);
  expect(ofType(events, 'tool_call_completed').map(({ data }) => [data['tool'], data['success']])).toEqual([
    ['list_tools', true],
    ['write_file', true],
    ['move_file', true],
    ['write_file', true],
  ]);
  expect(here.tree()).toMatchObject({ 'a.txt': 'again\n', 'b.txt': 'a\n' });
  expect(await here.loom.undo(result.task_id)).toMatchObject({ refused: [] });
  expect(here.tree()).toEqual({});
});

test('a window of 4k carries few schemas, the call goes back under the name the model used', async () => {
  const here = keep(
    await servedLab(
      'ollama',
      script(
        plan({ id: 'note', files: ['a.txt'], tier: 2 }),
        calls('note', through('glob_find', { pattern: '**/*.md' })),
        delivers('note', 'a.txt'),
        verdict('note', true),
      ),
      { options: { window: 4_096 } },
    ),
  );
  here.config(QUICK + serverToml('ollama', here.servers[0]!.url).replace('32768', '4096'));
  const { result } = await here.go('Take a note');
  expect(result.exit_code).toBe(0);
  const executor = here.servers[0]!.calls().filter(({ body }) =>
    JSON.stringify(body).includes('# Loom executor'),
  );
  const tools = (executor[0]!.body.tools as { function: { name: string } }[]).map(tool => tool.function.name);
  expect(tools).toEqual(
    expect.arrayContaining(['read_file', 'write_file', 'edit_file', 'shell_execute', 'run_tool']),
  );
  expect(JSON.stringify(executor[0]!.body.tools).length).toBeLessThanOrEqual(3_600);
  // The same tools throughout, so that prompt caches hit.
  for (const { body } of executor) expect(body.tools).toEqual(executor[0]!.body.tools);
  const said = JSON.stringify(executor[1]!.body.messages);
  expect(said).toContain('"name":"run_tool"');
  expect(said).toContain('No files match');
});
