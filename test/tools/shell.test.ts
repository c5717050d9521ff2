import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startedAt } from '../../store/process-identity.ts';
import { headAndTail } from '../../tools/cut.ts';
import { sha256 } from '../../tools/disk.ts';
import { createRegistry } from '../../tools/registry.ts';
import { changedSince, storeContents } from '../../tools/shell/contents.ts';
import { gitCommand } from '../../tools/shell/git-command.ts';
import { OUTPUT_CAP, OutputLog } from '../../tools/shell/output.ts';
import { sandboxStatus } from '../../tools/shell/sandbox.ts';
import { shellExecute } from '../../tools/shell/shell-execute.ts';
import { unkeptIn } from '../../tools/shell/unkept.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { bench, failureOf, fill, tempFolder } from './support.ts';

const status = await sandboxStatus();

/** Processes whose command line holds the text. */
function running(text: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text) &&
          !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

let serial = 0;
/** A sleep that no other process on this machine is running, in seconds. */
const uniqueSleep = () => `${300 + serial++}.${String(process.pid).padStart(7, '0')}`;

async function run(command: string, files: Record<string, string> = {}, change: object = {}) {
  const b = await bench(files);
  const result = await shellExecute.run({ command, ...change }, b.context);
  return { ...b, result };
}

/** What any command costs on this machine right now, ms: its overlay, the look for changes. */
async function timeOf(args: Record<string, unknown>, context: ToolContext): Promise<number> {
  const start = performance.now();
  await shellExecute.run(args, context);
  return performance.now() - start;
}

describe('a command', () => {
  it('runs in the workspace and tells output and exit code', async () => {
    const { result, root } = await run('pwd; echo done');
    expect(result).toMatchObject({ success: true, output: `${root}\ndone`, data: { exit_code: 0 } });
    const failed = await run('echo oops; exit 3');
    expect(failed.result).toMatchObject({
      success: false,
      error: { code: 'exit_code' },
      data: { exit_code: 3 },
    });
    expect(failed.result.output).toBe('oops\n[exit code 3]');
    expect((await run('true')).result.output).toBe('(no output)');
  });

  it('has its output in the order it was written, errors included', async () => {
    const { result } = await run(
      'for i in 1 2 3; do echo out$i; echo err$i >&2; done; true > /dev/null; npm() { :; }; npm',
    );
    expect(result.output).toBe('out1\nerr1\nout2\nerr2\nout3\nerr3');
  });

  it('finds stdin closed', async () => {
    const { result } = await run('cat; python3 -c "input()" 2>&1 | tail -1; read x || echo none');
    expect(result.output).toContain('none');
    expect(result.data['duration_ms']).toBeLessThan(5000);
  });

  it('does not see keys and tokens of ours', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
    vi.stubEnv('GITHUB_TOKEN', 'ghp-secret');
    vi.stubEnv('HTTPS_PROXY', 'http://user:secret@proxy:8080');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { result } = await run('env; echo "$GIT_TERMINAL_PROMPT $TERM"');
    expect(result.output).not.toContain('secret');
    expect(result.output).toContain('HTTPS_PROXY=http://proxy:8080');
    expect(result.output).toMatch(/0 dumb$/);
  });

  it('that prints a lot gives its beginning and end, and the whole as an artifact', async () => {
    const { context } = await bench();
    const result = await shellExecute.run({ command: 'seq 1 20000' }, { ...context, outputLimit: 2000 });
    expect(result.output.length).toBeLessThanOrEqual(2000);
    expect(result.output).toMatch(/^1\n2\n/);
    expect(result.output).toMatch(/\n20000$/);
    expect(result.output).toMatch(/characters not shown/);
    expect((await context.blobs.get(result.artifact!)).toString()).toContain('\n10000\n');
  });

  it('that would wipe everything is refused by the tool itself', async () => {
    const { context } = await bench();
    const stop = { ...context, child: () => Promise.reject(new Error('was started')) };
    expect((await failureOf(shellExecute.run({ command: 'rm -rf --no-preserve-root /' }, stop))).code).toBe(
      'refused_command',
    );
  });

  it('is recorded before it starts and forgotten when it is over', async () => {
    const { context, root } = await bench();
    const seen: unknown[] = [];
    await shellExecute.run(
      { command: 'echo x > started' },
      {
        ...context,
        async child(group) {
          seen.push(group);
          if (group) {
            expect(existsSync(join(root, 'started'))).toBe(false);
            expect(startedAt(group.pgid)).toBe(group.started);
            expect(group.boot).toMatch(/\w/);
          }
        },
      },
    );
    expect(seen).toHaveLength(2);
    expect(seen[1]).toBeNull();
    expect(existsSync(join(root, 'started'))).toBe(true);
  });

  it('never starts when its group cannot be recorded', async () => {
    const { context, root } = await bench();
    const broken = {
      ...context,
      async child(group: unknown) {
        if (group) throw new Error('fenced off');
      },
    };
    await expect(shellExecute.run({ command: 'echo x > started' }, broken)).rejects.toThrow('fenced off');
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(existsSync(join(root, 'started'))).toBe(false);
  });
});

