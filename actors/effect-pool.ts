/** The effects that run right now: begins them, aborts them, and settles each exactly once. */
import { add, type Cost, type Lack, NO_COST } from '../machines/budget.ts';
import { failure, LoomError } from '../machines/failure.ts';
import type { EffectEntry, JournalLine } from '../machines/react.ts';
import { crashPoint } from '../store/crash-points.ts';
import { type Row, StoreWriteError } from '../store/port.ts';
import type { Effect, EffectContext, EffectResult } from './effect.ts';

/** An aborted effect has this long to settle by itself. */
export const ABORT_GRACE_MS = 1_000;

export interface PoolHooks {
  settled(key: string, result: EffectResult): void;
  /** An interrupted effect ended without a result that counts: its intent stays for whoever resumes. */
  left(): void;
  /** The store refuses to record, which no effect can do anything about: ends the run with that reason. */
  refused(error: StoreWriteError): void;
  /** True while the run is being interrupted. */
  closing(): boolean;
  /** Fenced rows; rejects (and ends the run) when they cannot be written. */
  checkpoint(rows: Row[]): Promise<void>;
  /** Deadlines above this path stand still. */
  pause(path: string): void;
  resume(path: string): void;
  timeLeft(path: string): number;
  reserve(key: string, cost: Cost): Promise<Lack | null>;
  tell(lines: JournalLine[]): void;
  preview(effect: EffectEntry, delta: Parameters<EffectContext['preview']>[0]): void;
}

export interface EffectPool {
  readonly size: number;
  launch(effect: EffectEntry, recovered?: unknown): void;
  /** Tells a running effect to stop; settles it without its help after the grace. False: it does not run here. */
  stop(effect: EffectEntry): boolean;
  /** Aborts everything. `forget`: nothing of it will settle any more. */
  abortAll(reason: LoomError): void;
  forget(): void;
}

interface Running {
  controller: AbortController;
  waiting: boolean;
  /** When it last began to work, and how long it had worked by then. */
  since: number;
  worked: number;
  spent: Cost;
}

const worked = ({ waiting, since, worked: before }: Running): number =>
  Math.round(before + (waiting ? 0 : performance.now() - since));

const stopped = (): LoomError => new LoomError('retryable', 'aborted', 'stopped by Loom');

const wasAborted = (result: EffectResult): boolean => {
  const output = result.output as { ok: boolean; failure?: { code: string } };
  return !output.ok && ['aborted', 'interrupted', 'stopped'].includes(output.failure?.code ?? '');
};

export function createPool(effects: Record<string, Effect>, hooks: PoolHooks): EffectPool {
  const running = new Map<string, Running>();

  /** null: nothing to settle, the intent stays for whoever resumes. */
  async function perform(effect: EffectEntry, context: EffectContext): Promise<EffectResult | null> {
    const fail = (code: string, message: string, detail?: Record<string, unknown>): EffectResult => ({
      output: { ok: false, failure: failure('terminal', code, message, detail) },
    });
    const runner = effects[effect.source];
    if (!runner) return fail('no_effect', `nothing here can do "${effect.source}"`);
    try {
      return await runner(effect, context);
    } catch (error) {
      if (error instanceof LoomError) return { output: { ok: false, failure: error.failure } };
      if (error instanceof StoreWriteError) {
        hooks.refused(error);
        return null;
      }
      const message = error instanceof Error ? error.message : String(error);
      const stack = error instanceof Error ? error.stack?.slice(0, 2_000) : undefined;
      return fail('internal', `${effect.source}: ${message}`, stack ? { stack } : {});
    }
  }

  function contextOf(effect: EffectEntry, entry: Running, recovered: unknown): EffectContext {
    const wait = (on: boolean) => {
      if (entry.waiting === on) return;
      if (on) entry.worked += performance.now() - entry.since;
      else entry.since = performance.now();
      entry.waiting = on;
      if (on) hooks.pause(effect.path);
      else hooks.resume(effect.path);
    };
    return {
      signal: entry.controller.signal,
      recovered,
      checkpoint: value => hooks.checkpoint([{ key: `p/${effect.key}`, value }]),
      child: group => hooks.checkpoint([{ key: `k/${effect.key}`, value: group }]),
      waiting: () => wait(true),
      running: () => wait(false),
      left: () => hooks.timeLeft(effect.path),
      spend: cost => {
        entry.spent = add(entry.spent, cost);
      },
      reserve: cost => hooks.reserve(effect.key, add(entry.spent, cost)),
      tell: lines => hooks.tell(lines),
      preview: delta => hooks.preview(effect, delta),
    };
  }

  return {
    get size() {
      return running.size;
    },
    launch(effect, recovered) {
      const entry: Running = {
        controller: new AbortController(),
        waiting: false,
        since: performance.now(),
        worked: 0,
        spent: NO_COST,
      };
      const { controller } = entry;
      running.set(effect.key, entry);
      // A stopped write that had begun is only looked at, not done.
      if (effect.state === 'stopping') controller.abort(stopped());
      const context = contextOf(effect, entry, recovered);
      void perform(effect, context).then(result => {
        context.running();
        if (!running.delete(effect.key) || !result) return;
        // An interrupted effect keeps its intent: whoever resumes repeats it, reconciles it, or asks.
        if (hooks.closing() && controller.signal.aborted && wasAborted(result)) return hooks.left();
        crashPoint('effect-done');
        const used = result.used === 'unknown' ? result.used : add(result.used ?? NO_COST, entry.spent);
        hooks.settled(effect.key, { ...result, used, ms: worked(entry) });
      });
      crashPoint('effect-started');
    },
    stop(effect) {
      const entry = running.get(effect.key);
      if (!entry) return false;
      entry.controller.abort(stopped());
      setTimeout(() => {
        if (!running.delete(effect.key)) return;
        const message = `${effect.source} did not settle within ${ABORT_GRACE_MS} ms of being stopped`;
        const output = { ok: false, failure: failure('uncertain', 'aborted', message) };
        hooks.settled(effect.key, { output, used: 'unknown', ms: worked(entry) });
      }, ABORT_GRACE_MS).unref();
      return true;
    },
    abortAll(reason) {
      for (const entry of running.values()) entry.controller.abort(reason);
    },
    forget: () => running.clear(),
  };
}
