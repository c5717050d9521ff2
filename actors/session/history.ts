/** A session read back: the newest messages, all of it as Markdown or JSON, and the list of sessions. */
import type { RunHead, Store } from '../../store/port.ts';
import { COUNT_KEY } from '../../store/recall/write.ts';
import type { StoreReader } from '../../store/store.ts';
import { messageText } from '../models/estimate.ts';
import { TITLE_KEY } from './record.ts';
import type { SessionMessage } from './rows.ts';
import type { HistoryEntry, SessionSummary } from './types.ts';

const PAGE = 500;

function entryOf(n: number, key: string, { message, interrupted }: SessionMessage): HistoryEntry {
  return {
    n,
    turn: Number(/^m\/t(\d+)\//.exec(key)?.[1] ?? 0),
    role: message.role === 'system' ? 'user' : message.role,
    text: messageText(message),
    calls: message.role === 'assistant' ? (message.tool_calls ?? []) : [],
    ...(message.role === 'tool' ? { tool: message.name, call_id: message.tool_call_id, ...callOf(key) } : {}),
    interrupted: interrupted === true,
  };
}

/** `m/<thread>/0003.c01` is the result of call `<thread>.3.1`. */
function callOf(key: string): { call?: string } {
  const [, thread, iteration, n] = /^m\/(.+)\/(\d+)\.c(\d+)$/.exec(key) ?? [];
  return thread === undefined ? {} : { call: `${thread}.${Number(iteration)}.${Number(n)}` };
}

/** The newest messages, oldest first. */
export async function tailOf(store: Store | StoreReader, run: string, tail: number): Promise<HistoryEntry[]> {
  const found = await store.range<SessionMessage>(run, 'm/', { reverse: true, limit: Math.max(0, tail) });
  const count = (await store.get<number>(run, COUNT_KEY)) ?? found.length;
  const first = Math.max(1, count - found.length + 1);
  return found.reverse().map(({ key, value }, i) => entryOf(first + i, key, value));
}

/** Every message, oldest first, in pages. */
async function* pagesOf(store: Store | StoreReader, run: string): AsyncGenerator<HistoryEntry[]> {
  let from = 'm/';
  let n = 0;
  for (;;) {
    const page = await store.range<SessionMessage>(run, 'm/', { from, limit: PAGE });
    yield page.map(({ key, value }) => entryOf(++n, key, value));
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    from = `${last.key}\u0000`;
  }
}

export async function summaryOfSession(store: Store | StoreReader, head: RunHead): Promise<SessionSummary> {
  const [title, messages, lease] = await Promise.all([
    store.get<string>(head.id, TITLE_KEY),
    store.get<number>(head.id, COUNT_KEY),
    store.lease(head.id),
  ]);
  return {
    session_id: head.id,
    title: title ?? '',
    workspace: head.workspace,
    created_at: head.created_at,
    updated_at: head.updated_at,
    messages: messages ?? 0,
    live: lease.state === 'live',
  };
}

const fence = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([marks]) => marks.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}\n${text}\n${marks}`;
};

function markdownOf(entry: HistoryEntry): string {
  if (entry.role === 'user') return `## You\n\n${entry.text}`;
  if (entry.role === 'tool') return `**${entry.tool}** answered:\n\n${fence(entry.text)}`;
  const calls = entry.calls.map(call => `- \`${call.name}\` ${call.arguments}`);
  return [
    '## Loom',
    ...(entry.text === '' ? [] : [entry.text]),
    ...(entry.interrupted ? ['*(cut off here)*'] : []),
    ...(calls.length > 0 ? [calls.join('\n')] : []),
  ].join('\n\n');
}

/** The whole conversation, word for word. */
export async function exportSession(
  store: Store | StoreReader,
  head: RunHead,
  format: 'markdown' | 'json',
): Promise<string> {
  const summary = await summaryOfSession(store, head);
  const entries: HistoryEntry[] = [];
  for await (const page of pagesOf(store, head.id)) entries.push(...page);
  if (format === 'json') return `${JSON.stringify({ ...summary, messages: entries }, null, 1)}\n`;
  const title = `# ${summary.title || 'Session'}\n\n${summary.session_id}, ${summary.created_at.slice(0, 16).replace('T', ' ')}, ${summary.workspace}`;
  return `${[title, ...entries.map(markdownOf)].join('\n\n')}\n`;
}
