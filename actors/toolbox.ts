/** Single tool calls from outside a run: `loom tool list|call|parse` and `loom.tools`. */
import { createHash, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config } from '../store/config.ts';
import type { Row } from '../store/port.ts';
import { type ArtifactRow, artifactKey, artifactShelf } from '../tools/artifacts.ts';
import { createRegistry } from '../tools/registry.ts';
import type { TrackedList } from '../tools/tracker.ts';
import { opensLocal } from '../tools/web/address.ts';
import type { Network } from '../tools/web/connection.ts';
import { openWorkspace } from '../tools/workspace.ts';
import type { Home } from './home.ts';
import type { Loom } from './loom.ts';
import { readAnswer } from './models/answer.ts';
import { newId } from './task-record.ts';
import { webAccess } from './web-access.ts';

/** What any run of this workspace has kept, newest run first: an id that a transcript shows can be read from outside. */
async function artifactIn(home: Home, workspace: string, id: string): Promise<ArtifactRow | null> {
  const store = await home.reader();
  for (const head of (await store.runs({ workspace })).reverse()) {
    const row = await store.get<ArtifactRow>(head.id, artifactKey(id));
    if (row) return row;
  }
  return null;
}

/** A call by hand that leaves something to be read is a small finished run, so that `[retention]` and `purge` know it. */
async function keepArtifacts(home: Home, workspace: string, tool: string, rows: Row[]): Promise<string> {
  if (rows.length === 0) return '';
  const store = await home.writer();
  const at = new Date().toISOString();
  const lease = await store.create(
    {
      id: newId(),
      kind: 'adhoc',
      status: 'completed',
      goal: `loom tool call ${tool}`,
      workspace,
      seq: 0,
      exit_code: 0,
      created_at: at,
      updated_at: at,
    },
    rows,
  );
  await store.release(lease);
  return '';
}

export function toolbox({
  home,
  workspace,
  config,
  env,
  network,
}: {
  home: Home;
  workspace: string;
  config: () => Config;
  env: NodeJS.ProcessEnv;
  network: Network | undefined;
}): Loom['tools'] {
  const registry = createRegistry();
  const schemas = () =>
    registry.list().map(({ name, description, parameters }) => ({ name, description, parameters }));
  return {
    list: schemas,
    async call(name, args, options = {}) {
      const root = resolve(options.workspace ?? workspace);
      const jail = await openWorkspace(root);
      const blobs = await home.blobs();
      const shelf = artifactShelf(blobs, id => artifactIn(home, jail.root, id), Date.now);
      let tracked: TrackedList | null = null;
      const stop = new AbortController();
      const result = await registry.run(name, args, {
        workspace: jail,
        key: `call|${createHash('sha256').update(randomUUID()).digest('hex').slice(0, 12)}`,
        signal: stop.signal,
        subtask: null,
        lastRead: () => undefined,
        checkpoint: async () => {},
        // A person at the command line calls one tool at a time; runs of the same workspace are kept out by the store's lock.
        lock: async () => {
          const store = await home.writer();
          return store.locks.acquire(jail.root, `call-${process.pid}`, { signal: stop.signal });
        },
        blobs,
        web: {
          ...webAccess(config(), env, network),
          // A person who calls a tool goes where its redirects lead.
          follow: () => true,
          local: subject => config().approval.allow.some(rule => opensLocal(rule, subject)),
        },
        artifacts: shelf,
        tracker: {
          load: async () => (await home.writer()).getGlobal<TrackedList>(`todo/${jail.root}`),
          others: async () => [],
          keep: list => {
            tracked = list;
          },
        },
        history: async () => [],
        scratch: home.scratch,
        child: async () => {},
        network: true,
        sandbox: config().tools.shell.sandbox,
        commandSeconds: config().tools.shell.timeout_seconds,
        outputLimit: config().limits.runner.default_tool_result_output_chars * 4,
      });
      const unkept = await keepArtifacts(home, jail.root, name, shelf.rows()).catch(
        (error: Error) => `\n[the whole could not be kept: ${error.message}]`,
      );
      if (tracked) await (await home.writer()).putGlobal(`todo/${jail.root}`, tracked);
      return {
        success: result.success,
        output: result.output + unkept,
        error: result.error ? { code: result.error.code, message: result.error.message } : null,
        data: result.data,
        files_changed: result.files_changed,
      };
    },
    parse(text, { tools } = {}) {
      const answer = readAnswer(
        { content: text, tool_calls: [], finish: 'stop' },
        tools ? tools.map(tool => ({ description: '', ...tool })) : null,
      );
      return {
        calls: answer.calls.flatMap(call =>
          'invalid' in call ? [] : [{ name: call.name, arguments: call.arguments, repaired: call.repaired }],
        ),
        thinking: answer.thinking,
        content: answer.content,
      };
    },
  };
}
