/** Every effect a machine may ask for: what goes in, what comes back, and what a crash in the middle of it means. */
import type { Gate, Risk } from './approval.ts';
import type { Settled } from './failure.ts';
import type { Plan } from './plan.ts';
import type { VerdictDigest } from './verdict.ts';

/** repeatable: run it again · checkable: look at the world first · keyed: the other side knows the key · unknowable: ask. */
export type EffectClass = 'repeatable' | 'checkable' | 'keyed' | 'unknowable';

/** What a turn needs to know of one tool call; the arguments themselves are a row. */
export interface CallDigest {
  /** Position in the answer, from 0. */
  n: number;
  tool: string;
  /** false: refused by validation; the error is already a message row. */
  valid: boolean;
  risks: Risk[];
  subject: string;
  shell_network: boolean;
  mutates: boolean;
  effect: EffectClass;
  /** Same for every spelling of one call, for the loop guard; '' where the call is not valid. */
  signature: string;
  /** The gate's word on this call under the task's rules. */
  gate: Gate;
  /** Its word once something untrusted has been read; absent where it is the same. */
  wary?: Gate;
}

export type ClaimStatus = 'success' | 'partial' | 'failed' | 'blocked';

/** What the effect answers with; the sources without `Settled` failure kinds cannot fail. */
export interface EffectOutputs {
  plan: Settled<{ plan: Plan }>;
  replan: Settled<{ plan: Plan }>;
  /** Writes the first messages of a thread; `tokens` estimates the first request. `tier`: where to start instead of the
   *  planned tier, from what earlier runs have taught. */
  prepare: Settled<{ tokens: number; tier?: number }>;
  model: Settled<{
    /** `pressure`: not asked, because what does not fit the window and cannot be read again should be compacted first. */
    answer: 'calls' | 'text' | 'cut' | 'pressure';
    calls: CallDigest[];
    /** Only for `text`: what the answer claims. */
    claim: ClaimStatus;
    reason: string;
    /** Estimated size of the next request. */
    tokens: number;
    /** Something untrusted has been read for this work before: by an earlier attempt, or by those it builds on. */
    tainted?: boolean;
  }>;
  /** Tokens of what was compacted, and of what it became. */
  compact: Settled<{ before: number; after: number }>;
  /** `signature`: same for results that say the same, for the loop guard. */
  tool: Settled<{
    success: boolean;
    signature: string;
    tokens: number;
    /** It changed a file, or was a test that passed. */
    progress?: boolean;
    /** The result was written by somebody outside. */
    untrusted?: boolean;
  }>;
  note: Settled<{ tokens: number }>;
  question: Settled<{ answer: string; reason: string }>;
  /** Writes a plan for the next attempt as a row. */
  resolve: Settled;
  alarm: Settled;
  checks: Settled<{ verdict: VerdictDigest }>;
  review: Settled<{ verdict: VerdictDigest }>;
  /** What a model read out of a completed subtask for later ones: how much, the entries are a row. */
  extract: Settled<{ entries: number }>;
  /** `summary`: what the subtask leaves to its dependents, at most 480 characters. */
  settle: Settled<{ summary: string }>;
  /** `recheck`: commands that were evidence are run once more, as stored calls of `thread` · `judge`: the goal's own
   *  criteria are judged · absent: all that is owed is shown, and the task is summed up. */
  finalize: Settled<{ next?: 'recheck' | 'judge'; calls?: CallDigest[] }>;
  /** Writes a person's message as the first of a turn. `empty`: there was nothing to say · `took`: texts taken from the queue ·
   *  `reflect`: it may teach something that a model has to put into words. */
  compose: Settled<{ empty: boolean; took: number; tokens: number; reflect: boolean }>;
  /** Writes a result for every call of an interrupted turn that has none. */
  mend: Settled;
  reflect: Settled;
}

type QuestionKind = 'approval' | 'uncertain' | 'ask_user' | 'plan' | 'result';

export interface QuestionInput {
  kind: QuestionKind;
  subtask: string | null;
  /** The call it is about, `<thread>.<iteration>.<n>`, '' where it is about none; its arguments are a row. */
  call: string;
  /** What is asked, for a person. */
  prompt: string;
  choices: string[];
  /** The rule that would have let it pass; '' where no rule can. */
  rule: string;
  risk: string;
}

/** The class of an effect, from its source and input alone. It stands in the intent row. */
export function effectClass(source: string, input: unknown): EffectClass {
  if (source !== 'tool') return 'repeatable';
  const declared = (input as { effect?: EffectClass } | null)?.effect;
  return declared ?? 'unknowable';
}
