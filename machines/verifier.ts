/** Judges one attempt: deterministic checks first, then independent reviews, at tier 3 a vote. Fails closed. */
import { type AnyStateMachine, assign, emit, enqueueActions, setup, spawnChild, stopChild } from 'xstate';
import type { EffectOutputs } from './effects.ts';
import type { Failure } from './failure.ts';
import { type DoneEvent, remote, rowActions } from './remote.ts';
import { type Stuck, stuckEvent, stuckReason } from './stuck.ts';
import { accepted, type VerdictDigest } from './verdict.ts';

export interface VerifierInput {
  thread: string;
  subtask: string;
  plan_version: number;
  attempt: number;
  /** 1 checks only, 2 one review, 3 a vote. */
  tier: number;
  /** Odd number of votes at tier 3. */
  votes: number;
  /** Tokens one review may take at most, for the reservation. */
  review_tokens: number;
}

export interface VerifierOutput {
  verdict: VerdictDigest;
  /** Reviews that were asked for. */
  calls: number;
}

export interface ChecksInput {
  thread: string;
  subtask: string;
  plan_version: number;
  attempt: number;
  tier: number;
}

export interface ReviewInput {
  thread: string;
  subtask: string;
  plan_version: number;
  attempt: number;
  /** 1 for the first review, more for further votes. */
  vote: number;
  /** 0: first try · 1: the same model repairs its unreadable answer · 2: another model. */
  repair: number;
  tokens: number;
}

interface Context extends VerifierInput {
  verdict: VerdictDigest | null;
  /** What the checks measured; a review judges something else and says nothing about it. */
  measured: Pick<VerdictDigest, 'checks_passed' | 'tools_succeeded' | 'destructive'>;
  repairs: number;
  /** Votes whose answer could not be read and is asked for once more, in order. */
  repaired: number[];
  /** The first vote against. */
  objection: VerdictDigest | null;
  votesFor: number;
  votesAgainst: number;
  votesOut: number;
  /** Votes that found no money, model or key: cast again on RESUME. */
  parked: number[];
}

const MAX_REPAIRS = 2;

const inconclusive = (reason_code: string, tier: number, feedback = ''): VerdictDigest => ({
  outcome: 'inconclusive',
  reason_code,
  severity_class: reason_code === 'infra_verifier_error' ? 'infra' : 'inconclusive',
  confidence: 0,
  independent: false,
  tier,
  ...(feedback === '' ? {} : { feedback: feedback.slice(0, 300) }),
});

/** Why nobody could say anything, for the person who reads the end of the run. */
const noAnswer = (output: { ok: boolean; failure?: Failure }, who: string): string =>
  output.ok || !output.failure ? '' : `${who} gave no answer: ${output.failure.message}`;

const reviewInput = (context: Context, vote: number, repair = 0): ReviewInput => ({
  thread: context.thread,
  subtask: context.subtask,
  plan_version: context.plan_version,
  attempt: context.attempt,
  vote,
  repair,
  tokens: context.review_tokens,
});

const majority = (context: Context): number => Math.floor(context.votes / 2) + 1;
const voteNumber = (actorId: string): number => Number(actorId.slice('vote-'.length));
const outstanding = (context: Context): number =>
  context.votes - context.votesFor - context.votesAgainst - context.votesOut;

/** What the checks could not establish is read by somebody, also where the plan asked for checks alone. */
const wantsReview = (verdict: VerdictDigest, tier: number): boolean =>
  verdict.established === false ? verdict.outcome !== 'fail' : accepted(verdict.outcome) && tier >= 2;

const checked = (event: unknown) => (event as { output: EffectOutputs['checks'] }).output;
const reviewed = (event: unknown) => (event as { output: EffectOutputs['review'] }).output;

type ReviewDone = DoneEvent<EffectOutputs['review']>;

