/** Finds the tool calls that a model wrote into its text, in whatever dialect. */
import type { WrittenCall } from './dialects/dialect.ts';
import type { ToolSchema } from './model.ts';
import { announced, insideSentence, meant } from './quoting.ts';
import { type Piece, scan } from './scan.ts';
import { bareCalls, fencedCalls, type TextCalls } from './unmarked-calls.ts';

/** A call in a code block is meant when nothing else is said, or the model announces it; anything else is an example. */
function meantInBlock(text: string, piece: Piece): boolean {
  const after = text.slice(piece.to).replace(/^\s*(```|~~~)\s*/, '');
  if (after.trim() !== '' && !after.trim().startsWith('<')) return false;
  const before = text.slice(0, piece.from).replace(/(```|~~~)[\w-]*\s*$/, '');
  return before.trim() === '' || before.trimEnd().endsWith('>') || announced(text, piece.from);
}

/** Calls in a dialect with marks of its own. */
function marked(text: string): TextCalls | null {
  const calls: WrittenCall[] = [];
  let rest = '';
  for (const piece of scan(text)) {
    const run =
      piece.kind === 'call' &&
      meant(text, piece.from) &&
      !insideSentence(text, piece.from, piece.to) &&
      (!piece.fenced || meantInBlock(text, piece));
    if (run) calls.push(...piece.calls);
    else if (piece.kind !== 'token') rest += text.slice(piece.from, piece.to);
  }
  if (calls.length === 0) return null;
  return { calls, content: rest.replace(/(```|~~~)[\w-]*\s*(\1)?\s*$/, '').trim() };
}

/** An answer in JSON speaks of calls in its strings; it writes none with marks. */
function isJson(content: string): boolean {
  if (!/^\s*[{[]/.test(content)) return false;
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}

/** The calls in a text without think blocks; null when there are none. `cut`: the answer ended at its length limit. */
export function findTextCalls(content: string, tools: ToolSchema[] | null, cut: boolean): TextCalls | null {
  if (tools?.length === 0) return null;
  const context = { tools, cut };
  return (
    (isJson(content) ? null : marked(content)) ?? fencedCalls(content, context) ?? bareCalls(content, context)
  );
}
