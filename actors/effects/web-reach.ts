/** Whom a web call may reach beyond the host it was judged by. */
import { gate } from '../../machines/approval.ts';
import type { ToolInput } from '../../machines/turn.ts';
import type { WebAccess } from '../../tools/web/access.ts';
import { opensLocal } from '../../tools/web/address.ts';
import type { TaskDeps } from './deps.ts';
import { namedHosts } from './named-hosts.ts';

export type Reach = Pick<WebAccess, 'local' | 'follow'>;

/** Local servers that a rule opens, and hosts that a redirect may lead to: those that a call of their own would be let to
 *  unasked by whoever has read something untrusted. */
export async function webReach(deps: TaskDeps, { tool, thread, subtask }: ToolInput): Promise<Reach> {
  const local = (subject: string): boolean => deps.policy.allow.some(rule => opensLocal(rule, subject));
  if (tool !== 'web_fetch') return { local, follow: () => false };
  const named = await namedHosts(deps, subtask === null ? await deps.rows.messages(thread) : []);
  return {
    local,
    follow: subject =>
      gate(deps.policy, { tool, risks: ['network'], subject, unnamed: !named(subject) }, 'outside')
        .decision === 'run',
  };
}
