/** The conditions of a subtask's transitions, by the names under which charts show them. */
import { wantsPerson } from './attempt.ts';
import type { EffectOutputs } from './effects.ts';
import { backoffMs, ending, wantsResolver } from './ladder.ts';
import { type Context, claims, deferral, remainder } from './subtask-context.ts';
import { accepted } from './verdict.ts';
import type { VerifierOutput } from './verifier.ts';

interface At {
  context: Context;
  event: unknown;
}

const outputOf = <Output>(event: unknown): Output => (event as { output: Output }).output;
const verdictOf = (event: unknown) => outputOf<VerifierOutput>(event).verdict;

const overtaken = (event: unknown): boolean => {
  const output = outputOf<EffectOutputs['settle']>(event);
  return !output.ok && output.failure.code === 'overtaken';
};

/** Fresh looks at one attempt because others had written meanwhile. */
const MAX_REJUDGED = 2;

export const guards = {
  prepared: ({ event }: At) => outputOf<EffectOutputs['prepare']>(event).ok,
  claimsSuccess: ({ event }: At) => claims(outputOf(event), 'success'),
  claimsBlocked: ({ event }: At) => claims(outputOf(event), 'blocked'),
  acceptable: ({ event }: At) => accepted(verdictOf(event).outcome),
  voteSplit: ({ event }: At) => verdictOf(event).reason_code === 'vote_split',
  // An unreadable verdict says nothing about the work: only the judge is asked once more, nothing is redone.
  unreadable: ({ context, event }: At) => verdictOf(event).outcome === 'inconclusive' && !context.reverified,
  approved: ({ event }: At) => {
    const output = outputOf<EffectOutputs['question']>(event);
    return output.ok && output.answer === 'approve';
  },
  // Its files were changed by somebody else while it was judged: the judge looks again, nothing is redone.
  overtaken: ({ context, event }: At) => overtaken(event) && context.rejudged < MAX_REJUDGED,
  overtakenAgain: ({ event }: At) => overtaken(event),
  settledInPart: ({ context, event }: At) =>
    outputOf<EffectOutputs['settle']>(event).ok && remainder(context) !== null,
  settled: ({ event }: At) => outputOf<EffectOutputs['settle']>(event).ok,
  followsUp: ({ context }: At) => context.follow_up !== null,
  mayFollowUp: ({ context }: At) => deferral(context) !== null,
  worthAnother: ({ context }: At) => ending(context) === null,
  mustWait: ({ context }: At) => backoffMs(context) > 0,
  wantsResolver: ({ context }: At) => wantsResolver(context),
  wantsPerson: ({ context }: At) => wantsPerson(context),
  mayExtract: ({ context }: At) => context.settings.extract,
};
