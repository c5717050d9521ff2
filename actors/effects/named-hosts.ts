/** Hosts that the user or the plan has named: a request to any other may be somebody else's wish. */

import type { Plan } from '../../machines/plan.ts';
import type { TaskDeps } from './deps.ts';
import { type StoredMessage, TAINT_PREFIX } from './rows.ts';
import { bornTainted } from './taint.ts';

/** Names of files look like names of hosts; only with a scheme in front are these meant as such. */
const FILE_ENDINGS =
  /\.(md|rs|py|sh|ts|tsx|js|jsx|mjs|cjs|json|toml|yaml|yml|txt|html?|css|csv|xml|go|java|kt|rb|c|h|cc|cpp|hpp|pl|ps|sql|log|pdf|docx?|xlsx?|pptx?|zip|gz|tar|png|jpe?g|svg|gif|lock|cfg|ini|env|app|so|cs|swift|vue)$/;
const URLS = /https?:\/\/(?:[^\s/?#@]{0,100}@)?(\[[0-9a-f:.]+\]|[^\s/?#"'<>()`\\@:]+)(?::(\d{1,5}))?/gi;
const BARE = /(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}(?::\d{1,5})?(?![\w-])/gi;

/** `host` or `host:port` of everything in a text that names one, as the gate knows them. */
export function hostsIn(text: string): string[] {
  const hosts: string[] = [];
  for (const [url] of text.matchAll(URLS)) {
    if (!URL.canParse(url)) continue;
    const { hostname, port } = new URL(url);
    hosts.push(`${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`);
  }
  for (const [name] of text.matchAll(BARE)) {
    const bare = name.toLowerCase();
    if (!FILE_ENDINGS.test(bare.replace(/:\d+$/, ''))) hosts.push(bare);
  }
  return hosts;
}

/** With `www.` or without it is the same host. */
const plain = (host: string): string => host.replace(/^www\./, '');

/** Whether a host was named.
 *  @param own messages of a session's turn, where a person's words are the goal */
export async function namedHosts(
  deps: TaskDeps,
  own: StoredMessage[] = [],
): Promise<(subject: string) => boolean> {
  const { rows } = deps;
  const said = own.filter(({ message }) => message.role === 'user').map(({ message }) => message.content);
  const instructions = (await rows.instructions()).map(instruction => instruction.text);
  const asked = (await bornTainted(deps)) ? [] : await askedHosts(deps);
  const later = [...instructions, ...said].flatMap(text => hostsIn(String(text)));
  const named = new Set([...asked, ...later].map(plain));
  return subject => named.has(plain(subject));
}

/** A stored plan never changes: its hosts are looked for once. */
const hostsOfPlan = new WeakMap<Plan, string[]>();

function planHosts(plan: Plan): string[] {
  const known = hostsOfPlan.get(plan) ?? hostsIn(JSON.stringify(plan));
  hostsOfPlan.set(plan, known);
  return known;
}

/** The first plan was made before anything was read. A later one may have been written under the influence of what was. */
async function hostsOfPlans({ rows }: TaskDeps): Promise<string[]> {
  const plans: Plan[] = [];
  for (let plan = await rows.planIfStored(1); plan; plan = await rows.planIfStored(plan.version + 1))
    plans.push(plan);
  const tainted = new Set((await rows.keys(TAINT_PREFIX)).map(key => key.slice(TAINT_PREFIX.length)));
  const wary = tainted.size > 0 && plans.some(plan => plan.subtasks.some(({ id }) => tainted.has(id)));
  return (wary ? plans.slice(0, 1) : plans).flatMap(planHosts);
}

/** A delegated task's goal was written by a model: what counts is the goal of the person at the beginning. */
async function askedHosts(deps: TaskDeps): Promise<string[]> {
  let above = (await deps.store.head(deps.run))?.parent;
  if (above === undefined) return [...hostsIn(deps.goal), ...(await hostsOfPlans(deps))];
  for (let next: string | undefined = above; next !== undefined; next = (await deps.store.head(next))?.parent)
    above = next;
  const record = await deps.store.get<Pick<TaskDeps, 'goal'>>(above, 'task');
  return record ? hostsIn(record.goal) : [];
}
