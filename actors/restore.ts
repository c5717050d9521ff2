/** Takes a run up again: reads its rows, decides effect by effect what a lost execution means, kills survivors.
 *
 *  repeatable, keyed: run again · checkable: run again with its checkpoint, which looks at the world first ·
 *  unknowable: settles as `uncertain`, and the machine asks a person, unless it had not begun or its checkpoint says how to
 *  find out (a command in an overlay: until its merge nothing has happened) · held: never started. */

import { type Account, type Ledger, SUBTASK_LEDGER } from '../machines/budget.ts';
import { failure } from '../machines/failure.ts';
import type { ActorEntry, Catalogue, EffectEntry, Run } from '../machines/react.ts';
import type { RunHead, Store } from '../store/port.ts';
import type { EffectResult } from './effect.ts';

export interface Restored {
  run: Run;
  /** Effects to run again after the first commit. */
  rerun: EffectEntry[];
  /** Effects whose fate is decided without running them. */
  settled: { effect: EffectEntry; result: EffectResult }[];
  /** Checkpoints by effect key. */
  recovered: Map<string, unknown>;
  /** Process groups that may have outlived the previous owner. */
  groups: unknown[];
  /** Keys whose lost execution is charged at worst case. */
  charged: string[];
  /** An actor of a machine version this program does not know; such a run is parked, never guessed. */
  unknown: string | null;
}

/** Row with what the root ended in, from its last reaction on. */
export const OUTPUT = 'output';

type StoredActor = Omit<ActorEntry, 'apart'> & { apart: Record<string, string> };

const strip = (key: string, prefix: string): string => key.slice(prefix.length);

/** Reads a run's durable state. `now` and the head's `updated_at` say how long nobody looked after it: deadlines move on. */
export async function restoreRun(
  store: Store,
  head: RunHead,
  root: string,
  catalogue: Catalogue,
  now: number,
): Promise<Restored> {
  const [actorRows, effectRows, checkpoints, children, ledger, accounts, output] = await Promise.all([
    store.range<StoredActor>(head.id, 'a/'),
    store.range<EffectEntry>(head.id, 'e/'),
    store.range<unknown>(head.id, 'p/'),
    store.range<unknown>(head.id, 'k/'),
    store.get<Ledger>(head.id, 'ledger'),
    store.range<Account>(head.id, SUBTASK_LEDGER),
    store.get<unknown>(head.id, OUTPUT),
  ]);
  const actors: Run['actors'] = {};
  let unknown: string | null = null;
  for (const { key, value } of actorRows) {
    const expected = catalogue.versions[value.machine];
    if (expected !== value.version) unknown = `${value.machine} version ${value.version}`;
    const apart: Record<string, unknown> = {};
    for (const [field, rowKey] of Object.entries(value.apart))
      apart[field] = await store.get(head.id, rowKey);
    for (const field of Object.keys(catalogue.apart[value.machine] ?? {})) apart[field] ??= null;
    actors[strip(key, 'a/')] = { ...value, apart };
  }
  const away = Math.max(0, now - Date.parse(head.updated_at));
  const effects: Run['effects'] = {};
  for (const { value } of effectRows)
    effects[value.key] = value.at === undefined ? value : { ...value, at: value.at + away };
  const recovered = new Map(checkpoints.map(({ key, value }) => [strip(key, 'p/'), value]));
  const rerun: EffectEntry[] = [];
  const settled: Restored['settled'] = [];
  for (const effect of Object.values(effects)) {
    const fate = fateOf(effect, recovered.get(effect.key));
    if (fate === 'rerun') rerun.push(effect);
    else if (fate) settled.push({ effect, result: fate });
  }
  // What a keyed execution has spent stands in the run it started; its reservation stays until that is known.
  const charged = rerun
    .filter(effect => effect.reserved.model_calls > 0 && effect.class !== 'keyed')
    .map(effect => effect.key);
  return {
    run: {
      id: head.id,
      root,
      step: head.rev,
      actors,
      effects,
      ledger: {
        ...ledger!,
        subtasks: Object.fromEntries(accounts.map(({ key, value }) => [strip(key, SUBTASK_LEDGER), value])),
      },
      ...(output === null ? {} : { output }),
    },
    rerun,
    settled,
    recovered,
    groups: children.map(row => row.value).filter(Boolean),
    charged,
    unknown,
  };
}

/** A tool that can find out by itself what its lost execution did says so in its checkpoint (`look`), or knows it already. */
const canLook = (checkpoint: unknown): boolean => {
  const { look, changes } = (checkpoint ?? {}) as { look?: unknown; changes?: unknown };
  return look !== undefined || changes !== undefined;
};

function fateOf(effect: EffectEntry, checkpoint: unknown): 'rerun' | EffectResult | null {
  const checkpointed = checkpoint !== undefined;
  if (effect.source === 'alarm' || effect.source === 'question')
    return effect.state === 'stopping' ? { output: { ok: true } } : null;
  if (effect.state === 'held') return null;
  if (effect.state === 'stopping') {
    // A write that had begun is looked at once more, so that the changelog tells the truth.
    if (checkpointed && (effect.class === 'checkable' || canLook(checkpoint))) return 'rerun';
    return { output: { ok: true }, used: 'unknown' };
  }
  // A tool whose effect cannot be known checkpoints before it begins: without that it certainly did not.
  if (effect.class !== 'unknowable' || !checkpointed || canLook(checkpoint)) return 'rerun';
  const message = `${effect.source} was under way when Loom was stopped; nobody knows whether it finished`;
  return { output: { ok: false, failure: failure('uncertain', 'in_flight', message) }, used: 'unknown' };
}
