/** What was asked for is held against the world once more at the end: later work may have undone it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScenarioEntry } from '../../actors/models/scenario.ts';
import { ending } from '../support/ending.ts';
import { type Lab, ofType, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import {
  always,
  call,
  calls,
  delivers,
  done,
  type Node,
  script,
  shell,
  subtasks,
  verdict,
  writes,
} from '../support/script.ts';

const { keep } = ending();
const planOf = (goal_criteria: string[], ...nodes: Node[]): ScenarioEntry => ({
  role: 'planner',
  reply: { goal_criteria, subtasks: subtasks(nodes) },
});
const NO_REPLAN = 'max_task_replans = 0\n';
const ALLOW = '[approval]\nallow = ["shell_execute"]\n';
const TEST = 'grep good app.cfg';

/** Repairs a file so that a command succeeds, then something else is written. */
const repairThen = (...later: ScenarioEntry[]) =>
  script(
    planOf(
      [],
      { id: 'fix', criteria: '`sh test.sh` passes' },
      { id: 'more', needs: ['fix'], files: ['extra.cfg'] },
    ),
    writes('fix', 'app.cfg', 'good\n'),
    shell('fix', 'sh test.sh'),
    done('fix', ['app.cfg']),
    ...later,
  );
const prepared = (scenario: string, toml = ''): Lab => {
  const here = keep(scriptedLab(scenario, `${NO_REPLAN}${ALLOW}${toml}`));
  here.write('test.sh', `${TEST}\n`);
  return here;
};
const commandsRun = (events: Parameters<typeof ofType>[0]) =>
  ofType(events, 'tool_call_completed').filter(event => event.data['tool'] === 'shell_execute');

test('a command that was evidence runs once more when files were changed after it', async () => {
  const here = prepared(repairThen(...delivers('more', 'extra.cfg')));
  const { result, events } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(commandsRun(events).map(event => event.data['subtask_id'])).toEqual(['fix', null]);
});

test('a command that no longer succeeds is named, and the run is not completed', async () => {
  const here = prepared(
    repairThen(
      calls('more', call('write_file', { path: 'extra.cfg', content: 'x\n' })),
      // Whoever cleans up does not know what the file was for.
      calls('more', call('read_file', { path: 'app.cfg' })),
      calls('more', call('write_file', { path: 'app.cfg', content: 'bad\n' })),
      done('more', ['extra.cfg', 'app.cfg']),
    ),
  );
  const { result, events } = await here.go('Repair it');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1, error: { code: 'obligation_unmet' } });
  expect(result.error?.message).toContain('`sh test.sh` ended with exit code 1');
  expect(commandsRun(events)).toHaveLength(2);
});

test('nothing runs again when nothing was changed, or only a report', async () => {
  const here = prepared(
    script(
      planOf(
        [],
        { id: 'fix', criteria: '`sh test.sh` passes' },
        { id: 'more', needs: ['fix'], files: ['report.md'] },
      ),
      writes('fix', 'app.cfg', 'good\n'),
      shell('fix', 'sh test.sh'),
      done('fix', ['app.cfg']),
      ...delivers('more', 'report.md'),
    ),
  );
  const { result, events } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(commandsRun(events)).toHaveLength(1);
});

test('it runs through the same gate: who is asked before every command is asked again, and may refuse', async () => {
  const here = prepared(repairThen(...delivers('more', 'extra.cfg')), '');
  here.config(readFileSync(join(here.home, 'loom.toml'), 'utf8').replace(ALLOW, ''));
  const asked: (string | null)[] = [];
  const { result, events } = await here.go('Repair it', {
    approval: 'manual',
    onQuestion: async ({ subtask_id, prompt }) => {
      if (!prompt.includes('test.sh')) return { answer: 'approve' };
      asked.push(subtask_id);
      return { answer: subtask_id === null ? 'reject' : 'approve' };
    },
  });
  expect(asked).toEqual(['fix', null]);
  expect(commandsRun(events)).toHaveLength(1);
  expect(result).toMatchObject({ status: 'failed', error: { code: 'obligation_unmet' } });
  expect(result.error?.message).toContain('was not run again after the last change');
});

const accepted = (later: ScenarioEntry[], ...judged: ScenarioEntry[]) =>
  script(
    planOf(
      [],
      { id: 'text', files: ['text.md'], tier: 2, criteria: 'text.md names the year 1999.' },
      { id: 'style', needs: ['text'], tier: 1, description: 'Shorten text.md.' },
    ),
    ...delivers('text', 'text.md', 'It was 1999.\n'),
    verdict('text', true),
    calls('style', call('read_file', { path: 'text.md' })),
    ...later,
    done('style', ['text.md']),
    ...judged,
  );

