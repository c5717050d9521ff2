/** What a session remembers between its turns, and the pure questions it asks about it. Texts are rows. */
import type { EffectOutputs } from './effects.ts';
import { type Failure, failure } from './failure.ts';
import type { TurnInput, TurnOutput } from './turn.ts';

interface SessionSettings {
  /** Model calls of one turn. */
  max_iterations: number;
}

export interface SessionInput {
  /** Turns that were begun before, by whichever owner. */
  turns: number;
  /** Texts that were typed and not taken up yet. */
  queued: number;
  settings: SessionSettings;
}

export type SessionOutput = { status: 'closed'; turns: number };

/** What a person typed; the row keeps it until a turn takes it up. */
export interface UserEvent {
  type: 'USER' | 'STEER';
  id: string;
  /** When, ISO 8601: together with the id the order in which texts are taken up. */
  at: string;
  text: string;
  /** Paths in the workspace. */
  attachments?: string[];
}

/** `thread`: of the turn to be written · `previous`: of the one before, whose unheard instructions go along. */
export interface ComposeInput {
  thread: string;
  previous: string;
}

/** Of the turn that ended without its end. */
export interface MendInput {
  thread: string;
}

export interface ReflectInput {
  thread: string;
}

export interface Context {
  settings: SessionSettings;
  turns: number;
  queued: number;
  /** Instructions given to the turn that runs, or to the one that was interrupted. */
  steered: number;
  /** Estimated size of the first request of the turn. */
  tokens: number;
  /** What was said may teach something that only a model can put into words. */
  reflect: boolean;
  /** Taken up after a crash, or interrupted before it began: nothing starts until a person says something. */
  halted: boolean;
  interrupted: boolean;
  failure: Failure | null;
}

export const beginning = ({ turns, queued, settings }: SessionInput): Context => ({
  settings,
  turns,
  queued,
  steered: 0,
  tokens: 0,
  reflect: false,
  halted: queued > 0,
  interrupted: false,
  failure: null,
});

/** Names the rows of a turn; in the order of the turns. */
export const turnThread = (turn: number): string => `t${String(turn).padStart(7, '0')}`;
export const QUEUE_PREFIX = 'q/';
/** Instructions to the turn that runs; `!` in front of a line. */
export const steerPrefix = (thread: string): string => `steer/${thread}/`;

export const composeInput = ({ turns }: Context): ComposeInput => ({
  thread: turnThread(turns + 1),
  previous: turnThread(turns),
});
export const mendInput = ({ turns }: Context): MendInput => ({ thread: turnThread(turns) });

export const turnInput = ({ turns, tokens, settings }: Context): TurnInput => ({
  thread: turnThread(turns),
  subtask: null,
  role: 'session',
  tier: 1,
  max_iterations: settings.max_iterations,
  tokens,
});

export const composeOutput = (event: unknown) => (event as { output: EffectOutputs['compose'] }).output;

/** The message is written: a turn has begun. */
export const begun = (context: Context, output: EffectOutputs['compose']): Partial<Context> =>
  output.ok && !output.empty
    ? {
        turns: context.turns + 1,
        queued: Math.max(0, context.queued - output.took),
        steered: 0,
        tokens: output.tokens,
        reflect: output.reflect,
        interrupted: false,
        failure: null,
      }
    : {};

/** It could not be written: the text stays stored, and is not tried over and over. */
export const notBegun = (context: Context, output: EffectOutputs['compose']): Partial<Context> => ({
  queued: Math.max(0, context.queued - 1),
  failure: output.ok ? null : output.failure,
});

export const ended = (output: TurnOutput): Partial<Context> => ({
  failure: output.ok ? null : output.failure,
});

export const stuckFailure = (event: unknown): Failure => {
  const { reason, message } = event as { reason: string; message: string };
  return failure('retryable', reason, message);
};

export const told = {
  turnEnded: ({ turns, interrupted, failure: why }: Context) => ({
    turn: turns,
    ok: why === null && !interrupted,
    interrupted,
    ...(why ? { error: { code: why.code, message: why.message } } : {}),
  }),
  notBegun: ({ failure: why }: Context) => ({
    error: { code: why?.code ?? 'unknown', message: why?.message ?? 'the message could not be written' },
  }),
};
