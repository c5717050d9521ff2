/** What of a session's conversation a model is shown: the newest whole exchanges that fit its window. The rest stays stored, and
 *  a note says what matters of it and how to find it.
 *
 *  Once something has to go, a quarter of the window is freed, and the beginning then stays where it is until that is used up:
 *  a server that keeps what it has read (prompt cache) reads only what is new. */
import { type Fitted, shorten } from '../context-window.ts';
import { estimateRequest, messageText } from '../models/estimate.ts';
import type { Message, ToolSchema } from '../models/model.ts';

/** Freed at once, as part of the budget. */
const FREED = 0.25;
const CHARS_PER_TOKEN = 3;

export interface SessionWindow {
  /** @param budget tokens the request may take (window minus the answer) */
  fit(messages: Message[], tools: ToolSchema[], budget: number): Fitted;
  /** Which stored message this one shows, and what is to be said when older ones are left out. */
  know(keys: Map<Message, string>, note: (gone: number) => string, before: number): void;
}

/** A text, or an answer with all its results: never parted. */
function unitsOf(messages: Message[]): Message[][] {
  const units: Message[][] = [];
  for (const message of messages) {
    const last = units.at(-1);
    if (message.role === 'tool' && last) last.push(message);
    else units.push([message]);
  }
  return units;
}

const isText = (unit: Message[] | undefined): boolean => unit?.[0]?.role === 'user';

export function sessionWindow(): SessionWindow {
  let keys = new Map<Message, string>();
  let noteOf: (gone: number) => string = () => '';
  /** Stored messages older than those at hand. */
  let older = 0;
  /** First message shown last time. */
  let anchor = '';

  /** First unit shown: the anchor as long as everything from there on fits, else whole exchanges that leave room. */
  function begin(units: Message[][], sizes: number[], room: number): number {
    const from = (start: number): number => sizes.slice(start).reduce((sum, size) => sum + size, 0);
    const known = units.findIndex(unit => keys.get(unit[0]!) === anchor);
    if (known >= 0 && from(known) <= room) return known;
    if (older === 0 && from(0) <= room) return 0;
    const wanted = room * (1 - FREED);
    const newest = units.findLastIndex(isText);
    let start = 0;
    while (start < newest && (from(start) > wanted || !isText(units[start]))) start++;
    return start;
  }

  return {
    know(nextKeys, note, before) {
      keys = nextKeys;
      noteOf = note;
      older = before;
    },
    fit(messages, tools, budget) {
      const [system, ...rest] = messages as [Message, ...Message[]];
      const units = unitsOf(rest);
      const sizes = units.map(unit => estimateRequest({ messages: unit }));
      const whole = estimateRequest({ messages, tools });
      if (older === 0 && whole <= budget) {
        anchor = units[0] ? (keys.get(units[0][0]!) ?? '') : '';
        return { messages, gone: [], shortened: 0, tokens: whole };
      }
      const fixed = estimateRequest({ messages: [system], tools });
      const note = (gone: number): Message => ({ role: 'user', content: noteOf(gone) });
      const noteSize = estimateRequest({ messages: [note(older + rest.length)] });
      const room = budget - fixed - noteSize;
      const start = begin(units, sizes, room);
      anchor = units[start] ? (keys.get(units[start]![0]!) ?? '') : '';
      const kept = trimmed(units.slice(start), room);
      const left = older + units.slice(0, start).flat().length + kept.gone;
      const shown = [system, ...(left > 0 ? [note(left)] : []), ...kept.messages];
      // What is stored is never lost, so nothing of it has to be made short by a model.
      return {
        messages: shown,
        gone: [],
        shortened: kept.shortened,
        tokens: estimateRequest({ messages: shown, tools }),
      };
    },
  };
}

/** The exchange under way when it alone is too large: its text and its newest steps stay, results are cut to fit. */
function trimmed(units: Message[][], room: number): { messages: Message[]; gone: number; shortened: number } {
  const size = (list: Message[][]): number => estimateRequest({ messages: list.flat() });
  if (size(units) <= room) return { messages: units.flat(), gone: 0, shortened: 0 };
  const [text = [], ...steps] = isText(units[0]) ? units : [[], ...units];
  let from = 0;
  while (from < steps.length - 1 && size([text, ...steps.slice(from)]) > room) from++;
  const gone = steps.slice(0, from).flat().length;
  const last = steps.slice(from);
  if (size([text, ...last]) <= room) return { messages: [...text, ...last.flat()], gone, shortened: 0 };
  const shortText = text.map(message =>
    cutText(message, Math.max(80, Math.floor(room * (last.length > 0 ? 0.4 : 1)))),
  );
  const left = room - estimateRequest({ messages: shortText });
  const shortSteps = last.map(unit => shorten(unit, Math.max(40, left)));
  return { messages: [...shortText, ...shortSteps.flat()], gone, shortened: 1 + last.length };
}

function cutText(message: Message, tokens: number): Message {
  const text = messageText(message);
  const room = tokens * CHARS_PER_TOKEN;
  if (message.role !== 'user' || text.length <= room) return message;
  const head = Math.floor(room * 0.6);
  const tail = Math.max(0, room - head - 120);
  const content = `${text.slice(0, head)}\n[… ${text.length - head - tail} characters of this message are left out; conversation_recall finds them …]\n${text.slice(text.length - tail)}`;
  return { ...message, content };
}
