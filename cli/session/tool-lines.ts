/** What the model did, as it happens: one line per call, the diff of every change below it. */
import type { JournalEvent } from '../../actors/loom.ts';
import { errorText, num, str } from '../render/data.ts';
import { diffLines, plusMinus } from '../render/diff.ts';
import { clip, oneLine } from '../render/width.ts';
import { duration, mark, type Paint } from '../render/words.ts';

/** Of a diff; `/show N` has all that is stored of it. */
const DIFF_LINES = 40;

/** `✓ edit_file src/a.ts  12 ms  +3 −1  [4]` and the diff; `n` is what `/show` takes. */
export function toolLines({ data }: JournalEvent, n: number, columns: number, paint: Paint): string[] {
  const good = data['success'] === true;
  const diff = str(data, 'diff');
  const room = Math.max(20, columns - 40);
  const parts = [
    `${mark(good ? 'done' : 'failed', paint)} ${oneLine(str(data, 'tool'))} ${clip(oneLine(str(data, 'subject')), room)}`.trimEnd(),
    paint.dim(duration(num(data, 'duration_ms'))),
    plusMinus(diff, paint),
    ...(data['repaired'] ? [paint.dim('arguments repaired')] : []),
    paint.dim(`[${n}]`),
  ].filter(Boolean);
  const error = good ? [] : [`    ${paint.red(clip(oneLine(errorText(data)), columns - 5))}`];
  return [parts.join('  '), ...error, ...changeLines(diff, paint)];
}

/** Of a diff without its header: the path stands in the line above. */
function changeLines(diff: string, paint: Paint): string[] {
  if (diff === '') return [];
  const body = diff.split('\n').filter(line => !/^(---|\+\+\+) /.test(line));
  return diffLines(body.join('\n'), paint, DIFF_LINES).map(line => `    ${line}`);
}
