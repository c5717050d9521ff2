/** Keeps reasoning apart from the answer when a model writes it into the text as `<think>…</think>`. */

const OPEN = /^\s*<(think|thinking)>/i;
const CLOSE = /<\/(think|thinking)>/i;

export interface SplitText {
  thinking: string;
  content: string;
}

/** Separates think blocks, also an unterminated one and one whose opening tag stood in the prompt template. */
export function splitThinking(text: string): SplitText {
  const thoughts: string[] = [];
  let rest = text;
  for (let open = OPEN.exec(rest); open; open = OPEN.exec(rest)) {
    const body = rest.slice(open[0].length);
    const close = CLOSE.exec(body);
    thoughts.push((close ? body.slice(0, close.index) : body).trim());
    rest = close ? body.slice(close.index + close[0].length) : '';
  }
  if (thoughts.length === 0) {
    // Templates of some models open the block themselves, so that only its end is written.
    const close = CLOSE.exec(rest);
    if (close && !/<think(ing)?>/i.test(rest.slice(0, close.index))) {
      thoughts.push(rest.slice(0, close.index).trim());
      rest = rest.slice(close.index + close[0].length);
    }
  }
  if (thoughts.length === 0) return { thinking: '', content: text };
  return { thinking: thoughts.filter(Boolean).join('\n\n'), content: rest.replace(/^\s+/, '') };
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
