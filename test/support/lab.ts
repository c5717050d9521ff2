/** Loom as a library over a real store, a real workspace and a fake model server, in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLoom } from '../../actors/engine.ts';
import type { JournalEvent, Loom, ResumeOptions, RunOptions, RunResult } from '../../actors/loom.ts';
import type { FakeOptions, FakeServer } from './fake-http.ts';
import { type FakeKind, startFakeServer } from './fake-server.ts';
import { type Sandbox, sandbox, serverToml } from './loom-process.ts';

export interface Ran {
  result: RunResult;
  events: JournalEvent[];
}

export interface Lab extends Sandbox {
  loom: Loom;
  /** Lines a person would have seen. */
  notices: string[];
  /** The fake servers started with this lab, the first one first. */
  servers: FakeServer[];
  /** Opens Loom again, as a new process would. */
  reopen(): Promise<void>;
  serve(kind: FakeKind, scenario: string, options?: FakeOptions): Promise<FakeServer>;
  go(goal: string, options?: Partial<RunOptions>): Promise<Ran>;
  goOn(id: string, options?: ResumeOptions): Promise<Ran>;
  end(): Promise<void>;
}

/** Waits that keep tests quick; everything else as by default. */
export const QUICK = `[execution]
model_call_retry_base_delay_seconds = 0.01
model_call_retry_max_delay_seconds = 0.05
model_call_retry_jitter_seconds = 0.0
`;

/** The quick waits, but for those that `toml` sets itself. */
const quick = (toml: string): string =>
  QUICK.split('\n')
    .filter(line => !line.includes('=') || !toml.includes(line.split(' ')[0]!))
    .join('\n') + toml;

/** An empty lab: no configuration yet, Loom not opened. */
export function lab(): Lab {
  const box = sandbox();
  const notices: string[] = [];
  const servers: FakeServer[] = [];
  let loom: Loom | null = null;
  const events: JournalEvent[] = [];
  const hooks = { onEvent: (event: JournalEvent) => void events.push(event) };
  return {
    ...box,
    notices,
    servers,
    get loom() {
      if (!loom) throw new Error('reopen() first');
      return loom;
    },
    async reopen() {
      await loom?.close();
      loom = await openLoom({
        home: box.home,
        workspace: box.workspace,
        env: box.env,
        onNotice: line => notices.push(line),
      });
    },
    async serve(kind, scenario, options) {
      const server = await startFakeServer(kind, scenario, options);
      servers.push(server);
      return server;
    },
    async go(goal, options = {}) {
      if (!loom) await this.reopen();
      events.length = 0;
      const result = await loom!.run({ goal, ...hooks, ...options });
      return { result, events: [...events] };
    },
    async goOn(id, options = {}) {
      events.length = 0;
      const result = await loom!.resume(id, { ...hooks, ...options });
      return { result, events: [...events] };
    },
    async end() {
      await loom?.close();
      await Promise.all(servers.map(server => server.stop()));
      box.remove();
    },
  };
}

/** A lab whose one model is the scripted provider. */
export function scriptedLab(scenario: string, toml = ''): Lab {
  const made = lab();
  made.scenario(scenario);
  made.config(`${quick(toml)}\n${readFileSync(join(made.home, 'loom.toml'), 'utf8')}`);
  return made;
}

/** A lab whose one model is a fake server. */
export async function servedLab(
  kind: FakeKind,
  scenario: string,
  { options = {}, toml = '' }: { options?: FakeOptions; toml?: string } = {},
): Promise<Lab> {
  const made = lab();
  const server = await made.serve(kind, scenario, options);
  made.config(`${quick(toml)}\n${serverToml(PROVIDER[kind], server.url)}`);
  return made;
}

export const PROVIDER: Record<FakeKind, string> = {
  ollama: 'ollama',
  openai: 'openai_compatible',
  anthropic: 'anthropic',
};

/** The words of a recorded request: system and messages, whatever the wire. */
export const wordsOf = (request: { body: { system?: unknown; messages: unknown } }): string =>
  JSON.stringify([request.body.system ?? '', request.body.messages]);

/** Events of one type. */
export const ofType = (events: JournalEvent[], type: string): JournalEvent[] =>
  events.filter(event => event.event_type === type);