const machine = setup({
  types: {} as {
    context: Context;
    input: VerifierInput;
    output: VerifierOutput;
    events: ReviewDone | { type: 'RESUME' };
    emitted: Stuck;
  },
  actors: {
    checks: remote<ChecksInput, EffectOutputs['checks']>(),
    review: remote<ReviewInput, EffectOutputs['review']>(),
  },
  actions: {
    ...rowActions,
    conclude: assign((_, params: { verdict: VerdictDigest }) => ({ verdict: params.verdict })),
    count: assign(({ context }, params: { verdict: VerdictDigest | null }) => {
      const { verdict } = params;
      if (verdict === null || verdict.outcome === 'inconclusive') return { votesOut: context.votesOut + 1 };
      if (accepted(verdict.outcome)) return { votesFor: context.votesFor + 1, verdict };
      return { votesAgainst: context.votesAgainst + 1, objection: context.objection ?? verdict };
    }),
    concludeVote: assign(({ context }, params: { outcome: 'pass' | 'fail' | 'split' }) => {
      const cast = context.votesFor + context.votesAgainst;
      const base = context.verdict ?? inconclusive('vote_split', 3);
      if (params.outcome === 'split') return { verdict: inconclusive('vote_split', 3) };
      const share = (params.outcome === 'pass' ? context.votesFor : context.votesAgainst) / Math.max(1, cast);
      return {
        verdict:
          params.outcome === 'pass'
            ? { ...base, confidence: share, tier: 3 }
            : { ...(context.objection ?? base), reason_code: 'voted_down', confidence: share, tier: 3 },
      };
    }),
    tellStuck: emit(({ event }) => stuckEvent((event as ReviewDone).output)),
    measure: assign((_, params: { verdict: VerdictDigest }) => {
      const { checks_passed, tools_succeeded, destructive } = params.verdict;
      const all = { checks_passed, tools_succeeded, destructive };
      const known = Object.entries(all).filter(([, value]) => value !== undefined);
      return { measured: Object.fromEntries(known) };
    }),
    reap: stopChild(({ event }) => (event as ReviewDone).actorId),
    park: assign(({ context, event }) => ({
      parked: [...context.parked, voteNumber((event as ReviewDone).actorId)],
    })),
  },
  guards: {
    checksFailed: ({ event }) => !checked(event).ok,
    wantsReview: ({ context, event }) => {
      const output = checked(event);
      return output.ok && wantsReview(output.verdict, context.tier);
    },
    reviewStuck: ({ event }) => stuckReason(reviewed(event)) !== null,
    wantsVotes: ({ context, event }) => reviewed(event).ok && context.tier >= 3 && context.votes > 1,
    reviewed: ({ event }) => reviewed(event).ok,
    mayRepair: ({ context, event }) => {
      const output = reviewed(event);
      return !output.ok && output.failure.code === 'unreadable' && context.repairs < MAX_REPAIRS;
    },
    voteWon: ({ context }) => context.votesFor >= majority(context),
    voteLost: ({ context }) => context.votesAgainst >= majority(context),
    voteSplit: ({ context }) => outstanding(context) === 0,
    isReview: ({ event }) => (event as ReviewDone).actorId.startsWith('vote-'),
    mayAskAgain: ({ context, event }) => {
      const { actorId, output } = event as ReviewDone;
      if (!actorId.startsWith('vote-') || output.ok || output.failure.code !== 'unreadable') return false;
      return !context.repaired.includes(voteNumber(actorId));
    },
    isStuck: ({ event }) =>
      (event as ReviewDone).actorId.startsWith('vote-') && stuckReason((event as ReviewDone).output) !== null,
  },
}).createMachine({
  id: 'verifier',
  context: ({ input }) => ({
    ...input,
    verdict: null,
    measured: {},
    repairs: 0,
    repaired: [],
    objection: null,
    votesFor: 0,
    votesAgainst: 0,
    votesOut: 0,
    parked: [],
  }),
  initial: 'checking',
  options: { maxIterations: 1000 },
  states: {
    /** Tier 1: the state of the world. */
    checking: {
      invoke: {
        src: 'checks',
        id: 'checks',
        input: ({ context }) => ({
          thread: context.thread,
          subtask: context.subtask,
          plan_version: context.plan_version,
          attempt: context.attempt,
          tier: context.tier,
        }),
        onDone: [
          {
            guard: 'checksFailed',
            target: 'concluded',
            actions: {
              type: 'conclude',
              params: ({ event }) => ({
                verdict: inconclusive('infra_verifier_error', 1, noAnswer(event.output, 'the checks')),
              }),
            },
          },
          {
            guard: 'wantsReview',
            target: 'reviewing',
            actions: {
              type: 'measure',
              params: ({ event }) => ({
                verdict: event.output.ok ? event.output.verdict : inconclusive('infra_verifier_error', 1),
              }),
            },
          },
          {
            target: 'concluded',
            actions: {
              type: 'conclude',
              params: ({ event }) => ({
                verdict: event.output.ok ? event.output.verdict : inconclusive('infra_verifier_error', 1),
              }),
            },
          },
        ],
      },
    },
    /** Tier 2: a model that did not do the work reads the result. */
    reviewing: {
      entry: {
        type: 'journal',
        params: ({ context }) => ({
          event_type: 'model_invocation',
          data: { phase: 'start', role: 'verifier', subtask_id: context.subtask },
        }),
      },
      invoke: {
        src: 'review',
        id: 'review',
        input: ({ context }) => reviewInput(context, 1, context.repairs),
        onDone: [
          { guard: 'reviewStuck', target: 'stuck', actions: 'tellStuck' },
          {
            guard: 'wantsVotes',
            target: 'voting',
            actions: {
              type: 'count',
              params: ({ event }) => ({ verdict: event.output.ok ? event.output.verdict : null }),
            },
          },
          {
            guard: 'reviewed',
            target: 'concluded',
            actions: {
              type: 'conclude',
              params: ({ event }) => ({
                verdict: event.output.ok ? event.output.verdict : inconclusive('parse_inconclusive', 2),
              }),
            },
          },
          {
            guard: 'mayRepair',
            target: 'reviewing',
            reenter: true,
            actions: assign(({ context }) => ({ repairs: context.repairs + 1 })),
          },
          {
            target: 'concluded',
            actions: {
              type: 'conclude',
              params: ({ event }) => ({
                verdict: inconclusive(
                  !event.output.ok && event.output.failure.code === 'unreadable'
                    ? 'parse_inconclusive'
                    : 'infra_verifier_error',
                  2,
                  noAnswer(event.output, 'the reviewer'),
                ),
              }),
            },
          },
        ],
      },
    },
    stuck: { on: { RESUME: 'reviewing' } },
    /** Tier 3: the first review was the first vote; the rest run side by side until a majority stands. */
    voting: {
      entry: enqueueActions(({ context, enqueue }) => {
        for (let vote = 2; vote <= context.votes; vote++)
          enqueue.spawnChild('review', { id: `vote-${vote}`, input: reviewInput(context, vote) });
      }),
      always: [
        {
          guard: 'voteWon',
          target: 'concluded',
          actions: { type: 'concludeVote', params: { outcome: 'pass' } },
        },
        {
          guard: 'voteLost',
          target: 'concluded',
          actions: { type: 'concludeVote', params: { outcome: 'fail' } },
        },
        {
          guard: 'voteSplit',
          target: 'concluded',
          actions: { type: 'concludeVote', params: { outcome: 'split' } },
        },
      ],
      on: {
        RESUME: {
          actions: enqueueActions(({ context, enqueue }) => {
            for (const vote of context.parked)
              enqueue.spawnChild('review', {
                id: `vote-${vote}`,
                input: reviewInput(context, vote, context.repaired.includes(vote) ? 1 : 0),
              });
            enqueue.assign({ parked: [] });
          }),
        },
        'xstate.done.actor.*': [
          { guard: 'isStuck', actions: ['tellStuck', 'park', 'reap'] },
          {
            // The same reviewer is shown its answer once more.
            guard: 'mayAskAgain',
            actions: [
              'reap',
              spawnChild('review', {
                id: ({ event }) => (event as ReviewDone).actorId,
                input: ({ context, event }) =>
                  reviewInput(context, voteNumber((event as ReviewDone).actorId), 1),
              }),
              assign(({ context, event }) => ({
                repaired: [...context.repaired, voteNumber(event.actorId)].sort((a, b) => a - b),
              })),
            ],
          },
          {
            guard: 'isReview',
            actions: [
              {
                type: 'count',
                params: ({ event }) => ({ verdict: event.output.ok ? event.output.verdict : null }),
              },
              'reap',
            ],
          },
        ],
      },
    },
    concluded: { type: 'final' },
  },
  output: ({ context }): VerifierOutput => {
    const verdict = context.verdict ?? inconclusive('infra_verifier_error', context.tier);
    const votes = verdict.tier >= 3 ? context.votes - 1 : 0;
    const calls = verdict.tier >= 2 ? 1 + context.repairs + votes + context.repaired.length : 0;
    return { verdict: { ...context.measured, ...verdict }, calls };
  },
});

export const verifier: AnyStateMachine = machine;
