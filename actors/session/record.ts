/** What a session remembers of itself beside its conversation: the rules a person gave it. */
import type { ApprovalPolicy } from '../../machines/approval.ts';
import { QUEUE_PREFIX } from '../../machines/session-context.ts';
import type { Config } from '../../store/config.ts';
import type { Store } from '../../store/port.ts';

/** Row `session`. */
export interface SessionRecord {
  allow: string[];
  deny: string[];
}

export const SESSION_KEY = 'session';
/** Row with the first line of the first text. */
export const TITLE_KEY = 'title';

/** Model calls of one turn. */
const MAX_ITERATIONS = 40;

export const policyOf = ({ approval }: Config, { allow, deny }: SessionRecord): ApprovalPolicy => ({
  mode: approval.mode,
  allow: [...approval.allow, ...allow],
  deny: [...approval.deny, ...deny],
});

export const settingsOf = ({ limits }: Config): { max_iterations: number } => ({
  max_iterations: Math.max(MAX_ITERATIONS, limits.runner.max_tool_iterations),
});

/** A closed session has no machine any more: what it counted stands in its rows. */
export async function counted(store: Store, run: string): Promise<{ turns: number; queued: number }> {
  const [last] = await store.range(run, 'm/', { reverse: true, limit: 1 });
  const queued = await store.range(run, QUEUE_PREFIX);
  return { turns: Number(/^m\/t(\d+)\//.exec(last?.key ?? '')?.[1] ?? 0), queued: queued.length };
}
