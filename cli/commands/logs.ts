/** `loom logs ID [-f]` */
import type { JournalEvent } from '../../actors/loom.ts';
import { EXIT } from '../failure.ts';
import { logLine } from '../render/lines.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = ''], values) => {
  const loom = await context.loom();
  const follow = values.flag('follow');
  const { io, output, interrupt } = context;
  const disarm = follow ? interrupt.arm() : () => undefined;
  const kept: JournalEvent[] = [];
  try {
    for await (const event of loom.events(id, { follow, signal: interrupt.signal })) {
      if (output === 'text') io.out(`${logLine(event, context.paint.out)}\n`);
      // What is still growing cannot be one JSON array.
      else if (output === 'json' && !follow) kept.push(event);
      else io.out(`${JSON.stringify(event)}\n`);
    }
  } finally {
    disarm();
  }
  if (output === 'json' && !follow) io.out(`${JSON.stringify(kept)}\n`);
  return interrupt.signal.aborted ? EXIT.interrupted : EXIT.ok;
};
