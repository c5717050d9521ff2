/** `loom answer ID CHOICE | TEXT` */
import type { Answer, Question } from '../../actors/loom.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { oneLine } from '../render/width.ts';
import type { Run } from '../run-command.ts';

export const command: Run = async (context, [id = '', answer = '']) => {
  if (!answer.trim()) throw new UsageError('the answer is empty: loom answer ID CHOICE|TEXT');
  return give(context, id, { answer: answer.trim() });
};

/** Stores an answer and says what happens next. */
export async function give(context: Context, id: string, answer: Answer): Promise<number> {
  const loom = await context.loom();
  const question = await loom.answer(id, answer);
  const task = await loom.task(question.task_id);
  print(context, question, () => said(question, answer, task.live));
  return EXIT.ok;
}

function said(question: Question, { answer }: Answer, live: boolean): string {
  const who = question.subtask_id ? ` of ${oneLine(question.subtask_id)}` : '';
  const next = live ? 'The run goes on.' : `Go on with: loom resume ${question.task_id}`;
  return `Answered the question${who}: ${oneLine(answer)}. ${next}`;
}
