/** Opening sessions: a new one, one by its id, or the newest of the workspace. */
import { realpath } from 'node:fs/promises';
import { LoomError } from '../../machines/failure.ts';
import type { Config } from '../../store/config.ts';
import type { RunHead } from '../../store/port.ts';
import type { StoreReader } from '../../store/store.ts';
import { createRegistry } from '../../tools/registry.ts';
import { checkRules, configuredRuleWarnings } from '../rules.ts';
import type { Launch } from '../task-deps.ts';
import { newId } from '../task-record.ts';
import { exportSession, summaryOfSession } from './history.ts';
import { resumeSession, startSession } from './run.ts';
import { createSession, wire } from './session.ts';
import type { Session, SessionOptions, SessionSummary } from './types.ts';

/** Sessions, the one used last first. */
async function heads(store: StoreReader, workspace?: string): Promise<RunHead[]> {
  const folder = workspace && (await realpath(workspace).catch(() => workspace));
  const all = (await store.runs(folder ? { workspace: folder } : {})).filter(head => head.kind === 'session');
  return all.sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
}

/** Throws LoomError `unknown_id`, `ambiguous_id`. */
async function named(store: StoreReader, id: string): Promise<RunHead> {
  const matching = id === '' ? [] : (await heads(store)).filter(head => head.id.startsWith(id));
  const exact = matching.find(head => head.id === id);
  if (exact) return exact;
  if (matching.length === 1) return matching[0]!;
  throw new LoomError(
    'terminal',
    matching.length > 1 ? 'ambiguous_id' : 'unknown_id',
    matching.length > 1
      ? `More than one session begins with "${id}": ${matching.map(head => head.id).join(', ')}.`
      : `There is no session "${id}". /sessions lists them.`,
  );
}

export async function openSession(
  launch: Launch,
  config: Config,
  workspace: string,
  options: SessionOptions,
): Promise<Session> {
  const { allow = [], deny = [] } = options;
  const tools = [
    ...createRegistry()
      .list()
      .map(tool => tool.name),
    'conversation_recall',
  ];
  checkRules([...allow, ...deny], tools);
  for (const warning of configuredRuleWarnings([...config.approval.allow, ...config.approval.deny], tools))
    launch.notice(warning);
  const { store } = launch;
  const before =
    options.resume === undefined
      ? options.continue
        ? (await heads(store, workspace))[0]
        : undefined
      : await named(store, options.resume);
  const wired = wire();
  if (!before) {
    const record = { allow, deny };
    const run = await startSession(launch, config, { id: newId(), workspace, record }, wired);
    wired.attach(run);
    return createSession(run, wired, false);
  }
  const owned = await store.lease(before.id);
  const lease =
    owned.state === 'live' && !owned.stopped
      ? null
      : await store.claim(before.id, {
          takeover: true,
          ...(options.signal ? { signal: options.signal } : {}),
        });
  if (!lease)
    throw new LoomError(
      'terminal',
      'owned_elsewhere',
      `Session ${before.id} is open in another process. Close it there, or begin a new one.`,
    );
  const run = await resumeSession(launch, lease, config, wired);
  wired.attach(run);
  const session = createSession(run, wired, true);
  for (const rule of allow) await session.allow(rule);
  for (const rule of deny) await session.deny(rule);
  return session;
}

/** Newest first. */
export async function listSessions(store: StoreReader, workspace?: string): Promise<SessionSummary[]> {
  return Promise.all((await heads(store, workspace)).map(head => summaryOfSession(store, head)));
}

/** Throws LoomError `unknown_id`, `ambiguous_id`. */
export const exportedSession = async (
  store: StoreReader,
  id: string,
  format: 'markdown' | 'json',
): Promise<string> => exportSession(store, await named(store, id), format);
