/** Real `loom` processes in a home and a workspace of their own: what a user would start, observed from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JournalEvent, RunResult } from '../../actors/loom.ts';

const LOOM = fileURLToPath(new URL('../../dist/loom.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface LoomChild {
  process: ChildProcess;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
  /** Resolves when what was printed matches; rejects when the process ends or the time is over first. */
  prints(pattern: RegExp, ms?: number): Promise<void>;
}

export interface Sandbox {
  folder: string;
  home: string;
  workspace: string;
  /** Environment of every child; add to it. */
  env: Record<string, string>;
  /** `folder`: another workspace than the sandbox's own. */
  start(args: string[], env?: Record<string, string>, folder?: string): LoomChild;
  run(args: string[], env?: Record<string, string>): Promise<Ended>;
  /** `loom … --output json` parsed. */
  json<T = RunResult>(args: string[], env?: Record<string, string>): Promise<{ value: T; ended: Ended }>;
  config(toml: string): void;
  scenario(yaml: string): void;
  write(path: string, text: string): void;
  read(path: string): string;
  /** path → contents of every file of the workspace, sorted. */
  tree(): Record<string, string>;
  /** Journal of a run, from its log file. */
  journal(run: string): JournalEvent[];
  remove(): void;
}

/** A loom.toml whose one model is a server of the given provider. */
export const serverToml = (provider: string, url: string, more = ''): string => `[models.main]
provider = "${provider}"
base_url = "${url}"
model = "test-model"
${provider === 'ollama' ? '' : 'api_key = "sk-test"\n'}roles = ["planner", "executor", "verifier", "extractor", "compactor"]
context_tokens = 32768
${more}`;

/** @param prefix program and arguments that start every command, such as one that enters a namespace */
export function sandbox(prefix: (home: string) => string[] = () => []): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'loom-test-'));
  const home = join(folder, 'home');
  const workspace = join(folder, 'work');
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(workspace);
  const enter = prefix(home);
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    LOOM_HOME: home,
    NO_COLOR: '1',
    LOOM_TEST: '1',
    LANG: 'C.UTF-8',
    // Nothing that happens to run on this machine may answer a test.
    OLLAMA_HOST: 'http://127.0.0.1:9',
  };

  function start(args: string[], more: Record<string, string> = {}, at = workspace): LoomChild {
    const began = performance.now();
    const [program = '', ...words] = [...enter, process.execPath, LOOM, '-w', at, ...args];
    const child = spawn(program, words, {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    const watchers = new Set<() => void>();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      for (const look of watchers) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      for (const look of watchers) look();
    });
    const ended = new Promise<Ended>(resolve => {
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: out, stderr: err, ms: performance.now() - began }),
      );
    });
    return {
      process: child,
      stdout: () => out,
      stderr: () => err,
      ended,
      prints(pattern, ms = 20_000) {
        return new Promise((resolve, reject) => {
          const stop = (finish: () => void) => {
            watchers.delete(look);
            clearTimeout(timer);
            finish();
          };
          const look = () => {
            if (pattern.test(out) || pattern.test(err)) stop(resolve);
          };
          const fail = (why: string) =>
            stop(() => reject(new Error(`${why} before ${pattern}:\n${out}\n${err}`)));
          const timer = setTimeout(() => fail(`${ms} ms were over`), ms);
          watchers.add(look);
          void ended.then(() => fail('the process ended'));
          look();
        });
      },
    };
  }

  return {
    folder,
    home,
    workspace,
    env,
    start,
    run: (args, more) => start(args, more).ended,
    async json<T>(args: string[], more?: Record<string, string>) {
      const ended = await start([...args, '--output', 'json'], more).ended;
      try {
        return { value: JSON.parse(ended.stdout) as T, ended };
      } catch {
        throw new Error(`no JSON on stdout (exit ${ended.code}):\n${ended.stdout}\n${ended.stderr}`);
      }
    },
    config: toml => writeFileSync(join(home, 'loom.toml'), toml, { mode: 0o600 }),
    scenario(yaml) {
      const file = join(folder, 'scenario.yaml');
      writeFileSync(file, yaml);
      writeFileSync(
        join(home, 'loom.toml'),
        `[models.script]\nprovider = "scripted"\nmodel = "script"\nscenario = ${JSON.stringify(file)}\nroles = ["planner", "executor", "verifier", "extractor", "compactor"]\n`,
        { mode: 0o600 },
      );
    },
    write(path, text) {
      const full = join(workspace, path);
      mkdirSync(join(full, '..'), { recursive: true });
      writeFileSync(full, text);
    },
    read: path => readFileSync(join(workspace, path), 'utf8'),
    tree() {
      const files: Record<string, string> = {};
      const walk = (dir: string): void => {
        for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) =>
          a.name < b.name ? -1 : 1,
        )) {
          const full = join(dir, entry.name);
          if (entry.isDirectory()) walk(full);
          else files[relative(workspace, full)] = readFileSync(full, 'utf8');
        }
      };
      walk(workspace);
      return files;
    },
    journal(run) {
      const file = join(home, 'logs', `${run}.events.jsonl`);
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as JournalEvent);
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  };
}
