/** Nothing that must be asked happens before somebody said yes; without a terminal the run stops, and another process answers. */
import { expect, test } from 'vitest';
import type { RunResult } from '../../actors/loom.ts';
import { ending } from '../support/ending.ts';
import { type Lab, ofType, scriptedLab, servedLab, wordsOf } from '../support/lab.ts';
import type { Sandbox } from '../support/loom-process.ts';
import { call, calls, delivers, done, plan, script, shell, verdict, writes } from '../support/script.ts';

const { keep, box } = ending();

const COMMAND = 'rm -rf old';
const RULE = `shell_execute(${COMMAND})`;
/** The files themselves are made by the person, so that a removal shows. */
const cleanup = script(
  plan({ id: 'clean', criteria: 'The folder old is gone.' }),
  // A resumed run begins the script anew; the step tells where it is.
  { ...shell('clean', COMMAND), step: 0 },
  done('clean', [], 'The old folder is gone.'),
);
const withOld = (here: Sandbox): Sandbox => {
  here.write('old/a.md', 'a\n');
  here.write('new.md', 'new\n');
  return here;
};
const OLD = { 'new.md': 'new\n', 'old/a.md': 'a\n' };
const NEW = { 'new.md': 'new\n' };
const idOf = (stdout: string): string => /loom resume (\w+)/.exec(stdout)![1]!;

test('a destructive command without a terminal: exit 3, the rule is printed, and nothing has happened', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up']);
  expect(ended.code, ended.stderr).toBe(3);
  expect(ended.stdout).toContain(RULE);
  expect(ended.stdout).toMatch(/loom approve \w+/);
  expect(ended.stdout).toMatch(/loom resume \w+/);
  expect(here.tree()).toEqual(OLD);
});

test('approve from another process, then resume: it happens once and the run completes', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up']);
  const question = /loom approve (\w+)/.exec(ended.stdout)![1]!;
  const approved = await here.run(['approve', question]);
  expect(approved.code, approved.stderr).toBe(0);
  expect(here.tree()).toEqual(OLD);
  const resumed = await here.json<RunResult>(['resume', idOf(ended.stdout)]);
  expect(resumed.ended.code, resumed.ended.stderr).toBe(0);
  expect(resumed.value).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual(NEW);
  const ran = here.journal(resumed.value.task_id).filter(event => event.event_type === 'tool_call_completed');
  expect(ran.map(event => [event.data['tool'], event.data['success']])).toEqual([['shell_execute', true]]);
  // Answered once: there is nothing more to approve.
  const again = await here.run(['approve', question]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('no open question');
});

test('reject with a reason: it does not happen, and the model reads the reason', async () => {
  const here = withOld(
    keep(
      await servedLab(
        'openai',
        script(
          plan({ id: 'clean' }),
          shell('clean', COMMAND),
          done('clean', [], 'Left the folder alone, as told.'),
          // Nothing was done that a check could see, so a reader has to judge it.
          verdict('clean', true),
        ),
      ),
    ),
  ) as Lab;
  const ended = await here.run(['run', 'Clean up']);
  expect(ended.code, ended.stderr).toBe(3);
  const rejected = await here.run(['reject', idOf(ended.stdout), '--reason', 'those are my holiday photos']);
  expect(rejected.code, rejected.stderr).toBe(0);
  const resumed = await here.run(['resume', '--last']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(here.tree()).toEqual(OLD);
  const worked = here.servers[0]!.calls().map(wordsOf);
  const told = worked.filter(words => words.includes('# Loom executor'));
  expect(told.at(-1)).toContain('those are my holiday photos');
});

test('with --allow and the printed rule it passes at once', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up', '--allow', RULE]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(here.tree()).toEqual(NEW);
});

test('the printed rule given to resume answers the open question', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up']);
  expect(ended.code).toBe(3);
  const resumed = await here.run(['resume', idOf(ended.stdout), '--allow', RULE]);
  expect(resumed.code, `${resumed.stdout}${resumed.stderr}`).toBe(0);
  expect(here.tree()).toEqual(NEW);
});

