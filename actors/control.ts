/** Commands for runs that may belong to any process: cancel and answer go through the inbox of the run. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import type { RunHead } from '../store/port.ts';
import type { StoreReader } from '../store/store.ts';
import type { Answer, Question } from './loom.ts';
import { matchChoice } from './questions.ts';
import { findRun, isOver, openQuestions } from './report.ts';
import type { Launch } from './task-deps.ts';
import { endRun } from './task-run.ts';

/** Throws LoomError `unknown_id` or `ambiguous_id`. */
export async function runNamed(store: StoreReader, id: string): Promise<RunHead> {
  const found = await findRun(store, id);
  if (found === 'ambiguous')
    throw new LoomError(
      'terminal',
      'ambiguous_id',
      `More than one task begins with "${id}". Give more characters; \`loom tasks\` lists them.`,
    );
  if (!found)
    throw new LoomError('terminal', 'unknown_id', `There is no task "${id}". \`loom tasks\` lists them.`);
  return found;
}

const POLL_MS = 25;
/** A live owner takes a command well within this; then the caller is told instead of kept. */
const CANCEL_WAIT_MS = 10_000;

/** Asks the owner to cancel, or ends a run that nobody owns. */
export async function cancelRun(
  launch: Launch,
  config: Config,
  head: RunHead,
  wait: boolean,
): Promise<RunHead> {
  const { store } = launch;
  if (isOver(head)) return head;
  await endRun(launch, config, head);
  if (!wait) return (await store.head(head.id))!;
  const until = performance.now() + CANCEL_WAIT_MS;
  for (;;) {
    const now = (await store.head(head.id))!;
    if (isOver(now)) return now;
    if (performance.now() > until)
      throw new LoomError(
        'retryable',
        'not_cancelled',
        `The process that runs ${head.id} has not reacted within ${CANCEL_WAIT_MS / 1000} s; the command stays in its inbox. \`loom status ${head.id}\` shows what it does.`,
      );
    await sleep(POLL_MS);
  }
}

/** The open question that `id` names: its own id, a prefix, or a task with exactly one open question. */
export async function questionNamed(store: StoreReader, id: string): Promise<Question> {
  const open: Question[] = [];
  for (const head of await store.runs()) if (!isOver(head)) open.push(...(await openQuestions(store, head)));
  const exact = open.filter(question => question.id === id);
  if (exact.length === 1) return exact[0]!;
  const matching =
    id === '' ? [] : open.filter(question => question.id.startsWith(id) || question.task_id.startsWith(id));
  if (matching.length === 1) return matching[0]!;
  if (matching.length > 1)
    throw new LoomError(
      'terminal',
      'ambiguous_id',
      `"${id}" stands for ${matching.length} open questions; name one: ${matching.map(question => question.id).join(', ')}`,
    );
  throw new LoomError(
    'terminal',
    'unknown_id',
    `There is no open question "${id}". It may have been answered already; \`loom status\` shows what is open.`,
  );
}

export async function answerQuestion(launch: Launch, question: Question, answer: Answer): Promise<Question> {
  const choice = matchChoice(question, answer.answer);
  if (choice === null)
    throw new LoomError(
      'terminal',
      'usage',
      question.choices.length === 0
        ? 'The answer is empty.'
        : `"${answer.answer}" is not an answer to this question; choose one of ${question.choices.join(', ')}.`,
    );
  await launch.store.send(question.task_id, {
    id: randomUUID(),
    event: { type: 'ANSWER', question: question.id, answer: choice, reason: answer.reason ?? '' },
    at: new Date().toISOString(),
  });
  return question;
}