test('who changes a file that a reviewer accepted is read by a reviewer, who sees what it was accepted for', async () => {
  const shortened = [calls('style', call('write_file', { path: 'text.md', content: 'Long ago.\n' }))];
  const here = keep(
    await servedLab(
      'openai',
      accepted(shortened, always(verdict('style', false, 'The year 1999 is gone.'))),
      {
        toml: `max_subtask_retries = 0\n${NO_REPLAN}`,
      },
    ),
  );
  const { result } = await here.go('Write it');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1 });
  expect(result.error?.message).toContain('1999 is gone');
  const asked = here.servers[0]!.calls()
    .map(wordsOf)
    .filter(words => words.includes('# Loom verifier'));
  expect(asked.at(-1)).toContain('What must still hold in the changed files');
  expect(asked.at(-1)).toContain('text.md names the year 1999.');

  const kept = [calls('style', call('write_file', { path: 'text.md', content: '1999.\n' }))];
  const fine = keep(scriptedLab(accepted(kept, verdict('style', true)), NO_REPLAN));
  expect((await fine.go('Write it')).result).toMatchObject({ status: 'completed', exit_code: 0 });
});

const goal = (...rest: ScenarioEntry[]) =>
  script(
    planOf(
      ['Both files speak of the same year.'],
      { id: 'one', files: ['one.md'] },
      { id: 'two', files: ['two.md'] },
    ),
    ...delivers('one', 'one.md', '1999\n'),
    ...delivers('two', 'two.md', '2001\n'),
    ...rest,
  );

test('the criteria of the goal are judged over the work of all, once', async () => {
  const here = keep(await servedLab('openai', goal(verdict('*goal', true)), { toml: NO_REPLAN }));
  const { result } = await here.go('Write both');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  const asked = here.servers[0]!.calls()
    .map(wordsOf)
    .filter(words => words.includes('# Loom verifier'));
  expect(asked).toHaveLength(1);
  for (const words of ['Both files speak of the same year.', '1999', '2001', 'two is done'])
    expect(asked[0]).toContain(words);
});

test('a goal that a command shows needs no judge', async () => {
  const here = prepared(
    script(
      planOf(['`sh test.sh` passes.'], { id: 'fix' }),
      writes('fix', 'app.cfg', 'good\n'),
      shell('fix', 'sh test.sh'),
      done('fix', ['app.cfg']),
    ),
  );
  const { result } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
});

test('a goal that is not met names what is missing, and a new plan may still meet it', async () => {
  const differ = verdict('*goal', false, 'one.md says 1999, two.md says 2001.');
  const here = keep(scriptedLab(goal(differ), NO_REPLAN));
  const { result } = await here.go('Write both');
  expect(result).toMatchObject({ status: 'failed', exit_code: 1, error: { code: 'obligation_unmet' } });
  expect(result.error?.message).toContain('Both files speak of the same year.');
  expect(result.error?.message).toContain('two.md says 2001');

  const replan = {
    role: 'replanner',
    reply: { subtasks: subtasks([{ id: 'align', needs: ['one', 'two'], files: ['two.md'] }]) },
  };
  const aligned = keep(
    scriptedLab(
      goal(
        differ,
        replan,
        calls('align', call('read_file', { path: 'two.md' })),
        calls('align', call('write_file', { path: 'two.md', content: '1999\n' })),
        done('align', ['two.md']),
        verdict('*goal', true),
      ),
    ),
  );
  const after = await aligned.go('Write both');
  expect(after.result, after.result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(after.result.subtasks.map(({ id, status }) => [id, status])).toEqual([
    ['one', 'completed'],
    ['two', 'completed'],
    ['align', 'completed'],
  ]);
});

test('what failed work owed is owed by what a new plan puts in its place', async () => {
  const here = keep(
    await servedLab(
      'openai',
      script(
        planOf([], { id: 'draft', files: ['draft.md'], tier: 2, criteria: 'draft.md names its sources.' }),
        ...delivers('draft', 'draft.md'),
        verdict('draft', false, 'No sources.'),
        {
          role: 'replanner',
          reply: { subtasks: [{ ...subtasks([{ id: 'again' }])[0], acceptance_criteria: 'It is short.' }] },
        },
        calls('again', call('read_file', { path: 'draft.md' })),
        calls('again', call('write_file', { path: 'draft.md', content: 'Sources: none.\n' })),
        done('again', ['draft.md']),
        verdict('again', true),
      ),
      { toml: 'max_subtask_retries = 0\n' },
    ),
  );
  const { result } = await here.go('Draft it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  const told = here.servers[0]!.calls()
    .map(wordsOf)
    .filter(words => words.includes('Subtask: again'));
  for (const words of told) {
    expect(words).toContain('draft.md names its sources.');
    expect(words).toContain('It is short.');
  }
  expect(told.length).toBeGreaterThan(2);
});
