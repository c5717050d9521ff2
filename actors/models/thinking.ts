/** Keeps reasoning apart from the answer when a model writes it into the text, as `<think>…</think>` or in its own marks. */
import { matchAt } from './dialects/dialect.ts';
import { THINKING, TOKENS } from './marks.ts';
import { scan } from './scan.ts';

interface SplitText {
  thinking: string;
  /** The rest, with written calls as they stand. */
  content: string;
}

/** Separates think blocks, also an unterminated one and one whose opening tag stood in the prompt template. */
export function splitThinking(text: string): SplitText {
  const pieces = scan(text);
  const thoughts = pieces.filter(piece => piece.kind === 'thinking').map(piece => piece.inner.trim());
  const kept = pieces.filter(piece => piece.kind === 'text' || piece.kind === 'call');
  if (kept.length === pieces.length) return { thinking: '', content: text };
  const content = kept.map(piece => text.slice(piece.from, piece.to)).join('');
  return { thinking: thoughts.filter(Boolean).join('\n\n'), content: content.trim() };
}

/** Puts reasoning back in front of the answer, as the server that wrote it there expects it. */
export const joinThinking = (thinking: string, content: string): string =>
  thinking ? `<think>\n${thinking}\n</think>\n\n${content}` : content;

/** Half a mark, or the head of a message whose channel is not yet told. */
const UNDECIDED = /^<\|[^>]{0,40}$|^<\|(?:start|channel)\|>(?:(?!<\|message\|>)[\s\S]){0,200}$/;
const STARTS = THINKING.flatMap(mark => mark.starts);

/** What of a growing text may be shown: nothing of leading thinking, and nothing that may still become it. */
export function visibleLength(text: string): { from: number; to: number } {
  let from = 0;
  for (;;) {
    const at = from + /^\s*/.exec(text.slice(from))![0].length;
    const mark = THINKING.find(({ open }) => matchAt(open, text, at));
    const token = mark ? null : matchAt(TOKENS, text, at);
    if (token) {
      from = at + token[0].length;
      continue;
    }
    if (!mark) {
      const rest = text.slice(at).toLowerCase();
      const undecided = STARTS.some(start => start.toLowerCase().startsWith(rest)) || UNDECIDED.test(rest);
      return { from, to: undecided ? from : text.length };
    }
    const start = at + matchAt(mark.open, text, at)![0].length;
    const close = new RegExp(mark.close.source, 'i').exec(text.slice(start));
    if (!close) return { from, to: from };
    from = start + close.index + close[0].length;
  }
}
