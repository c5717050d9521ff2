/** Failures are data: machines branch on `kind` and `code`, never on `message`. */
/** retryable: trying again may help · terminal: it will not · uncertain: nobody knows whether it happened. */
export type FailureKind = 'retryable' | 'terminal' | 'uncertain';

export interface Failure {
  kind: FailureKind;
  /** A stable word, e.g. `auth`, `rate_limit`, `budget`, `denied`, `in_flight`, `address_refused`. */
  code: string;
  /** One sentence for a person: what happened, where, what to do next. */
  message: string;
  detail?: Record<string, unknown>;
}

/** How every effect settles: an effect never throws at a machine. */
export type Settled<Output extends object = object> =
  | ({ ok: true } & Output)
  | { ok: false; failure: Failure };

export const failure = (
  kind: FailureKind,
  code: string,
  message: string,
  detail?: Record<string, unknown>,
): Failure => ({ kind, code, message, ...(detail ? { detail } : {}) });

/** Carries a Failure through code that uses exceptions; the boundary of an effect turns it back into data. */
export class LoomError extends Error {
  readonly failure: Failure;
  constructor(kind: FailureKind, code: string, message: string, detail?: Record<string, unknown>) {
    super(message);
    this.name = 'LoomError';
    this.failure = failure(kind, code, message, detail);
  }
}
