/** What a reviewer is asked in a real run, and who repairs an answer that was no verdict. */
import { expect, test } from 'vitest';
import { ending } from '../support/ending.ts';
import { type Lab, lab, QUICK, servedLab, wordsOf } from '../support/lab.ts';
import { always, call, calls, done, plan, script, shell, verdict } from '../support/script.ts';

const { keep } = ending();

const work = [
  plan({ id: 'fix', tier: 2, criteria: '`sh test.sh` passes', description: 'Repair app.cfg.' }),
  calls('fix', call('read_file', { path: 'app.cfg' })),
  calls('fix', call('write_file', { path: 'app.cfg', content: 'good\n' })),
  shell('fix', 'sh test.sh'),
  done('fix', ['app.cfg'], 'I repaired app.cfg.'),
];
const prepared = (here: Lab): Lab => {
  here.write('app.cfg', 'bad\n');
  here.write('test.sh', 'grep good app.cfg && echo all is well\n');
  return here;
};
const ALLOW = '[approval]\nallow = ["shell_execute"]\n';

test('a reviewer sees the diff, the commands with exit code and output, and what checks found, but no transcript', async () => {
  const scenario = script(...work, verdict('fix', true));
  const here = prepared(keep(await servedLab('openai', scenario, { toml: ALLOW })));
  const { result } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  const asked = here.servers[0]!.calls().at(-1)!.body.messages as { content: string }[];
  const words = asked.map(message => message.content).join('\n');
  expect(words).toContain('# Loom verifier');
  expect(words).toContain('-bad\n+good');
  expect(words).toMatch(/\$ sh test\.sh → exit 0\n[\s\S]*all is well/);
  expect(words).toContain('holds: `sh test.sh` ended with exit code 0 after the last change.');
  expect(words).not.toContain('write_file');
});

test('an answer that is no verdict is repaired by the same model once, then by another', async () => {
  const here = prepared(keep(lab()));
  const worker = await here.serve('openai', script(...work));
  const vague = await here.serve(
    'openai',
    script({ role: 'verifier', reply: 'Looks fine to me!', repeat: true }),
  );
  const clear = await here.serve('openai', script({ ...verdict('fix', true), repeat: true }));
  const model = (alias: string, url: string, roles: string) => `[models.${alias}]
provider = "openai_compatible"
base_url = "${url}"
model = "${alias}"
roles = ${roles}
context_tokens = 32768
`;
  here.config(
    `${QUICK}${ALLOW}${model('worker', worker.url, '["planner", "executor"]')}${model('a-vague', vague.url, '["verifier"]')}${model('b-clear', clear.url, '["verifier"]')}`,
  );
  const { result } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  expect(result.subtasks[0]).toMatchObject({ attempts: 1 });
  expect([vague.calls().length, clear.calls().length]).toEqual([2, 1]);
  expect(wordsOf(vague.calls()[1]!)).toContain('That was not the JSON object asked for');
});

test('every vote is asked from another side: the same words would bring the same answer', async () => {
  const scenario = script(
    plan({ id: 'fix', tier: 3, files: ['app.cfg'] }),
    calls('fix', call('write_file', { path: 'app.cfg', content: 'good\n' })),
    done('fix', ['app.cfg']),
    always(verdict('fix', true)),
  );
  const here = keep(await servedLab('openai', scenario));
  const { result } = await here.go('Repair it');
  expect(result, result.error?.message).toMatchObject({ status: 'completed', exit_code: 0 });
  const votes = here.servers[0]!.calls().filter(request => wordsOf(request).includes('# Loom verifier'));
  expect(votes.length).toBeGreaterThanOrEqual(2);
  expect(new Set(votes.map(wordsOf)).size).toBe(votes.length);
});
