/** Markdown that is still being written: finished blocks as lines that stay, the rest as lines that may still change. */
import { codeLines, type MarkdownStyle, markdownLines } from '../render/markdown.ts';

export interface MarkdownStream {
  /** Takes a piece of any length; gives the lines that are final now. */
  push(piece: string): string[];
  /** The unfinished rest as it looks at this instant. */
  rest(): string[];
  /** Nothing follows: the lines that were left. */
  end(): string[];
}

/** A block ends with an empty line, but not inside a list, whose items may stand apart. */
const LIST_ITEM = /^\s*([-*+]|\d+[.)])\s/;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;

/** Code is coloured together with this much of what stood before, so that a comment over several lines stays one. */
const BEFORE = 60;

interface Fence {
  marks: string;
  language: string;
  lines: string[];
}

/** @param style asked for at each use, since a terminal can be resized */
export function markdownStream(style: () => MarkdownStyle): MarkdownStream {
  /** Lines of the block that is not finished, and the characters of the line that is not. */
  let held: string[] = [];
  let line = '';
  let fence: Fence | null = null;
  let began = false;

  /** An empty line stands between blocks, never before the first. */
  function opened(lines: string[]): string[] {
    const out = began && lines.length > 0 ? ['', ...lines] : lines;
    began ||= lines.length > 0;
    return out;
  }

  function flushed(): string[] {
    const text = held.join('\n');
    held = [];
    return text.trim() === '' ? [] : opened(markdownLines(text, style()));
  }

  function codeLine(open: Fence, text: string): string[] {
    open.lines = [...open.lines.slice(-BEFORE), text];
    return codeLines(open.lines.join('\n'), open.language, style()).slice(-1);
  }

  function take(text: string): string[] {
    if (fence) {
      if (new RegExp(`^ {0,3}${fence.marks[0]}{${fence.marks.length},}\\s*$`).test(text)) {
        fence = null;
        return [];
      }
      return codeLine(fence, text);
    }
    const [, marks, language = ''] = FENCE.exec(text) ?? [];
    if (marks) {
      const before = flushed();
      fence = { marks, language: language.trim(), lines: [] };
      if (began || before.length > 0) return [...before, ''];
      began = true;
      return before;
    }
    // A list goes on after an empty line when an item or something indented follows.
    const ends =
      held.at(-1)?.trim() === '' &&
      !(LIST_ITEM.test(held[0] ?? '') && /^(\s{2,}\S|\s*([-*+]|\d+[.)])\s)/.test(text));
    const before = ends && text.trim() !== '' ? flushed() : [];
    held.push(text);
    if (text.trim() !== '' || LIST_ITEM.test(held[0] ?? '')) return before;
    return [...before, ...flushed()];
  }

  return {
    push(piece) {
      const parts = (line + piece).split('\n');
      line = parts.pop() ?? '';
      return parts.flatMap(part => take(part.replace(/\r$/, '')));
    },
    rest() {
      if (fence)
        return line === ''
          ? []
          : codeLines([...fence.lines, line].join('\n'), fence.language, style()).slice(-1);
      const text = [...held, line].join('\n');
      if (text.trim() === '') return [];
      const lines = markdownLines(text, style());
      return began ? ['', ...lines] : lines;
    },
    end() {
      const last = line === '' ? [] : take(line);
      line = '';
      const out = [...last, ...flushed()];
      fence = null;
      began = false;
      return out;
    },
  };
}
