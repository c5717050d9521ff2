/** The durable host of one run: reacts to one outside event at a time, commits the whole reaction, then lets effects begin.
 *
 *  Order: react (pure) → one transaction (actors, intents, journal, rows) → publish → start and abort effects.
 *  Crash before the commit: nothing happened. Crash after: the next owner finds the intents and goes on (`restore.ts`).
 *  In-memory state changes only after the commit. */
import { failure, LoomError } from '../machines/failure.ts';
import {
  type Catalogue,
  type EffectEntry,
  type JournalLine,
  type Outside,
  type Reaction,
  type Run,
  react,
} from '../machines/react.ts';
import type { StuckReason } from '../machines/stuck.ts';
import type { TaskOutput } from '../machines/task.ts';
import { crashPoint } from '../store/crash-points.ts';
import {
  FencedError,
  type Lease,
  type ParkReason,
  type Row,
  type RunHead,
  type Store,
  StoreWriteError,
  seqKey,
} from '../store/port.ts';
import { createAlarms } from './alarms.ts';
import type { Effect, EffectContext, EffectResult } from './effect.ts';
import { createInbox } from './inbox.ts';
import type { Answer, JournalEvent, Preview, Question } from './loom.ts';
import { answeredLine, askedLine, describeQuestion } from './questions.ts';
import { exitCodeOf, headStatus, terminalLine } from './status.ts';

export interface HostOptions {
  store: Store;
  lease: Lease;
  head: RunHead;
  run: Run;
  catalogue: Catalogue;
  effects: Record<string, Effect>;
  /** Checkpoints of executions that a crash cut off, by effect key. */
  recovered?: Map<string, unknown>;
  onEvent?: (event: JournalEvent) => void;
  onPreview?: (preview: Preview) => void;
  onQuestion?: (question: Question, signal: AbortSignal) => Promise<Answer | null>;
  now?: () => number;
}

/** How the host ended: the root is done, the run is parked, or somebody else owns it now. */
export type HostEnd =
  | { kind: 'done'; output: TaskOutput; exit_code: number }
  | { kind: 'parked'; reason: ParkReason; message: string; questions: Question[] }
  | { kind: 'lost' };

export interface Host {
  /** Starts the work with the first events; what a crash cut off begins again or is settled as `restore.ts` decided. */
  begin(
    first: Outside[],
    restored?: { rerun: EffectEntry[]; settled: { effect: EffectEntry; result: EffectResult }[] },
  ): Promise<HostEnd>;
  /** Stops at a point from which `resume` goes on; what was running is aborted. */
  interrupt(reason: ParkReason, message: string): void;
  command(event: { type: string }): void;
}

/** An aborted effect has this long to settle by itself. */
const ABORT_GRACE_MS = 1_000;

interface Running {
  effect: EffectEntry;
  controller: AbortController;
  waiting: boolean;
}

/** Settling a question needs an answer; a machine's question effect has this result. */
const answerResult = (answer: Answer): EffectResult => ({
  output: { ok: true, answer: answer.answer, reason: answer.reason ?? '' },
});

