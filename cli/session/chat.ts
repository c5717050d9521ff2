/** The interactive session: the prompt, what the model does above it, tasks behind it. */
import type { JournalEvent, Question, Session, SessionOptions } from '../../actors/loom.ts';
import { type Ask, createAsk } from '../ask.ts';
import type { Context } from '../context.ts';
import { EXIT, shown } from '../failure.ts';
import { createInterrupt } from '../interrupt.ts';
import { type Highlight, highlighter } from '../render/highlight.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { safe } from '../render/width.ts';
import { mark } from '../render/words.ts';
import { type App, SlashError } from './app.ts';
import { decide, questionLines } from './approve.ts';
import { complete } from './complete.ts';
import { changedCall } from './edit-call.ts';
import { historyFile } from './history.ts';
import { createRuns } from './runs.ts';
import { runSlash, SLASHES } from './slash.ts';
import { figures, type Status, statusLine } from './status-line.ts';
import { tailLines } from './tail.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { type TurnView, turnView } from './turn-view.ts';
import { readEntry } from './words.ts';
import { workspaceRules } from './workspace-rules.ts';

const PROMPT = '› ';
/** Messages of an earlier session that are shown when it goes on. */
const TAIL = 12;
const SPINNER_MS = 120;
const CLOCK_MS = 1_000;
/** A second Ctrl+C within this time leaves. */
const TWICE_MS = 2_000;
/** No exit code: everything is to be opened anew. */
export const RESTART = -1;

export interface ChatOptions {
  session: SessionOptions;
  /** Asked before anything is opened: another session to go on with; null leaves. */
  choose(ask: Ask): Promise<SessionOptions | null>;
}

