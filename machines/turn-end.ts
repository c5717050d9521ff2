/** How a turn ends: out of patience, or with an answer, and what it says of its calls. */
import { type Failure, failure } from './failure.ts';
import { barren, type Context, stepDone, type TurnOutput } from './turn-calls.ts';

/** Looking around has taken all that may be spent on it. */
export const outOfPatience = (context: Context): boolean =>
  stepDone(context) && barren(context) >= (context.patience ?? Number.POSITIVE_INFINITY);

/** Why the turn ends although each of its calls was new. */
export const barrenFailure = (context: Context): Failure =>
  failure(
    'retryable',
    'no_progress',
    `the model made ${barren(context)} calls in a row that changed no file and showed nothing to hold`,
  );

const spentOn = (context: Context) => ({ iterations: context.iteration, barren: barren(context) });

export const ended = {
  answered: (context: Context): TurnOutput => ({
    ok: true,
    claim: context.claim,
    reason: context.reason,
    ...spentOn(context),
  }),
  failed: (context: Context): TurnOutput => ({
    ok: false,
    failure: context.failure ?? failure('retryable', 'unknown', 'the turn ended without a reason'),
    ...spentOn(context),
  }),
};