describe('what a command changes', () => {
  it('is told, with hashes and contents, and leaves the bystanders alone', async () => {
    const { result } = await run(
      'echo new > c.txt; echo more >> a.txt; rm b.txt; mkdir d; mv m.txt d/m.txt; touch same.txt',
      {
        'a.txt': 'a\n',
        'b.txt': 'b',
        'm.txt': 'm',
        'same.txt': 's',
      },
    );
    expect(result.files_changed).toEqual(['a.txt', 'b.txt', 'c.txt', 'd/m.txt', 'm.txt']);
    expect(result.changes).toMatchObject([
      { operation: 'delete', path: 'm.txt' },
      { operation: 'delete', path: 'b.txt', after: null, before: { sha256: sha256('b') } },
      { operation: 'modify', path: 'a.txt', after: sha256('a\nmore\n'), undoable: true },
      { operation: 'create', path: 'c.txt', after: sha256('new\n'), mode_before: null },
      { operation: 'create', path: 'd', kind: 'directory' },
      { operation: 'create', path: 'd/m.txt' },
    ]);
    expect(result.data['diff']).toContain('-b\n');
    expect(result.output).toContain('files changed: a.txt, b.txt');
  });

  it('is found even when size and time are the same', async () => {
    const { result } = await run('cp -p a.txt ref; printf y > a.txt; touch -r ref a.txt; rm ref', {
      'a.txt': 'x',
    });
    expect(result.files_changed).toEqual(['a.txt']);
  });

  it('a read-only command takes no lock and looks at nothing', async () => {
    const { context, checkpoints } = await bench({ 'a.txt': '' });
    const locked = {
      ...context,
      lock: async () => {
        throw new Error('locked');
      },
    };
    expect((await shellExecute.run({ command: 'ls' }, locked)).output).toBe('a.txt');
    expect(checkpoints).toEqual([]);
    await expect(shellExecute.run({ command: 'touch b' }, locked)).rejects.toThrow('locked');
  });

  it('beyond the bound is said to be unseen, and not guessed', async () => {
    const { root, context } = await bench({ a: '', b: '', 'd/c': '' });
    const unkept = await unkeptIn(root, context.scratch);
    const stored = await storeContents(root, context.scratch, unkept, 2);
    expect(stored.complete).toBe(false);
    await writeFile(join(root, 'd/new'), '');
    const found = await changedSince(stored, unkept, context.blobs);
    expect(found).toMatchObject({ records: [], told: [], complete: false });
  });
});

