/** The conversation that is open: what it does appears above the prompt, what it asks is put to the person. */
import type { Loom, Question, Session, SessionOptions } from '../../actors/loom.ts';
import type { Ask } from '../ask.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import { safe } from '../render/width.ts';
import type { Paint } from '../render/words.ts';
import { decide, questionLines } from './approve.ts';
import { changedCall } from './edit-call.ts';
import type { Runs } from './runs.ts';
import { figures, type Status, statusLine } from './status-line.ts';
import { tailLines } from './tail.ts';
import type { Terminal } from './terminal.ts';
import { type TurnView, turnView } from './turn-view.ts';
import type { WorkspaceRules } from './workspace-rules.ts';

/** Messages of an earlier conversation that are shown when it goes on. */
const TAIL = 12;
const SPINNER_MS = 120;
const CLOCK_MS = 1_000;

export interface LiveOptions {
  loom: Loom;
  terminal: Terminal;
  paint: Paint;
  ask: Ask;
  rules: WorkspaceRules;
  runs: Runs;
  env: NodeJS.ProcessEnv;
  style(): MarkdownStyle;
  failed(error: unknown): void;
}

export interface LiveSession {
  readonly session: Session;
  readonly view: TurnView;
  /** `quiet`: the same conversation after a moment in which somebody else had it; the screen stays as it is. */
  open(wanted: SessionOptions, how: 'quiet' | 'greeting'): Promise<void>;
  status(): Status;
  /** Draws the lines that change. */
  refresh(): void;
}

interface Opened {
  session: Session;
  view: TurnView;
  used: Status;
}

const NOTHING_USED: Omit<Status, 'model'> = {
  doing: '',
  elapsed: 0,
  used: 0,
  window: 0,
  tokens: 0,
  cost: null,
  runs: 0,
  queued: 0,
};

export function liveSession(options: LiveOptions): LiveSession {
  const { loom, terminal, paint, ask, rules, runs, style, failed } = options;
  const print = (lines: string[]) => terminal.print(lines);
  let now: Opened | null = null;
  let ticking: NodeJS.Timeout | undefined;
  let ticks = 0;
  /** Everything of this turn is fine. */
  let waved = false;
  const asked = new Set<string>();

  function opened(): Opened {
    if (!now) throw new Error('no session is open yet');
    return now;
  }

  function status(): Status {
    const { session, view, used } = opened();
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

  async function learnUsage({ session, used }: Opened): Promise<void> {
    const usage = await session.usage();
    used.tokens = usage.tokens;
    used.cost = usage.cost_usd;
    used.used = usage.context?.tokens ?? 0;
    used.window = usage.context?.window ?? 0;
  }

  async function ended(at: Opened, took: number): Promise<void> {
    waved = false;
    await learnUsage(at);
    const calls = at.view.calls();
    const parts = [
      ...(calls > 0 ? [`${calls} tool${calls === 1 ? '' : 's'}`] : []),
      ...figures({ ...at.used, queued: 0, runs: 0 }),
      `${(took / 1000).toFixed(1)} s`,
    ];
    // First, so that the line that turns goes away together with the last one that stays.
    refresh();
    print([paint.dim(`─ ${parts.join(' · ')}`)]);
  }

  /** What cannot be done as the person decided it is said, and asked about again. */
  async function question(open: Question): Promise<void> {
    if (asked.has(open.id)) return;
    asked.add(open.id);
    try {
      await settle(open);
    } catch (error) {
      failed(error);
      asked.delete(open.id);
      if (
        opened()
          .session.state()
          .questions.some(one => one.id === open.id)
      )
        return question(open);
    }
  }

  async function settle(open: Question): Promise<void> {
    const { session } = opened();
    if (waved && open.kind === 'approval') return session.answer(open.id, { answer: 'approve' });
    const decision = await terminal.borrow(async () => {
      const whole = (await session.question(open.id)) ?? open;
      process.stdout.write(`${questionLines(whole, paint).join('\n')}\n`);
      const decided = await decide(whole, ask);
      return decided?.edit ? { ...decided, call: await changedCall(session, open.id, options.env) } : decided;
    });
    if (decision === null) return session.interrupt();
    if (decision.turn) waved = true;
    if (decision.rule) await session.allow(decision.rule.text);
    if (decision.rule?.scope === 'workspace') await rules.add(decision.rule.text);
    const call = 'call' in decision ? decision.call : null;
    await session.answer(open.id, call ? { ...decision.answer, arguments: call } : decision.answer);
  }

  async function follow(at: Opened): Promise<void> {
    let began = 0;
    for await (const event of at.session.events()) {
      if (now !== at) return;
      const type = event.type === 'event' ? event.event.event_type : '';
      if (type === 'turn_started') began = Date.now();
      at.view.take(event);
      if (type === 'turn_ended') await ended(at, Date.now() - began);
      for (const open of at.session.state().questions) void question(open);
      refresh();
    }
  }

  async function open(wanted: SessionOptions, how: 'quiet' | 'greeting'): Promise<void> {
    const session = await loom.openSession({ ...wanted, allow: [...(wanted.allow ?? []), ...rules.list()] });
    const models = await loom.models();
    const model = models.find(({ roles }) => roles.includes('session') || roles.includes('executor'));
    const known = how === 'quiet' && now ? now.view.results() : [];
    const view = turnView({ paint, style, columns: () => terminal.columns(), print, known });
    const at: Opened = { session, view, used: { ...NOTHING_USED, model: model?.alias ?? '' } };
    now = at;
    asked.clear();
    if (how === 'greeting') {
      const who = model ? `${model.alias} (${safe(model.model)})` : 'no model';
      const which = `${session.resumed ? 'Session' : 'New session'} ${session.id.slice(0, 6)}`;
      print([paint.dim([which, who, safe(loom.workspace), '/help'].join(' · '))]);
      if (session.resumed) print(tailLines(await session.history(TAIL), style()));
    }
    await learnUsage(at);
    void follow(at).catch(failed);
    for (const pending of session.state().questions) void question(pending);
  }

  return {
    get session() {
      return opened().session;
    },
    get view() {
      return opened().view;
    },
    open,
    status,
    refresh,
  };
}
