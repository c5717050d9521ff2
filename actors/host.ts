/** The durable host of one run: reacts to one outside event at a time, commits the whole reaction, then lets effects begin.
 *
 *  Order: react (pure) → one transaction (actors, intents, journal, rows) → publish → start and abort effects.
 *  Crash before the commit: nothing happened. Crash after: the next owner finds the intents and goes on (`restore.ts`).
 *  In-memory state changes only after the commit. */
import { type Cost, type Lack, lacking, NO_COST, shortOf } from '../machines/budget.ts';
import { LoomError } from '../machines/failure.ts';
import {
  accountOf,
  type EffectEntry,
  type JournalLine,
  type Outside,
  type Reaction,
  type Run,
  react,
} from '../machines/react.ts';
import type { StuckReason } from '../machines/stuck.ts';
import type { TaskOutput } from '../machines/task.ts';
import { FencedError, type ParkReason, type Row, type RunHead, StoreWriteError } from '../store/port.ts';
import { createAlarms, isDeadline, isExpiry } from './alarms.ts';
import type { EffectResult } from './effect.ts';
import { ABORT_GRACE_MS, createPool } from './effect-pool.ts';
import type { Host, HostEnd, HostOptions } from './host-port.ts';
import { createInbox, type InboxRow } from './inbox.ts';
import type { Question } from './loom.ts';
import { createDesk } from './question-desk.ts';
import { askedLine, describeQuestion } from './questions.ts';
import { OUTPUT } from './restore.ts';
import { createWriter } from './run-writer.ts';
import { exhaustedLine, exitCodeOf, headStatus, terminalLine } from './status.ts';

