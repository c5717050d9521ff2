/** The façade: everything a command line, a server or a program may ask of Loom. It holds no logic of its own. */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import type { Config } from '../store/config.ts';
import type { Command } from '../store/port.ts';
import { adoptRuns } from './adoption.ts';
import { changesOf } from './changes.ts';
import { needModels, openSettings } from './configuration.ts';
import { answerQuestion, cancelRun, questionNamed, runNamed } from './control.ts';
import { examine } from './doctor.ts';
import { type Home, homePath, openHome } from './home.ts';
import type { HostEnd } from './host-port.ts';
import { forgetLearned, listLearned, resetLearned } from './learning/listing.ts';
import type {
  JournalEvent,
  Loom,
  OpenOptions,
  ResumeOptions,
  RunOptions,
  RunResult,
  TaskSummary,
} from './loom.ts';
import { isOver, openQuestions, resultOf, summaryOf } from './report.ts';
import { chartOfRun } from './run-chart.ts';
import { TERMINAL_EVENTS } from './status.ts';
import type { Launch } from './task-deps.ts';
import { newId, readGoal, readInstruction } from './task-record.ts';
import { resumeTask, startTask } from './task-run.ts';
import { toolbox } from './toolbox.ts';
import { keepSmall, purge } from './upkeep.ts';

/** Stops this process as Ctrl+Z does, but never inside a write, where it would keep every other process waiting.
 *  Resolves when it was continued. */
export async function suspendProcess(): Promise<void> {
  const { stopProcess } = await import('../store/environment.ts');
  await stopProcess();
}

export { configSchema, examineConfig } from './configuration.ts';

/** Finding models, trying one, writing loom.toml; apart, since few calls need it. */
export const setup = () => import('./setup.ts');

async function existingFolder(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory())
    throw new LoomError(
      'terminal',
      'workspace_missing',
      `The workspace ${path} ${found ? 'is not a folder' : 'does not exist'}. Create it or name another with -w.`,
    );
  return realpath(path);
}

/** Opens Loom on a home and a workspace. Reads the configuration; opens the store only when it is needed.
 *  Throws LoomError `config` naming file, key and line when a file that was named cannot be read; one that was found makes
 *  only those calls throw that need it. */
