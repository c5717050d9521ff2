/** Puts a session together: Loom, the conversation, runs behind it, and what the person can do with them. */
import type { SessionOptions } from '../../actors/loom.ts';
import { type Ask, createAsk } from '../ask.ts';
import type { Context } from '../context.ts';
import { EXIT, shown } from '../failure.ts';
import { createInterrupt } from '../interrupt.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { safe } from '../render/width.ts';
import { mark } from '../render/words.ts';
import { type App, SlashError } from './app.ts';
import { type LiveSession, liveSession } from './live-session.ts';
import { createRuns } from './runs.ts';
import { runSlash } from './slash.ts';
import type { Terminal } from './terminal.ts';
import { readEntry } from './words.ts';
import { workspaceRules } from './workspace-rules.ts';

/** No exit code: everything is to be opened anew. */
export const RESTART = -1;

export interface RunningApp extends App {
  /** Something the person typed. */
  entry(text: string): void;
  /** Stops the turn that runs; false: none does. */
  interrupt(): boolean;
}

interface AppOptions {
  context: Context;
  terminal: Terminal;
  style(): MarkdownStyle;
  leave(code: number): void;
  /** Which conversation; null leaves. */
  choose(ask: Ask): Promise<SessionOptions | null>;
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

/** null: the person left before anything was open. */
export async function openApp({
  context,
  terminal,
  style,
  leave,
  choose,
}: AppOptions): Promise<RunningApp | null> {
  const { io } = context;
  const paint = context.paint.out;
  const print = (lines: string[]) => terminal.print(lines);
  const ask = createAsk(io);
  const asking = <T>(use: (person: Ask) => Promise<T>): Promise<T> => terminal.borrow(() => use(ask));
  const failed = (error: unknown): void => {
    const message = error instanceof SlashError ? error.message : shown(error).message;
    print([`${mark('failed', paint)} ${safe(message)}`]);
  };
  const chosen = await asking(choose);
  if (chosen === null) return null;
  const loom = await context.loom();
  const rules = workspaceRules(loom.home, loom.workspace);
  const runs = createRuns({ loom, paint, print, changed: () => live.refresh() });
  const live: LiveSession = liveSession({
    loom,
    terminal,
    paint,
    ask,
    rules,
    runs,
    env: io.env,
    style,
    failed,
  });
  await live.open(chosen, 'greeting');
  context.notices.told = line => print([paint.dim(safe(line))]);
  /** The conversation is being changed for another one, or for a moment given away. */
  let changing: Promise<void> = Promise.resolve();

  /** What is typed meanwhile waits for the session that is opened next. */
  function between<T>(work: () => Promise<T>): Promise<T> {
    const done = work();
    changing = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async function handle(text: string): Promise<void> {
    const entry = readEntry(text);
    if (entry.kind === 'nothing') return;
    if (entry.kind === 'command') return runSlash(app, entry);
    await changing;
    const { session } = live;
    if (entry.kind === 'steer') return session.steer(entry.text);
    if (session.state().phase !== 'idle')
      print([paint.dim('(waits for its turn; ! in front tells the running one)')]);
    const { attachments } = entry;
    await session.send(entry.text, attachments.length > 0 ? { attachments } : {});
    live.refresh();
  }

  const app: RunningApp = {
    context: {
      ...context,
      io: { ...io, out: text => print(linesOf(text)), err: text => print(linesOf(text)) },
      notices: { told: line => print([paint.dim(safe(line))]) },
      interrupt: createInterrupt(
        () => undefined,
        line => print([paint.dim(line)]),
      ),
      loom: async () => loom,
    },
    loom,
    get session() {
      return live.session;
    },
    runs,
    paint,
    rules,
    columns: () => terminal.columns(),
    style,
    print,
    asking,
    results: () => live.view.results(),
    status: live.status,
    async aside(work) {
      const { session } = live;
      if (session.state().phase !== 'idle')
        throw new SlashError('a turn is running; Ctrl+C stops it, or wait for its end');
      return between(async () => {
        // One process works on a conversation at a time, and this would be the second.
        await session.close();
        try {
          return await work();
        } finally {
          await live.open({ resume: session.id }, 'quiet');
        }
      });
    },
    reopen: wanted =>
      between(async () => {
        await live.session.close();
        await live.open(wanted, 'greeting');
      }),
    restart: async () => leave(RESTART),
    clear: () => terminal.clear(),
    quit: () => leave(EXIT.ok),
    entry: text => void handle(text).catch(failed),
    interrupt() {
      const { phase } = live.session.state();
      if (phase === 'idle' || phase === 'closed') return false;
      void live.session.interrupt().catch(failed);
      return true;
    },
  };
  return app;
}
