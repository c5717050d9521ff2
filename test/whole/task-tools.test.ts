/** Tools whose results reach further than their text: pictures for models that can see, lists that outlive an attempt. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePng } from '../support/documents.ts';
import { ending } from '../support/ending.ts';
import type { FakeKind } from '../support/fake-server.ts';
import { ofType, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import { call, calls, delivers, done, plan, script, writes } from '../support/script.ts';

const { keep } = ending();

const png = makePng(9, 9);

test.each(
  (['ollama', 'openai', 'anthropic'] as FakeKind[]).flatMap(
    kind =>
      [
        [kind, true],
        [kind, false],
      ] as const,
  ),
)(
  'over %s an image that was read is sent to a model that can see (%s), and to no other',
  async (kind, vision) => {
    const here = keep(
      await servedLab(
        kind,
        script(
          plan({ id: 'look', files: ['said.md'] }),
          calls('look', call('read_file', { path: 'a.png' })),
          delivers('look', 'said.md'),
        ),
      ),
    );
    appendFileSync(join(here.home, 'loom.toml'), `\n[models.main.capabilities]\nvision = ${vision}\n`);
    writeFileSync(join(here.workspace, 'a.png'), png);
    expect((await here.go('Say what is on a.png')).result.exit_code).toBe(0);
    const bodies = here.servers[0]!.calls().map(request => JSON.stringify(request.body));
    const sent = bodies.map(body => body.includes(png.toString('base64')));
    expect(sent[0]).toBe(false);
    expect(sent[1]).toBe(false);
    expect(sent[2]).toBe(vision);
    expect(bodies[2]).toContain('9×9 pixels');
  },
);

test('the steps that a subtask notes outlive its first attempt, and other subtasks see them', async () => {
  const here = keep(
    await servedLab(
      'ollama',
      script(
        plan({ id: 'first', files: ['a.txt'] }, { id: 'second', needs: ['first'], files: ['b.txt'] }),
        calls(
          'first',
          call('task_tracker', { action: 'add', content: 'write a' }),
          call('task_tracker', { action: 'add', content: 'check a' }),
        ),
        calls('first', call('task_tracker', { action: 'update', task_id: 1, status: 'completed' })),
        // Claims a file that it has not written: another attempt.
        done('first', ['a.txt']),
        calls('first', call('task_tracker', { action: 'list' })),
        writes('first', 'a.txt'),
        done('first', ['a.txt']),
        calls('second', call('task_tracker', { action: 'list' })),
        writes('second', 'b.txt'),
        done('second', ['b.txt']),
      ),
    ),
  );
  const { result, events } = await here.go('Two files');
  expect(result.exit_code).toBe(0);
  expect(ofType(events, 'subtask_retrying').length).toBe(1);
  expect(ofType(events, 'tool_call_completed').filter(({ data }) => !data['success'])).toEqual([]);
  const words = here.servers[0]!.calls().map(wordsOf).join('\n');
  expect(words).toContain('#1 [x] write a\\n#2 [ ] check a\\n(1 pending, 0 in_progress, 1 completed)');
  expect(words).toContain('No tasks.\\nOf first (not yours to change):\\n#1 [x] write a');
});

test('what documents and tables were written is undone like any other change', async () => {
  const here = keep(
    scriptedLab(
      script(
        plan({ id: 'report', files: ['report.docx', 'costs.xlsx', 'data.csv'] }),
        calls('report', call('spreadsheet', { operation: 'sort', path: 'data.csv', column_name: 'n' })),
        calls(
          'report',
          call('spreadsheet', {
            operation: 'filter',
            path: 'data.csv',
            column_name: 'n',
            value: '1',
            output_path: 'costs.xlsx',
          }),
        ),
        calls('report', call('document_write', { path: 'report.docx', title: 'Costs', content: 'Done.' })),
        calls('report', call('document_write', { path: 'notes.md', content: 'More.', append: true })),
        done('report', ['report.docx', 'costs.xlsx', 'data.csv']),
      ),
    ),
  );
  here.write('data.csv', 'n,x\n2,b\n1,a\n');
  here.write('notes.md', 'Some.\n');
  const before = here.tree();
  const { result, events } = await here.go('Report');
  expect(result.exit_code).toBe(0);
  const outcomes = ofType(events, 'tool_call_completed').map(({ data }) => [
    data['success'],
    data['files_changed'],
  ]);
  expect(outcomes).toEqual([
    [true, ['data.csv']],
    [true, ['costs.xlsx']],
    [true, ['report.docx']],
    [true, ['notes.md']],
  ]);
  expect(here.tree()).toMatchObject({ 'data.csv': 'n,x\n1,a\n2,b\n', 'notes.md': 'Some.\n\nMore.\n' });
  expect(await here.loom.undo(result.task_id)).toMatchObject({ refused: [] });
  expect(here.tree()).toEqual(before);
});