export async function openLoom(options: OpenOptions = {}): Promise<Loom> {
  const env = options.env ?? process.env;
  const path = homePath(options.home, env);
  const workspace = resolve(options.workspace ?? process.cwd());
  const notice = options.onNotice ?? (() => {});
  const settings = await openSettings({ ...options, home: path, env, notice });
  const opened = openHome(path, settings.known);
  const home: Home = {
    ...opened,
    reader() {
      settings.known();
      return opened.reader();
    },
  };
  /** The settings, completed by a model that was found. */
  async function withModels(signal: AbortSignal, model?: string): Promise<Config> {
    const found = await needModels(settings.needed(), {
      env,
      notice,
      signal,
      ...(model === undefined ? {} : { model }),
    });
    settings.replace(found);
    return found;
  }
  const launch = async (opening?: { takeover?: boolean }): Promise<Launch> => ({
    home,
    store: await home.writer(opening),
    env,
    network: options.network,
    notice,
  });

  /** The result object of a run this process drove; a lost run belongs to somebody else now. */
  async function conclude(run: string, end: HostEnd): Promise<RunResult> {
    const store = await home.reader();
    const result = await resultOf(store, (await store.head(run))!);
    if (end.kind === 'lost')
      return {
        ...result,
        exit_code: 3,
        error: { code: 'owned_elsewhere', message: `Another process has taken over ${run}.` },
      };
    if (end.kind === 'parked' && (end.reason === 'store' || end.reason === 'fault') && !result.error)
      return { ...result, exit_code: 1, error: { code: end.reason, message: end.message } };
    return result;
  }

  /** Whoever interrupts does not want to wait. */
  const tidy = async ({ store }: Launch, signal?: AbortSignal): Promise<void> => {
    if (!signal?.aborted) await keepSmall(home, store, settings.needed(), notice);
  };

  async function run(given: RunOptions): Promise<RunResult> {
    const goal = readGoal(given.goal);
    const folder = await existingFolder(resolve(given.workspace ?? workspace));
    const config = await withModels(given.signal ?? new AbortController().signal, given.model);
    const power = await launch();
    const adopted = given.adopt === false ? null : await adoptRuns(power, config, folder, notice);
    const id = newId();
    try {
      const end = await startTask(power, config, { ...given, goal, workspace: folder, id });
      const result = await conclude(id, end);
      await tidy(power, given.signal);
      return result;
    } finally {
      await adopted?.stop();
    }
  }

  async function lastUnfinished(): Promise<string> {
    const store = await home.reader();
    const folder = await realpath(workspace).catch(() => workspace);
    const heads = (await store.runs({ workspace: folder })).filter(
      head => head.kind === 'task' && !head.parent && !isOver(head) && head.status !== 'pending',
    );
    const newest = heads.at(-1);
    if (!newest)
      throw new LoomError(
        'terminal',
        'unknown_id',
        `Nothing to resume: every task of ${folder} is finished. \`loom tasks\` lists them.`,
      );
    return newest.id;
  }

  async function resume(id: string, hooks: ResumeOptions = {}): Promise<RunResult> {
    const config = settings.needed();
    const reader = await home.reader();
    const head = await runNamed(reader, id === 'last' ? await lastUnfinished() : id);
    if (isOver(head)) {
      notice(`${head.id} is finished already (${head.status}).`);
      return resultOf(reader, head);
    }
    await existingFolder(head.workspace);
    const power = await launch({ takeover: true });
    const lease = await power.store.claim(head.id, {
      takeover: true,
      ...(hooks.signal ? { signal: hooks.signal } : {}),
    });
    if (!lease)
      throw new LoomError(
        'terminal',
        'owned_elsewhere',
        `${head.id} is running in another process. \`loom logs -f ${head.id}\` follows it, \`loom cancel ${head.id}\` stops it.`,
      );
    const result = await conclude(
      head.id,
      await resumeTask(power, lease, config, { ...hooks, corrected: true }),
    );
    await tidy(power, hooks.signal);
    return result;
  }

  /** Leaves a command in the inbox of an unfinished run. */
  async function told(id: string, event: Command['event']): Promise<TaskSummary> {
    const head = await runNamed(await home.reader(), id);
    const { store } = await launch();
    if (isOver(head))
      throw new LoomError('terminal', 'task_over', `${head.id} is over already (${head.status}).`);
    await store.send(head.id, { id: newId(), event, at: new Date().toISOString() });
    return summaryOf(store, head);
  }

  async function* events(
    id: string,
    { from = 1, follow = true, signal }: { from?: number; follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<JournalEvent> {
    const head = await runNamed(await home.reader(), id);
    let next = from;
    let wake: () => void = () => {};
    let changed = false;
    const store = await home.reader();
    const unwatch = follow
      ? store.watch(() => {
          changed = true;
          wake();
        })
      : () => {};
    signal?.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal?.aborted) {
        changed = false;
        const rows = await (await home.reader()).range<JournalEvent>(head.id, 'j/', {
          from: `j/${String(next).padStart(10, '0')}`,
        });
        for (const { value } of rows) {
          yield value;
          next = value.seq + 1;
          if (TERMINAL_EVENTS.includes(value.event_type)) return;
        }
        if (!follow) return;
        if (!changed && !signal?.aborted)
          await new Promise<void>(done => {
            // Somebody who waits for events wants the process to live until they come.
            const alive = setInterval(() => undefined, 60_000);
            wake = () => {
              clearInterval(alive);
              done();
            };
          });
      }
    } finally {
      unwatch();
    }
  }

  return {
    home: path,
    workspace,
    get config() {
      return settings.needed();
    },
    run,
    resume,
    events,
    async tasks(filter = {}) {
      const store = await home.reader();
      const folder = filter.workspace && (await realpath(filter.workspace).catch(() => filter.workspace));
      const heads = (await store.runs(folder ? { workspace: folder } : {})).filter(
        head => head.kind === 'task',
      );
      return Promise.all(heads.map(head => summaryOf(store, head)));
    },
    async task(id) {
      const store = await home.reader();
      const head = await runNamed(store, id);
      const [summary, result, questions] = await Promise.all([
        summaryOf(store, head),
        resultOf(store, head),
        openQuestions(store, head),
      ]);
      return { ...summary, result, questions };
    },
    async chart(id) {
      const store = await home.reader();
      return chartOfRun(store, await runNamed(store, id));
    },
    async openSession(options = {}) {
      const folder = await existingFolder(resolve(options.workspace ?? workspace));
      const config = await withModels(options.signal ?? new AbortController().signal);
      const { openSession } = await import('./session/open.ts');
      return openSession(await launch(), config, folder, options);
    },
    async sessions(filter = {}) {
      const { listSessions } = await import('./session/open.ts');
      return listSessions(await home.reader(), filter.workspace);
    },
    async exportSession(id, format) {
      const { exportedSession } = await import('./session/open.ts');
      return exportedSession(await home.reader(), id, format);
    },
    async cancel(id, { wait = false } = {}) {
      const head = await runNamed(await home.reader(), id);
      const power = await launch();
      return summaryOf(power.store, await cancelRun(power, settings.known(), head, wait));
    },
    async pause(id) {
      return told(id, { type: 'PAUSE' });
    },
    async steer(id, instruction) {
      const text = readInstruction(instruction);
      return told(id, { type: 'STEER', text, id: newId(), at: new Date().toISOString() });
    },
    async answer(id, answer) {
      const question = await questionNamed(await home.reader(), id);
      return answerQuestion(await launch(), question, answer);
    },
    async changes(id) {
      return changesOf(await home.reader(), await home.blobs(), id);
    },
    async undo(id, undoOptions = {}) {
      return (await import('./undo.ts')).undoChanges(await launch(), id, undoOptions);
    },
    async redo(id, redoOptions = {}) {
      return (await import('./undo.ts')).redoChanges(await launch(), id, redoOptions);
    },
    async models({ check = false } = {}) {
      const config = await withModels(new AbortController().signal);
      const { createRouter } = await import('./models/router.ts');
      const router = createRouter(config);
      return check ? router.check(AbortSignal.timeout(15_000)) : router.describe();
    },
    doctor: () => examine({ home, settings, workspace, env }),
    async verifyStore() {
      const { verifyStore } = await import('../store/verify.ts');
      return verifyStore(await home.reader());
    },
    async backupStore(folder) {
      const { backupStore } = await import('../store/backup.ts');
      return backupStore(path, folder);
    },
    async compactStore() {
      const { compactStore } = await import('../store/compact.ts');
      return compactStore(await home.writer());
    },
    purge: (target, purgeOptions) => purge(home, target, purgeOptions),
    async learned() {
      return listLearned(await home.reader(), Date.now());
    },
    async forgetLearned(id) {
      return forgetLearned((await launch()).store, id, Date.now());
    },
    async resetLearning() {
      return resetLearned((await launch()).store);
    },
    tools: toolbox({ home, workspace, config: settings.needed, env, network: options.network }),
    close: () => home.close(),
  };
}