export function createHost(options: HostOptions): Host {
  const { store, lease, catalogue } = options;
  const now = options.now ?? Date.now;
  let run = options.run;
  let chain: Promise<void> = Promise.resolve();
  let ended = false;
  /** Nothing is judged idle before the first events are in. */
  let started = false;
  let closing: { reason: ParkReason; message: string; lack?: Partial<Lack> } | null = null;
  let stuck: { reason: StuckReason; message: string } | null = null;
  /** Changes that a crash cut off and nobody has looked at yet: until then they cannot be settled. */
  const unexamined = new Set<string>();
  /** Results that wait for their reaction. */
  let settling = 0;
  let finish: (end: HostEnd) => void = () => {};
  const end = new Promise<HostEnd>(resolve => {
    finish = resolve;
  });
  const writer = createWriter(options, now, event => options.onEvent?.(event));
  const alarms = createAlarms(key => settle(key, { output: { ok: true } }), now);
  const inbox = createInbox(store, lease, consume, () => shutDown({ kind: 'lost' }));
  const deadlines = { pause: alarms.pause, resume: alarms.resume, timeLeft: alarms.left };
  const desk = createDesk(options.onQuestion, { ...deadlines, settled: settle, declined: rest });
  const pool = createPool(options.effects, {
    ...deadlines,
    settled: settle,
    left: rest,
    refused: error => void enqueue(() => Promise.reject(error)),
    closing: () => closing !== null || ended,
    reserve: enlarge,
    checkpoint: rows =>
      writer
        .checkpoint(rows)
        .catch(error => enqueue(() => Promise.reject(error)).then(() => Promise.reject(error))),
    tell: lines => void enqueue(() => writer.commit([], lines, {})),
    preview: (effect, delta) => options.onPreview?.({ task_id: run.id, call: effect.key, ...delta }),
  });

  function shutDown(outcome: HostEnd): void {
    if (ended) return;
    ended = true;
    alarms.close();
    inbox.close();
    desk.close();
    pool.abortAll(new LoomError('retryable', 'stopped', 'the run stopped'));
    finish(outcome);
  }

  const parked = (reason: ParkReason, message: string): HostEnd => ({
    kind: 'parked',
    reason,
    message,
    questions: desk.open,
  });

  /** Runs `work` after everything queued before it; a store that cannot record ends the run with that reason. */
  function enqueue(work: () => Promise<void>): Promise<void> {
    chain = chain.then(async () => {
      if (ended) return;
      try {
        await work();
      } catch (error) {
        if (error instanceof FencedError) return shutDown({ kind: 'lost' });
        if (error instanceof StoreWriteError) return shutDown(parked('store', error.message));
        // A defect of ours: the run stops where its last commit left it, and says so.
        const message = error instanceof Error ? error.message : String(error);
        shutDown(parked('fault', `Loom failed inside its host: ${message}`));
      }
    });
    return chain;
  }

  /** One reaction: the outside event, its effect's own rows and journal lines, and the cascade, in one transaction. */
  async function handle(
    outside: Outside,
    extra: { rows?: Row[]; journal?: JournalLine[] } = {},
  ): Promise<void> {
    const reaction = react(catalogue, run, outside);
    const commands = extra.rows?.filter(row => row.key.startsWith('i/'));
    if (reaction.fault) return park(reaction.fault.code, faultMessage(reaction.fault), commands);
    const start = reaction.start.map(begun);
    const asked = start.filter(isQuestion).map(effect => describeQuestion(run.id, effect, writer.stamp()));
    const moved = movedAlarms(reaction.next);
    for (const effect of [...start, ...moved]) reaction.next.effects[effect.key] = effect;
    const intents = [...start, ...moved].map(intentRow);
    // The root's actor is gone once it is done; a crash before the concluding commit must not lose its last word.
    const last = reaction.next.output === run.output ? [] : [{ key: OUTPUT, value: reaction.next.output }];
    const own = [...(extra.rows ?? []), ...reaction.rows, ...intents, ...last];
    const rows = [...own, ...((await options.derive?.(own)) ?? [])];
    const lines = [
      ...(extra.journal ?? []),
      ...reaction.journal,
      ...heard(reaction),
      ...asked.map(askedLine),
    ];
    await writer.commit(rows, lines, { status: headStatus(reaction.next, options.head.status) });
    run = reaction.next;
    for (const effect of reaction.stop) stop(effect);
    for (const effect of start) {
      if (effect.source === 'alarm') alarms.arm(effect);
      else if (isQuestion(effect)) desk.ask(effect, asked.shift()!);
      else if (effect.state === 'open') pool.launch(effect);
    }
    alarms.observe(Object.values(run.effects));
    rest();
  }

  /** Alarms whose time moved because they stood still, as they are now. */
  const movedAlarms = ({ effects }: Run): EffectEntry[] =>
    alarms.moved().flatMap(({ key, at }) => (effects[key] ? [{ ...effects[key], at }] : []));

  /** The intent as it is written: an alarm knows its time; while closing, nothing else begins, and `held` says so for sure. */
  function begun(effect: EffectEntry): EffectEntry {
    if (effect.source === 'alarm') return { ...effect, at: now() + (effect.input as { ms: number }).ms };
    return closing && !isQuestion(effect) ? { ...effect, state: 'held' } : effect;
  }

  /** What the root told us: it waits for money, a model or a key. */
  function heard(reaction: Reaction): JournalLine[] {
    return reaction.emitted.flatMap(event => {
      if (event.type !== 'STUCK') return [];
      const message = String(event['message']);
      stuck = { reason: event['reason'] as StuckReason, message };
      if (stuck.reason !== 'budget') return [];
      return [exhaustedLine(reaction.next, message, event['detail'] as Partial<Lack> | undefined)];
    });
  }

  function settle(key: string, result: EffectResult): void {
    settling += 1;
    void enqueue(async () => {
      alarms.disarm(key);
      await take(key, result);
      // Only now: until the reaction is committed, nobody may think that nothing is going on.
      settling -= 1;
      rest();
    });
  }

  async function take(
    key: string,
    { output, used, ms, rows = [], journal = [] }: EffectResult,
  ): Promise<void> {
    const effect = run.effects[key];
    if (!effect) {
      // Settled without it in the meantime; only what it brought along is kept.
      if (rows.length > 0) await writer.commit(rows, journal, {});
      return;
    }
    const gone = [`p/${key}`, `k/${key}`].map(row => ({ key: row, value: null }));
    await handle(
      {
        type: 'settled',
        key,
        output,
        ...(used === undefined ? {} : { used }),
        ...(ms === undefined ? {} : { ms }),
      },
      {
        rows: [...gone, ...rows],
        journal: effect.state === 'stopping' ? journal.map(stoppedLine) : journal,
      },
    );
  }

  /** Reserves more for a running effect; without limits nothing has to be written. What is in the way, or null. */
  async function enlarge(key: string, cost: Cost): Promise<Lack | null> {
    const missing = () => shortOf(run.ledger, run.effects[key]?.reserved ?? NO_COST, cost);
    const more = missing();
    if (!more) return null;
    await enqueue(() => handle({ type: 'reserve', key, cost: more }));
    const still = missing();
    const account = accountOf(run.effects[key]?.path ?? run.root);
    return still && lacking(run.ledger, account, still);
  }

  function stop(effect: EffectEntry): void {
    if (effect.source === 'alarm') return alarms.disarm(effect.key);
    if (desk.withdraw(effect.key) || pool.stop(effect) || unexamined.has(effect.key)) return;
    // It is not running here: what it used in another process nobody knows.
    settle(effect.key, { output: { ok: true }, used: 'unknown' });
  }

  /** What a run does in which nothing moves: it ends, it parks, or (null) something does move after all. */
  function standing(): (() => Promise<void>) | null {
    if (!started || settling > 0 || pool.size > 0) return null;
    const open = Object.values(run.effects);
    if (run.output !== undefined && open.length === 0)
      return options.resident
        ? () => park('closed', 'closed; it can be taken up again at any time')
        : conclude;
    if (closing) return () => park(closing!.reason, closing!.message, [], closing!.lack);
    if (options.resident || run.output !== undefined || !open.every(onlyWaits) || desk.undecided) return null;
    return () => {
      if (desk.open.length > 0) return park('waiting', waitingMessage(desk.open));
      if (stuck) return park(stuck.reason, stuck.message);
      if (headStatus(run, 'executing') === 'paused') return park('paused', 'paused by a command');
      return park('fault', 'the run has nothing to do and is not finished; this is a bug in a machine');
    };
  }

  /** Called whenever something came to rest. Judged again when its turn comes: what was queued before may have moved the run. */
  function rest(): void {
    if (!ended && standing()) void enqueue(async () => standing()?.());
  }

  async function park(
    reason: ParkReason,
    message: string,
    rows: Row[] = [],
    lack?: Partial<Lack>,
  ): Promise<void> {
    const line = { event_type: 'task_parked', data: { reason, message } };
    const why = lack ? [exhaustedLine(run, message, lack)] : [];
    const status = STATUS_OF[reason];
    const moved = movedAlarms(run).map(intentRow);
    await writer.commit([...rows, ...moved], [...why, line], {
      parked: { reason, message },
      ...(status ? { status } : {}),
    });
    const outcome = parked(reason, message);
    await writer.release();
    shutDown(outcome);
  }

  async function conclude(): Promise<void> {
    const output = run.output as TaskOutput;
    const exit_code = exitCodeOf(output);
    const status = output.status === 'planned' ? 'pending' : output.status;
    await writer.commit([], [terminalLine(output)], { status, exit_code });
    await writer.release();
    shutDown({ kind: 'done', output, exit_code });
  }

  /** Commands of other processes, consumed inside our own commit. */
  async function consume({ key, event }: InboxRow): Promise<void> {
    const gone: Row[] = [{ key, value: null }];
    if (event.type !== 'ANSWER') return enqueue(() => handle({ type: 'command', event }, { rows: gone }));
    const answer = { answer: String(event['answer']), reason: String(event['reason'] ?? '') };
    if (desk.answer(String(event['question']), answer, gone)) return;
    const stale = { event_type: 'approval_stale', data: { question_id: event['question'] } };
    return enqueue(() => writer.commit(gone, [stale], {}));
  }

  return {
    begin(first, unfinished = { rerun: [], settled: [] }) {
      const decided = new Set(unfinished.settled.map(({ effect }) => effect.key));
      for (const effect of Object.values(run.effects)) {
        if (effect.state !== 'open' || decided.has(effect.key)) continue;
        if (effect.source === 'alarm') alarms.arm(effect, true);
        if (isQuestion(effect)) desk.ask(effect, describeQuestion(run.id, effect, options.head.updated_at));
      }
      for (const { key } of unfinished.rerun) if (options.recovered?.has(key)) unexamined.add(key);
      for (const { effect, result } of unfinished.settled) settle(effect.key, result);
      void enqueue(async () => {
        let due = unfinished.rerun;
        for (const [i, outside] of first.entries()) {
          await handle(outside);
          // What found no room any more is held, and begins like everything else when there is some.
          if (i === 0) due = due.filter(({ key }) => run.effects[key]?.state !== 'held');
        }
        for (const { key } of closing ? [] : due) {
          const effect = run.effects[key];
          unexamined.delete(key);
          if (effect) pool.launch(effect, options.recovered?.get(key));
        }
      })
        // An answer that was left while nobody owned the run counts before the run is judged idle.
        .then(() => inbox.open())
        .then(() => {
          started = true;
          rest();
        });
      return end.then(async outcome => {
        await chain;
        return outcome;
      });
    },
    interrupt(reason, message, lack) {
      if (ended || closing) return;
      closing = { reason, message, ...(lack ? { lack } : {}) };
      pool.abortAll(new LoomError('retryable', 'interrupted', message));
      setTimeout(() => {
        pool.forget();
        rest();
      }, ABORT_GRACE_MS).unref();
      rest();
    },
    async tell(event, rows = []) {
      let committed = false;
      await enqueue(async () => {
        await handle({ type: 'command', event }, { rows });
        committed = !ended;
      });
      if (!committed) throw new LoomError('terminal', 'run_ended', `${run.id} is not at work here any more.`);
    },
    reacted: () => enqueue(async () => {}),
    answer: (question, answer, rows = []) => desk.answer(question, answer, rows),
    get questions() {
      return desk.open;
    },
    root() {
      const entry = run.actors[run.root];
      return entry ? (entry.snapshot as { value: unknown; context: Record<string, unknown> }) : null;
    },
  };
}

/** What a parked run is called; the rest keep their name. */
const STATUS_OF: Partial<Record<ParkReason, RunHead['status']>> = {
  waiting: 'waiting_approval',
  paused: 'paused',
  closed: 'completed',
};

const intentRow = (effect: EffectEntry): Row => ({ key: `e/${effect.key}`, value: effect });

const isQuestion = (effect: EffectEntry): boolean => effect.source === 'question';

/** Neither a question nor a bound moves a run on by itself. */
const onlyWaits = (effect: EffectEntry): boolean =>
  isQuestion(effect) || isDeadline(effect) || isExpiry(effect);

const stoppedLine = (line: JournalLine): JournalLine => ({ ...line, data: { ...line.data, stopped: true } });

const faultMessage = (fault: NonNullable<Reaction['fault']>): string =>
  `${fault.machine} at ${fault.path} could not take "${fault.event}": ${fault.message}`;

const waitingMessage = (open: Question[]): string =>
  open.length === 1
    ? `waiting for a decision: ${open[0]!.prompt.slice(0, 200)}`
    : `waiting for ${open.length} decisions`;
