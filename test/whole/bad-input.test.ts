/** Whatever is wrong with what a person gave, or with what answers: a short message, the right exit code, nothing lost. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ending } from '../support/ending.ts';
import type { FakeServer } from '../support/fake-http.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { QUICK } from '../support/lab.ts';
import { type Ended, type Sandbox, sandbox, serverToml } from '../support/loom-process.ts';
import { delivers, plan, script } from '../support/script.ts';

const { later } = ending();
const box = (): Sandbox => {
  const made = sandbox();
  later(made.remove);
  return made;
};
const serve = async (...given: Parameters<typeof startFakeServer>): Promise<FakeServer> => {
  const made = await startFakeServer(...given);
  later(made.stop);
  return made;
};

const job = script(plan({ id: 'report', files: ['report.md'] }), delivers('report', 'report.md'));
/** A port of this machine where nothing listens: it was free a moment ago. */
const deadUrl = async (): Promise<string> => {
  const server = await startFakeServer('openai', job);
  await server.stop();
  return server.url;
};

/** What every refusal has to be: short, without a stack, and about what was given. */
function plainWords({ stdout, stderr }: Ended, ...about: (RegExp | string)[]): void {
  const all = `${stdout}${stderr}`;
  expect(all).not.toMatch(/^ +at /m);
  expect(all).not.toMatch(/\bbug in Loom\b/);
  expect(all.split('\n').filter(line => line.trim() !== '').length, all).toBeLessThanOrEqual(8);
  for (const line of all.split('\n')) expect(line.length, line).toBeLessThanOrEqual(600);
  for (const words of about) expect(all).toMatch(words);
}

interface Refused {
  name: string;
  toml?: string;
  args?: string[];
  workspace?: string;
  before?: (here: Sandbox) => void;
  code: number;
  about: (RegExp | string)[];
}

const scripted = 'provider = "scripted"\nmodel = "script"\nscenario = "scenario.yaml"\n';
const refused: Refused[] = [
  {
    name: 'a loom.toml that is not TOML',
    toml: `[models.main]\n${scripted}\n[execution]\nmax_subtask_retries = \n`,
    code: 2,
    about: [/loom\.toml:7/, /TOML/],
  },
  {
    name: 'a setting of the wrong type',
    toml: `[models.main]\n${scripted}[execution]\nmax_subtask_retries = "three"\n`,
    code: 2,
    about: [/loom\.toml:6/, /execution\.max_subtask_retries/, /whole number/, /"three"/],
  },
  {
    name: 'a provider that does not exist',
    toml: '[models.main]\nprovider = "opnai"\nmodel = "x"\n',
    code: 2,
    about: [/loom\.toml:2/, /models\.main\.provider/, /openai_compatible/],
  },
  {
    name: 'a settings file that is not there',
    args: ['run', 'x', '--config', 'nowhere.toml'],
    code: 2,
    about: [/nowhere\.toml does not exist/],
  },
  {
    name: 'a workspace that is not there',
    workspace: '/nowhere/at/all',
    code: 2,
    about: [/\/nowhere\/at\/all does not exist/, /-w/],
  },
  {
    name: 'a workspace that is a file',
    workspace: '/etc/passwd',
    code: 2,
    about: [/\/etc\/passwd is not a folder/],
  },
  { name: 'an alias nobody defined', args: ['run', 'x', '-m', 'larg'], code: 2, about: [/"larg"/, /main/] },
  { name: 'an empty goal', args: ['run', '  '], code: 2, about: [/empty/, /loom run/] },
  { name: 'no goal', args: ['run'], code: 2, about: [/GOAL/i] },
  {
    name: 'a goal file that is not there',
    args: ['run', '@goal.md'],
    code: 2,
    about: [/goal\.md/, /no such/],
  },
  {
    name: 'a binary goal file',
    args: ['run', '@goal.bin'],
    before: here => writeFileSync(join(here.folder, 'goal.bin'), Buffer.from([1, 0, 2, 0, 255])),
    code: 2,
    about: [/not a text file/],
  },
  {
    name: 'a goal that is far too long',
    args: ['run', 'word '.repeat(10_000)],
    code: 2,
    about: [/32000/, /file/],
  },
  {
    name: 'an option that does not exist',
    args: ['run', 'x', '--timout', '5'],
    code: 2,
    about: [/--timeout/],
  },
  { name: 'a limit that is no number', args: ['run', 'x', '--max-tokens', 'many'], code: 2, about: [/many/] },
  {
    name: 'an approval mode nobody knows',
    args: ['run', 'x', '--approval', 'yolo'],
    code: 2,
    about: [/auto/],
  },
  { name: 'a command that does not exist', args: ['rnu', 'x'], code: 2, about: [/run/] },
  { name: 'a task nobody knows', args: ['show', 'zzzz'], code: 1, about: [/no task "zzzz"/, /loom tasks/] },
  {
    name: 'money as a limit and a model without a price',
    toml: serverToml('openai', 'http://127.0.0.1:2'),
    args: ['run', 'x', '--max-cost', '1'],
    code: 2,
    about: [/price_input/, /main/],
  },
];

