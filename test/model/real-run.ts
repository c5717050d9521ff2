/** The host as it is, over a store, with effects that settle when the test says so. */

import type { Effect, EffectResult } from '../../actors/effect.ts';
import { createHost } from '../../actors/host.ts';
import type { Host, HostEnd } from '../../actors/host-port.ts';
import type { Answer } from '../../actors/loom.ts';
import { describeQuestion } from '../../actors/questions.ts';
import { restoreRun } from '../../actors/restore.ts';
import { type Ledger, SUBTASK_LEDGER } from '../../machines/budget.ts';
import { failure } from '../../machines/failure.ts';
import {
  type Catalogue,
  type EffectEntry,
  type JournalLine,
  type MachineEvent,
  newRun,
  type Outside,
  type Run,
} from '../../machines/react.ts';
import { type RunHead, type Store, seqKey } from '../../store/port.ts';

const ID = 'x';
const ROOT = `task/${ID}`;
/** Lines of the host's own, which no machine writes. */
const OWN_LINES = new Set([
  'approval_requested',
  'approval_received',
  'task_budget_exhausted',
  'task_cancelled',
  'task_completed',
  'task_failed',
  'task_parked',
  'task_run_recovered',
]);

export interface Place {
  /** A store as another process would open it. */
  open(): Promise<Store>;
  /** What happens to the store of a process that dies. */
  kill(store: Store): Promise<void>;
}

export class RealRun {
  /** Milliseconds since the epoch, by the host's watch. */
  clock = 1_000_000;
  ended: HostEnd | null = null;
  /** How to settle what runs, by key. */
  pending = new Map<string, (result: EffectResult) => void>();
  private questions = new Map<string, (answer: Answer) => void>();
  private sent = 0;
  private host!: Host;
  store!: Store;
  private readonly place: Place;
  private readonly catalogue: Catalogue;

  constructor(place: Place, catalogue: Catalogue) {
    this.place = place;
    this.catalogue = catalogue;
  }

  async start(ledger: Run['ledger'], input: unknown): Promise<void> {
    this.store = await this.place.open();
    const at = new Date(this.clock).toISOString();
    const head = {
      id: ID,
      seq: 0,
      kind: 'task' as const,
      status: 'planning' as const,
      goal: 'a goal',
      workspace: '/somewhere',
      created_at: at,
      updated_at: at,
    };
    const lease = await this.store.create(head, [{ key: 'ledger', value: ledger }]);
    this.own({ ...head, rev: 0, fence: lease.fence }, newRun(ID, ROOT, ledger), lease, new Map());
    this.begin([{ type: 'start', machine: 'task', input }]);
  }

  private own(
    head: RunHead,
    run: Run,
    lease: Awaited<ReturnType<Store['create']>>,
    recovered: Map<string, unknown>,
  ): void {
    this.ended = null;
    // Of their own, because what a dead owner left running goes on.
    this.pending = new Map();
    this.questions = new Map();
    const effect = this.effect(this.pending);
    const { questions } = this;
    this.host = createHost({
      store: this.store,
      lease,
      head,
      run,
      catalogue: this.catalogue,
      effects: new Proxy({}, { get: () => effect }),
      recovered,
      now: () => this.clock,
      onQuestion: question => new Promise(resolve => questions.set(question.id, resolve)),
    });
  }

  private begin(first: Outside[], unfinished?: Parameters<Host['begin']>[1]): void {
    const { host } = this;
    void host.begin(first, unfinished).then(end => {
      if (this.host === host) this.ended = end;
    });
  }

  private effect(pending: RealRun['pending']): Effect {
    return async (intent, { signal, checkpoint }) => {
      const result = new Promise<EffectResult>(resolve => {
        const settle = (settled: EffectResult) => {
          pending.delete(intent.key);
          resolve(settled);
        };
        const stopped = { output: { ok: false, failure: failure('retryable', 'aborted', 'stopped') } };
        if (signal.aborted) return settle(stopped);
        signal.addEventListener('abort', () => settle(stopped), { once: true });
        pending.set(intent.key, settle);
      });
      // As tools do whose effect nobody can look up: without this mark they certainly had not begun.
      if (intent.class === 'unknowable') await checkpoint('begun');
      return result;
    };
  }

  settle(key: string, result: EffectResult): void {
    const settle = this.pending.get(key);
    if (!settle) throw new Error(`${key} does not run`);
    settle(result);
  }

  async answer(effect: EffectEntry, answer: string, elsewhere: boolean): Promise<void> {
    const { id } = describeQuestion(ID, effect, '');
    if (elsewhere) return this.send({ type: 'ANSWER', question: id, answer, reason: '' });
    const resolve = this.questions.get(id);
    if (!resolve) throw new Error(`nobody was asked ${id}`);
    resolve({ answer });
  }

  /** As another process does. */
  async send(event: MachineEvent): Promise<void> {
    this.sent += 1;
    const at = new Date(this.clock).toISOString();
    await this.store.send(ID, { id: `c${this.sent}`, event, at });
  }

  interrupt(): void {
    this.host.interrupt('interrupted', 'interrupted by the test');
  }

  async crash(): Promise<void> {
    const old = this.store;
    this.store = await this.place.open();
    await this.place.kill(old);
  }

  /** Takes the run up as a new owner does. */
  async restore(resume: boolean): Promise<void> {
    const lease = await this.store.claim(ID);
    if (!lease) throw new Error('the run still belongs to somebody');
    const head = (await this.store.head(ID))!;
    const restored = await restoreRun(this.store, head, ROOT, this.catalogue, this.clock);
    const line = { seq: head.seq + 1, event_type: 'task_run_recovered', data: {} };
    await this.store.commit(
      lease,
      head.rev,
      { seq: line.seq, updated_at: new Date(this.clock).toISOString() },
      [{ key: `j/${seqKey(line.seq)}`, value: line }],
    );
    const taken = { ...head, rev: head.rev + 1, seq: line.seq };
    this.own(taken, { ...restored.run, step: taken.rev }, lease, restored.recovered);
    const first: Outside[] = [{ type: 'recovered', keys: restored.charged }];
    if (resume) first.push({ type: 'command', event: { type: 'RESUME' } });
    this.begin(first, restored);
  }

  async rev(): Promise<number> {
    return (await this.store.head(ID))?.rev ?? -1;
  }

  /** What is on disk of actors, effects, ledger, output and what the machines said. */
  async stored(): Promise<Record<string, unknown>> {
    const rows = async (prefix: string) =>
      (await this.store.range<Record<string, unknown>>(ID, prefix)).map(({ key, value }) => [key, value]);
    const effects = (await rows('e/')).map(([key, value]) => {
      const { at: _, ...effect } = value as Record<string, unknown>;
      return [key, effect];
    });
    const lines = await this.store.range<JournalLine & { seq: number }>(ID, 'j/');
    const { subtasks: _, ...ledger } = (await this.store.get<Ledger>(ID, 'ledger'))!;
    return {
      actors: Object.fromEntries(await rows('a/')),
      effects: Object.fromEntries(effects),
      ledger,
      accounts: Object.fromEntries(await rows(SUBTASK_LEDGER)),
      output: await this.store.get(ID, 'output'),
      journal: lines
        .filter(({ value }) => !OWN_LINES.has(value.event_type))
        .map(({ value: { event_type, data } }) => ({ event_type, data })),
      numbered: lines.every(({ value }, i) => value.seq === i + 1),
    };
  }
}
