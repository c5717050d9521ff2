/** What all models to explore share: what a person can do, how questions are answered, what effects may end with. */
import type { Catalogue, EffectEntry, MachineEvent } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import { answer, failed, ok, verdict } from '../machines/results.ts';
import type { Model } from './explore.ts';

export interface Part extends Model {
  name: string;
  /** Most costly effects any path may have. */
  atMost: number;
}

export const without = (...left: string[]): Catalogue => ({
  ...catalogue,
  machines: Object.fromEntries(Object.entries(catalogue.machines).filter(([name]) => !left.includes(name))),
});

export const resume: MachineEvent[] = [{ type: 'RESUME' }];
/** What a person can do to a task at any point. */
export const everything: MachineEvent[] = [
  { type: 'CANCEL' },
  { type: 'PAUSE' },
  { type: 'RESUME' },
  { type: 'STEER', id: 's', at: '1', text: 'use tabs' },
];

const answers = (effect: EffectEntry): unknown[] => {
  const { kind } = effect.input as { kind: string };
  if (kind === 'uncertain') return [answer('retry'), answer('skip'), answer('done')];
  if (kind === 'ask_user') return [answer('blue')];
  return [answer('approve'), answer('reject')];
};

/** Sizes of prompts are no part of what a machine decides by. */
export const quiet = (output: unknown): unknown => ({ ...(output as object), tokens: 0 });
export const noBudget = failed('budget', 'terminal');
export const noModel = failed('no_model', 'terminal');

/** Results by source; questions are answered in every way, what is not listed can only work. */
export const results =
  (alphabet: Record<string, unknown[]>) =>
  (effect: EffectEntry): unknown[] => {
    if (effect.source === 'question') return answers(effect);
    return alphabet[effect.source] ?? [ok];
  };

export const NOTE = [{ ok: true, tokens: 0 }, noBudget];

export const sure = verdict('pass', { confidence: 1, checks_passed: 1 });
export const doubtful = verdict('pass', { confidence: 0, checks_passed: 0, destructive: true });

/** What was left unconfirmed, so that a follow-up is called for. */
export const partial = verdict('partial_verified');
export const unconfirmed = verdict('fail', { reason_code: 'unconfirmed_claims' });
