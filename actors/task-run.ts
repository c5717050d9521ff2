/** Starts, resumes and adopts runs: puts store, machines, effects and host together. */
import { ledgerRows, newLedger } from '../machines/budget.ts';
import { makeCatalogue, type PricedRole, type RolePrice } from '../machines/catalogue.ts';
import { LoomError } from '../machines/failure.ts';
import { newRun, type Outside, type Run } from '../machines/react.ts';
import type { Config, ModelConfig } from '../store/config.ts';
import type { Lease, RunHead, Store } from '../store/port.ts';
import { killGroup, type ProcessGroup } from '../store/process-identity.ts';
import { createRegistry } from '../tools/registry.ts';
import { RUN_TOOL } from '../tools/run-tool.ts';
import { beyondUndo } from '../tools/shell/beyond-undo.ts';
import { type Caller, type Child, childrenOf } from './delegate.ts';
import { taskEffects } from './effects/index.ts';
import { TAINTED_RUN, type Taint } from './effects/rows.ts';
import { openEventLog } from './event-log.ts';
import { createHost } from './host.ts';
import type { Host, HostEnd } from './host-port.ts';
import { observer } from './learning/observe.ts';
import { askedOf, checkPrices, limitsOf } from './limits.ts';
import type { JournalEvent, ResumeOptions, RunOptions } from './loom.ts';
import type { Ask } from './question-desk.ts';
import { questionDetail } from './question-detail.ts';
import { answeredByRules } from './questions.ts';
import { restoreRun } from './restore.ts';
import { checkRules, configuredRuleWarnings } from './rules.ts';
import { depsOf, type Launch } from './task-deps.ts';
import {
  newId,
  newRecord,
  resumedConfig,
  type TaskRecord,
  titleOf,
  withoutSecrets,
  withSecrets,
} from './task-record.ts';

type Hooks = Pick<RunOptions, 'signal' | 'onEvent' | 'onPreview' | 'onQuestion'>;

/** Rules match the tool that is run, never the one that runs it. */
const toolNames = (): string[] =>
  createRegistry()
    .list()
    .map(tool => tool.name)
    .filter(name => name !== RUN_TOOL);

const rootOf = (run: string): string => `task/${run}`;

