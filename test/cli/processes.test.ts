/** Real `loom` processes with the real engine: in a pseudo-terminal, in a pipe, interrupted, and asked. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundled } from './bundle.ts';
import { openTerminal } from './terminal.ts';

const shipped = fileURLToPath(new URL('../../processes/demo/project', import.meta.url));
// Several processes each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'loom-cli-'));
let dist = '';
let remove: () => void = () => undefined;

beforeAll(async () => {
  const built = await bundled({ loom: 'cli/main.ts', demo: 'cli/demo.ts' });
  dist = built.dist;
  remove = built.remove;
});
afterAll(() => {
  remove();
  rmSync(folder, { recursive: true, force: true });
});

const plan = (verification_tier = 1) => `
- role: planner
  repeat: true
  reply:
    subtasks:
      - {id: only, description: Do the one thing, depends_on: [], model_tier: 1, verification_tier: ${verification_tier}, is_critical_path: true, is_synthesis: false, acceptance_criteria: done}
`;
const says = (summary: string) => `
- role: executor
  repeat: true
  reply: '{"status": "success", "summary": "${summary}"}'
`;
const calls = (command: string) => `
- role: executor
  step: 0
  repeat: true
  calls: [{name: shell_execute, arguments: {command: "${command}"}}]
`;

/** Judges what checks alone cannot: most of these answers come without any work. */
const APPROVES = `
- role: verifier
  repeat: true
  reply: {passed: true, outcome: pass, confidence: 0.9, feedback: fine, issues: []}
`;

let made = 0;

/** A home and a workspace of their own, with a script for a model. */
function place(scenario: string) {
  const at = join(folder, `p${made++}`);
  const home = join(at, 'home');
  const workspace = join(at, 'work');
  mkdirSync(home, { recursive: true });
  cpSync(shipped, workspace, { recursive: true });
  writeFileSync(join(at, 'scenario.yaml'), scenario + APPROVES);
  writeFileSync(
    join(home, 'loom.toml'),
    `[models.script]\nprovider = "scripted"\nmodel = "scripted"\nscenario = ${JSON.stringify(join(at, 'scenario.yaml'))}\nroles = ["planner", "executor", "verifier"]\n`,
  );
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: at, LOOM_HOME: home };
  const script = join(dist, 'loom.mjs');
  return {
    home,
    workspace,
    env,
    script,
    run: (...args: string[]): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, [script, ...args], {
        cwd: workspace,
        env,
        encoding: 'utf8',
        timeout: 40_000,
      }),
    terminal: (args: string, rawFile: string) =>
      openTerminal(
        `cd ${workspace}; env -i PATH="$PATH" HOME=${at} LOOM_HOME=${home} TERM=xterm-256color ${process.execPath} ${script} ${args}`,
        {
          columns: 100,
          rows: 30,
          rawFile: join(at, rawFile),
        },
      ),
  };
}

test('the demo plays in a terminal, with a retry, and leaves the files it says it wrote', async () => {
  const started = Date.now();
  const terminal = openTerminal(
    `env -u CI TERM=xterm-256color TMPDIR=${folder} ${process.execPath} ${join(dist, 'demo.mjs')}`,
    {
      columns: 110,
      rows: 60,
      rawFile: join(folder, 'demo.raw'),
    },
  );
  try {
    await terminal.until(/◉ fix-wrap/);
    expect(terminal.screen().join('\n')).toMatch(
      /├─ ◉ fix-wrap[\s\S]*├─ ◉ test-truncate[\s\S]*└─ ◉ document-api/,
    );
    const end = await terminal.until(/exit \d/);
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(end).toContain('exit 0');
    expect(end).toMatch(/✓ test-truncate +pass 1\.00 · 2 attempts/);
    expect(end).toContain('+    if (line && line.length + 1 + word.length > width) {');
    const workspace = /Files changed in (\S+)/.exec(end)![1]!;
    const listed = [...end.matchAll(/^ {2}[AM] (\S+) {2}\+\d+/gm)].map(match => match[1]!);
    expect(listed.toSorted()).toEqual([
      'CHANGELOG.md',
      'README.md',
      'src/wrap.js',
      'test/REPORT.md',
      'test/truncate.test.js',
    ]);
    for (const path of listed) expect(existsSync(join(workspace, path))).toBe(true);
    expect(
      spawnSync(process.execPath, ['--test'], { cwd: workspace, env: { PATH: process.env['PATH'] } }).status,
    ).toBe(0);
  } finally {
    terminal.close();
  }
});

