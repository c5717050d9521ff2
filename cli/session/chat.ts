/** The interactive session: the prompt, what the model does above it, tasks behind it. */
import type { SessionOptions } from '../../actors/loom.ts';
import type { Ask } from '../ask.ts';
import type { Context } from '../context.ts';
import { EXIT, shown } from '../failure.ts';
import { type Highlight, highlighter } from '../render/highlight.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { safe } from '../render/width.ts';
import { mark } from '../render/words.ts';
import type { App } from './app.ts';
import { complete } from './complete.ts';
import { historyFile } from './history.ts';
import { openApp, type RunningApp } from './open-app.ts';
import { SLASHES } from './slash.ts';
import { openTerminal } from './terminal.ts';

const PROMPT = '› ';
/** A second Ctrl+C within this time leaves. */
const TWICE_MS = 2_000;

export interface ChatOptions {
  /** Asked before anything is opened: another session to go on with; null leaves. */
  choose(ask: Ask): Promise<SessionOptions | null>;
}

/** Resolves to the exit code, or RESTART with the session that was open. */
export async function chat(
  context: Context,
  options: ChatOptions,
): Promise<{ code: number; session: string | null }> {
  const { io } = context;
  const paint = context.paint.out;
  let highlight: Highlight = code => code;
  let leave: (code: number) => void = () => undefined;
  const left = new Promise<number>(resolve => {
    leave = resolve;
  });
  /** Typed before everything was open. */
  const early: string[] = [];
  let app: RunningApp | null = null;
  let lastInterrupt = 0;
  const remembered = historyFile(context);

  const terminal = openTerminal({
    input: io.stdin,
    output: process.stdout,
    prompt: PROMPT,
    history: remembered.read(),
    complete: line => complete(line, sources()),
    onEntry(text) {
      remembered.add(text);
      if (app) app.entry(text);
      else if (text.trim() !== '') early.push(text);
    },
    onInterrupt() {
      const now = Date.now();
      if (app?.interrupt()) {
        lastInterrupt = now;
        return;
      }
      if (now - lastInterrupt < TWICE_MS) return leave(EXIT.ok);
      lastInterrupt = now;
      terminal.print([paint.dim('(Ctrl+C once more, or /quit, leaves)')]);
    },
    onEnd: () => leave(EXIT.ok),
    onSuspend: () => void process.emit('SIGTSTP', 'SIGTSTP'),
  });
  const sources = () => ({
    commands: SLASHES.flatMap(({ name, aliases = [], takes = 'nothing' as const }) =>
      [name, ...aliases].map(one => ({ name: one, takes })),
    ),
    workspace: app?.loom.workspace ?? context.workspace ?? io.cwd,
    runs: async () =>
      app ? (await app.loom.tasks({ workspace: app.loom.workspace })).map(task => task.task_id) : [],
    sessions: async () =>
      app ? (await app.loom.sessions({ workspace: app.loom.workspace })).map(one => one.session_id) : [],
  });
  const style = (): MarkdownStyle => ({ paint, highlight, columns: terminal.columns() - 1 });

  try {
    // Nobody waits for colours: what is shown before they are there is plain.
    void highlighter(paint).then(loaded => {
      highlight = loaded;
    });
    app = await openApp({ context, terminal, style, leave, choose: options.choose });
    if (!app) return { code: EXIT.ok, session: null };
    for (const text of early.splice(0)) app.entry(text);
    const code = await left;
    return { code, session: app.session.id };
  } catch (error) {
    const failed = shown(error);
    if (failed.bug) throw error;
    terminal.print([`${mark('failed', paint)} ${safe(failed.message)}`]);
    return { code: failed.exit_code, session: null };
  } finally {
    if (app) await closeApp(app);
    terminal.close();
    remembered.close();
  }
}

async function closeApp(app: App): Promise<void> {
  if (app.runs.active().length > 0)
    app.print([app.paint.dim('stopping the runs behind the prompt; /run resume goes on')]);
  await app.runs.leave();
  await app.session.close();
}