test('a rule for one command lets no other pass, however it is dressed up', async () => {
  for (const command of ['rm -rf old new.md', 'echo hi; rm -rf old', 'rm -rf old && rm new.md']) {
    const here = withOld(box(script(plan({ id: 'clean' }), shell('clean', command), done('clean'))));
    const ended = await here.run(['run', 'Clean up', '--allow', RULE, '--allow', 'shell_execute(echo *)']);
    expect(ended.code, command).toBe(3);
    expect(here.tree()).toEqual(OLD);
  }
});

test('a deny rule wins over everything; the model is told and finds another way', async () => {
  const here = withOld(
    keep(
      scriptedLab(
        script(
          plan({ id: 'clean' }),
          shell('clean', COMMAND),
          calls('clean', call('write_file', { path: 'README.md', content: 'old/ is obsolete\n' })),
          done('clean', ['README.md']),
        ),
      ),
    ),
  ) as Lab;
  const { result, events } = await here.go('Clean up', {
    allow: ['shell_execute'],
    deny: ['shell_execute(rm *)'],
  });
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ ...OLD, 'README.md': 'old/ is obsolete\n' });
  expect(ofType(events, 'tool_call_completed').map(event => event.data['tool'])).toEqual(['write_file']);
});

test('rules of loom.toml count like those of the command line', async () => {
  const here = withOld(keep(scriptedLab(cleanup, `[approval]\nallow = ["${RULE}"]\n`))) as Lab;
  expect((await here.go('Clean up')).result.exit_code).toBe(0);
  expect(here.tree()).toEqual(NEW);
});

test('auto lets writes and ordinary commands pass, manual asks before each of them but not before reads', async () => {
  const job = script(
    plan({ id: 'work', files: ['a.md'] }),
    { ...calls('work', call('list_directory', { path: '.' })), step: 0 },
    { ...writes('work', 'a.md'), step: 1 },
    done('work', ['a.md']),
  );
  const auto = keep(scriptedLab(job));
  expect((await auto.go('Work')).result.exit_code).toBe(0);
  const manual = keep(scriptedLab(job));
  const { result, events } = await manual.go('Work', { approval: 'manual' });
  expect(result).toMatchObject({ status: 'waiting_approval', exit_code: 3 });
  expect(result.questions).toMatchObject([
    { kind: 'approval', subtask_id: 'work', rule: 'write_file(a.md)', choices: ['approve', 'reject'] },
  ]);
  expect(ofType(events, 'tool_call_completed').map(event => event.data['tool'])).toEqual(['list_directory']);
  expect(manual.tree()).toEqual({});
  await manual.loom.answer(result.task_id, { answer: 'yes' });
  expect((await manual.goOn(result.task_id)).result.exit_code).toBe(0);
  expect(manual.tree()).toEqual({ 'a.md': 'a.md\n' });
});