describe('output', () => {
  const scenario = plan() + says('nothing to do');
  test('json is one object, on stdout, with the fields of a result', () => {
    const { stdout, status } = place(scenario).run('run', 'say hello', '--output', 'json');
    const result = JSON.parse(stdout);
    expect([status, result.type, result.status, result.exit_code, result.goal]).toEqual([
      0,
      'result',
      'completed',
      0,
      'say hello',
    ]);
  });
  test('stream-json is one event per line, numbered, with the result last', () => {
    const lines = place(scenario)
      .run('run', 'say hello', '--output=stream-json')
      .stdout.trim()
      .split('\n')
      .map(line => JSON.parse(line));
    const events = lines.slice(0, -1);
    expect(lines.at(-1).type).toBe('result');
    expect(events.map(event => event.seq)).toEqual(events.map((_, i) => i + 1));
    expect(new Set(events.map(event => event.type))).toEqual(new Set(['event']));
  });
  test('text keeps progress on stderr and the report on stdout, without a single escape', () => {
    const { stdout, stderr } = place(scenario).run('run', 'say hello');
    expect(stderr).toMatch(/^\[\w{4}\] ◉ planning: say hello$/m);
    expect(stdout).toMatch(/✓ completed {2}say hello/);
    expect(stdout + stderr).not.toContain('\u001b');
  });
  test('a reader that leaves early ends the command without a word', () => {
    const { run, env, workspace, script } = place(scenario);
    const id = JSON.parse(run('run', 'g', '--output', 'json').stdout).task_id as string;
    const piped = spawnSync(
      'bash',
      ['-c', `'${process.execPath}' '${script}' logs ${id} | head -n 1; exit \${PIPESTATUS[0]}`],
      {
        cwd: workspace,
        env,
        encoding: 'utf8',
      },
    );
    expect([piped.stdout.split('\n').length, piped.stderr]).toEqual([2, '']);
  });
});

