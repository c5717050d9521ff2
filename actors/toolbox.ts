/** Single tool calls from outside a run: `loom tool list|call|parse` and `loom.tools`. */
import { createHash, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Config } from '../store/config.ts';
import { createRegistry } from '../tools/registry.ts';
import { openWorkspace } from '../tools/workspace.ts';
import type { Home } from './home.ts';
import type { Loom } from './loom.ts';
import { readAnswer } from './models/answer.ts';

export function toolbox({
  home,
  workspace,
  config,
}: {
  home: Home;
  workspace: string;
  config: () => Config;
}): Loom['tools'] {
  const registry = createRegistry();
  const schemas = () =>
    registry.list().map(({ name, description, parameters }) => ({ name, description, parameters }));
  return {
    list: schemas,
    async call(name, args, options = {}) {
      const root = resolve(options.workspace ?? workspace);
      const jail = await openWorkspace(root);
      const { openBlobs } = await import('../store/blobs.ts');
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
        blobs: openBlobs(join(home.path, 'blobs')),
        child: async () => {},
        network: true,
        sandbox: config().tools.shell.sandbox,
        outputLimit: config().limits.runner.default_tool_result_output_chars * 4,
      });
      return {
        success: result.success,
        output: result.output,
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
