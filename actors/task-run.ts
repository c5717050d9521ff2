/** Starts, resumes and adopts runs: puts store, machines, effects and host together. */
import { newLedger } from '../machines/budget.ts';
import { makeCatalogue, type PricedRole, type RolePrice } from '../machines/catalogue.ts';
import { LoomError } from '../machines/failure.ts';
import { newRun, type Outside, type Run } from '../machines/react.ts';
import type { Config, ModelConfig } from '../store/config.ts';
import type { Lease, RunHead, Store } from '../store/port.ts';
import { killGroup, type ProcessGroup } from '../store/process-identity.ts';
import { createRegistry } from '../tools/registry.ts';
import { openWorkspace } from '../tools/workspace.ts';
import type { TaskDeps } from './effects/deps.ts';
import { taskEffects } from './effects/index.ts';
import { taskRows } from './effects/rows.ts';
import { openEventLog } from './event-log.ts';
import type { Home } from './home.ts';
import { createHost, type Host, type HostEnd } from './host.ts';
import type { JournalEvent, ResumeOptions, RunOptions } from './loom.ts';
import { createRouter } from './models/router.ts';
import type { Ask } from './question-desk.ts';
import { questionDetail } from './question-detail.ts';
import { answeredByRules } from './questions.ts';
import { restoreRun } from './restore.ts';
import {
  checkPrices,
  checkRules,
  newRecord,
  resumedConfig,
  type TaskRecord,
  titleOf,
  withoutSecrets,
  withSecrets,
} from './task-record.ts';

type Hooks = Pick<RunOptions, 'signal' | 'onEvent' | 'onPreview' | 'onQuestion'>;

export interface Launch {
  home: Home;
  store: Store;
  env: NodeJS.ProcessEnv;
}

const rootOf = (run: string): string => `task/${run}`;

/** The dearest model of a role sets what one of its calls may cost at most. */
function pricesOf(config: Config): (role: PricedRole) => RolePrice {
  const models = Object.values(config.models);
  return role => {
    const having = models.filter(model => model.roles.includes(role));
    const candidates: ModelConfig[] = having.length > 0 ? having : models;
    const dearest = (of: (model: ModelConfig) => number): number => Math.max(0, ...candidates.map(of));
    return {
      max_tokens: dearest(model => model.max_tokens),
      input: dearest(model => model.price_input ?? 0) / 1e6,
      output: dearest(model => model.price_output ?? 0) / 1e6,
    };
  };
}

async function depsOf(launch: Launch, head: RunHead, record: TaskRecord, config: Config): Promise<TaskDeps> {
  const { store } = launch;
  const registry = createRegistry();
  return {
    run: head.id,
    goal: record.goal,
    store,
    rows: taskRows(store, head.id),
    blobs: await launch.home.blobs(),
    workspace: await openWorkspace(head.workspace),
    registry,
    tools: registry.list().map(({ name, description, parameters }) => ({ name, description, parameters })),
    router: createRouter(config, {
      capabilities: {
        get: async key => (await store.getGlobal<string>(`model/${key}`)) ?? undefined,
        set: (key, value) => store.putGlobal(`model/${key}`, value),
      },
    }),
    config,
    policy: record.policy,
    now: Date.now,
  };
}

interface Driven {
  end: HostEnd;
}

/** Runs a host to its end under the caller's signal and the run's time budget. */
async function driveHost(
  host: Host,
  begin: () => Promise<HostEnd>,
  record: TaskRecord,
  hooks: Hooks,
): Promise<Driven> {
  const interrupt = () => host.interrupt('interrupted', 'interrupted by the user');
  const { signal } = hooks;
  const seconds = record.timeout_seconds;
  const timer = seconds
    ? setTimeout(() => host.interrupt('budget', `the time budget of ${seconds} s is spent`), seconds * 1_000)
    : undefined;
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    const ending = begin();
    if (signal?.aborted) interrupt();
    return { end: await ending };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
  }
}