describe('a question', () => {
  const scenario = plan() + calls('rm -rf src') + says('removed');
  test('without a terminal stops with exit code 3 and the rule that lets it pass', () => {
    const { run, workspace } = place(scenario);
    const stopped = run('run', 'clean up');
    expect(stopped.status).toBe(3);
    expect(existsSync(join(workspace, 'src'))).toBe(true);
    const resume = /loom (resume \w+ --allow '[^']+')/.exec(stopped.stdout)![1]!;
    const [, id, rule] = /resume (\w+) --allow '([^']+)'/.exec(resume)!;
    const resumed = run('resume', id!, '--allow', rule!);
    expect([resumed.status, existsSync(join(workspace, 'src'))]).toEqual([0, false]);
  });
  test('is answered from another terminal', () => {
    const { run, workspace } = place(scenario);
    const { task_id } = JSON.parse(run('run', 'clean up', '--output', 'json').stdout);
    expect(run('status', task_id.slice(0, 6)).stdout).toContain('loom approve');
    const answered = run('reject', task_id, '--reason', 'src is needed');
    expect([answered.status, answered.stdout]).toEqual([
      0,
      expect.stringContaining(`loom resume ${task_id}`),
    ]);
    run('resume', task_id);
    expect(existsSync(join(workspace, 'src'))).toBe(true);
    expect(run('logs', task_id).stdout).toContain('answered: reject (src is needed)');
  });
  test('in a terminal is asked there: yes', async () => {
    const { terminal, workspace } = place(scenario);
    const screen = terminal('run "clean up"', 'yes');
    try {
      await screen.until(/What now\?/);
      expect(existsSync(join(workspace, 'src'))).toBe(true);
      screen.keys('Enter');
      expect(await screen.until(/exit \d/)).toContain('exit 0');
      expect(existsSync(join(workspace, 'src'))).toBe(false);
    } finally {
      screen.close();
    }
  });
  test('in a terminal is asked there: no, with a reason', async () => {
    const { terminal, workspace, run } = place(scenario);
    const screen = terminal('run "clean up"', 'no');
    try {
      await screen.until(/What now\?/);
      screen.keys('Down', 'Enter');
      await screen.until(/Why not\?/);
      screen.keys('src is needed', 'Enter');
      await screen.until(/exit \d/);
      expect(existsSync(join(workspace, 'src'))).toBe(true);
      const [{ task_id }] = JSON.parse(run('tasks', '--output', 'json').stdout);
      expect(run('logs', task_id).stdout).toContain('answered: reject (src is needed)');
    } finally {
      screen.close();
    }
  });
  test('while a prompt is open nothing else is printed; it comes after the answer', async () => {
    const demo = readFileSync(join(shipped, '..', 'scenario.yaml'), 'utf8');
    const { terminal, run } = place(demo);
    const screen = terminal('run "the demo" --approval manual', 'held');
    try {
      await screen.until(/What now\?/);
      const [{ task_id }] = JSON.parse(run('tasks', '--output', 'json').stdout);
      await expect.poll(() => run('logs', task_id).stdout, { timeout: 10_000 }).toContain('attempt 2');
      expect(screen.history()).not.toContain('attempt 2');
      screen.keys('Enter');
      await screen.until(/attempt 2[\s\S]*What now\?/);
      screen.keys('C-c');
      const end = await screen.until(/exit \d+/);
      expect(end).toContain('exit 130');
      expect(end.match(/stopping; what is done is kept/g)).toHaveLength(1);
    } finally {
      screen.close();
    }
  });
  test('in a terminal: Ctrl+C stops the run, which stays resumable', async () => {
    const { terminal } = place(scenario);
    const screen = terminal('run "clean up"', 'ctrlc');
    try {
      await screen.until(/What now\?/);
      screen.keys('C-c');
      const end = await screen.until(/exit \d+/);
      expect(end).toContain('exit 130');
      expect(end).toMatch(/loom resume \w+/);
    } finally {
      screen.close();
    }
  });
});

describe('Ctrl+C', () => {
  const slow = `${plan()}
- role: executor
  repeat: true
  delay_ms: 60000
  reply: never
`;
  /** Starts a slow run and sends a signal once it works. */
  function interrupted(signals: NodeJS.Signals[]) {
    const { env, workspace, script, run } = place(slow);
    const child = spawn(process.execPath, [script, 'run', 'wait'], { cwd: workspace, env });
    const printed = { out: '', err: '' };
    let sent = 0;
    const send = () => {
      const signal = signals[sent++];
      if (signal) child.kill(signal);
    };
    child.stdout.on('data', data => {
      printed.out += data;
    });
    child.stderr.on('data', data => {
      printed.err += data;
      if (sent === 0 && printed.err.includes('only  started')) send();
      if (sent === 1 && printed.err.includes('stopping')) send();
    });
    return new Promise<{ code: number | null; out: string; err: string; run: typeof run }>(resolve => {
      child.on('close', code => resolve({ code, ...printed, run }));
    });
  }
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s once: exit 130, and the command that goes on',
    async signal => {
      const started = Date.now();
      const { code, out, run } = await interrupted([signal]);
      expect(code).toBe(130);
      expect(out).toMatch(/loom resume \w+/);
      expect(Date.now() - started).toBeLessThan(10_000);
      const [task] = JSON.parse(run('tasks', '--output', 'json').stdout);
      expect([task.parked.reason, task.live]).toEqual(['interrupted', false]);
    },
  );
  test('twice ends at once', async () => {
    const { code } = await interrupted(['SIGINT', 'SIGINT']);
    expect(code).toBe(130);
  });
});

