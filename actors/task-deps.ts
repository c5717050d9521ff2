/** The powers that the effects of a run are given: registry, models, workspace, web, rows. */
import type { Config } from '../store/config.ts';
import type { RunHead, Store } from '../store/port.ts';
import { delegateTask } from '../tools/delegate-task.ts';
import { createRegistry } from '../tools/registry.ts';
import type { Network } from '../tools/web/connection.ts';
import { wireTool } from '../tools/wire.ts';
import { openWorkspace } from '../tools/workspace.ts';
import type { Children } from './delegate.ts';
import type { TaskDeps } from './effects/deps.ts';
import { taskRows } from './effects/rows.ts';
import type { Home } from './home.ts';
import { createRouter } from './models/router.ts';
import type { TaskRecord } from './task-record.ts';
import { webAccess } from './web-access.ts';

/** What a run is started with, whatever run it is. */
export interface Launch {
  home: Home;
  store: Store;
  env: NodeJS.ProcessEnv;
  network?: Network | undefined;
  /** Tells a person what no result carries. */
  notice: (line: string) => void;
}

/** The powers of a run's effects. Without `children` it may not delegate. */
export async function depsOf(
  launch: Launch,
  head: Pick<RunHead, 'id' | 'workspace'>,
  record: Pick<TaskRecord, 'goal' | 'policy'>,
  config: Config,
  children?: Children,
): Promise<TaskDeps> {
  const { store } = launch;
  const all = createRegistry();
  const registry = children?.open ? all : createRegistry(all.list().filter(tool => tool !== delegateTask));
  return {
    run: head.id,
    goal: record.goal,
    store,
    rows: taskRows(store, head.id),
    blobs: await launch.home.blobs(),
    scratch: launch.home.scratch,
    workspace: await openWorkspace(head.workspace),
    registry,
    tools: registry.list().map(wireTool),
    router: createRouter(config, {
      capabilities: {
        get: async key => (await store.getGlobal<string>(`model/${key}`)) ?? undefined,
        set: (key, value) => store.putGlobal(`model/${key}`, value),
      },
    }),
    config,
    policy: record.policy,
    web: webAccess(config, launch.env, launch.network),
    ...(children?.open ? { delegate: children.delegate } : {}),
    now: Date.now,
  };
}
