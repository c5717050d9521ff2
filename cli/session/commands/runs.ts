/** Tasks behind the prompt: begun, looked at, decided, stopped. */
import { join } from 'node:path';
import type { Answer, Question } from '../../../actors/loom.ts';
import { MAX_GOAL_CHARACTERS, readGoal } from '../../goal.ts';
import { logLine } from '../../render/lines.ts';
import { clip, oneLine, pad } from '../../render/width.ts';
import { mark, markOf } from '../../render/words.ts';
import { type App, type Slash, SlashError } from '../app.ts';

/** Lines of a log; the rest is in `loom logs`. */
const LOG_LINES = 40;
const LISTED = 12;

/** A file as goal, or as material for one: `@FILE [GOAL…]`, or one word that names a file of the workspace. */
async function goalOf(app: App, args: string[], rest: string): Promise<{ goal: string; note?: string }> {
  const [first = '', ...more] = args;
  if (!first.startsWith('@')) return readGoal(rest);
  const inside = await app.loom.tools.call('read_file', { path: first.slice(1), line_start: 1, line_end: 1 });
  if (!inside.success) throw new SlashError(inside.output);
  const { goal, note } = await readGoal(`@${join(app.loom.workspace, first.slice(1))}`);
  const words = more.join(' ').trim();
  if (words === '') return note === undefined ? { goal } : { goal, note };
  // The words are the goal; the file goes along as far as both fit.
  const head = `${words}\n\nThe file ${first.slice(1)}:\n`;
  const room = MAX_GOAL_CHARACTERS - head.length;
  const cut = note ?? (goal.length > room ? `${first.slice(1)} is cut to ${room} characters` : undefined);
  return { goal: `${head}${goal.slice(0, room)}`, ...(cut === undefined ? {} : { note: cut }) };
}

/** The question an id or its task's id names; without one the only one that is open. */
async function openQuestion(app: App, id: string | undefined): Promise<Question> {
  const here = app.runs.questions();
  const named = id ? here.filter(one => one.id.startsWith(id) || one.task_id.startsWith(id)) : here;
  if (named.length === 1) return named[0]!;
  if (named.length > 1)
    throw new SlashError(`more than one question is open: ${named.map(one => one.id).join(', ')}; name one`);
  if (!id) throw new SlashError('no run asks anything');
  const { questions } = await app.loom.task(id);
  if (questions.length !== 1) throw new SlashError(`${id} has ${questions.length} open questions`);
  return questions[0]!;
}

async function settle(app: App, question: Question, answer: Answer): Promise<void> {
  if (!app.runs.answer(question.id, answer)) await app.loom.answer(question.id, answer);
  app.print([`${mark('done', app.paint)} answered: ${oneLine(answer.answer)}`]);
}

const runNamed = (app: App, prefix: string | undefined) => {
  const active = app.runs.active();
  const found = prefix ? active.filter(run => run.id.startsWith(prefix)) : active;
  if (found.length === 1) return found[0]!;
  throw new SlashError(
    active.length === 0
      ? 'nothing runs behind the prompt'
      : `name one of ${active.map(run => run.id.slice(0, 4)).join(', ')}`,
  );
};

async function begin(app: App, args: string[], rest: string): Promise<void> {
  const [verb, id] = args;
  if (verb === 'close' && args.length <= 2) {
    const run = runNamed(app, id);
    const sure = await app.asking(ask =>
      ask.yes(`Stop ${run.id.slice(0, 4)} for good? (${clip(oneLine(run.goal), 60)})`, false),
    );
    if (sure) await app.runs.close(run);
    return;
  }
  if (verb === 'resume' && args.length === 2) return app.runs.resume(id!);
  if (rest.trim() === '')
    throw new SlashError('/run needs a goal: /run GOAL, /run @FILE [GOAL], /run close [ID], /run resume ID');
  const { goal, note } = await goalOf(app, args, rest);
  if (note) app.print([app.paint.dim(note)]);
  app.runs.start(goal);
}

export const RUN_COMMANDS: Slash[] = [
  {
    name: 'run',
    args: 'GOAL | @FILE [GOAL] | close [ID] | resume ID',
    summary: 'Plan, do and verify a goal behind the prompt',
    takes: 'path',
    run: begin,
  },
  {
    name: 'runs',
    args: '',
    summary: 'Runs of this folder',
    async run(app) {
      const tasks = await app.loom.tasks({ workspace: app.loom.workspace });
      const newest = tasks.toSorted((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, LISTED);
      const lines = newest.map(({ task_id, status, goal, live, parked }) => {
        const state = live ? 'running' : (parked?.reason ?? status);
        return `${mark(markOf(status, live), app.paint)} ${task_id.slice(0, 6)}  ${pad(state, 12)}  ${clip(oneLine(goal), app.columns() - 26)}`;
      });
      app.print(lines.length > 0 ? lines : ['no runs yet; /run GOAL begins one']);
    },
  },
  {
    name: 'logs',
    args: '[ID]',
    summary: 'The newest events of a run',
    takes: 'run',
    async run(app, [id]) {
      const lines: string[] = [];
      for await (const event of app.loom.events(id ?? runNamed(app, undefined).id, { follow: false }))
        lines.push(logLine(event, app.paint));
      app.print(lines.slice(-LOG_LINES));
    },
  },
  {
    name: 'pause',
    args: '[ID]',
    summary: 'Let a run end its step and wait',
    takes: 'run',
    async run(app, [id]) {
      await app.loom.pause(id ?? runNamed(app, undefined).id);
      app.print(['it waits after its step; /run resume ID goes on']);
    },
  },
  {
    name: 'cancel',
    args: '[ID]',
    summary: 'Stop a run for good',
    takes: 'run',
    async run(app, [id]) {
      await app.loom.cancel(id ?? runNamed(app, undefined).id, { wait: true });
    },
  },
  {
    name: 'approve',
    args: '[ID]',
    summary: 'Say yes to what a run asks',
    takes: 'run',
    run: async (app, [id]) => settle(app, await openQuestion(app, id), { answer: 'approve' }),
  },
  {
    name: 'reject',
    args: '[ID] [REASON]',
    summary: 'Say no to what a run asks',
    takes: 'run',
    async run(app, [id, ...reason]) {
      const question = await openQuestion(app, id);
      const why = reason.join(' ');
      await settle(app, question, why ? { answer: 'reject', reason: why } : { answer: 'reject' });
    },
  },
  {
    name: 'answer',
    args: 'ID ANSWER',
    summary: 'Answer what a run asks',
    async run(app, [id, ...words]) {
      if (!id || words.length === 0) throw new SlashError('/answer ID ANSWER');
      await settle(app, await openQuestion(app, id), { answer: words.join(' ') });
    },
  },
];