test('a resumed run shows what was done before', async () => {
  const two = `
- role: planner
  repeat: true
  reply:
    subtasks:
      - {id: quick, description: Do this, depends_on: [], model_tier: 1, verification_tier: 1, is_critical_path: true, is_synthesis: false, acceptance_criteria: done}
      - {id: slow, description: Do that, depends_on: [quick], model_tier: 1, verification_tier: 1, is_critical_path: true, is_synthesis: false, acceptance_criteria: done}
- {role: executor, subtask: slow, repeat: true, delay_ms: 60000, reply: never}
${says('was quick')}`;
  const { env, workspace, script, terminal } = place(two);
  const child = spawn(process.execPath, [script, 'run', 'two things'], { cwd: workspace, env });
  let sent = false;
  child.stderr.on('data', data => {
    if (!sent && String(data).includes('slow  started')) sent = child.kill('SIGINT');
  });
  expect(await new Promise(resolve => child.on('close', resolve))).toBe(130);
  const screen = terminal('resume --last', 'resumed');
  try {
    const text = await screen.until(/1 of 2 done/);
    expect(text).toMatch(/two things\n└─ ✓ quick +was quick\n {3}└─ ◉ slow/);
    screen.keys('C-c');
    expect(await screen.until(/exit \d+/)).toContain('exit 130');
  } finally {
    screen.close();
  }
});

test('bad places and settings end in exit code 2, without a stack trace', () => {
  const { run, home } = place(plan() + says('x'));
  const missing = run('run', 'g', '-w', '/nowhere/at/all');
  expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining('/nowhere/at/all')]);
  writeFileSync(join(home, 'loom.toml'), '[models.script\n');
  const broken = run('run', 'g');
  expect([broken.status, broken.stderr]).toEqual([2, expect.stringContaining('loom.toml')]);
  expect(missing.stderr + broken.stderr).not.toMatch(/\n\s+at /);
});

test('unknown ids are said, exit code 1', () => {
  const { run, home } = place(plan() + says('x'));
  run('run', 'g');
  for (const words of [
    ['status', 'zz'],
    ['logs', 'zz'],
    ['cancel', 'zz'],
    ['undo', 'zz'],
    ['redo', 'zz'],
    ['diff', 'zz'],
    ['resume', 'zz'],
    ['approve', 'zz'],
  ]) {
    const { status, stderr } = run(...words);
    expect([words[0], status, stderr]).toEqual([words[0], 1, expect.stringMatching(/^loom: .*zz/)]);
  }
  expect(
    readdirSync(home).includes('logs') &&
      readdirSync(join(home, 'logs')).some(name => name.startsWith('bug')),
  ).toBe(false);
});

test('undo puts back what a run wrote', () => {
  const { run, workspace } = place(`${plan()}
- role: executor
  calls: [{name: read_file, arguments: {path: README.md}}]
- role: executor
  calls: [{name: write_file, arguments: {path: README.md, content: "new"}}, {name: write_file, arguments: {path: made.txt, content: "made"}}]
${says('written')}`);
  const before = readFileSync(join(workspace, 'README.md'), 'utf8');
  const { task_id } = JSON.parse(run('run', 'write', '--output', 'json').stdout);
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('new');
  expect(run('diff', task_id).stdout).toContain('+new');
  expect(run('undo', task_id, '--dry-run').stdout).toContain('Would undo 2 changes');
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('new');
  expect(run('undo', task_id).status).toBe(0);
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe(before);
  expect(existsSync(join(workspace, 'made.txt'))).toBe(false);
  const { reverted } = JSON.parse(run('redo', task_id, '--output', 'json').stdout);
  expect(reverted.map((one: { path: string }) => one.path).sort()).toEqual(['README.md', 'made.txt']);
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('new');
  expect(run('redo', task_id).stderr).toContain('Nothing of');
  // One subtask's changes, by its task and its own name.
  const [change] = JSON.parse(run('diff', task_id, '--output', 'json').stdout);
  const part = run('undo', `${task_id}/${change.subtask_id}`);
  expect(part.status, part.stdout + part.stderr).toBe(0);
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe(before);
  expect(run('redo', change.id).status).toBe(0);
  expect(readFileSync(join(workspace, 'README.md'), 'utf8')).toBe('new');
  expect(run('undo', change.subtask_id, '--dry-run').stdout).toContain('Would undo 2 changes');
});
