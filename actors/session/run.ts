/** Starts a session's run, or takes one up: the same host as a task's, which stays and waits for what is said next.
 *
 *  Taking up: what the lost process had begun is written down first (answers as far as they had come, commands of which nobody
 *  knows the end), in one commit; then the machine stops the turn that was cut off. No call is made again. */
import { ledgerRows, newLedger } from '../../machines/budget.ts';
import { makeCatalogue } from '../../machines/catalogue.ts';
import { LoomError } from '../../machines/failure.ts';
import { type EffectEntry, newRun, type Outside, type Run } from '../../machines/react.ts';
import type { SessionInput } from '../../machines/session.ts';
import type { Config } from '../../store/config.ts';
import { type Lease, type RunHead, seqKey } from '../../store/port.ts';
import { killGroup, type ProcessGroup } from '../../store/process-identity.ts';
import { conversationRecall } from '../../tools/conversation-recall.ts';
import { createRegistry } from '../../tools/registry.ts';
import { wireTool } from '../../tools/wire.ts';
import { type Children, childrenOf } from '../delegate.ts';
import type { TaskDeps } from '../effects/deps.ts';
import { taskEffects } from '../effects/index.ts';
import { roomFor } from '../effects/room.ts';
import { createHost } from '../host.ts';
import type { Host, HostEnd } from '../host-port.ts';
import { wishes } from '../learning/wishes.ts';
import type { JournalEvent, Preview } from '../loom.ts';
import { sessionSystem } from '../prompts/session.ts';
import { OUTPUT, restoreRun } from '../restore.ts';
import { depsOf, type Launch } from '../task-deps.ts';
import { callerOf, pricesOf } from '../task-run.ts';
import { composeEffect, mendEffect } from './effects.ts';
import { conversationsOf } from './recall.ts';
import { counted, policyOf, SESSION_KEY, type SessionRecord, settingsOf } from './record.ts';
import { reflectEffect } from './reflect.ts';
import { sessionRows, stateOf } from './rows.ts';
import { salvaged, sessionModelEffect } from './turn-effects.ts';
import { sessionWindow } from './window.ts';

export interface SessionRun {
  host: Host;
  deps: TaskDeps;
  record: SessionRecord;
  head: RunHead;
  /** Resolves when it is closed, or lost. */
  end: Promise<HostEnd>;
}

interface Hooks {
  onEvent(event: JournalEvent): void;
  onPreview(preview: Preview): void;
}

const rootOf = (run: string): string => `session/${run}`;

/** More of the conversation than the window takes is read, because words are measured in characters here. */
const READ_SHARE = 1.5;

async function sessionDeps(
  launch: Launch,
  head: RunHead,
  record: SessionRecord,
  config: Config,
  turns: () => number,
  children: Children,
): Promise<TaskDeps> {
  const deps = await depsOf(launch, head, { goal: '', policy: policyOf(config, record) }, config, children);
  const { store } = launch;
  const recall = conversationRecall(conversationsOf(store, head.id, deps.workspace.root, turns));
  const registry = createRegistry([...deps.registry.list(), recall]);
  const window = sessionWindow();
  const rows = sessionRows(
    store,
    head.id,
    window,
    () => roomFor(deps, 'session', 1, READ_SHARE, new AbortController().signal),
    async () => ({
      system: sessionSystem(await wishes(store, Date.now()), [`The workspace is ${deps.workspace.root}.`]),
      note: await stateOf(store, head.id, turns()),
    }),
  );
  return { ...deps, registry, tools: registry.list().map(wireTool), rows, fitting: window.fit };
}

const effectsOf = (deps: TaskDeps) => ({
  ...taskEffects(deps),
  model: sessionModelEffect(deps),
  compose: composeEffect(deps),
  mend: mendEffect(deps),
  reflect: reflectEffect(deps),
});

interface Begin {
  launch: Launch;
  lease: Lease;
  head: RunHead;
  run: Run;
  record: SessionRecord;
  config: Config;
  hooks: Hooks;
  first: Outside[];
  unfinished?: Parameters<Host['begin']>[1];
  recovered?: Map<string, unknown>;
}

async function drive({
  launch,
  lease,
  head,
  run,
  record,
  config,
  hooks,
  first,
  unfinished,
  recovered,
}: Begin): Promise<SessionRun> {
  let host: Host | null = null;
  const turns = (): number => Number(host?.root()?.context['turns'] ?? 0);
  const children = childrenOf(callerOf(launch, head, { policy: policyOf(config, record) }, config, {}));
  const deps = await sessionDeps(launch, head, record, config, turns, children);
  host = createHost({
    store: launch.store,
    lease,
    head,
    run,
    catalogue: makeCatalogue(pricesOf(config)),
    effects: effectsOf(deps),
    resident: true,
    onEvent: hooks.onEvent,
    onPreview: hooks.onPreview,
    ...(recovered ? { recovered } : {}),
  });
  const end = host.begin(first, unfinished).then(async outcome => {
    await children.ended(outcome);
    return outcome;
  });
  await host.reacted();
  return { host, deps, record, head, end };
}