/** A listener that throws is the caller's bug: it is reported as a warning of the process, the run goes on. */
function quietly(listen: () => void): void {
  try {
    listen();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The journal goes to the caller and to the log file; neither may hold up or break the run. */
function audience(log: { append(event: JournalEvent): void }, hooks: Hooks): (event: JournalEvent) => void {
  return event => {
    log.append(event);
    quietly(() => hooks.onEvent?.(event));
  };
}

/** Whoever is asked sees in full what would happen. */
function asker(store: Store, { onQuestion }: Hooks): { onQuestion?: Ask } {
  if (!onQuestion) return {};
  return {
    onQuestion: async (question, signal) =>
      onQuestion(
        { ...question, detail: await questionDetail(store, question.task_id, question.call) },
        signal,
      ),
  };
}

const previews = ({ onPreview }: Hooks): Pick<Hooks, 'onPreview'> =>
  onPreview ? { onPreview: preview => quietly(() => onPreview(preview)) } : {};

/** Creates the run and drives it. Throws LoomError before anything is stored when it cannot start. */
export async function startTask(
  launch: Launch,
  config: Config,
  options: RunOptions & { goal: string; workspace: string; id: string },
): Promise<HostEnd> {
  checkPrices(config, options.max_cost);
  const record = newRecord(options.goal, config, options);
  checkRules([...record.policy.allow, ...record.policy.deny]);
  const catalogue = makeCatalogue(pricesOf(config));
  const at = new Date().toISOString();
  const head = {
    id: options.id,
    seq: 0,
    kind: 'task' as const,
    status: 'planning' as const,
    goal: titleOf(options.goal),
    workspace: options.workspace,
    created_at: at,
    updated_at: at,
  };
  const ledger = newLedger(record.limits);
  const lease = await launch.store.create(head, [
    { key: 'task', value: record },
    { key: 'ledger', value: ledger },
  ]);
  const stored: RunHead = { ...head, rev: 0, fence: lease.fence };
  const deps = await depsOf(launch, stored, record, config);
  const log = await openEventLog(launch.home.path, head.id, launch.store, config.limits.runner);
  const host = createHost({
    store: launch.store,
    lease,
    head: stored,
    run: newRun(head.id, rootOf(head.id), ledger),
    catalogue,
    effects: taskEffects(deps),
    onEvent: audience(log, options),
    ...previews(options),
    ...asker(launch.store, options),
  });
  const { end } = await driveHost(host, () => host.begin([startOf(stored, record)]), record, options);
  log.flush();
  return end;
}

const startOf = (head: RunHead, record: TaskRecord): Outside => ({
  type: 'start',
  machine: 'task',
  input: { title: head.goal, settings: record.settings },
});

/** What a run is told first when it is taken up. Killed before its first reaction it has no root yet, killed after its
 *  last one it has none any more. */
function opening(run: Run, start: Outside, wanted: Outside[]): Outside[] {
  if (run.output !== undefined) return [];
  return run.actors[run.root] ? wanted : [start, ...wanted];
}

/** New rules and limits of `resume` are part of the run from then on. */
async function updateRecord(
  store: Store,
  head: RunHead,
  options: ResumeOptions & { corrected?: boolean },
  configure: (stored: Config) => Config,
): Promise<{ record: TaskRecord; config: Config; changed: boolean }> {
  const record = await store.get<TaskRecord>(head.id, 'task');
  if (!record)
    throw new LoomError('terminal', 'run_damaged', `run ${head.id} has no record of how it was started`);
  const { max_tokens, max_cost, timeout_seconds, allow = [], deny = [] } = options;
  checkRules([...allow, ...deny]);
  const config = configure(record.config);
  const changed =
    options.corrected === true ||
    allow.length + deny.length > 0 ||
    max_tokens !== undefined ||
    max_cost !== undefined ||
    timeout_seconds !== undefined;
  return {
    changed,
    config,
    record: {
      ...record,
      config: withoutSecrets(config),
      policy: {
        ...record.policy,
        allow: [...record.policy.allow, ...allow],
        deny: [...record.policy.deny, ...deny],
      },
      limits: {
        ...record.limits,
        ...(max_tokens === undefined ? {} : { tokens: max_tokens }),
        ...(max_cost === undefined ? {} : { usd: max_cost }),
      },
      timeout_seconds: timeout_seconds ?? record.timeout_seconds,
    },
  };
}

/** Takes up a run that this process has just claimed. `first`: events to begin with, RESUME unless given. `corrected`: a
 *  person resumes, so that what they corrected in the run's settings file counts. */
export async function resumeTask(
  launch: Launch,
  lease: Lease,
  present: Config,
  options: ResumeOptions & { first?: Outside[]; corrected?: boolean },
): Promise<HostEnd> {
  const { store } = launch;
  const head = (await store.head(lease.run))!;
  const { record, config, changed } = await updateRecord(store, head, options, stored =>
    (options.corrected ? resumedConfig : withSecrets)(stored, present, launch.env),
  );
  checkPrices(config, options.max_cost);
  const catalogue = makeCatalogue(pricesOf(config));
  const restored = await restoreRun(store, head, rootOf(head.id), catalogue, Date.now());
  for (const group of restored.groups) killGroup(group as ProcessGroup);
  if (restored.unknown) return parkUnknown(store, lease, head, restored.unknown);
  const run = { ...restored.run, ledger: { ...restored.run.ledger, limits: record.limits } };
  const seq = head.seq + 1;
  const line: JournalEvent = {
    seq,
    event_type: 'task_run_recovered',
    task_id: head.id,
    timestamp: new Date().toISOString(),
    data: { run_id: head.id, was: head.parked?.reason ?? 'owner_died' },
  };
  await store.commit(lease, head.rev, { parked: undefined as never, seq, updated_at: line.timestamp }, [
    { key: `j/${String(seq).padStart(10, '0')}`, value: line },
    { key: 'ledger', value: run.ledger },
    ...(changed ? [{ key: 'task', value: record }] : []),
    ...(await store.range(head.id, 'k/')).map(row => ({ key: row.key, value: null })),
  ]);
  const log = await openEventLog(launch.home.path, head.id, store, config.limits.runner);
  quietly(() => options.onEvent?.(line));
  const deps = await depsOf(launch, head, record, config);
  const host = createHost({
    store,
    lease,
    head: { ...head, rev: head.rev + 1, seq },
    run: { ...run, step: head.rev + 1 },
    catalogue,
    effects: taskEffects(deps),
    recovered: restored.recovered,
    onEvent: audience(log, options),
    ...previews(options),
    ...asker(store, options),
  });
  const first: Outside[] = [
    { type: 'recovered', keys: restored.charged },
    ...opening(
      run,
      startOf(head, record),
      options.first ?? [{ type: 'command' as const, event: { type: 'RESUME' } }],
    ),
  ];
  const allowed = answeredByRules(head.id, Object.values(run.effects), record.policy);
  const known = { ...restored, settled: [...restored.settled, ...allowed] };
  const { end } = await driveHost(host, () => host.begin(first, known), record, options);
  log.flush();
  return end;
}

async function parkUnknown(store: Store, lease: Lease, head: RunHead, unknown: string): Promise<HostEnd> {
  const message = `this run was made by another version of Loom (${unknown}); use that version to finish it`;
  await store.commit(lease, head.rev, { parked: { reason: 'unknown_version', message } }, []);
  await store.release(lease);
  return { kind: 'parked', reason: 'unknown_version', message, questions: [] };
}
