/** Whole outputs by id: read by the model that was shown a part, after a restart, and by hand from another process. */
import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { type Lab, lab } from '../support/lab.ts';
import { call, calls, done, plan, script, shell, writes } from '../support/script.ts';

const open: Lab[] = [];
afterEach(async () => {
  for (const here of open.splice(0)) await here.end();
});

const idOf = (content: string): string =>
  `af_${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
const printed = `${Array.from({ length: 5_000 }, (_, i) => i + 1).join('\n')}\n`;

test('a cut output is paged through by its id in the run, and later from the command line', async () => {
  const here = lab();
  open.push(here);
  const id = idOf(printed);
  here.scenario(
    script(
      plan({ id: 'count', files: ['n.txt'] }),
      shell('count', 'seq 1 5000'),
      calls('count', call('read_artifact', { artifact_ref: id, offset: 12_000 })),
      writes('count', 'n.txt', '5000\n'),
      done('count', ['n.txt']),
    ),
  );
  const { result, events } = await here.go('Count');
  expect(result.exit_code).toBe(0);
  const reads = events.filter(
    event => event.event_type === 'tool_call_completed' && event.data['tool'] === 'read_artifact',
  );
  expect(reads.map(event => event.data['success'])).toEqual([true]);
  await here.reopen();
  const page = await here.loom.tools.call('read_artifact', { artifact_ref: id, offset: 20_000 });
  expect(page.output).toMatch(/^[\s\S]*5000\n/);
  // Another folder is another story.
  const elsewhere = await here.loom.tools.call(
    'read_artifact',
    { artifact_ref: id },
    { workspace: here.home },
  );
  expect(elsewhere.error?.code).toBe('artifact_unknown');
});

test('what a call by hand cut off is read by the next call, in another process', async () => {
  const here = lab();
  open.push(here);
  const first = await here.run(['tool', 'call', 'shell_execute', '{"command":"seq 1 90000"}']);
  const id = /read_artifact (af_[0-9a-f]{16})/.exec(first.stdout)?.[1];
  expect(id).toBeDefined();
  const args = JSON.stringify({ artifact_ref: id, offset: 520_000, max_chars: 20_000 });
  const second = await here.run(['tool', 'call', 'read_artifact', args]);
  expect(second.stdout).toContain('90000');
  // It is a finished run of its own kind: no task, and gone with the workspace.
  expect((await here.run(['tasks', '--output', 'json'])).stdout).not.toContain('adhoc');
  const purged = await here.run(['purge', here.workspace, '--yes']);
  expect(purged.code).toBe(0);
  expect((await here.run(['tool', 'call', 'read_artifact', args])).code).not.toBe(0);
});
