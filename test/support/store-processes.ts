/** Real processes that share a store: bundles `store-child.ts` once per test file and drives children by messages. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export interface StoreProcess {
  readonly pid: number;
  /** Numbers the write loop had on disk. */
  readonly acks: number[];
  /** Rejections nobody handled inside the child. */
  readonly unhandled: string[];
  /** What the child wrote to stderr. */
  stderr(): string;
  call<T = unknown>(name: string, ...args: unknown[]): Promise<T>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

export interface StoreProcesses {
  readonly home: string;
  start(options?: { open?: object | false; env?: Record<string, string> }): Promise<StoreProcess>;
  end(): Promise<void>;
}

let bundle: Promise<string> | undefined;

/** lmdb stays outside the bundle, under its absolute address: the bundle lies in a temporary folder. */
export function bundledChild(): Promise<string> {
  bundle ??= (async () => {
    const outfile = join(mkdtempSync(join(tmpdir(), 'loom-child-')), 'store-child.mjs');
    process.on('exit', () => rmSync(join(outfile, '..'), { recursive: true, force: true }));
    const lmdb = pathToFileURL(fileURLToPath(import.meta.resolve('lmdb'))).href;
    await build({
      entryPoints: [fileURLToPath(new URL('store-child.ts', import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      logLevel: 'error',
      plugins: [
        {
          name: 'lmdb-outside',
          setup: setup => setup.onResolve({ filter: /^lmdb$/ }, () => ({ path: lmdb, external: true })),
        },
      ],
    });
    return outfile;
  })();
  return bundle;
}

/** @param home default: a new temporary folder, removed at the end either way */
export function storeProcesses(home = mkdtempSync(join(tmpdir(), 'loom-home-'))): StoreProcesses {
  const children: ChildProcess[] = [];
  return {
    home,
    async start({ open = {}, env = {} } = {}) {
      const child = fork(await bundledChild(), [home], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...process.env, ...env },
      });
      children.push(child);
      const running = puppet(child);
      await running.ready;
      if (open !== false) await running.call('open', open);
      return running;
    },
    async end() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface Answer {
  id?: number;
  value?: unknown;
  error?: { name: string; message: string; code?: string };
  ack?: number;
  unhandled?: string;
  ready?: boolean;
}

export function puppet(child: ChildProcess): StoreProcess & { ready: Promise<void> } {
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const acks: number[] = [];
  const unhandled: string[] = [];
  let errors = '';
  let last = 0;
  let ready = (): void => {};
  const isReady = new Promise<void>(resolve => {
    ready = resolve;
  });
  child.stderr?.on('data', data => {
    errors += data;
  });
  child.on('message', (answer: Answer) => {
    if (answer.ready) ready();
    if (answer.ack !== undefined) acks.push(answer.ack);
    if (answer.unhandled !== undefined) unhandled.push(answer.unhandled);
    const waiting = pending.get(answer.id ?? -1);
    if (!waiting) return;
    pending.delete(answer.id!);
    if (answer.error) waiting.reject(Object.assign(new Error(answer.error.message), answer.error));
    else waiting.resolve(answer.value);
  });
  child.on('exit', (code, signal) => {
    const end = new Error(`the process ended (${signal ?? code})${errors === '' ? '' : `: ${errors}`}`);
    for (const { reject } of pending.values()) reject(end);
    pending.clear();
  });
  return {
    ready: isReady,
    pid: child.pid!,
    acks,
    unhandled,
    stderr: () => errors,
    call: <T>(name: string, ...args: unknown[]) =>
      new Promise<T>((resolve, reject) => {
        const id = ++last;
        pending.set(id, { resolve: value => resolve(value as T), reject });
        child.send({ id, call: name, args }, error => error && reject(new Error('the process ended')));
      }),
    signal: name => void child.kill(name),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
