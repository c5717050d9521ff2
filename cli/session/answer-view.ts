/** The answer of a model as it arrives, pieces that are withdrawn included: what stands on the screen stays true. */
import type { Preview } from '../../actors/loom.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { markdownStream } from './stream.ts';

export interface AnswerView {
  /** Lines that are final now. */
  take(preview: Preview): string[];
  /** The part that may still change. */
  rest(): string[];
  /** The answer is complete and stored: `text` is what it says. Gives the lines that are not on the screen yet. */
  committed(text: string): string[];
  /** It ended without being complete. */
  cutOff(): string[];
}

export function answerView(style: () => MarkdownStyle, note: (text: string) => string): AnswerView {
  let stream = markdownStream(style);
  /** What the screen shows of the present call. */
  let shown = '';
  /** After a withdrawal: what came since, until it says more than the screen does. */
  let again: string | null = null;
  let call = '';

  function fresh(): void {
    stream = markdownStream(style);
    shown = '';
    again = null;
  }

  function push(text: string): string[] {
    shown += text;
    return stream.push(text);
  }

  /** The second try usually says the same: then nothing is shown twice. */
  function caughtUp(): string[] {
    const text = again ?? '';
    if (shown.startsWith(text)) return [];
    again = null;
    if (text.startsWith(shown)) return push(text.slice(shown.length));
    const before = stream.end();
    fresh();
    return [...before, note('the answer broke off and begins again'), ...push(text)];
  }

  return {
    take(preview) {
      if (preview.call !== call) fresh();
      call = preview.call;
      if (preview.reset) {
        again = '';
        return [];
      }
      if (again === null) return push(preview.text);
      again += preview.text;
      return caughtUp();
    },
    rest: () => stream.rest(),
    committed(text) {
      const whole = text.trimEnd();
      const rest = whole.startsWith(shown.trimEnd()) ? whole.slice(shown.length) : null;
      // What was previewed is not what was said: the stored text counts.
      const lines =
        rest === null && shown !== ''
          ? [...stream.end(), note('the stored answer:'), ...markdownStream(style).push(`${whole}\n\n`)]
          : [...stream.push(rest ?? whole), ...stream.end()];
      fresh();
      call = '';
      return lines;
    },
    cutOff() {
      const lines = stream.end();
      const said = shown !== '';
      fresh();
      call = '';
      return said ? [...lines, note('cut off here')] : lines;
    },
  };
}
