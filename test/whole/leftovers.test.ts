/** What failed work left behind belongs to the subtask that takes its place: it is told of it and answers for it. */
import { expect, test } from 'vitest';
import { ending } from '../support/ending.ts';
import { servedLab, wordsOf } from '../support/lab.ts';
import {
  always,
  call,
  calls,
  delivers,
  done,
  plan,
  says,
  script,
  subtasks,
  writes,
} from '../support/script.ts';

const { keep } = ending();

test('a stray file of a failed subtask is cleared away by the one that replaces it', async () => {
  const criteria = 'No other file is created or changed.';
  const here = await servedLab(
    'openai',
    script(
      plan({ id: 'top', files: ['top.md'], criteria }),
      writes('top', 'stray.md'),
      always(says('top', { status: 'failed', reason: 'this way leads nowhere' })),
      {
        role: 'replanner',
        reply: {
          subtasks: subtasks([
            { id: 'other-top', files: ['top.md'], criteria },
            { id: 'beside', needs: ['other-top'], files: ['beside.md'] },
          ]),
        },
      },
      delivers('other-top', 'top.md'),
      calls('other-top', call('delete_file', { path: 'stray.md' })),
      done('other-top', ['top.md']),
      delivers('beside', 'beside.md'),
    ),
    { toml: 'max_subtask_retries = 1\n' },
  );
  keep(here);
  here.write('before.md', 'was here\n');
  const { result } = await here.go('Build the top');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(Object.keys(here.tree())).toEqual(['before.md', 'beside.md', 'top.md']);
  expect(result.subtasks.map(({ id, attempts }) => [id, attempts])).toEqual([
    ['other-top', 2],
    ['beside', 1],
  ]);
  const told = here.servers[0]!.calls().filter(request => wordsOf(request).includes('Subtask: other-top'));
  expect(wordsOf(told[0]!)).toMatch(
    /What failed subtasks left\\n.*stray\.md\. Use, correct or remove them\./,
  );
});