describe('stopping', () => {
  it('a time limit ends the whole tree within a second and keeps the output', async () => {
    const sleep = uniqueSleep();
    const start = performance.now();
    const { result } = await run(
      `echo before; (trap '' TERM; sleep ${sleep} & sleep ${sleep}) & sleep ${sleep}`,
      {},
      { timeout_seconds: 1 },
    );
    expect(performance.now() - start).toBeLessThan(2000);
    expect(result).toMatchObject({
      success: false,
      error: { code: 'timeout' },
      data: { stopped: 'timeout' },
    });
    expect(result.output).toContain('before');
    expect(running(`sleep\0${sleep}`)).toEqual([]);
  });

  it('a command that names no time limit has the configured one', async () => {
    const { context } = await bench();
    const result = await shellExecute.run({ command: 'sleep 20' }, { ...context, commandSeconds: 1 });
    expect(result.error).toMatchObject({ code: 'timeout', message: 'The command was stopped after 1 s.' });
  });

  it('abort ends the whole tree within a second, also what left the group', async () => {
    const sleep = uniqueSleep();
    const { context } = await bench();
    const stop = new AbortController();
    const command = `setsid sleep ${sleep} & sleep ${sleep} & trap '' TERM; sleep ${sleep}`;
    const done = shellExecute.run({ command }, { ...context, signal: stop.signal });
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`).length).toBeGreaterThanOrEqual(3), {
      timeout: 3000,
    });
    const start = performance.now();
    stop.abort();
    const result = await done;
    expect(performance.now() - start).toBeLessThan(1000);
    expect(result).toMatchObject({ success: false, error: { code: 'aborted' } });
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`)).toEqual([]), { timeout: 300 });
  });

  it('2 s are over within 2.5 s, with everything dead that was started', async () => {
    const sleep = uniqueSleep();
    // What left the group is found by its environment; with an empty one only a process namespace ends it.
    const command = `nohup sleep ${sleep} & setsid sleep ${sleep} & (setsid sh -c 'sleep ${sleep} &' &); sleep ${sleep}`;
    const b = await bench();
    const idle = await timeOf({ command: 'touch x' }, b.context);
    const start = performance.now();
    const result = await shellExecute.run({ command, timeout_seconds: 2 }, b.context);
    expect(performance.now() - start - idle).toBeLessThan(2500);
    expect(result.data).toMatchObject({ stopped: 'timeout', sandboxed: false });
    expect(running(`sleep\0${sleep}`)).toEqual([]);
  });

  it('a background job does not hold the result up, and does not outlive it', async () => {
    const sleep = uniqueSleep();
    const start = performance.now();
    const { result } = await run(`sleep ${sleep} & echo started`);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(result).toMatchObject({ success: true, data: { exit_code: 0, background_stopped: true } });
    expect(result.output).toMatch(/^started\n\[a background job was still running and was stopped/);
    expect(running(`sleep\0${sleep}`)).toEqual([]);
  });
});