export function createHost(options: HostOptions): Host {
  const { store, lease, catalogue, effects } = options;
  const now = options.now ?? Date.now;
  let run = options.run;
  let { rev, seq } = options.head;
  let chain: Promise<void> = Promise.resolve();
  let ended = false;
  /** Nothing is judged idle before the first events are in. */
  let started = false;
  let closing: { reason: ParkReason; message: string } | null = null;
  let stuck: { reason: StuckReason; message: string } | null = null;
  let pendingSettlements = 0;
  const running = new Map<string, Running>();
  /** Changes that a crash cut off and nobody has looked at yet: until then they cannot be settled. */
  const unexamined = new Set<string>();
  const questions = new Map<
    string,
    { effect: EffectEntry; question: Question; declined: boolean; abort: AbortController }
  >();
  let finish: (end: HostEnd) => void = () => {};
  const end = new Promise<HostEnd>(resolve => {
    finish = resolve;
  });
  const alarms = createAlarms(key => settleLater(key, { output: { ok: true } }), now);
  const inbox = createInbox(store, lease, consume, () => shutDown({ kind: 'lost' }));

  const stamp = (): string => new Date(now()).toISOString();

  function shutDown(outcome: HostEnd): void {
    if (ended) return;
    ended = true;
    alarms.close();
    inbox.close();
    for (const entry of running.values())
      entry.controller.abort(new LoomError('retryable', 'stopped', 'the run stopped'));
    for (const entry of questions.values()) entry.abort.abort();
    finish(outcome);
  }

  /** Runs `work` after everything queued before it; a store that cannot record ends the run with that reason. */
  function enqueue(work: () => Promise<void>): Promise<void> {
    chain = chain.then(async () => {
      if (ended) return;
      try {
        await work();
      } catch (error) {
        if (error instanceof FencedError) return shutDown({ kind: 'lost' });
        if (error instanceof StoreWriteError)
          return shutDown({ kind: 'parked', reason: 'store', message: error.message, questions: [] });
        // A defect of ours: the run stops where its last commit left it, and says so.
        const message = `Loom failed inside its host: ${error instanceof Error ? error.message : String(error)}`;
        shutDown({ kind: 'parked', reason: 'fault', message, questions: [] });
      }
    });
    return chain;
  }

  function journalRows(lines: JournalLine[]): { rows: Row[]; events: JournalEvent[]; seq: number } {
    const timestamp = stamp();
    const events = lines.map(
      (line, i): JournalEvent => ({
        seq: seq + 1 + i,
        event_type: line.event_type,
        task_id: run.id,
        timestamp,
        data: line.data,
      }),
    );
    return {
      rows: events.map(event => ({ key: `j/${seqKey(event.seq)}`, value: event })),
      events,
      seq: seq + lines.length,
    };
  }

  async function commit(rows: Row[], lines: JournalLine[], head: Partial<RunHead>): Promise<void> {
    const journal = journalRows(lines);
    await store.commit(lease, rev, { ...head, seq: journal.seq, updated_at: stamp() }, [
      ...rows,
      ...journal.rows,
    ]);
    rev += 1;
    seq = journal.seq;
    for (const event of journal.events) options.onEvent?.(event);
  }

  /** One reaction: the outside event, its effect's own rows and journal lines, and the cascade, in one transaction. */
  async function handle(
    outside: Outside,
    extra: { rows?: Row[]; journal?: JournalLine[] } = {},
  ): Promise<void> {
    const reaction = react(catalogue, run, outside);
    if (reaction.fault)
      return park(
        reaction.fault.code,
        faultMessage(reaction.fault),
        extra.rows?.filter(row => row.key.startsWith('i/')),
      );
    const at = now();
    const start = reaction.start.map((effect): EffectEntry => {
      if (effect.source === 'alarm') return { ...effect, at: at + alarmMs(effect) };
      // Nothing begins any more: whoever resumes finds it held, that is, certainly never started.
      return closing && effect.source !== 'question' ? { ...effect, state: 'held' } : effect;
    });
    const asked = start
      .filter(effect => effect.source === 'question')
      .map(effect => describeQuestion(run.id, effect, stamp()));
    const rows: Row[] = [...(extra.rows ?? []), ...reaction.rows];
    for (const effect of start) {
      reaction.next.effects[effect.key] = effect;
      rows.push({ key: `e/${effect.key}`, value: effect });
    }
    for (const { key, at } of alarms.moved()) {
      const effect = reaction.next.effects[key];
      if (!effect) continue;
      reaction.next.effects[key] = { ...effect, at };
      rows.push({ key: `e/${key}`, value: { ...effect, at } });
    }
    for (const event of reaction.emitted) {
      if (event.type !== 'STUCK') continue;
      stuck = { reason: event['reason'] as StuckReason, message: String(event['message']) };
      if (stuck.reason === 'budget') reaction.journal.push(budgetLine(stuck.message));
    }
    const lines = [...(extra.journal ?? []), ...reaction.journal, ...asked.map(askedLine)];
    await commit(rows, lines, { status: headStatus(reaction.next, options.head.status) });
    run = reaction.next;
    after(reaction, start, asked);
  }

  function after(reaction: Reaction, start: EffectEntry[], asked: Question[]): void {
    for (const effect of reaction.stop) stop(effect);
    for (const effect of start) {
      if (effect.source === 'alarm') alarms.arm(effect);
      else if (effect.source === 'question')
        open(effect, asked.find(question => question.id === describeQuestion(run.id, effect, '').id)!);
      else if (effect.state === 'open') launch(effect, undefined);
    }
    rest();
  }

  /** A question stays open until somebody answers; it never blocks anything but its own actor. */
  function open(effect: EffectEntry, question: Question): void {
    const abort = new AbortController();
    questions.set(effect.key, { effect, question, declined: options.onQuestion === undefined, abort });
    alarms.pause(effect.path);
    const ask = options.onQuestion?.(question, abort.signal);
    void ask?.then(
      answer => {
        const entry = questions.get(effect.key);
        if (!entry || ended) return;
        if (answer) return answerQuestion(effect.key, answer, []);
        entry.declined = true;
        rest();
      },
      () => {
        const entry = questions.get(effect.key);
        if (entry) entry.declined = true;
        rest();
      },
    );
  }

  function answerQuestion(key: string, answer: Answer, rows: Row[]): void {
    const entry = questions.get(key);
    if (!entry) return;
    questions.delete(key);
    entry.abort.abort();
    alarms.resume(entry.effect.path);
    settleLater(key, { ...answerResult(answer), rows, journal: [answeredLine(entry.question, answer)] });
  }

  function settleLater(key: string, result: EffectResult): void {
    pendingSettlements += 1;
    void enqueue(async () => {
      pendingSettlements -= 1;
      alarms.disarm(key);
      if (!run.effects[key]) {
        // Settled without it in the meantime; only what it brought along is kept.
        if (result.rows && result.rows.length > 0) await commit(result.rows, result.journal ?? [], {});
        return rest();
      }
      const cleanUp: Row[] = [
        { key: `p/${key}`, value: null },
        { key: `k/${key}`, value: null },
      ];
      const stopping = run.effects[key]?.state === 'stopping';
      const journal = (result.journal ?? []).map(line =>
        stopping ? { ...line, data: { ...line.data, stopped: true } } : line,
      );
      await handle(
        {
          type: 'settled',
          key,
          output: result.output,
          ...(result.used === undefined ? {} : { used: result.used }),
        },
        { rows: [...cleanUp, ...(result.rows ?? [])], journal },
      );
    });
  }

  function launch(effect: EffectEntry, recovered: unknown): void {
    const controller = new AbortController();
    const entry: Running = { effect, controller, waiting: false };
    running.set(effect.key, entry);
    // A stopped write that had begun is only looked at, not done.
    if (effect.state === 'stopping')
      controller.abort(new LoomError('retryable', 'aborted', 'stopped by Loom'));
    const wait = (on: boolean) => {
      if (entry.waiting === on) return;
      entry.waiting = on;
      if (on) alarms.pause(effect.path);
      else alarms.resume(effect.path);
    };
    const fenced = async (rows: Row[]) => {
      try {
        await store.checkpoint(lease, rows);
      } catch (error) {
        void enqueue(() => Promise.reject(error));
        throw error;
      }
    };
    const context: EffectContext = {
      signal: controller.signal,
      recovered,
      checkpoint: value => fenced([{ key: `p/${effect.key}`, value }]),
      child: group => fenced([{ key: `k/${effect.key}`, value: group }]),
      waiting: () => wait(true),
      running: () => wait(false),
      preview: delta => options.onPreview?.({ task_id: run.id, call: effect.key, ...delta }),
      note: line => enqueue(() => commit([], [line], {})),
    };
    void perform(effect, context).then(result => {
      wait(false);
      if (!running.delete(effect.key)) return;
      // The store refuses: the run ends with that reason, and the intent stays for whoever resumes.
      if (!result) return;
      // An interrupted effect keeps its intent: whoever resumes repeats it, reconciles it, or asks.
      if (ended || (closing && controller.signal.aborted && isAborted(result))) return rest();
      crashPoint('effect-done');
      settleLater(effect.key, result);
    });
    crashPoint('effect-started');
  }

  async function perform(effect: EffectEntry, context: EffectContext): Promise<EffectResult | null> {
    const runner = effects[effect.source];
    if (!runner)
      return {
        output: {
          ok: false,
          failure: failure('terminal', 'no_effect', `nothing here can do "${effect.source}"`),
        },
      };
    try {
      return await runner(effect, context);
    } catch (error) {
      if (error instanceof LoomError) return { output: { ok: false, failure: error.failure } };
      if (error instanceof StoreWriteError) {
        void enqueue(() => Promise.reject(error));
        return null;
      }
      const message = error instanceof Error ? error.message : String(error);
      const detail = error instanceof Error && error.stack ? { stack: error.stack.slice(0, 2_000) } : {};
      return {
        output: {
          ok: false,
          failure: failure('terminal', 'internal', `${effect.source}: ${message}`, detail),
        },
      };
    }
  }

  function stop(effect: EffectEntry): void {
    if (effect.source === 'alarm') return settleLater(effect.key, { output: { ok: true } });
    const asked = questions.get(effect.key);
    if (asked) {
      questions.delete(effect.key);
      asked.abort.abort();
      alarms.resume(effect.path);
      return settleLater(effect.key, { output: { ok: true, answer: 'withdrawn', reason: '' } });
    }
    const entry = running.get(effect.key);
    if (!entry && unexamined.has(effect.key)) return;
    if (!entry) return settleLater(effect.key, { output: { ok: true } });
    entry.controller.abort(new LoomError('retryable', 'aborted', 'stopped by Loom'));
    setTimeout(() => {
      if (ended || !running.delete(effect.key)) return;
      const lost = failure(
        'uncertain',
        'aborted',
        `${effect.source} did not settle within ${ABORT_GRACE_MS} ms of being stopped`,
      );
      settleLater(effect.key, { output: { ok: false, failure: lost }, used: 'unknown' });
    }, ABORT_GRACE_MS).unref();
  }

  /** Called whenever something came to rest: is the run over, or waiting for a person? */
  function rest(): void {
    if (ended || !started || pendingSettlements > 0) return;
    const open = Object.values(run.effects);
    if (run.output !== undefined && open.length === 0) return void enqueue(conclude);
    if (closing) {
      if (running.size === 0) void enqueue(() => park(closing!.reason, closing!.message));
      return;
    }
    const idle =
      running.size === 0 &&
      open.every(
        effect => effect.source === 'question' || (effect.source === 'alarm' && effect.id === 'deadline'),
      );
    if (!idle || run.output !== undefined) return;
    const asked = [...questions.values()];
    if (asked.some(entry => !entry.declined)) return;
    void enqueue(async () => {
      if (
        running.size > 0 ||
        pendingSettlements > 0 ||
        [...questions.values()].some(entry => !entry.declined)
      )
        return;
      if (questions.size > 0)
        return park('waiting', waitingMessage([...questions.values()].map(entry => entry.question)));
      if (stuck) return park(stuck.reason, stuck.message);
      if (headStatus(run, 'executing') === 'paused') return park('paused', 'paused by a command');
      return park('fault', 'the run has nothing to do and is not finished; this is a bug in a machine');
    });
  }

  async function park(reason: ParkReason, message: string, rows: Row[] = []): Promise<void> {
    const line = { event_type: 'task_parked', data: { reason, message } };
    const status = reason === 'waiting' ? 'waiting_approval' : reason === 'paused' ? 'paused' : undefined;
    await commit(rows, [line], { parked: { reason, message }, ...(status ? { status } : {}) });
    const open = [...questions.values()].map(entry => entry.question);
    await release();
    shutDown({ kind: 'parked', reason, message, questions: open });
  }

  async function conclude(): Promise<void> {
    if (ended) return;
    const output = run.output as TaskOutput;
    const exit_code = exitCodeOf(output);
    await commit([], [terminalLine(output)], {
      status: output.status === 'planned' ? 'pending' : output.status,
      exit_code,
    });
    await release();
    shutDown({ kind: 'done', output, exit_code });
  }

  async function release(): Promise<void> {
    await store.release(lease);
  }

  /** Commands of other processes, consumed inside our own commit. */
  async function consume(row: {
    key: string;
    event: { type: string; [field: string]: unknown };
  }): Promise<void> {
    const gone: Row[] = [{ key: row.key, value: null }];
    if (row.event.type !== 'ANSWER')
      return enqueue(() => handle({ type: 'command', event: row.event }, { rows: gone }));
    const entry = [...questions.values()].find(open => open.question.id === row.event['question']);
    if (entry)
      return answerQuestion(
        entry.effect.key,
        { answer: String(row.event['answer']), reason: String(row.event['reason'] ?? '') },
        gone,
      );
    const stale = { event_type: 'approval_stale', data: { question_id: row.event['question'] } };
    return enqueue(() => commit(gone, [stale], {}));
  }

  return {
    begin(first, restored) {
      for (const effect of Object.values(run.effects)) {
        if (effect.state !== 'open') continue;
        if (effect.source === 'alarm') alarms.arm(effect);
        if (effect.source === 'question')
          open(effect, describeQuestion(run.id, effect, options.head.updated_at));
      }
      for (const { key } of restored?.rerun ?? []) if (options.recovered?.has(key)) unexamined.add(key);
      for (const { effect, result } of restored?.settled ?? []) settleLater(effect.key, result);
      void enqueue(async () => {
        for (const outside of first) await handle(outside);
        for (const { key } of restored?.rerun ?? []) {
          const effect = run.effects[key];
          unexamined.delete(key);
          if (effect) launch(effect, options.recovered?.get(key));
        }
      })
        // An answer that was left while nobody owned the run counts before the run is judged idle.
        .then(() => inbox.open())
        .then(() => {
          started = true;
          rest();
        });
      return end.then(async outcome => {
        await chain.catch(() => {});
        return outcome;
      });
    },
    interrupt(reason, message) {
      if (ended || closing) return;
      closing = { reason, message };
      for (const entry of running.values())
        entry.controller.abort(new LoomError('retryable', 'interrupted', message));
      setTimeout(() => {
        running.clear();
        rest();
      }, ABORT_GRACE_MS).unref();
      rest();
    },
    command(event) {
      void enqueue(() => handle({ type: 'command', event }));
    },
  };
}

const alarmMs = (effect: EffectEntry): number => (effect.input as { ms: number }).ms;

const isAborted = (result: EffectResult): boolean => {
  const output = result.output as { ok: boolean; failure?: { code: string } };
  return !output.ok && ['aborted', 'interrupted', 'stopped'].includes(output.failure?.code ?? '');
};

const faultMessage = (fault: NonNullable<Reaction['fault']>): string =>
  `${fault.machine} at ${fault.path} could not take "${fault.event}": ${fault.message}`;

const budgetLine = (message: string): JournalLine => ({
  event_type: 'task_budget_exhausted',
  data: { message },
});

const waitingMessage = (open: Question[]): string =>
  open.length === 1
    ? `waiting for a decision: ${open[0]!.prompt.slice(0, 200)}`
    : `waiting for ${open.length} decisions`;