interface Opened {
  session: Session;
  view: TurnView;
  used: Status;
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
  let app: (App & { entry(text: string): void; interrupt(): boolean }) | null = null;
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
    highlight = await highlighter(paint);
    app = await openApp({ context, terminal, style, leave, options });
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

interface AppOptions {
  context: Context;
  terminal: Terminal;
  style(): MarkdownStyle;
  leave(code: number): void;
  options: ChatOptions;
}

async function openApp({ context, terminal, style, leave, options }: AppOptions) {
  const { io } = context;
  const paint = context.paint.out;
  const print = (lines: string[]) => terminal.print(lines);
  const ask = createAsk(io);
  const asking = <T>(use: (person: Ask) => Promise<T>): Promise<T> => terminal.borrow(() => use(ask));
  const chosen = await asking(options.choose);
  if (chosen === null) return null;
  const loom = await context.loom();
  const rules = workspaceRules(loom.home, loom.workspace);
  const runs = createRuns({ loom, paint, print, changed: () => refresh() });
  let now: Opened;
  let ticking: NodeJS.Timeout | undefined;
  let ticks = 0;
  /** Everything of this turn is fine. */
  let waved = false;
  const asked = new Set<string>();

  function status(): Status {
    const { session, view, used } = now;
    const since = view.since();
    return {
      ...used,
      doing: view.doing(),
      elapsed: since === 0 ? 0 : Date.now() - since,
      runs: runs.active().length,
      queued: session.state().queued,
    };
  }

  function refresh(): void {
    if (!now) return;
    const columns = terminal.columns() - 1;
    const line = statusLine(status(), columns);
    terminal.live([
      ...now.view.rest(),
      ...runs.lines(columns).map(text => paint.dim(text)),
      ...(line ? [paint.dim(line)] : []),
    ]);
    tick(line !== null ? SPINNER_MS : runs.working() ? CLOCK_MS : 0);
  }

  /** Redraws every so many ms; 0: only when something happens. */
  function tick(every: number): void {
    if (every === ticks) return;
    clearInterval(ticking);
    ticks = every;
    ticking = every === 0 ? undefined : setInterval(refresh, every).unref();
  }

  async function learnUsage(): Promise<void> {
    const { session, used } = now;
    const usage = await session.usage();
    used.tokens = usage.tokens;
    used.cost = usage.cost_usd;
    used.used = usage.context?.tokens ?? 0;
    used.window = usage.context?.window ?? 0;
  }

  async function ended(_event: JournalEvent, took: number): Promise<void> {
    waved = false;
    await learnUsage();
    const calls = now.view.calls();
    const parts = [
      ...(calls > 0 ? [`${calls} tool${calls === 1 ? '' : 's'}`] : []),
      ...figures({ ...now.used, queued: 0, runs: 0 }),
      `${(took / 1000).toFixed(1)} s`,
    ];
    // first, so that the line that turns goes away together with the last one that stays
    refresh();
    print([paint.dim(`─ ${parts.join(' · ')}`)]);
  }

  /** What cannot be done as the person changed it is said, and asked about again. */
  async function question(open: Question): Promise<void> {
    if (asked.has(open.id)) return;
    asked.add(open.id);
    try {
      await settle(open);
    } catch (error) {
      failed(error);
      asked.delete(open.id);
      if (now.session.state().questions.some(one => one.id === open.id)) return question(open);
    }
  }

  async function settle(open: Question): Promise<void> {
    const { session } = now;
    if (waved && open.kind === 'approval') return session.answer(open.id, { answer: 'approve' });
    const decision = await terminal.borrow(async () => {
      const whole = (await session.question(open.id)) ?? open;
      process.stdout.write(`${questionLines(whole, paint).join('\n')}\n`);
      const decided = await decide(whole, ask);
      return decided?.edit ? { ...decided, call: await changedCall(session, open.id, io.env) } : decided;
    });
    if (decision === null) return session.interrupt();
    if (decision.turn) waved = true;
    if (decision.rule) await session.allow(decision.rule.text);
    if (decision.rule?.scope === 'workspace') await rules.add(decision.rule.text);
    const call = 'call' in decision ? decision.call : null;
    await session.answer(open.id, call ? { ...decision.answer, arguments: call } : decision.answer);
  }

  async function follow({ session, view }: Opened): Promise<void> {
    let began = 0;
    for await (const event of session.events()) {
      if (now.session !== session) return;
      if (event.type === 'event' && event.event.event_type === 'turn_started') began = Date.now();
      view.take(event);
      if (event.type === 'event' && event.event.event_type === 'turn_ended')
        await ended(event.event, Date.now() - began);
      for (const open of session.state().questions) void question(open).catch(failed);
      refresh();
    }
  }

  const failed = (error: unknown): void => {
    if (error instanceof SlashError) return print([`${mark('failed', paint)} ${safe(error.message)}`]);
    print([`${mark('failed', paint)} ${safe(shown(error).message)}`]);
  };

  async function open(wanted: SessionOptions, how: 'quiet' | 'greeting' = 'greeting'): Promise<void> {
    const session = await loom.openSession({ ...wanted, allow: [...(wanted.allow ?? []), ...rules.list()] });
    const [model] = (await loom.models()).filter(
      one => one.roles.includes('session') || one.roles.includes('executor'),
    );
    const used: Status = {
      doing: '',
      elapsed: 0,
      model: model?.alias ?? '',
      used: 0,
      window: 0,
      tokens: 0,
      cost: null,
      runs: 0,
      queued: 0,
    };
    const known = how === 'quiet' ? now.view.results() : [];
    const view = turnView({ paint, style, columns: () => terminal.columns(), print, known });
    now = { session, view, used };
    asked.clear();
    if (how === 'greeting')
      print([
        paint.dim(
          `${session.resumed ? 'Session' : 'New session'} ${session.id.slice(0, 6)} · ${model ? `${model.alias} (${safe(model.model)})` : 'no model'} · ${safe(loom.workspace)} · /help`,
        ),
      ]);
    if (session.resumed && how === 'greeting') print(tailLines(await session.history(TAIL), style()));
    await learnUsage();
    void follow(now).catch(failed);
    for (const pending of session.state().questions) void question(pending).catch(failed);
  }

  await open(chosen);
  const inner: Context = {
    ...context,
    io: { ...io, out: text => print(linesOf(text)), err: text => print(linesOf(text)) },
    notices: { told: line => print([paint.dim(safe(line))]) },
    interrupt: createInterrupt(
      () => undefined,
      line => print([paint.dim(line)]),
    ),
    loom: async () => loom,
  };
  context.notices.told = inner.notices.told;

  const app: App & { entry(text: string): void; interrupt(): boolean } = {
    context: inner,
    loom,
    get session() {
      return now.session;
    },
    runs,
    paint,
    rules,
    columns: () => terminal.columns(),
    style,
    print,
    asking,
    results: () => now.view.results(),
    status,
    async aside(work) {
      const { session } = now;
      if (session.state().phase !== 'idle')
        throw new SlashError('a turn is running; Ctrl+C stops it, or wait for its end');
      // One process works on a conversation at a time, and this would be the second.
      await session.close();
      try {
        return await work();
      } finally {
        await open({ resume: session.id }, 'quiet');
      }
    },
    async reopen(wanted) {
      await now.session.close();
      await open(wanted);
    },
    restart: async () => leave(RESTART),
    clear: () => terminal.clear(),
    quit: () => leave(EXIT.ok),
    entry(text) {
      void handle(text).catch(failed);
    },
    interrupt() {
      const { phase } = now.session.state();
      if (phase === 'idle' || phase === 'closed') return false;
      void now.session.interrupt().catch(failed);
      return true;
    },
  };

  async function handle(text: string): Promise<void> {
    const entry = readEntry(text);
    if (entry.kind === 'nothing') return;
    if (entry.kind === 'command') return runSlash(app, entry);
    if (entry.kind === 'steer') return now.session.steer(entry.text);
    if (now.session.state().phase !== 'idle')
      print([paint.dim('(waits for its turn; ! in front tells the running one)')]);
    const { attachments } = entry;
    await now.session.send(entry.text, attachments.length > 0 ? { attachments } : {});
    refresh();
  }
  return app;
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');
