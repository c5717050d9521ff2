/** A session's rows by name: its conversation as a model is shown it, and what it has done so far. */
import { turnThread } from '../../machines/session-context.ts';
import type { Store } from '../../store/port.ts';
import { COUNT_KEY } from '../../store/recall/write.ts';
import {
  type ChangelogEntry,
  type Decision,
  offeredKey,
  type StoredMessage,
  type TaskRows,
  type ToolTrace,
  taskRows,
} from '../effects/rows.ts';
import { messageText } from '../models/estimate.ts';
import type { Message } from '../models/model.ts';
import type { SessionWindow } from './window.ts';

/** A message of a session; what was cut off is marked, not completed. */
export interface SessionMessage extends StoredMessage {
  interrupted?: true;
}

/** In the place of a thread: the tools of all turns. */
export const SESSION_TOOLS = 'session';

const PAGE = 128;
/** Of any window: messages are read until there is more than it takes. */
const MOST_CHARS = 4_000_000;
const CUT_OFF = '[This answer was cut off here.]';
const NO_RESULT = 'Error: no result of this call was recorded.';

export interface SystemParts {
  system: string;
  /** What matters of the messages that are left out. */
  note: string;
}

/** Rows of a run as the effects of a turn read them: the conversation reaches back over all turns.
 *  @param chars how much of it may be needed
 *  @param system first message, made anew for each request */
export function sessionRows(
  store: Store,
  run: string,
  window: SessionWindow,
  chars: () => Promise<number>,
  system: () => Promise<SystemParts>,
): TaskRows {
  const rows = taskRows(store, run);
  return {
    ...rows,
    // A session keeps the tools that its first text chose.
    get: key => rows.get(key.startsWith(offeredKey('')) ? offeredKey(SESSION_TOOLS) : key),
    async messages(thread) {
      const [{ system: words, note }, found, stored] = await Promise.all([
        system(),
        newest(store, run, thread, Math.min(MOST_CHARS, await chars())),
        store.get<number>(run, COUNT_KEY),
      ]);
      const keys = new Map<Message, string>();
      const shown = sound(found).map(({ key, value }): StoredMessage => {
        const message = value.interrupted ? markedCut(value.message) : value.message;
        keys.set(message, key);
        return { ...value, message };
      });
      window.know(keys, gone => noteOn(gone, note), Math.max(0, (stored ?? 0) - found.length));
      return [{ message: { role: 'system', content: words } }, ...shown];
    },
    instructions: async thread =>
      (await store.range<string>(run, `steer/${thread ?? ''}/`)).map(({ key, value }) => ({
        key,
        text: value,
      })),
  };
}

type Found = { key: string; value: SessionMessage };

/** The newest messages up to so many characters, oldest first; those of the running turn in any case. */
async function newest(store: Store, run: string, thread: string, chars: number): Promise<Found[]> {
  const found: Found[] = [];
  let size = 0;
  let from: string | undefined;
  for (;;) {
    const page = await store.range<SessionMessage>(run, 'm/', {
      reverse: true,
      limit: PAGE,
      ...(from === undefined ? {} : { from }),
    });
    for (const entry of page) {
      if (entry.key === from) continue;
      const own = entry.key.startsWith(`m/${thread}/`);
      if (!own && size > chars) return found.reverse();
      size += messageText(entry.value.message).length + 64;
      found.push(entry);
    }
    const last = page.at(-1);
    if (page.length < PAGE || !last) return found.reverse();
    from = last.key;
  }
}

/** Servers refuse a result without its call and a call without its result: the first are left out (their calls are older than
 *  what was read), the second get one that says so. */
function sound(found: Found[]): Found[] {
  const calls = new Set<string>();
  const results = new Set(
    found.flatMap(({ value: { message } }) => (message.role === 'tool' ? [message.tool_call_id] : [])),
  );
  return found.flatMap(entry => {
    const { message } = entry.value;
    if (message.role === 'tool') return calls.has(message.tool_call_id) ? [entry] : [];
    if (message.role !== 'assistant') return [entry];
    const asked = message.tool_calls ?? [];
    for (const call of asked) calls.add(call.id);
    const missing = asked.filter(call => !results.has(call.id));
    return [
      entry,
      ...missing.map(({ id, name }, i): Found => {
        calls.add(id);
        return {
          key: `${entry.key}.missing${i}`,
          value: { message: { role: 'tool', tool_call_id: id, name, content: NO_RESULT } },
        };
      }),
    ];
  });
}

const markedCut = (message: Message): Message =>
  message.role === 'assistant' ? { ...message, content: `${message.content}\n\n${CUT_OFF}`.trim() } : message;

const noteOn = (gone: number, state: string): string =>
  [
    `[${gone} earlier messages of this conversation do not fit the window and are left out. They are stored word for word: conversation_recall searches them.`,
    ...(state === '' ? [] : ['What you know of them:', state]),
    ']',
  ].join('\n');

const FILES = 20;
const DECISIONS = 10;
const ERRORS = 5;
const FOCUS = 3;
/** Rows looked at for the newest of each. */
const LOOK = 80;

const firstLine = (text: string, limit: number): string => {
  const line = text.trim().split('\n')[0] ?? '';
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
};

/** Where the session stands, in a few lines: files touched, decisions, open errors, what it is about. '' at its beginning. */
export async function stateOf(store: Store, run: string, turns: number): Promise<string> {
  const last = { reverse: true, limit: LOOK };
  const [changes, decisions, traces] = await Promise.all([
    store.range<ChangelogEntry>(run, 'c/', last),
    store.range<Decision>(run, 'd/', { reverse: true, limit: DECISIONS }),
    store.range<ToolTrace>(run, 't/', last),
  ]);
  const files = [...new Set(changes.flatMap(({ value }) => value.changes.map(change => change.path)))].slice(
    0,
    FILES,
  );
  const settled = new Set<string>();
  const open: string[] = [];
  for (const { value } of traces) {
    const name = `${value.tool} ${value.subject}`;
    // The newest word on a command counts.
    if (settled.has(name)) continue;
    settled.add(name);
    if (!value.success)
      open.push(`${firstLine(name, 120)}: ${firstLine(value.output ?? value.error ?? 'failed', 160)}`);
  }
  const focus: string[] = [];
  for (let turn = turns; turn > 0 && focus.length < FOCUS; turn--) {
    const first = await store.get<StoredMessage>(run, `m/${turnThread(turn)}/0000.b000`);
    if (first) focus.unshift(firstLine(messageText(first.message), 160));
  }
  const section = (title: string, lines: string[]): string[] =>
    lines.length > 0 ? [`${title}:`, ...lines.map(line => `- ${line}`)] : [];
  return [
    ...section('Files you changed', files),
    ...section(
      'What the user decided',
      decisions.map(({ value }) => `${firstLine(value.question, 120)} → ${firstLine(value.answer, 160)}`),
    ),
    ...section('Errors that are still open', open.slice(0, ERRORS)),
    ...section('What the user asked last', focus),
  ].join('\n');
}
