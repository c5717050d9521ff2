/** `loom doctor` */

import { print } from '../context.ts';
import { EXIT } from '../failure.ts';
import { oneLine, pad } from '../render/width.ts';
import { type Mark, mark } from '../render/words.ts';
import type { Run } from '../run-command.ts';

const MARKS = { ok: 'done', warn: 'asking', fail: 'failed' } as const satisfies Record<string, Mark>;

export const command: Run = async context => {
  const loom = await context.loom();
  const lines = await loom.doctor();
  const paint = context.paint.out;
  print(context, lines, () =>
    lines
      .map(
        ({ name, status, message }) => `${mark(MARKS[status], paint)} ${pad(name, 14)} ${oneLine(message)}`,
      )
      .join('\n'),
  );
  return lines.some(line => line.status === 'fail') ? EXIT.failed : EXIT.ok;
};