test('a person who is there is asked, with what is about to happen, and the run goes on without stopping', async () => {
  const here = withOld(keep(scriptedLab(cleanup))) as Lab;
  const asked: string[] = [];
  const { result, events } = await here.go('Clean up', {
    onQuestion: async question => {
      asked.push(question.prompt);
      expect(here.tree()).toEqual(OLD);
      return { answer: 'approve' };
    },
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain(COMMAND);
  expect(result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(ofType(events, 'approval_requested')).toHaveLength(1);
  expect(ofType(events, 'approval_received')[0]?.data).toMatchObject({ approved: true });
  expect(here.tree()).toEqual(NEW);
});

test('an answer that is no choice is refused with the choices, and the question stays open', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up']);
  const id = idOf(ended.stdout);
  const wrong = await here.run(['answer', id, 'perhaps']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('approve, reject');
  const { value } = await here.json<{ questions: unknown[] }>(['status', id]);
  expect(value.questions).toHaveLength(1);
});

test('a question of the model stops the run with exit 3; loom answer gives it the words', async () => {
  const scenario = script(
    plan({ id: 'ask', files: ['name.md'] }),
    calls('ask', call('ask_user', { question: 'What shall it be called?' })),
    delivers('ask', 'name.md'),
  );
  const here = keep(await servedLab('openai', scenario));
  const ended = await here.run(['run', 'Name it']);
  expect(ended.code, ended.stderr).toBe(3);
  expect(ended.stdout).toContain('What shall it be called?');
  expect(ended.stdout).toMatch(/loom answer \w+/);
  const id = idOf(ended.stdout);
  expect((await here.run(['answer', id, 'Call it Penelope'])).code).toBe(0);
  const resumed = await here.run(['resume', id]);
  expect(resumed.code, resumed.stderr).toBe(0);
  const sent = here.servers[0]!.calls().map(wordsOf);
  expect(sent.some(text => text.includes('Call it Penelope'))).toBe(true);
});

test('what waits for a person does not hold up what does not', async () => {
  const here = withOld(
    keep(
      scriptedLab(
        script(
          plan(
            { id: 'clean' },
            { id: 'write', files: ['b.md'] },
            { id: 'after', needs: ['write'], files: ['c.md'] },
          ),
          shell('clean', COMMAND),
          done('clean'),
          delivers('write', 'b.md'),
          delivers('after', 'c.md'),
        ),
      ),
    ),
  ) as Lab;
  const { result } = await here.go('Clean up and write');
  expect(result.exit_code).toBe(3);
  expect(Object.fromEntries(result.subtasks.map(subtask => [subtask.id, subtask.status]))).toMatchObject({
    write: 'completed',
    after: 'completed',
  });
  expect(here.tree()).toEqual({ ...OLD, 'b.md': 'b.md\n', 'c.md': 'c.md\n' });
});

test('an approval given while the run is still alive in another process is taken up there', async () => {
  const here = withOld(
    box(
      script(
        plan({ id: 'clean' }, { id: 'slow' }),
        shell('clean', COMMAND),
        done('clean'),
        {
          ...done('slow'),
          delay_ms: 3_000,
        },
        verdict('slow', true),
      ),
    ),
  );
  const running = here.start(['run', 'Clean up', '--output', 'stream-json']);
  await running.prints(/"approval_requested"/);
  const id = /"question_id":"(\w+)"/.exec(running.stdout())![1]!;
  expect((await here.run(['approve', id])).code).toBe(0);
  const ended = await running.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(here.tree()).toEqual(NEW);
});

test('a secret file is asked about before it is read', async () => {
  const here = keep(
    scriptedLab(
      script(plan({ id: 'look' }), calls('look', call('read_file', { path: '.env' })), done('look')),
    ),
  );
  here.write('.env', 'TOKEN=abc\n');
  const { result } = await here.go('Look');
  expect(result.exit_code).toBe(3);
  expect(result.questions?.[0]?.rule).toBe('read_file(.env)');
});

test('in confidence_threshold mode a doubtful verdict waits for a person before dependents start', async () => {
  const doubtful = {
    role: 'verifier',
    reply: {
      passed: true,
      outcome: 'pass_with_warnings',
      confidence: 0.3,
      feedback: 'Hm.',
      issues: ['Thin.'],
    },
  };
  const scenario = script(
    plan({ id: 'base', files: ['base.md'], tier: 2 }, { id: 'top', needs: ['base'], files: ['top.md'] }),
    { ...writes('base', 'base.md'), step: 0 },
    { ...done('base', ['base.md']), step: 1 },
    doubtful,
    { ...writes('top', 'top.md'), step: 0 },
    { ...done('top', ['top.md']), step: 1 },
  );
  const here = keep(scriptedLab(scenario));
  const { result } = await here.go('Stack', { approval: 'confidence_threshold' });
  expect(result).toMatchObject({ exit_code: 3, questions: [{ kind: 'result', subtask_id: 'base' }] });
  expect(here.tree()).toEqual({ 'base.md': 'base.md\n' });
  await here.loom.answer(result.task_id, { answer: 'approve' });
  expect((await here.goOn(result.task_id)).result).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(here.tree()).toEqual({ 'base.md': 'base.md\n', 'top.md': 'top.md\n' });
});

test('a rule that cannot be read is refused before anything begins: it would deny nothing', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up', '--deny', 'shell_execute(rm', '--allow', RULE]);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain('"shell_execute(rm"');
  expect(here.tree()).toEqual(OLD);
});

test('a rule for a tool that does not exist is refused, or warned of in loom.toml, with the nearest name', async () => {
  const here = withOld(box(cleanup));
  const ended = await here.run(['run', 'Clean up', '--deny', 'shell_exec(rm*)']);
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('did you mean shell_execute?')]);
  const configured = withOld(keep(scriptedLab(cleanup, '[approval]\ndeny = ["delete_fil"]\n'))) as Lab;
  await configured.go('Clean up');
  expect(configured.notices.filter(line => line.includes('did you mean delete_file?'))).toHaveLength(1);
});
