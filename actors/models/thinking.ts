/** Keeps reasoning apart from the answer when a model writes it into the text as `<think>…</think>`. */

const OPEN = /^\s*<(think|thinking)>/i;
const OPEN_LINE = /(^|\n)[ \t]*<(think|thinking)>/gi;
const CLOSE = /<\/(think|thinking)>/i;

interface SplitText {
  thinking: string;
  content: string;
}

/** True at a position inside a ``` block. */
const inFence = (text: string, at: number): boolean =>
  (text.slice(0, at).match(/^[ \t]*(```|~~~)/gm)?.length ?? 0) % 2 === 1;

/** Separates think blocks, also an unterminated one and one whose opening tag stood in the prompt template. */
export function splitThinking(text: string): SplitText {
  const thoughts: string[] = [];
  let rest = text;
  // Templates of some models open the block themselves, so that only its end is written.
  const end = CLOSE.exec(rest);
  if (end && !/<think(ing)?>/i.test(rest.slice(0, end.index)) && !inFence(rest, end.index)) {
    thoughts.push(rest.slice(0, end.index).trim());
    rest = rest.slice(end.index + end[0].length);
  }
  let from = 0;
  for (;;) {
    OPEN_LINE.lastIndex = from;
    const open = OPEN_LINE.exec(rest);
    if (!open) break;
    if (inFence(rest, open.index + open[0].length)) {
      from = open.index + open[0].length;
      continue;
    }
    const body = rest.slice(open.index + open[0].length);
    const close = CLOSE.exec(body);
    thoughts.push((close ? body.slice(0, close.index) : body).trim());
    const before = rest.slice(0, open.index);
    rest = before + (close ? body.slice(close.index + close[0].length) : '');
    from = before.length;
  }
  if (thoughts.length === 0) return { thinking: '', content: text };
  return { thinking: thoughts.filter(Boolean).join('\n\n'), content: rest.trim() };
}

/** Puts reasoning back in front of the answer, as the server that wrote it there expects it. */
export const joinThinking = (thinking: string, content: string): string =>
  thinking ? `<think>\n${thinking}\n</think>\n\n${content}` : content;

/** What of a growing text may be shown: nothing of a leading think block, and nothing that may still become one. */
export function visibleLength(text: string): { from: number; to: number } {
  let from = 0;
  for (;;) {
    const rest = text.slice(from);
    const open = OPEN.exec(rest);
    if (!open) {
      const start = rest.trimStart().toLowerCase();
      const undecided = '<thinking>'.startsWith(start) || '<think>'.startsWith(start);
      return { from, to: undecided ? from : text.length };
    }
    const close = CLOSE.exec(rest.slice(open[0].length));
    if (!close) return { from, to: from };
    from += open[0].length + close.index + close[0].length;
  }
}
