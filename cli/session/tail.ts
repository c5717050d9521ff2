/** The end of an earlier conversation, as it looked. */
import type { HistoryEntry } from '../../actors/loom.ts';
import { type MarkdownStyle, markdownLines } from '../render/markdown.ts';
import { clip, oneLine, safe } from '../render/width.ts';
import { mark } from '../render/words.ts';

/** Lines of a text that somebody typed, and of an answer: the rest is in `/export`. */
const TYPED = 12;

export function tailLines(entries: HistoryEntry[], style: MarkdownStyle): string[] {
  const { paint } = style;
  return entries.flatMap(entry => {
    if (entry.role === 'user') return userLines(entry.text, style);
    if (entry.role === 'tool') {
      const good = !/^(Error|Uncertain)\b/.test(entry.text);
      const sign = mark(good ? 'done' : entry.text.startsWith('Uncertain') ? 'asking' : 'failed', paint);
      return [
        `${sign} ${oneLine(entry.tool ?? '')}  ${paint.dim(clip(oneLine(entry.text), style.columns - 24))}`,
      ];
    }
    const text = entry.text.trim() === '' ? [] : markdownLines(entry.text, style);
    return entry.interrupted ? [...text, paint.dim('(cut off here)')] : text;
  });
}

function userLines(text: string, { paint }: MarkdownStyle): string[] {
  const lines = safe(text).split('\n');
  const shown = lines.slice(0, TYPED).map((line, i) => `${i === 0 ? '› ' : '  '}${line}`);
  return lines.length > TYPED ? [...shown, paint.dim(`  … ${lines.length - TYPED} more lines`)] : shown;
}
