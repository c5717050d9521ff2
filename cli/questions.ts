/** Puts a question of a run to the person at the terminal. */
import type { Answer, Question } from '../actors/loom.ts';
import { createAsk } from './ask.ts';
import type { Context } from './context.ts';
import { oneLine, safe } from './render/width.ts';

/** Can a person be asked here at all? */
export const canAsk = ({ io, output }: Context): boolean =>
  io.tty.in && io.tty.err && output === 'text' && !io.env['CI'];

export interface Pause {
  suspend(): void;
  resume(): void;
}

/** Asks one question at a time; null when it was interrupted or settled elsewhere. */
export function createAsker(context: Context, pause: Pause) {
  let queue: Promise<unknown> = Promise.resolve();
  return (question: Question, signal: AbortSignal): Promise<Answer | null> => {
    const asked = queue.then(() => (signal.aborted ? null : ask(context, pause, question, signal)));
    queue = asked.catch(() => null);
    return asked;
  };
}

async function ask(
  context: Context,
  pause: Pause,
  question: Question,
  signal: AbortSignal,
): Promise<Answer | null> {
  const person = createAsk(context.io, signal, context.interrupt.hit);
  pause.suspend();
  try {
    context.io.err(
      `${context.paint.err.yellow(heading(question))}\n${safe(question.prompt)}\n${detailText(context, question)}`,
    );
    const choices = question.choices.map(name => ({ name, message: words(name) }));
    const chosen =
      choices.length === 0 ? await person.text('Your answer') : await person.choose('What now?', choices);
    if (chosen !== 'reject') return chosen === null ? null : { answer: chosen };
    const reason = await person.text('Why not? (the model reads it; may be empty)');
    if (reason === null) return null;
    return reason ? { answer: chosen, reason } : { answer: chosen };
  } finally {
    pause.resume();
  }
}

/** Yes or no, on the terminal; no when it was interrupted. */
export async function confirmed(context: Context, message: string): Promise<boolean> {
  const disarm = context.interrupt.arm();
  try {
    const { signal, hit } = context.interrupt;
    // Ctrl+C reaches a prompt as a key, not as a signal.
    return (await createAsk(context.io, signal, hit).yes(message, false)) === true;
  } finally {
    disarm();
  }
}

function heading(question: Question): string {
  const who = question.subtask_id ? `${oneLine(question.subtask_id)} ` : '';
  const risk = question.risk ? ` (${oneLine(question.risk)})` : '';
  if (question.kind === 'uncertain')
    return `? ${who}does not know whether this happened before it stopped${risk}`;
  if (question.kind === 'approval') return `? ${who}wants to do this${risk}`;
  return `? ${who}asks${risk}`;
}

const WORDS: Record<string, string> = {
  approve: 'yes, let it',
  reject: 'no',
  retry: 'retry: do it again',
  skip: 'skip: go on without it',
  done: 'done: it did happen',
};

const words = (choice: string): string => WORDS[choice] ?? oneLine(choice);

/** The text or command in full, when the prompt does not say it already; added and removed lines in colour. */
function detailText({ paint: { err: paint } }: Context, { detail, prompt }: Question): string {
  if (detail === '' || prompt.includes(detail)) return '';
  const colour = (line: string) =>
    line.startsWith('+') ? paint.green(line) : line.startsWith('-') ? paint.red(line) : line;
  return `${safe(detail).split('\n').map(colour).join('\n')}\n`;
}