test.each(refused)(
  '$name is refused in a few words',
  async ({ toml, args, workspace, before, code, about }) => {
    const here = box();
    writeFileSync(join(here.folder, 'scenario.yaml'), job);
    here.config(toml ?? `[models.main]\n${scripted}`);
    here.write('kept.md', 'kept\n');
    before?.(here);
    const ended = await here.start(args ?? ['run', 'Write the report'], {}, workspace).ended;
    expect(ended.code, ended.stderr).toBe(code);
    plainWords(ended, ...about);
    expect(ended.stdout).toBe('');
    expect(here.tree()).toEqual({ 'kept.md': 'kept\n' });
  },
);

test('the same refusal as json is one object with code and message', async () => {
  const here = box();
  here.config('[models.main]\nprovider = "opnai"\nmodel = "x"\n');
  const ended = await here.run(['run', 'x', '--output', 'json']);
  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    type: 'result',
    status: 'failed',
    exit_code: 2,
    error: { code: 'config' },
  });
});

test('an unknown key warns with the nearest one and stops nothing', async () => {
  const here = box();
  here.scenario(job);
  const toml = readFileSync(join(here.home, 'loom.toml'), 'utf8');
  here.config(`[execution]\nmax_subtask_retrys = 1\n${toml}`);
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/loom\.toml:2.*max_subtask_retrys.*execution\.max_subtask_retries/);
});

test('a goal file of 10 MB is cut, and a line says so', async () => {
  const here = box();
  here.scenario(job);
  writeFileSync(join(here.folder, 'goal.md'), 'word '.repeat(2_000_000));
  const ended = await here.run(['run', '@goal.md']);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toMatch(/goal\.md.*10000000 bytes.*32000/);
  for (const line of ended.stderr.split('\n')) expect(line.length).toBeLessThan(600);
});

test('a model that is not there: exit 5, the address, and the run goes on when it is', async () => {
  const here = box();
  const url = await deadUrl();
  here.config(`${QUICK}${serverToml('openai', url)}`);
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code, ended.stderr).toBe(5);
  expect(ended.stdout).toContain(url);
  expect(ended.stdout).toMatch(/loom resume \w+/);
  expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/^ +at /m);
  const back = await startFakeServer('openai', job, {}, Number(new URL(url).port));
  later(back.stop);
  const resumed = await here.run(['resume', '--last']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(here.read('report.md')).toBe('report.md\n');
});

test('a key that is refused: exit 4, which model, and the run goes on with the right one', async () => {
  const here = box();
  const { url } = await serve('openai', job, { key: 'sk-right' });
  here.config(`${QUICK}${serverToml('openai', url)}`);
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code, ended.stderr).toBe(4);
  expect(ended.stdout).toMatch(/main/);
  expect(ended.stdout).toMatch(/key/i);
  expect(ended.stdout).not.toContain('sk-test');
  here.config(`${QUICK}${serverToml('openai', url)}`.replace('sk-test', 'sk-right'));
  const resumed = await here.run(['resume', '--last']);
  expect(resumed.code, resumed.stderr).toBe(0);
});

test('what is corrected in loom.toml after a run stopped counts when it is resumed', async () => {
  const here = box();
  const { url } = await serve('openai', job);
  here.config(`${QUICK}${serverToml('openai', await deadUrl())}`);
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code).toBe(5);
  expect(ended.stdout).toContain('correct base_url');
  here.config(`${QUICK}${serverToml('openai', url)}`);
  const resumed = await here.run(['resume', '--last']);
  expect(resumed.code, resumed.stderr).toBe(0);
});

