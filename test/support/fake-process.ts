/** Starts a fake model server in a process of its own, so that a test may kill everything else. */
import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { FakeOptions, RecordedRequest } from './fake-http.ts';
import type { FakeKind } from './fake-server.ts';

export interface FakeProcess {
  url: string;
  pid: number;
  requests(): Promise<RecordedRequest[]>;
  stop(): Promise<void>;
}

/** `scenario` is YAML text; with a port given, the server can come back where it was. */
export async function startFakeProcess(
  kind: FakeKind,
  scenario: string,
  options: FakeOptions = {},
  port = 0,
): Promise<FakeProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'loom-fake-'));
  const outfile = join(folder, 'fake.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./fake-main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: {
      js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
    },
    logLevel: 'error',
  });
  // too long for a command line
  const settings = join(folder, 'settings.json');
  await writeFile(settings, JSON.stringify({ kind, scenario, options, port }));
  const child = fork(outfile, [settings], { execArgv: [] });
  const next = <Key extends string, Value>(key: Key) =>
    new Promise<Value>((resolve, reject) => {
      const end = (code: number | null) =>
        reject(new Error(`the fake ${kind} server ended with code ${code}`));
      const listen = (message: unknown) => {
        if (typeof message !== 'object' || message === null || !(key in message)) return;
        child.off('message', listen);
        child.off('exit', end);
        resolve((message as Record<Key, Value>)[key]);
      };
      child.on('message', listen);
      child.once('exit', end);
    });
  /** One question at a time: an answer must not be taken for that of a later question. */
  let asked: Promise<unknown> = Promise.resolve();
  const url = await next<'url', string>('url');
  return {
    url,
    pid: child.pid ?? 0,
    requests() {
      const ask = () => {
        const answer = next<'requests', RecordedRequest[]>('requests');
        child.send('requests');
        return answer;
      };
      const answer = asked.then(ask, ask);
      asked = answer.catch(() => {});
      return answer;
    },
    async stop() {
      const ended = new Promise(resolve => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}