/** The dearest model of a role sets what one of its calls may cost at most. */
export function pricesOf(config: Config): (role: PricedRole) => RolePrice {
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

/** Asks the owner of a run to end it, or ends it here when nobody owns it. */
export async function endRun(launch: Launch, config: Config, head: RunHead): Promise<void> {
  const { store } = launch;
  const { state } = await store.lease(head.id);
  const claimed = state === 'live' ? null : await store.claim(head.id);
  if (claimed) {
    await resumeTask(launch, claimed, config, { first: [{ type: 'command', event: { type: 'CANCEL' } }] });
    return;
  }
  const at = new Date().toISOString();
  await store.send(head.id, { id: newId(), event: { type: 'CANCEL' }, at });
}

/** What the tasks that a run delegates are started with. */
export function callerOf(
  launch: Launch,
  head: Pick<RunHead, 'id' | 'workspace'>,
  { policy, depth = 0 }: Pick<TaskRecord, 'policy' | 'depth'>,
  config: Config,
  hooks: Hooks,
): Caller {
  const { allow, deny } = config.approval;
  return {
    store: launch.store,
    run: head.id,
    workspace: head.workspace,
    depth,
    policy: {
      mode: policy.mode,
      allow: policy.allow.filter(rule => !allow.includes(rule)),
      deny: policy.deny.filter(rule => !deny.includes(rule)),
    },
    timeout_seconds: config.execution.delegate_task_timeout_seconds,
    ...(hooks.onQuestion ? { onQuestion: hooks.onQuestion } : {}),
    start: options => startTask(launch, config, options),
    resume: (lease, options) => resumeTask(launch, lease, config, options),
    cancel: child => endRun(launch, config, child),
  };
}

interface Driven {
  end: HostEnd;
}

/** Runs a host to its end under the caller's signal and what is left of the run's time. */
async function driveHost(
  host: Host,
  begin: () => Promise<HostEnd>,
  { record, active_ms }: { record: TaskRecord; active_ms: number },
  hooks: Hooks,
): Promise<Driven> {
  const interrupt = () => host.interrupt('interrupted', 'interrupted by the user');
  const { signal } = hooks;
  const seconds = record.limits.timeout_seconds;
  const message = `the time budget of ${seconds} s is spent: resume with a higher --timeout`;
  const spent = { budget_name: 'seconds', limit: seconds ?? 0, observed: seconds ?? 0 } as const;
  const outOfTime = () => host.interrupt('budget', message, spent);
  const left = seconds === null ? Number.POSITIVE_INFINITY : seconds * 1_000 - active_ms;
  const timer = Number.isFinite(left) && left > 0 ? setTimeout(outOfTime, left) : undefined;
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    const ending = begin();
    if (signal?.aborted) interrupt();
    else if (left <= 0) outOfTime();
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
  options: RunOptions & Child & { goal: string; workspace: string; id: string },
): Promise<HostEnd> {
  const record = newRecord(options.goal, config, options);
  checkPrices(config, record.limits, record.asked);
  checkRules([...(options.allow ?? []), ...(options.deny ?? [])], toolNames());
  const { allow, deny } = config.approval;
  for (const warning of configuredRuleWarnings([...allow, ...deny], toolNames())) launch.notice(warning);
  const beyond = await beyondUndo(options.workspace, launch.home.scratch);
  if (beyond) launch.notice(beyond);
  const catalogue = makeCatalogue(pricesOf(config));
  const at = new Date().toISOString();
  const head = {
    id: options.id,
    seq: 0,
    kind: 'task' as const,
    status: 'planning' as const,
    goal: titleOf(options.goal),
    workspace: options.workspace,
    ...(options.parent ? { parent: options.parent } : {}),
    created_at: at,
    updated_at: at,
  };
  const ledger = newLedger(record.limits.task, record.limits.subtask);
  const lease = await launch.store.create(head, [
    { key: 'task', value: record },
    ...(options.tainted
      ? [{ key: TAINTED_RUN, value: { source: `task ${options.parent}` } satisfies Taint }]
      : []),
    ...ledgerRows(ledger, ledger),
  ]);
  const stored: RunHead = { ...head, rev: 0, fence: lease.fence };
  const children = childrenOf(callerOf(launch, stored, record, config, options));
  const deps = await depsOf(launch, stored, record, config, children);
  const log = await openEventLog(launch.home.path, head.id, launch.store, config.limits.runner);
  const host = createHost({
    store: launch.store,
    lease,
    head: stored,
    run: newRun(head.id, rootOf(head.id), ledger),
    catalogue,
    effects: taskEffects(deps),
    derive: observer(deps),
    onEvent: audience(log, options),
    ...previews(options),
    ...asker(launch.store, options),
  });
  const { end } = await driveHost(
    host,
    () => host.begin([startOf(stored, record)]),
    { record, active_ms: 0 },
    options,
  );
  await children.ended(end);
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
  const { allow = [], deny = [] } = options;
  checkRules([...allow, ...deny], toolNames());
  const config = configure(record.config);
  const newly = askedOf(options);
  const asked = { ...record.asked, ...newly };
  const limits = limitsOf(config, asked);
  checkPrices(config, limits, asked);
  const rules = allow.length + deny.length;
  return {
    changed: options.corrected === true || rules > 0 || Object.keys(newly).length > 0,
    config,
    record: {
      ...record,
      config: withoutSecrets(config),
      policy: {
        ...record.policy,
        allow: [...record.policy.allow, ...allow],
        deny: [...record.policy.deny, ...deny],
      },
      asked,
      limits,
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
  ).catch(async (error: unknown) => {
    // Refused: the run stays where it was, for whoever asks better.
    await store.release(lease);
    throw error;
  });
  const catalogue = makeCatalogue(pricesOf(config));
  const restored = await restoreRun(store, head, rootOf(head.id), catalogue, Date.now());
  for (const group of restored.groups) killGroup(group as ProcessGroup);
  if (restored.unknown) return parkUnknown(store, lease, head, restored.unknown);
  const { task: limits, subtask: subtask_limits } = record.limits;
  const ledger = { ...restored.run.ledger, limits, subtask_limits };
  const run = { ...restored.run, ledger };
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
    ...ledgerRows(ledger, ledger),
    ...(changed ? [{ key: 'task', value: record }] : []),
    ...(await store.range(head.id, 'k/')).map(row => ({ key: row.key, value: null })),
  ]);
  const log = await openEventLog(launch.home.path, head.id, store, config.limits.runner);
  quietly(() => options.onEvent?.(line));
  const children = childrenOf(callerOf(launch, head, record, config, options));
  const deps = await depsOf(launch, head, record, config, children);
  const host = createHost({
    store,
    lease,
    head: { ...head, rev: head.rev + 1, seq },
    run: { ...run, step: head.rev + 1 },
    catalogue,
    effects: taskEffects(deps),
    derive: observer(deps),
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
  // Cancelling takes no time that anybody would have to grant.
  const active_ms = options.first ? 0 : (head.active_ms ?? 0);
  const allowed = answeredByRules(head.id, Object.values(run.effects), record.policy);
  const known = { ...restored, settled: [...restored.settled, ...allowed] };
  const { end } = await driveHost(host, () => host.begin(first, known), { record, active_ms }, options);
  await children.ended(end);
  log.flush();
  return end;
}

async function parkUnknown(store: Store, lease: Lease, head: RunHead, unknown: string): Promise<HostEnd> {
  const message = `this run was made by another version of Loom (${unknown}); use that version to finish it`;
  await store.commit(lease, head.rev, { parked: { reason: 'unknown_version', message } }, []);
  await store.release(lease);
  return { kind: 'parked', reason: 'unknown_version', message, questions: [] };
}
