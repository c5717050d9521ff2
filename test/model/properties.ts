/** What must hold on every edge of every exploration. A property looks only at runs it knows something about, so that
 *  each may be asked of any model. */
import type { CallDigest } from '../../machines/effects.ts';
import type { Run } from '../../machines/react.ts';
import type { Property } from './explore.ts';

const contextOf = (run: Run, path: string) =>
  (run.actors[path]?.snapshot as { context: Record<string, unknown> } | undefined)?.context;

/** No tool runs without its gate: denied ones never, asked ones only after a person's yes. */
const gated: Property = (before, outside, { next, start }) => {
  for (const effect of start) {
    if (effect.source !== 'tool') continue;
    const { n } = effect.input as { n: number };
    const settledId = outside.type === 'settled' ? before.effects[outside.key]?.id : '';
    // Calls that start in the reaction that brought them were not there before: only `run` may do that.
    const brought = settledId === 'model' || before.actors[effect.path] === undefined;
    const calls = contextOf(brought ? next : before, effect.path)?.['calls'];
    const call = (calls as (CallDigest & { phase: string })[]).find(other => other.n === n)!;
    const word = outside.type === 'settled' ? (outside.output as { answer?: string }).answer : undefined;
    const yes = settledId === `q-${n}` && (word === 'approve' || word === 'retry');
    const parked = !brought && call.phase === 'approved';
    if (!call.valid || call.gate.decision === 'deny') return `tool ${n} ran although refused`;
    if (call.gate.decision === 'ask' && !yes && !parked) return `tool ${n} ran unasked`;
  }
  return null;
};

/** Once something untrusted has been read, no call begins on the word of a gate that did not know of it, and nothing makes
 *  the turn forget it. */
const wary: Property = (before, _outside, { next, start }) => {
  for (const effect of start) {
    const context = contextOf(next, effect.path);
    if (effect.source !== 'tool' || context?.['tainted'] !== true) continue;
    const { n } = effect.input as { n: number };
    const call = (context['calls'] as CallDigest[]).find(other => other.n === n)!;
    if (call.wary) return `tool ${n} ran as if nothing untrusted had been read`;
  }
  for (const path of Object.keys(next.actors))
    if (contextOf(before, path)?.['tainted'] === true && contextOf(next, path)?.['tainted'] !== true)
      return `${path} forgot what it has read`;
  return null;
};

/** Letters and descriptions of the plan's nodes. */
function nodes(run: Run): { id: string; letter: string; text: string }[] {
  const plan = run.actors[run.root]?.apart['plan'] as { subtasks: { id: string }[] } | null | undefined;
  const letters = String(contextOf(run, run.root)?.['status'] ?? '');
  return (plan?.subtasks ?? []).map((node, i) => ({
    id: node.id,
    letter: letters[i] ?? '',
    text: JSON.stringify(node),
  }));
}

/** Completed nodes stay completed, with the very same description. */
const keepsCompleted: Property = (before, _outside, { next }) => {
  if (next.output !== undefined) return null;
  const after = new Map(nodes(next).map(node => [node.id, node]));
  for (const { id, letter, text } of nodes(before)) {
    if (letter !== 'c') continue;
    const now = after.get(id);
    if (now?.letter !== 'c' || now.text !== text) return `the completed node ${id} was touched`;
  }
  return null;
};

/** `completed` means that every node of the newest plan is, `cancelled` that a person said so. */
const honest: Property = (before, outside, { next }) => {
  if (before.output !== undefined || nodes(before).length === 0) return null;
  const { status } = (next.output ?? {}) as { status?: string };
  if (status === 'cancelled' && !(outside.type === 'command' && outside.event.type === 'CANCEL'))
    return 'cancelled by nobody';
  const letters = nodes(before).map(node => node.letter);
  return status === 'completed' && letters.some(letter => letter !== 'c')
    ? `completed with ${letters.join('')}`
    : null;
};

