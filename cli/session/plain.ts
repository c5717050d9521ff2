/** A session without a terminal: every line of the input is a text, answers are printed as they are. Nobody can be asked. */
import readline from 'node:readline';
import type { Session, SessionOptions } from '../../actors/loom.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';
import { errorText, str } from '../render/data.ts';
import { oneLine, safe } from '../render/width.ts';
import { readEntry } from './words.ts';

/** Resolves to the exit code: 3 when a call had to be refused because nobody could be asked, 1 when a turn failed. */
export async function plainChat(context: Context, options: SessionOptions): Promise<number> {
  const loom = await context.loom();
  const session = await loom.openSession(options);
  const disarm = context.interrupt.arm();
  const heard = listen(context, session);
  context.interrupt.signal.addEventListener('abort', () => void session.interrupt());
  try {
    for await (const line of readline.createInterface({ input: context.io.stdin, terminal: false })) {
      const entry = readEntry(line);
      if (entry.kind === 'command' && (entry.name === 'quit' || entry.name === 'exit')) break;
      if (entry.kind === 'command') context.io.err(`loom: /${entry.name} needs a terminal\n`);
      if (entry.kind !== 'text' && entry.kind !== 'steer') continue;
      const over = heard.turn();
      await session.send(
        entry.text,
        entry.kind === 'text' && entry.attachments.length > 0 ? { attachments: entry.attachments } : {},
      );
      await over;
      if (context.interrupt.signal.aborted) break;
    }
  } finally {
    await session.close();
    disarm();
  }
  if (context.interrupt.signal.aborted) return EXIT.interrupted;
  return heard.refused() ? EXIT.decision : heard.failed() ? EXIT.failed : EXIT.ok;
}

function listen({ io }: Context, session: Session) {
  let ended: () => void = () => undefined;
  let refused = false;
  let failed = false;
  const answered = new Set<string>();
  void (async () => {
    for await (const said of session.events()) {
      if (said.type !== 'event') continue;
      const { event_type, data } = said.event;
      if (event_type === 'assistant_message' && str(data, 'text').trim() !== '')
        io.out(`${safe(str(data, 'text')).trim()}\n`);
      if (event_type === 'tool_call_completed')
        io.err(
          `${data['success'] === true ? '✓' : '✗'} ${oneLine(`${str(data, 'tool')} ${str(data, 'subject')}`)}\n`,
        );
      for (const question of session.state().questions) {
        if (answered.has(question.id)) continue;
        answered.add(question.id);
        refused = true;
        const rule = question.rule === '' ? '' : ` (--allow ${JSON.stringify(question.rule)} lets it pass)`;
        io.err(`loom: nobody is here to be asked: ${oneLine(question.prompt)}${rule}\n`);
        // A call is refused; anything else only a person can answer, so the turn ends instead of guessing.
        if (question.kind === 'approval')
          await session.answer(question.id, { answer: 'reject', reason: 'nobody is here to be asked' });
        else await session.interrupt();
      }
      if (event_type === 'turn_failed' || event_type === 'turn_ended') {
        if (errorText(data)) {
          failed = true;
          io.err(`loom: ${oneLine(errorText(data))}\n`);
        }
        ended();
      }
    }
    ended();
  })();
  return {
    /** Resolves with the end of the next turn. */
    turn: () =>
      new Promise<void>(resolve => {
        ended = resolve;
      }),
    refused: () => refused,
    failed: () => failed,
  };
}