describe.runIf(status.available)('in the sandbox', () => {
  const inside = async (command: string, change: object = {}) => {
    const b = await bench({ 'a.txt': 'a' });
    return {
      ...b,
      result: await shellExecute.run({ command }, { ...b.context, sandbox: 'required', ...change }),
    };
  };

  it('the workspace is writable, the rest is not', async () => {
    const { result, root } = await inside(
      'echo x > new.txt; echo y > /etc/loom-test; touch ~/loom-test; echo end',
    );
    expect(await readFile(join(root, 'new.txt'), 'utf8')).toBe('x\n');
    expect(result.output).toMatch(/Read-only file system/);
    expect(existsSync('/etc/loom-test')).toBe(false);
    expect(existsSync(join(homedir(), 'loom-test'))).toBe(false);
    expect(result.data).toMatchObject({ sandboxed: true, exit_code: 0 });
    expect(result.files_changed).toEqual(['new.txt']);
  });

  it('cannot be left by mounting, nor through sockets of the system', async () => {
    const { result } = await inside(
      'mount -o remount,rw / 2>&1; touch /etc/loom-test; ls -A /run | wc -l; grep CapEff /proc/self/status',
    );
    expect(existsSync('/etc/loom-test')).toBe(false);
    expect(BigInt(`0x${/CapEff:\s*(\w+)/.exec(result.output)![1]}`) & (1n << 21n)).toBe(0n);
    expect(existsSync('/run/dbus') && result.output.includes('dbus')).toBe(false);
  });

  it('other temporary files and the Loom home are out of sight', async () => {
    const other = await tempFolder();
    const home = await tempFolder();
    await fill(home, { 'auth.toml': 'key = 1' });
    await writeFile(join(other, 'secret'), 's');
    vi.stubEnv('LOOM_HOME', home);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { result } = await inside(`cat ${other}/secret; cat ${home}/auth.toml; ls -A ${tmpdir()} | wc -l`);
    expect(result.output).not.toContain('key = 1');
    expect(result.output.match(/No such file/g)).toHaveLength(2);
  });

  it.runIf(status.network)('there is no network unless allowed', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((_, response) => response.end('reached'));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const probe = `node -e "fetch('http://127.0.0.1:${port}').then(r=>r.text()).then(console.log,()=>console.log('cut'))"`;
    expect((await inside(probe)).result.output).toBe('cut');
    expect((await inside(probe, { network: true })).result.output).toBe('reached');
  });

  it('a time limit and a background job end everything', async () => {
    const sleep = uniqueSleep();
    const b = await bench();
    const start = performance.now();
    const args = {
      command: `echo before; trap '' TERM; setsid sleep ${sleep} & sleep ${sleep}`,
      timeout_seconds: 1,
    };
    const result = await shellExecute.run(args, { ...b.context, sandbox: 'auto' });
    expect(performance.now() - start).toBeLessThan(2000);
    expect(result.data).toMatchObject({ stopped: 'timeout', sandboxed: true });
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`)).toEqual([]), { timeout: 300 });
    const again = await inside(`sleep ${sleep} & echo started`);
    expect(again.result.output).toContain('started');
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`)).toEqual([]), { timeout: 300 });
  });

  it('2 s are over within 2.5 s, with everything dead, however it tried to get away', async () => {
    const sleep = uniqueSleep();
    const command = `trap '' TERM; nohup sleep ${sleep} & env -i setsid sleep ${sleep} & (setsid sh -c 'trap "" TERM HUP; sleep ${sleep} &' &); python3 -c "
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execvpe('sleep', ['sleep', '${sleep}'], {'PATH': '/bin:/usr/bin'})
    os._exit(0)"; sleep ${sleep}`;
    const b = await bench();
    const context = { ...b.context, sandbox: 'required' as const };
    const idle = await timeOf({ command: 'touch x' }, context);
    const start = performance.now();
    const result = await shellExecute.run({ command, timeout_seconds: 2 }, context);
    expect(performance.now() - start - idle).toBeLessThan(2500);
    expect(result.data).toMatchObject({ stopped: 'timeout', sandboxed: true });
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`)).toEqual([]), { timeout: 300 });
  });

  it('a background job is named when it is ended, and one that is just ending is waited for', async () => {
    const start = performance.now();
    const { result } = await inside('sleep 40 & echo started');
    expect(performance.now() - start).toBeLessThan(2000);
    expect(result).toMatchObject({ success: true, data: { exit_code: 0, background_stopped: true } });
    expect(result.output).toMatch(/^started\n\[a background job \(sleep\) was still running and was stopped/);
    const short = await inside('(sleep 0.05; echo late > late.txt) & echo started');
    expect(short.result.data['background_stopped']).toBeUndefined();
    expect(await readFile(join(short.root, 'late.txt'), 'utf8')).toBe('late\n');
    expect((await inside('(exit 7)')).result.data['exit_code']).toBe(7);
  });

  it('secrets stay hidden where the workspace is the home that holds them', async () => {
    const b = await bench({
      '.ssh/id_rsa': 'private',
      '.netrc': 'machine',
      '.loom/auth.toml': 'key',
      'a.txt': 'a',
    });
    vi.stubEnv('HOME', b.root);
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('LOOM_HOME', join(b.root, '.loom'));
    const result = await shellExecute.run(
      { command: 'cat .ssh/id_rsa .netrc .loom/auth.toml a.txt' },
      { ...b.context, sandbox: 'required' },
    );
    expect(result.output).not.toMatch(/private|machine|key/);
    expect(result.output).toMatch(/^a$/m);
  });

  it('settings of git are changed by git alone', async () => {
    const start = 'git init -q . && git config user.name a';
    const b = await bench({ 'a.txt': 'a' });
    const context = { ...b.context, sandbox: 'required' as const };
    expect((await shellExecute.run({ command: start }, context)).success).toBe(true);
    const evil = "python3 -c \"open('.git/config', 'a').write('[core]')\"; echo x >> .git/hooks/pre-commit";
    const result = await shellExecute.run({ command: evil }, context);
    expect(result.output).toMatch(/Read-only file system/);
    expect(result.output).toContain('commands can write only in the workspace and in /tmp');
    const named = await shellExecute.run(
      { command: 'git config user.name b && git config user.name' },
      context,
    );
    expect(named.output).toMatch(/^b/);
  });

  it('a private /tmp is used whatever TMPDIR says', async () => {
    vi.stubEnv('TMPDIR', '/var/tmp');
    onTestFinished(() => void vi.unstubAllEnvs());
    const name = `/tmp/loom-private-${process.pid}`;
    const { result } = await inside(`mktemp; echo x > ${name} && cat ${name}`);
    expect(result.output).toMatch(/^\/tmp\/\S+\nx/);
    expect(existsSync(name)).toBe(false);
  });

  it.runIf(status.network)('what has no network is told how to ask for it', async () => {
    const { result } = await inside('curl -sS http://example.invalid/');
    expect(result.output).toContain('"network": true');
  });

  it('nothing survives when Loom itself is killed', async () => {
    const sleep = uniqueSleep();
    const folder = await tempFolder();
    const owned = join(folder, 'owner.mjs');
    await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
    await build({
      stdin: {
        contents: `
          import { openWorkspace } from './tools/workspace.ts';
          import { shellExecute } from './tools/shell/shell-execute.ts';
          const context = { workspace: await openWorkspace(process.argv[2]), key: 'k', signal: new AbortController().signal,
            sandbox: 'required', network: false, commandSeconds: 60, outputLimit: 1000, lock: async () => async () => {},
            checkpoint: async () => {}, child: async () => {}, blobs: {}, scratch: process.argv[4] };
          await shellExecute.run({ command: process.argv[3] }, context);`,
        resolveDir: process.cwd(),
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      outfile: owned,
    });
    await mkdir(join(folder, 'ws'));
    const owner = spawn(
      process.execPath,
      [
        owned,
        join(folder, 'ws'),
        `setsid sleep ${sleep} & sleep ${sleep} & sleep ${sleep}`,
        join(folder, 's'),
      ],
      { stdio: 'inherit' },
    );
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`).length).toBeGreaterThanOrEqual(3), {
      timeout: 8000,
    });
    owner.kill('SIGKILL');
    await vi.waitFor(() => expect(running(`sleep\0${sleep}`)).toEqual([]), { timeout: 2000 });
  });
});

