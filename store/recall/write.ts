/** The full-text index of a session's messages, written in the transaction that writes them.
 *
 *  Rows, all below `x/` of the session, so that they go when it goes:
 *  `x/n` number of messages · `x/d/<n>` key of the n-th · `x/t/<word>` the word's newest entries, with how many messages have
 *  it and the largest weight of all · `x/c/<word>/<first>` 256 older entries · `x/i/<word>/<weight><first>` those again, by
 *  their largest weight, so that a search finds the best without reading the rest · `x/p/<pair>`, `x/q/<pair>/<first>` the
 *  same for pairs of neighbouring words, without weights: phrases.
 *
 *  Order: messages and index are one transaction. Crash before: neither. Crash after: both. */
import { rowKey, type Writing } from '../database.ts';
import type { Row } from '../port.ts';
import { encode, MOST_WEIGHT, weightOf } from './postings.ts';
import { pairOf, tokensOf } from './tokens.ts';

/** Newest entries of a word: [messages that have it, newest of them, largest weight, first of the open entries, largest weight
 *  of the open ones, their number, the entries]. */
export type Open = [
  count: number,
  last: number,
  most: number,
  first: number,
  openMost: number,
  openCount: number,
  entries: string,
];

const CHUNK = 256;
const MESSAGE = 'm/';
export const docKey = (doc: number): string => `x/d/${ordered(doc)}`;
export const COUNT_KEY = 'x/n';
export const WORDS = { open: 'x/t/', closed: 'x/c/', best: 'x/i/' };
export const PAIRS = { open: 'x/p/', closed: 'x/q/' };

/** Numbers as keys, in their order. */
export const ordered = (doc: number): string => doc.toString(36).padStart(7, '0');
const MOST_DOCS = 36 ** 7 - 1;
/** Weight and first message of a part as key: the heaviest before the others, of equals the newest. */
const bestKey = (weight: number, first: number): string =>
  String(MOST_WEIGHT - weight).padStart(2, '0') + ordered(MOST_DOCS - first);
/** Both, read back. */
export const bestOf = (key: string): { weight: number; first: number } => ({
  weight: MOST_WEIGHT - Number(key.slice(0, 2)),
  first: MOST_DOCS - Number.parseInt(key.slice(2), 36),
});

/** What a message says: its words, and the calls it makes. */
export function textOf(value: unknown): string {
  const { message } = value as {
    message?: { content?: unknown; tool_calls?: { name: string; arguments: string }[] };
  };
  if (!message) return '';
  const { content, tool_calls = [] } = message;
  const words =
    typeof content === 'string'
      ? content
      : Array.isArray(content)
        ? content.map(part => (part as { text?: string }).text ?? '').join('\n')
        : '';
  return [words, ...tool_calls.map(call => `${call.name} ${unescaped(call.arguments)}`)].join('\n');
}

/** Arguments without the marks of JSON between the words. */
function unescaped(text: string): string {
  try {
    return Object.values(JSON.parse(text) as object)
      .map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
      .join('\n');
  } catch {
    return text;
  }
}

/** Lists of the results of all tools, and of one by its name behind this mark. */
export const TOOLS = '@';

function toolOf(value: unknown): string | null {
  const { message } = value as { message?: { role?: string; name?: string } };
  return message?.role === 'tool' && message.name ? message.name.slice(0, 64) : null;
}

interface Entry {
  doc: number;
  weight: number;
}

/** Takes the messages among a session's rows into its index. Called inside their transaction, before they are written. */
export function indexMessages(tx: Writing, run: string, rows: Row[]): void {
  const fresh = rows.filter(
    ({ key, value }) => key.startsWith(MESSAGE) && value !== null && tx.get(rowKey(run, key)) === undefined,
  );
  if (fresh.length === 0) return;
  let doc = tx.get<number>(rowKey(run, COUNT_KEY)) ?? 0;
  const words = new Map<string, Entry[]>();
  const pairs = new Map<string, Entry[]>();
  for (const { key, value } of fresh) {
    doc += 1;
    tx.put(rowKey(run, docKey(doc)), key);
    const tokens = tokensOf(textOf(value));
    const times = new Map<string, number>();
    for (const token of tokens) times.set(token, (times.get(token) ?? 0) + 1);
    for (const [token, often] of times) add(words, token, { doc, weight: weightOf(often, tokens.length) });
    const tool = toolOf(value);
    // No word of a text begins like this.
    if (tool !== null) for (const name of [TOOLS, `${TOOLS}${tool}`]) add(words, name, { doc, weight: 1 });
    const neighbours = new Set<string>();
    for (let i = 1; i < tokens.length; i++) neighbours.add(pairOf(tokens[i - 1]!, tokens[i]!));
    for (const pair of neighbours) add(pairs, pair, { doc, weight: 1 });
  }
  tx.put(rowKey(run, COUNT_KEY), doc);
  for (const [word, entries] of words) append(tx, run, WORDS, word, entries);
  for (const [pair, entries] of pairs) append(tx, run, PAIRS, pair, entries);
}

function add(lists: Map<string, Entry[]>, name: string, entry: Entry): void {
  const list = lists.get(name);
  if (list) list.push(entry);
  else lists.set(name, [entry]);
}

interface Tables {
  open: string;
  closed: string;
  best?: string;
}

function append(tx: Writing, run: string, tables: Tables, name: string, added: Entry[]): void {
  const key = rowKey(run, tables.open + name);
  let [count, last, most, first, openMost, openCount, entries] = tx.get<Open>(key) ?? [0, 0, 0, 0, 0, 0, ''];
  for (const { doc, weight } of added) {
    if (openCount === 0) first = doc;
    entries += encode(doc, openCount === 0 ? 0 : last, weight);
    openCount += 1;
    openMost = Math.max(openMost, weight);
    most = Math.max(most, weight);
    count += 1;
    last = doc;
    if (openCount < CHUNK) continue;
    const at = ordered(first);
    tx.put(rowKey(run, `${tables.closed}${name}/${at}`), entries);
    if (tables.best) tx.put(rowKey(run, `${tables.best}${name}/${bestKey(openMost, first)}`), 0);
    [entries, openCount, openMost] = ['', 0, 0];
  }
  tx.put(key, [count, last, most, first, openMost, openCount, entries] satisfies Open);
}