test('another settings file does not change the models of a run', async () => {
  const here = box();
  const mine = await serve('openai', job);
  const other = await serve('openai', job);
  here.config(`${QUICK}${serverToml('openai', await deadUrl())}`);
  expect((await here.run(['run', 'Write the report'])).code).toBe(5);
  const stray = join(here.folder, 'stray.toml');
  writeFileSync(stray, `${QUICK}${serverToml('openai', other.url)}`);
  expect((await here.run(['resume', '--last', '--config', stray])).code).toBe(5);
  expect(other.requests).toHaveLength(0);
  here.config(`${QUICK}${serverToml('openai', mine.url)}`);
  expect((await here.run(['resume', '--last'])).code).toBe(0);
});

test('a key written into loom.toml stands nowhere else: not on the screen, not in the store, not in the log', async () => {
  const here = box();
  const { url } = await serve('openai', job);
  here.config(`${QUICK}${serverToml('openai', url).replace('sk-test', 'sk-very-secret-word')}`);
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code, ended.stderr).toBe(0);
  const shown = await here.run(['models', '--output', 'json']);
  expect(`${ended.stdout}${ended.stderr}${shown.stdout}`).not.toContain('sk-very-secret-word');
  for (const folder of ['store', 'logs', 'blobs']) {
    const full = join(here.home, folder);
    if (!existsSync(full)) continue;
    for (const file of readdirSync(full, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        expect(readFileSync(join(file.parentPath, file.name)).includes('sk-very-secret-word')).toBe(false);
  }
});

test('a key in a variable that is not set: exit 4 and the name of the variable', async () => {
  const here = box();
  here.config(serverToml('openai', 'http://127.0.0.1:2').replace('"sk-test"', '"env:NO_SUCH_KEY"'));
  const ended = await here.run(['run', 'Write the report']);
  expect(ended.code, ended.stderr).toBe(4);
  plainWords(ended, /NO_SUCH_KEY/);
});

test.each(['ollama', 'openai', 'anthropic'] as const)(
  'a model name that the %s server does not know: exit 5 and the name',
  async kind => {
    const here = box();
    const { url } = await serve(kind, job, { models: ['other'] });
    here.config(`${QUICK}${serverToml(kind === 'openai' ? 'openai_compatible' : kind, url)}`);
    const ended = await here.run(['run', 'Write the report']);
    expect(ended.code, ended.stderr).toBe(5);
    expect(ended.stdout).toMatch(/test-model/);
    expect(ended.stdout).toMatch(/loom models --check/);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/^ +at /m);
  },
);

test('a store that is damaged: a short message that names it, and it is left as it is', async () => {
  const here = box();
  here.scenario(job);
  const first = await here.run(['run', 'Write the report']);
  expect(first.code).toBe(0);
  const file = storeFile(here);
  const garbage = Buffer.alloc(65_536, 'garbage ');
  writeFileSync(file, garbage);
  for (const args of [['run', 'Again'], ['tasks'], ['resume', '--last'], ['store', 'verify']]) {
    const ended = await here.run(args);
    expect(ended.code, `${args.join(' ')}: ${ended.stderr}`).not.toBe(0);
    expect(ended.signal).toBeNull();
    plainWords(ended, /store/);
  }
  expect(readFileSync(file).equals(garbage)).toBe(true);
});

test('a home that is a file: a short message that names it', async () => {
  const here = box();
  const home = join(here.folder, 'file-home');
  writeFileSync(home, 'not a folder');
  here.scenario(job);
  const ended = await here.run(['run', 'x', '--config', join(here.home, 'loom.toml')], { LOOM_HOME: home });
  expect(ended.code).not.toBe(0);
  plainWords(ended, /file-home/);
});

test('a store that may not be read: a short message that names it', async () => {
  const here = box();
  here.scenario(job);
  expect((await here.run(['run', 'Write the report'])).code).toBe(0);
  const folder = join(here.home, 'store');
  if (process.getuid?.() === 0) {
    // Root may read everything, so the folder is replaced by something that cannot be read as one.
    const { rmSync } = await import('node:fs');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
  } else chmodSync(folder, 0o000);
  const ended = await here.run(['tasks']);
  const run = await here.run(['run', 'Again']);
  if (process.getuid?.() !== 0) chmodSync(folder, 0o700);
  expect(ended.code).not.toBe(0);
  plainWords(ended, /store/);
  expect(run.code).not.toBe(0);
  plainWords(run, /store/);
});

function storeFile(here: Sandbox): string {
  const folder = join(here.home, 'store');
  for (const name of ['data.mdb', 'loom.mdb', 'store.mdb'])
    if (existsSync(join(folder, name))) return join(folder, name);
  mkdirSync(folder, { recursive: true });
  throw new Error(`no data file in ${folder}`);
}
