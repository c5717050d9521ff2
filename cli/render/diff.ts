/** Unified diffs: counted, shortened, coloured. */
import { safe } from './width.ts';
import type { Paint } from './words.ts';

/** Lines added and removed, headers not counted. */
export function changed(diff: string): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  let inHunk = false;
  for (const line of diff.split('\n')) {
    if (line.startsWith('@@')) inHunk = true;
    else if (!inHunk && (line.startsWith('---') || line.startsWith('+++'))) continue;
    else if (line.startsWith('+')) added++;
    else if (line.startsWith('-')) removed++;
  }
  return { added, removed };
}

/** `+3 −1`, empty for no change. */
export function plusMinus(diff: string, paint: Paint): string {
  const { added, removed } = changed(diff);
  const parts = [
    ...(added > 0 ? [paint.green(`+${added}`)] : []),
    ...(removed > 0 ? [paint.red(`−${removed}`)] : []),
  ];
  return parts.join(' ');
}

/** Coloured lines of a diff, at most `limit`, with a last line that says how many are missing. */
export function diffLines(diff: string, paint: Paint, limit = Number.POSITIVE_INFINITY): string[] {
  const lines = safe(diff)
    .replace(/\n$/, '')
    .split('\n')
    .filter(line => !/^(Index: |=+$)/.test(line));
  const shownLines = lines.length > limit ? lines.slice(0, limit) : lines;
  const coloured = shownLines.map(line => {
    if (line.startsWith('+++') || line.startsWith('---')) return paint.bold(line);
    if (line.startsWith('@@')) return paint.cyan(line);
    if (line.startsWith('+')) return paint.green(line);
    if (line.startsWith('-')) return paint.red(line);
    return line;
  });
  if (lines.length > limit) coloured.push(paint.dim(`… ${lines.length - limit} more lines`));
  return coloured;
}
