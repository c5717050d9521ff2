/** Failures that stop a run without ending it: it waits, resumable, until a person changes something. */
import type { Failure } from './failure.ts';

export type StuckReason = 'budget' | 'no_model' | 'auth';

/** Why this result means waiting for a person, or null when it does not. */
export function stuckReason(output: { ok: boolean; failure?: Failure }): StuckReason | null {
  if (output.ok) return null;
  const code = output.failure?.code;
  return code === 'budget' || code === 'no_model' || code === 'auth' ? code : null;
}

/** What a machine tells whoever started it, up to the host. */
export interface Stuck {
  type: 'STUCK';
  reason: string;
  message: string;
  /** Of a budget: which one, its limit, and what it would have come to; see `Lack`. */
  detail?: Record<string, unknown>;
}

export const stuckEvent = (output: { ok: boolean; failure?: Failure }): Stuck => ({
  type: 'STUCK',
  reason: stuckReason(output) ?? 'no_model',
  message: output.failure?.message ?? '',
  ...(output.failure?.detail ? { detail: output.failure.detail } : {}),
});

/** What a child told, told on in the same words. */
export function retold(event: unknown): Stuck {
  const { reason, message, detail } = event as Stuck;
  return { type: 'STUCK', reason, message, ...(detail ? { detail } : {}) };
}