describe('git_command', () => {
  async function repository() {
    const b = await bench({ 'a.txt': 'one\n' });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
        cwd: b.root,
        encoding: 'utf8',
      });
    git('init', '-q', '-b', 'main');
    git('config', 'user.name', 't');
    git('config', 'user.email', 't@t');
    git('add', '-A');
    git('commit', '-qm', 'first');
    return { ...b, git };
  }

  it('looks without a lock and without writing the index', async () => {
    const { context, root } = await repository();
    await writeFile(join(root, 'a.txt'), 'two\n');
    const index = (await stat(join(root, '.git/index'), { bigint: true })).mtimeNs;
    const result = await gitCommand.run(
      { args: ['status', '--short'] },
      { ...context, lock: () => Promise.reject(new Error('locked')) },
    );
    expect(result.output).toBe('M a.txt'.padStart(8));
    expect((await stat(join(root, '.git/index'), { bigint: true })).mtimeNs).toBe(index);
  });

  it('changes under the lock and tells which files changed', async () => {
    const { context, git, root } = await repository();
    git('switch', '-qc', 'other');
    await writeFile(join(root, 'a.txt'), 'other\n');
    git('commit', '-qam', 'second');
    const result = await gitCommand.run({ args: ['git', 'switch', 'main'] }, context);
    expect(result).toMatchObject({ success: true, files_changed: ['a.txt'], data: { subcommand: 'switch' } });
    expect(
      (await gitCommand.run({ args: ['commit', '--allow-empty', '-m', 'reset --hard'] }, context)).success,
    ).toBe(true);
  });

  it('does not run programs that the repository names', async () => {
    const { context, git, root } = await repository();
    const trap = join(root, 'trap.sh');
    await writeFile(trap, `#!/bin/sh\ntouch ${join(root, 'ran')}\n`, { mode: 0o755 });
    for (const key of ['core.fsmonitor', 'core.pager', 'diff.external', 'core.editor'])
      git('config', key, trap);
    await writeFile(join(root, 'a.txt'), 'two\n');
    for (const args of [['status'], ['diff'], ['log', '-p'], ['show']])
      await gitCommand.run({ args }, context);
    expect(existsSync(join(root, 'ran'))).toBe(false);
  });

  it('a commit without a message fails at once instead of waiting for an editor', async () => {
    const { context, root } = await repository();
    await writeFile(join(root, 'a.txt'), 'two\n');
    const result = await gitCommand.run({ args: ['commit', '-a'] }, context);
    expect(result.success).toBe(false);
    expect(result.output).toMatch(/empty commit message/i);
  });

  it('runs hooks only when asked to, and says which it left out', async () => {
    const { context, root } = await repository();
    const hook = join(root, '.git/hooks/pre-commit');
    await mkdir(join(root, '.git/hooks'), { recursive: true });
    await writeFile(hook, '#!/bin/sh\necho checked > hooked.txt\n', { mode: 0o755 });
    const commit = ['commit', '--allow-empty', '-m', 'x'];
    const without = await gitCommand.run({ args: commit }, context);
    expect(without.output).toContain('[hooks not run: pre-commit; "hooks": true runs them]');
    expect(existsSync(join(root, 'hooked.txt'))).toBe(false);
    const asked = await gitCommand.run({ args: commit, hooks: true }, context);
    expect(asked.output).not.toContain('hooks not run');
    expect(await readFile(join(root, 'hooked.txt'), 'utf8')).toBe('checked\n');
    const failure = await failureOf(gitCommand.run({ args: ['push'], hooks: true }, context));
    expect(failure).toMatchObject({
      code: 'denied_git',
      message: expect.stringContaining('Leave "hooks" out'),
    });
  });

  it('clones, fetches and pulls from a repository on this machine, and works in it', async () => {
    const { context, root, git } = await repository();
    const run = async (...args: string[]) => {
      const result = await gitCommand.run({ args }, { ...context, network: true });
      expect(result.error).toBeNull();
      return result.output;
    };
    await run('clone', '-q', '.', 'copy');
    await writeFile(join(root, 'a.txt'), 'two\n');
    git('commit', '-qam', 'second');
    await run('-C', 'copy', 'fetch');
    await run('-C', 'copy', 'pull', '--ff-only');
    expect(await run('-C', 'copy', 'log', '--oneline', '-1')).toContain('second');
    expect(await readFile(join(root, 'copy/a.txt'), 'utf8')).toBe('two\n');
  });

  it('does everyday work on branches, the index and the tree', async () => {
    const { context, root, git } = await repository();
    const run = async (...args: string[]) => {
      const result = await gitCommand.run({ args }, context);
      expect([args.join(' '), result.error]).toEqual([args.join(' '), null]);
      return result.output;
    };
    await run('switch', '-c', 'topic');
    await writeFile(join(root, 'b.txt'), 'b\n');
    await run('add', '-A');
    await run('commit', '-m', 'second');
    await run('mv', 'b.txt', 'c.txt');
    await run('commit', '-am', 'third');
    await run('revert', '--no-edit', 'HEAD');
    expect(await run('describe', '--always')).toMatch(/^[0-9a-f]{7}/);
    expect(await run('grep', '-n', 'one')).toContain('a.txt:1:one');
    await run('switch', 'main');
    await run('cherry-pick', 'topic~2');
    await run('worktree', 'add', 'wt', 'topic');
    await run('worktree', 'remove', 'wt');
    await writeFile(join(root, 'x.patch'), git('diff', 'HEAD', 'topic~1'));
    await run('apply', '--check', 'x.patch');
    await run('apply', 'x.patch');
    await run('restore', '--staged', '--worktree', '.');
    await run('rm', '-q', 'a.txt');
    await run('stash', 'push', '-m', 'wip');
    await run('stash', 'pop');
    await run('config', 'pull.rebase', 'true');
    await run('remote', 'add', 'origin', 'https://example.invalid/r.git');
    await run('tag', '-a', 'v1', '-m', 'one');
    await run('init', 'fresh');
    expect(await run('log', '--oneline', '--graph', '--all', '-20')).toContain('third');
    await run('blame', '-L', '1,1', 'HEAD', '--', 'b.txt');
  });

  it('refuses what leaves the repository, and is judged by what it does', async () => {
    const { context } = await repository();
    const failure = await failureOf(
      gitCommand.run({ args: ['diff', '--no-index', '/etc/passwd', '/dev/null'] }, context),
    );
    expect(failure).toMatchObject({ code: 'denied_git', message: expect.stringContaining('status') });
    const assess = (...args: string[]) => createRegistry().assess('git_command', { args }, context.workspace);
    expect(await assess('status')).toMatchObject({
      risks: ['read'],
      mutates: false,
      effect: 'repeatable',
      subject: 'status',
    });
    expect(await assess('add', '-A')).toMatchObject({ risks: ['write'], mutates: true });
    expect(await assess('add', '.env')).toMatchObject({ risks: ['write', 'secret'] });
    expect(await assess('show', 'HEAD:config/.env')).toMatchObject({ risks: ['read', 'secret'] });
    expect(await assess('checkout', 'a.txt')).toMatchObject({ risks: ['write', 'destructive'] });
    expect(await assess('push', '--force')).toMatchObject({
      risks: ['write', 'network', 'destructive'],
      effect: 'unknowable',
    });
  });
});

describe('kept output', () => {
  it('has a cap: the beginning and the very end are kept, the gap is told', () => {
    const log = new OutputLog();
    for (let i = 0; i < 12; i++) log.add(Buffer.alloc(1024 * 1024, 97 + i));
    log.add(Buffer.from('\nthe end'));
    const text = log.bytes().toString();
    expect(log.bytes().length).toBeLessThan(OUTPUT_CAP + 2 * 1024 * 1024);
    expect(log.lost).toBeGreaterThan(0);
    expect(text).toContain(`${log.lost} bytes not kept`);
    expect(text.endsWith('the end')).toBe(true);
  });

  it('is read without colours and redrawn lines', () => {
    const log = new OutputLog();
    log.add(Buffer.from('\x1b[31mred\x1b[0m\r\n10%\r50%\r100%\nend\n'));
    expect(log.text()).toBe('red\n100%\nend');
  });

  it('that fits is not cut', () => {
    expect(headAndTail('abc', 3)).toEqual({ shown: 'abc', cut: false });
    expect(headAndTail('x'.repeat(1000), 500).shown.length).toBeLessThanOrEqual(500);
  });
});