const startOf = (config: Config, { turns, queued }: Pick<SessionInput, 'turns' | 'queued'>): Outside => ({
  type: 'start',
  machine: 'session',
  input: { turns, queued, settings: settingsOf(config) } satisfies SessionInput,
});

/** A new session. Throws LoomError when the store refuses it. */
export async function startSession(
  launch: Launch,
  config: Config,
  { id, workspace, record }: { id: string; workspace: string; record: SessionRecord },
  hooks: Hooks,
): Promise<SessionRun> {
  const at = new Date().toISOString();
  const created = {
    id,
    seq: 0,
    kind: 'session' as const,
    status: 'executing' as const,
    goal: '',
    workspace,
    created_at: at,
    updated_at: at,
  };
  const ledger = newLedger({});
  const lease = await launch.store.create(created, [
    { key: SESSION_KEY, value: record },
    ...ledgerRows(ledger, ledger),
  ]);
  const head: RunHead = { ...created, rev: 0, fence: lease.fence };
  const run = newRun(id, rootOf(id), ledger);
  return drive({
    launch,
    lease,
    head,
    run,
    record,
    config,
    hooks,
    first: [startOf(config, { turns: 0, queued: 0 })],
  });
}

/** What a stopped turn leaves to look at: files that were being written. The rest is over, and the machine says so. */
const looksAt = (effect: EffectEntry, recovered: Map<string, unknown>): boolean =>
  (effect.source === 'tool' && effect.class === 'checkable' && recovered.has(effect.key)) ||
  effect.path.split('/').length === 2;

/** Takes a session up that this process has just claimed. */
export async function resumeSession(
  launch: Launch,
  lease: Lease,
  config: Config,
  hooks: Hooks,
): Promise<SessionRun> {
  const { store } = launch;
  const head = (await store.head(lease.run))!;
  const record = (await store.get<SessionRecord>(head.id, SESSION_KEY)) ?? { allow: [], deny: [] };
  const catalogue = makeCatalogue(pricesOf(config));
  const restored = await restoreRun(store, head, rootOf(head.id), catalogue, Date.now());
  for (const group of restored.groups) killGroup(group as ProcessGroup);
  if (restored.unknown) {
    await store.release(lease);
    throw new LoomError(
      'terminal',
      'unknown_version',
      `Session ${head.id} was made by another version of Loom (${restored.unknown}); use that version to go on with it.`,
    );
  }
  const effects = Object.values(restored.run.effects);
  const salvage = await salvaged({ store, run: head.id }, effects, restored.recovered);
  const lines = [
    ...salvage.journal,
    { event_type: 'session_resumed', data: { was: head.parked?.reason ?? 'owner_died' } },
  ].map(
    (line, i): JournalEvent => ({
      seq: head.seq + 1 + i,
      task_id: head.id,
      timestamp: new Date().toISOString(),
      ...line,
    }),
  );
  const seq = head.seq + lines.length;
  const status = 'executing' as const;
  await store.commit(
    lease,
    head.rev,
    { parked: undefined as never, seq, status, updated_at: lines.at(-1)!.timestamp },
    [
      ...salvage.rows,
      ...lines.map(line => ({ key: `j/${seqKey(line.seq)}`, value: line })),
      { key: OUTPUT, value: null },
      ...(await store.range(head.id, 'k/')).map(row => ({ key: row.key, value: null })),
    ],
  );
  const { output: _, ...run } = { ...restored.run, step: head.rev + 1 };
  const keys: string[] = [];
  const first: Outside[] = run.actors[run.root]
    ? [
        { type: 'recovered', keys },
        { type: 'command', event: { type: 'RESUME' } },
      ]
    : [startOf(config, await counted(store, head.id))];
  const rerun = effects.filter(
    effect => restored.rerun.includes(effect) && looksAt(effect, restored.recovered),
  );
  const stopping = restored.settled.filter(({ effect }) => effect.state === 'stopping');
  return drive({
    launch,
    lease,
    head: { ...head, rev: head.rev + 1, seq },
    run,
    record,
    config,
    hooks,
    first,
    unfinished: { rerun, settled: stopping },
    recovered: restored.recovered,
  });
}
