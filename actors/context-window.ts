/** Fits a conversation into a model's window: whole exchanges go, oldest first; the prompt and the newest stay verbatim. */
import { estimateRequest, estimateTokens } from './models/estimate.ts';
import type { Message, ToolSchema } from './models/model.ts';

export interface Fitted {
  messages: Message[];
  /** Messages left out. */
  dropped: number;
  /** Estimated tokens of what is left, tools included. */
  tokens: number;
}

/** An answer and everything up to the next answer: calls and their results are never separated. */
function exchanges(messages: Message[]): Message[][] {
  const groups: Message[][] = [];
  for (const message of messages) {
    if (message.role === 'assistant' || groups.length === 0) groups.push([message]);
    else groups.at(-1)!.push(message);
  }
  return groups;
}

/** `budget`: tokens the request may take (window minus the answer). The newest exchange is kept even when it is too large. */
export function fitWindow(messages: Message[], tools: ToolSchema[], budget: number): Fitted {
  const firstAnswer = messages.findIndex(message => message.role === 'assistant');
  const head = firstAnswer < 0 ? messages : messages.slice(0, firstAnswer);
  const groups = firstAnswer < 0 ? [] : exchanges(messages.slice(firstAnswer));
  const sizes = groups.map(group => estimateRequest({ messages: group }));
  let total = estimateRequest({ messages: head, tools }) + sizes.reduce((sum, size) => sum + size, 0);
  let from = 0;
  const note = (count: number): Message => ({
    role: 'user',
    content: `[${count} earlier messages of this conversation do not fit the model's window and are left out; read files again if you need them]`,
  });
  const noteTokens = estimateTokens(String(note(100).content)) + 8;
  while (from < groups.length - 1 && total + (from > 0 ? noteTokens : 0) > budget) total -= sizes[from++]!;
  if (from === 0) return { messages, dropped: 0, tokens: total };
  const dropped = groups.slice(0, from).reduce((sum, group) => sum + group.length, 0);
  return {
    messages: [...head, note(dropped), ...groups.slice(from).flat()],
    dropped,
    tokens: total + noteTokens,
  };
}
