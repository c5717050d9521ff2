/** Tasks that run behind the prompt: their progress as lines, what they need decided as notices. */
import type { Answer, JournalEvent, Loom, Question, ResumeOptions, RunResult } from '../../actors/loom.ts';
import { eventLine } from '../render/lines.ts';
import { emptyView, fold, type View } from '../render/view.ts';
import { clip, oneLine, safe } from '../render/width.ts';
import { clock, mark, markOf, type Paint } from '../render/words.ts';

/** More at once would only wait for the same model. */
const MOST = 4;

interface BackgroundRun {
  /** '' until the run has its id. */
  id: string;
  goal: string;
  started: number;
  view: View;
  result: RunResult | null;
}

export interface Runs {
  all(): BackgroundRun[];
  active(): BackgroundRun[];
  /** Throws when too many run already. */
  start(goal: string, note?: string): void;
  resume(id: string): void;
  /** Stops for good what runs here; false: it does not run here. */
  close(run: BackgroundRun): Promise<void>;
  /** Questions nobody has answered yet, the oldest first. */
  questions(): Question[];
  /** Gives an answer to one of them; false when it is not one of ours. */
  answer(id: string, answer: Answer): boolean;
  /** Something goes on by itself; a run that waits for a person does not. */
  working(): boolean;
  /** One line per run at work, for the part of the screen that changes. */
  lines(columns: number): string[];
  /** Ends all of them resumably and waits for that. */
  leave(): Promise<void>;
}

export interface RunsOptions {
  loom: Loom;
  paint: Paint;
  print(lines: string[]): void;
  /** Something that `lines` shows has changed. */
  changed(): void;
}

/** What a person wants to hear of a run in the background; the rest is in `/logs`. */
const TOLD =
  /^(task_(planning|plan_ready|plan_degraded|replanning|budget_exhausted|run_recovered|stalled|parked|failed|cancelled)|subtask_(completed|failed|retrying)|approval_received)$/;

interface Own extends BackgroundRun {
  controller: AbortController;
  ended: Promise<void>;
}

interface Waiting {
  question: Question;
  settle(answer: Answer | null): void;
}

export function createRuns({ loom, paint, print, changed }: RunsOptions): Runs {
  const runs: Own[] = [];
  const waiting = new Map<string, Waiting>();
  const active = () => runs.filter(run => run.result === null);
  const waits = (run: Own): boolean =>
    [...waiting.values()].some(({ question }) => question.task_id === run.id);

  function told(run: Own, event: JournalEvent): void {
    run.id ||= event.task_id;
    run.view = fold(run.view, event);
    const line = TOLD.test(event.event_type) ? eventLine(event, paint) : null;
    if (line) print([line]);
    changed();
  }

  function ask(question: Question, signal: AbortSignal): Promise<Answer | null> {
    return new Promise(resolve => {
      const settle = (answer: Answer | null) => {
        waiting.delete(question.id);
        signal.removeEventListener('abort', elsewhere);
        changed();
        resolve(answer);
      };
      const elsewhere = () => settle(null);
      signal.addEventListener('abort', elsewhere, { once: true });
      waiting.set(question.id, { question, settle });
      print(notice(question, paint));
      changed();
    });
  }

  function begin(goal: string, work: (hooks: ResumeOptions) => Promise<RunResult>): void {
    if (active().length >= MOST)
      throw new Error(`${MOST} runs are at work already; /runs lists them, /run close ID stops one`);
    const controller = new AbortController();
    const run: Own = {
      id: '',
      goal,
      started: Date.now(),
      view: emptyView,
      result: null,
      controller,
      ended: Promise.resolve(),
    };
    runs.push(run);
    run.ended = work({
      signal: controller.signal,
      onEvent: event => told(run, event),
      onQuestion: ask,
    }).then(
      result => {
        run.result = result;
        print(closing(result, paint));
        changed();
      },
      (error: unknown) => {
        runs.splice(runs.indexOf(run), 1);
        const failed = (error as { failure?: { message?: string } }).failure?.message;
        print([`${mark('failed', paint)} ${safe(failed ?? String(error))}`]);
        changed();
      },
    );
    changed();
  }

  return {
    all: () => runs,
    active,
    start: goal => begin(goal, hooks => loom.run({ goal, ...hooks })),
    resume: id => begin(id, hooks => loom.resume(id, hooks)),
    async close(run) {
      await loom.cancel(run.id, { wait: true });
    },
    questions: () => [...waiting.values()].map(({ question }) => question),
    answer(id, answer) {
      const found = waiting.get(id);
      found?.settle(answer);
      return found !== undefined;
    },
    working: () => active().some(run => !waits(run)),
    lines: columns =>
      active().map(run =>
        clip(
          waits(run) ? `? ${run.id.slice(0, 4)}  needs a decision: ${oneLine(run.goal)}` : runLine(run),
          columns,
        ),
      ),
    async leave() {
      for (const run of active()) run.controller.abort();
      await Promise.all(runs.map(run => run.ended));
    },
  };
}

function runLine({ id, goal, view, started }: BackgroundRun): string {
  const done = view.subtasks.filter(subtask => subtask.mark === 'done').length;
  const now = view.subtasks.find(subtask => subtask.mark === 'running' || subtask.mark === 'asking');
  const parts = [
    id.slice(0, 4) || 'new',
    view.subtasks.length > 0 ? `${done}/${view.subtasks.length}` : view.phase,
    clock(Date.now() - started),
    now ? `${now.id}: ${now.step || 'works'}` : oneLine(goal),
  ];
  return `◉ ${parts.join('  ')}`;
}

/** What has to be decided, and the words that decide it. */
function notice(question: Question, paint: Paint): string[] {
  const id = question.task_id.slice(0, 4);
  const who = [id, question.subtask_id].filter(Boolean).join(' ');
  const how =
    question.choices.length === 0
      ? `/answer ${question.id} TEXT`
      : question.kind === 'approval' || question.kind === 'plan'
        ? `/approve ${id} or /reject ${id} REASON`
        : `/answer ${question.id} ${question.choices.join('|')}`;
  return [
    `${mark('asking', paint)} ${paint.yellow(oneLine(who))} needs a decision: ${safe(question.prompt)}`,
    ...(question.detail !== '' && !question.prompt.includes(question.detail)
      ? safe(question.detail)
          .split('\n')
          .slice(0, 40)
          .map(line => `    ${line}`)
      : []),
    paint.dim(`    ${how}`),
  ];
}

function closing(result: RunResult, paint: Paint): string[] {
  const sign = mark(markOf(result.status, false), paint);
  const files = result.files_changed.length;
  const more = [
    ...(files > 0
      ? [`${files} file${files === 1 ? '' : 's'} changed: /diff ${result.task_id.slice(0, 4)}`]
      : []),
    ...(result.exit_code !== 0 && result.exit_code !== 7
      ? [`/run resume ${result.task_id.slice(0, 4)}`]
      : []),
  ].join(' · ');
  const said = result.error?.message ?? result.summary;
  return [
    `${sign} ${paint.bold(result.task_id.slice(0, 4))} ${result.status}: ${oneLine(result.goal)}`,
    ...safe(said)
      .split('\n')
      .filter(Boolean)
      .slice(0, 12)
      .map(line => `  ${line}`),
    ...(more ? [paint.dim(`  ${more}`)] : []),
  ];
}
