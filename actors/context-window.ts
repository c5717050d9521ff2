/** Fits a conversation into a model's window. The prompt stays, the newest exchange stays as it is, whole exchanges go, oldest
 *  first; a note says in a line each what was done in them, and repeats word for word what a person said. */
import { estimateRequest, estimateTokens, messageText } from './models/estimate.ts';
import type { Message, ToolCall, ToolSchema } from './models/model.ts';
import { CONTINUE, NUDGES } from './prompts/executor.ts';
import { fitParts } from './prompts/fit-parts.ts';

export interface Fitted {
  messages: Message[];
  /** The messages left out, oldest first. */
  gone: Message[];
  /** Results shortened, because the newest exchange alone is too large. */
  shortened: number;
  /** Estimated tokens of what is left, tools included. */
  tokens: number;
}

/** Fits a history with its tools to a budget of tokens. */
export type FitWindow = (messages: Message[], tools: ToolSchema[], budget: number) => Fitted;

/** Part of the budget for the note about what was left out. */
const NOTE_SHARE = 0.15;
const CHARS_PER_TOKEN = 4;

/** An answer and everything up to the next answer: calls and their results are never separated. */
function exchanges(messages: Message[]): Message[][] {
  const groups: Message[][] = [];
  for (const message of messages) {
    if (message.role === 'assistant' || groups.length === 0) groups.push([message]);
    else groups.at(-1)!.push(message);
  }
  return groups;
}

/** Where the conversation begins: what stands before is the prompt. */
function headOf(messages: Message[]): Message[] {
  const firstAnswer = messages.findIndex(message => message.role === 'assistant');
  return firstAnswer < 0 ? messages : messages.slice(0, firstAnswer);
}

/** @param budget tokens the request may take (window minus the answer)
 *  @param memory what a compaction kept of the messages that are left out */
export function fitWindow(messages: Message[], tools: ToolSchema[], budget: number, memory = ''): Fitted {
  const head = headOf(messages);
  const groups = exchanges(messages.slice(head.length));
  const sizes = groups.map(group => estimateRequest({ messages: group }));
  const fixed = estimateRequest({ messages: head, tools });
  let total = fixed + sizes.reduce((sum, size) => sum + size, 0);
  if (total <= budget) return { messages, gone: [], shortened: 0, tokens: total };
  let from = 0;
  let said = estimateTokens(memory);
  const noteTokens = Math.ceil(budget * NOTE_SHARE);
  while (from < groups.length - 1 && total + noteTokens + said > budget) {
    said += estimateTokens(wordsOfPerson(groups[from]!).join('\n'));
    total -= sizes[from++]!;
  }
  const gone = groups.slice(0, from).flat();
  const note = gone.length > 0 ? [noteAbout(gone, noteTokens * CHARS_PER_TOKEN, memory)] : [];
  const kept = groups.slice(from).flat();
  const before = estimateRequest({ messages: [...head, ...note], tools });
  const room = budget - before;
  const left = from === groups.length - 1 && sizes[from]! > room ? shorten(kept, room) : kept;
  const fitted = [...head, ...note, ...left];
  return {
    messages: fitted,
    gone,
    shortened: left.filter((message, at) => message !== kept[at]).length,
    tokens: estimateRequest({ messages: fitted, tools }),
  };
}

/** The results of one exchange cut to fit: the answer itself and its calls stay as they are. */
export function shorten(exchange: Message[], room: number): Message[] {
  const results = exchange.filter(message => message.role === 'tool');
  const rest = estimateRequest({
    messages: exchange.map(message => (message.role === 'tool' ? { ...message, content: '' } : message)),
  });
  const texts = fitParts(
    results.map(message => ({ text: messageText(message), weight: 1, ends: true })),
    Math.max(results.length * 80, (room - rest) * (CHARS_PER_TOKEN - 0.5)),
  );
  return exchange.map(message => {
    const text = message.role === 'tool' ? texts[results.indexOf(message)]! : '';
    return message.role !== 'tool' || text === messageText(message) ? message : { ...message, content: text };
  });
}

/** What a person said in these messages, without what Loom itself adds. */
function wordsOfPerson(messages: Message[]): string[] {
  return messages.flatMap(message => {
    if (message.role === 'tool' && message.name === 'ask_user')
      return [`To your question the user answered: ${messageText(message)}`];
    if (message.role !== 'user') return [];
    const own = [CONTINUE, ...Object.values(NUDGES)];
    const text = own.reduce((rest, phrase) => rest.replace(phrase, ''), messageText(message)).trim();
    return text === '' ? [] : [text];
  });
}

/** One message in place of those left out; `room`: characters for the list of what was done. */
function noteAbout(gone: Message[], room: number, memory: string): Message {
  const done = gone.flatMap(message => (message.role === 'assistant' ? linesOf(message, gone) : []));
  const shown: string[] = [];
  let size = 240;
  for (const line of [...done].reverse()) {
    size += line.length + 1;
    if (size > room) break;
    shown.unshift(line);
  }
  const more = done.length - shown.length;
  const content = [
    `[${gone.length} earlier messages of this conversation do not fit the model's window and are left out. The files are as you left them; read again what you need.`,
    ...(done.length > 0 ? ['What you did in them:'] : []),
    ...(more > 0 ? [`- (${more} earlier steps)`] : []),
    ...shown,
    ...(memory === '' ? [] : ['What was found out in them:', memory]),
    ']',
    ...wordsOfPerson(gone),
  ].join('\n');
  return { role: 'user', content };
}

const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}…`;
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function linesOf(answer: Extract<Message, { role: 'assistant' }>, all: Message[]): string[] {
  const words = oneLine(answer.content);
  const calls = (answer.tool_calls ?? []).map(call => {
    const result = all.find(message => message.role === 'tool' && message.tool_call_id === call.id);
    return `- ${call.name}(${argumentsOf(call)}): ${result ? outcome(call.name, messageText(result)) : 'no result'}`;
  });
  return [...(words === '' ? [] : [`- you said: ${cut(words, 160)}`]), ...calls];
}

function argumentsOf(call: ToolCall): string {
  try {
    const given = Object.entries(JSON.parse(call.arguments) as Record<string, unknown>);
    return given
      .map(([key, value]) => {
        const text = typeof value === 'string' ? oneLine(value) : JSON.stringify(value);
        return `${key}: ${text.length > 80 ? `${text.slice(0, 40)}… ${text.length} characters` : text}`;
      })
      .join(', ');
  } catch {
    return cut(oneLine(call.arguments), 80);
  }
}

/** The line that says most: how a command ended, else the first. */
function outcome(tool: string, text: string): string {
  // What a command changed follows what it said.
  const [said = ''] = text.split(/^--- (?:a\/|\/dev\/null)/m);
  const lines = said.trim().split('\n');
  const end = /^(shell_execute|git_command)$/.test(tool) ? lines.slice(-2).join(' ') : (lines[0] ?? '');
  return cut(oneLine(end), 120);
}