/** A subtask is verified before it counts: it ends well only on an accepted verdict or a person's yes, with what it leaves. */
const ACCEPTED = ['pass', 'pass_with_warnings', 'partial_verified'];
const verified: Property = (_before, outside, { rows }) => {
  const failed = outside.type === 'settled' && (outside.output as { ok?: boolean } | null)?.ok === false;
  for (const { key, value } of rows) {
    if (!key.startsWith('s/') || value === null) continue;
    const { status, verification } = value as { status: string; verification: { outcome: string } | null };
    if (status === 'completed' && !ACCEPTED.includes(verification?.outcome ?? ''))
      return `${key} is completed on ${verification?.outcome ?? 'no verdict'}`;
    if (status === 'completed' && failed) return `${key} is completed although what completes it failed`;
  }
  return null;
};

/** As many subtasks run at once as the task allows, each after what it depends on. */
const inOrder: Property = (before, _outside, { next }) => {
  const settings = contextOf(next, next.root)?.['settings'] as { max_parallel?: number } | undefined;
  if (settings?.max_parallel === undefined) return null;
  const children = [
    ...Object.keys(next.actors),
    ...Object.values(next.effects)
      .filter(effect => /^[sr]:/.test(effect.id) && effect.state !== 'stopping')
      .map(effect => `${effect.path}/${effect.id}`),
  ].filter(path => /^[^/]+\/[^/]+\/[sr]:[^/]+$/.test(path));
  if (children.length > settings.max_parallel) return `${children.length} subtasks at once`;
  const plan = next.actors[next.root]?.apart['plan'] as
    | { subtasks: { id: string; depends_on: string[] }[] }
    | null
    | undefined;
  const was = new Map(nodes(before).map(node => [node.id, node.letter]));
  const is = new Map(nodes(next).map(node => [node.id, node.letter]));
  for (const { id, depends_on } of plan?.subtasks ?? [])
    if (is.get(id) === 'r' && was.get(id) !== 'r' && depends_on.some(other => is.get(other) !== 'c'))
      return `${id} began before what it depends on was done`;
  return null;
};

/** Nothing that is owed is forgotten: it keeps its id, and whoever owes it is in the plan. */
const owesAll: Property = (before, _outside, { next }) => {
  if (next.output !== undefined) return null;
  const owedIn = (run: Run) =>
    (
      run.actors[run.root]?.apart['obligations'] as
        | { list: { id: string; subtask: string }[] }
        | null
        | undefined
    )?.list ?? [];
  const list = owedIn(next);
  const ids = new Set(list.map(({ id }) => id));
  const lost = owedIn(before).find(({ id }) => !ids.has(id));
  if (lost) return `the obligation ${lost.id} was lost`;
  const owners = new Set(['*goal', ...nodes(next).map(({ id }) => id)]);
  const orphan = list.find(({ subtask }) => !owners.has(subtask));
  return orphan ? `the obligation ${orphan.id} belongs to nobody` : null;
};

interface QueueItem {
  id: string;
  subtask: string;
  waits: boolean;
}
const itemsOf = (run: Run): QueueItem[] =>
  (contextOf(run, run.root)?.['items'] as QueueItem[] | undefined) ?? [];

/** No item is forgotten: a task that completes has none left, one that ends otherwise says so of each, and a subtask that
 *  waits for one is not completed before it. */
const settlesItems: Property = (before, outside, { next, rows }) => {
  const letters = new Map(nodes(next).map(({ id, letter }) => [id, letter]));
  const early = itemsOf(next).find(({ subtask, waits }) => waits && letters.get(subtask) !== 'r');
  if (early) return `${early.subtask} does not wait for its follow-up`;
  if (before.output !== undefined || next.output === undefined) return null;
  const left = itemsOf(before);
  const { status } = next.output as { status?: string };
  if (status === 'completed' && left.length > 0) return `completed with ${left.length} items in the queue`;
  const ended = outside.type === 'settled' ? before.effects[outside.key] : undefined;
  const told = new Set(rows.filter(({ value }) => value !== null).map(({ key }) => key));
  const mute = left.find(
    ({ id, subtask }) => !told.has(`rem/${id}`) && !ended?.id.startsWith(`r:${subtask}@`),
  );
  return mute ? `nobody says how ${mute.id} ended` : null;
};

/** Everything that is asked of every edge; a property of a new part of the machines is added here. */
export const properties: Property[] = [
  gated,
  wary,
  keepsCompleted,
  honest,
  verified,
  inOrder,
  owesAll,
  settlesItems,
];
