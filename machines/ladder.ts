/** The retry ladder: what kind of failure it was, whether another attempt is worth its calls, with which model, and what a
 *  person is told when it is not. Pure. */
import { type Failure, failure } from './failure.ts';
import type { RemediationSettings } from './remediation-queue.ts';
import type { VerdictDigest } from './verdict.ts';

export interface SubtaskSettings {
  max_retries: number;
  max_iterations: number;
  wall_clock_ms: number;
  votes: number;
  review_tokens: number;
  /** A model of its own reads what each completed subtask leaves for later ones. */
  extract: boolean;
  /** A model stands by that writes a short plan after a failed attempt. */
  resolver: boolean;
  /** Tier of the strongest executor. */
  top_tier: number;
  remediation: RemediationSettings;
  /** The result gate is on (approval mode `confidence_threshold`). */
  result_gate: boolean;
  confidence_threshold: number;
}

/** The part of a subtask's context that describes its newest attempt. */
export interface Attempt {
  id: string;
  incarnation: number;
  plan_version: number;
  /** From 1. */
  attempt: number;
  model_tier: number;
  /** The goal cannot be met without it: no count of calls ends its ladder. */
  critical: boolean;
  /** Model calls spent on work that this subtask replaces. */
  spent: number;
  /** The same and those of its own attempts. */
  calls: number;
  /** What `calls` was when this attempt began. */
  before: number;
  /** Those since something was last changed or shown to hold. */
  barren: number;
  /** This attempt changed or showed something. */
  fruitful: boolean;
  /** Of the attempts before. */
  signatures: string[];
  /** How often this attempt was judged anew because somebody else had changed its files meanwhile. */
  rejudged: number;
  verdict: VerdictDigest | null;
  failure: Failure | null;
  settings: SubtaskSettings;
}

/** What kind of help a failed attempt needs. */
export type FailureClass =
  | 'generic'
  | 'rate_limit'
  | 'verifier_parse'
  | 'evidence_gap'
  | 'unconfirmed_data'
  | 'loop'
  | 'budget'
  | 'conflict';

const CLASS_OF: Record<string, FailureClass> = {
  rate_limit: 'rate_limit',
  overloaded: 'rate_limit',
  parse_inconclusive: 'verifier_parse',
  infra_verifier_error: 'verifier_parse',
  evidence_gap: 'evidence_gap',
  missing_evidence: 'evidence_gap',
  insufficient_evidence_targets: 'evidence_gap',
  not_established: 'evidence_gap',
  incomplete_deliverable_placeholder: 'unconfirmed_data',
  incomplete_deliverable_content: 'unconfirmed_data',
  unsupported_claims_and_incomplete_evidence: 'unconfirmed_data',
  insufficient_evidence: 'unconfirmed_data',
  unsupported_claims_no_evidence: 'unconfirmed_data',
  unsupported_entries_remain: 'unconfirmed_data',
  partial_evidence_coverage: 'unconfirmed_data',
  partial_verified: 'unconfirmed_data',
  unverified_entries_remaining: 'unconfirmed_data',
  out_of_iterations: 'budget',
  no_progress: 'loop',
  wall_clock: 'budget',
  cut_off: 'budget',
  context_length: 'budget',
  changed_since_read: 'conflict',
  overtaken: 'conflict',
  file_changed_meanwhile: 'conflict',
};

/** From codes alone; words of models and servers decide nothing. */
export function classOf(
  code: string,
  verdict: Pick<VerdictDigest, 'severity_class' | 'conflict'> | null,
): FailureClass {
  if (verdict?.conflict) return 'conflict';
  const known = CLASS_OF[code];
  if (known) return known;
  if (/unconfirmed|remediation/.test(code)) return 'unconfirmed_data';
  if (/(^|_)loop/.test(code)) return 'loop';
  if (/budget/.test(code)) return 'budget';
  if (/conflict/.test(code)) return 'conflict';
  const judged = verdict?.severity_class;
  return judged === 'inconclusive' || judged === 'infra' ? 'verifier_parse' : 'generic';
}

const codeOf = (context: Attempt): string => context.failure?.code ?? '';

/** A person rejected the result: what was wrong with it has been judged, so its verdict says nothing more. */
export const byPerson = (context: Attempt): boolean => codeOf(context) === 'rejected_by_person';

export function failureClass(context: Attempt): FailureClass {
  const found = classOf(codeOf(context), byPerson(context) ? null : context.verdict);
  // What was right when it was judged first is wrong since somebody else has written.
  return found === 'generic' && context.rejudged > 0 ? 'conflict' : found;
}

/** Equal for failures that a further attempt would only repeat: class, reason, and what exactly was found wrong. */
export const signatureOf = (context: Attempt): string =>
  [failureClass(context), codeOf(context).replace(/\d+/g, '#').slice(0, 80), context.verdict?.findings ?? '']
    .filter(Boolean)
    .join(':');

/** By failures before it: none or one, as planned; two, one tier up; more, the top. */
export const tierOf = ({ attempt, model_tier }: Pick<Attempt, 'attempt' | 'model_tier'>): number =>
  attempt <= 2 ? model_tier : attempt === 3 ? Math.min(3, model_tier + 1) : 3;

/** Failures no further attempt can change. */
export const HOPELESS = ['not_found', 'bad_request', 'script', 'no_plan'];

/** Failures that pass with time. */
const TRANSIENT = ['rate_limit', 'overloaded', 'timeout', 'infra_verifier_error'];

/** 2 s, doubled with each further attempt, at most 30 s; other failures need no wait. */
export const backoffMs = (context: Attempt): number =>
  TRANSIENT.includes(codeOf(context)) ? Math.min(30_000, 1_000 * 2 ** (context.attempt - 1)) : 0;

/** Model calls that work which is not critical may cost without an accepted result; with planning it stays within 20. */
export const PATIENCE = 18;
/** Attempts that are made while each changes something: one with feedback, one more that learns from both. */
const SURE_ATTEMPTS = 3;
/** Calls that are enough for an attempt: look, change, say so, and be judged. */
const LEAST_ATTEMPT = 4;

/** Who lets an attempt look around for longer has more patience. */
const patienceOf = ({ max_iterations }: SubtaskSettings): number => Math.max(PATIENCE, max_iterations - 2);

/** How long an attempt may look around without changing anything: what is left, one call kept for its judge. */
export const patienceFor = ({ critical, settings, barren }: Attempt): { patience?: number } =>
  critical ? {} : { patience: Math.max(LEAST_ATTEMPT - 1, patienceOf(settings) - barren - 1) };

/** Time alone may help, a person has just said what is wrong, or somebody else was in the way: the same failure need not
 *  come back. */
const passes = (context: Attempt): boolean =>
  TRANSIENT.includes(codeOf(context)) || byPerson(context) || failureClass(context) === 'conflict';

/** The signatures of the failures so far that must not come back, this one included. In order, so that it does not matter
 *  which came first. */
export const signaturesWith = (context: Attempt): string[] =>
  passes(context) ? context.signatures : [...new Set([...context.signatures, signatureOf(context)])].sort();

/** Nothing new is to be expected: it failed like before, and no stronger model is left to ask. */
function repeats(context: Attempt): boolean {
  if (passes(context)) return false;
  if (!context.signatures.includes(signatureOf(context))) return false;
  const next = tierOf({ ...context, attempt: context.attempt + 1 });
  return next <= tierOf(context) || context.settings.top_tier <= tierOf(context);
}

function affordable(context: Attempt): boolean {
  if (context.critical) return true;
  if (context.spent === 0 && context.attempt < SURE_ATTEMPTS && context.fruitful) return true;
  // It may cost what the last one did; a dear one will be held to what is left.
  const likely = Math.min(LEAST_ATTEMPT, context.calls - context.before);
  return context.calls + likely + (context.settings.resolver ? 1 : 0) <= patienceOf(context.settings);
}

/** Why the ladder ends here, for a person; null: another attempt follows. */
export function ending(context: Attempt): string | null {
  const { attempt, calls } = context;
  if (HOPELESS.includes(codeOf(context))) return 'no further attempt can change that';
  if (failureClass(context) === 'verifier_parse') return 'its result could not be judged, twice';
  if (attempt > context.settings.max_retries)
    return attempt === 1 ? 'no retries are allowed' : `all ${attempt} attempts failed`;
  if (repeats(context)) return `attempt ${attempt} failed exactly like one before`;
  return affordable(context) ? null : `${calls} model calls were spent on it without an accepted result`;
}

export const ADVICE: Record<FailureClass, string> = {
  generic:
    'Ask for less at once or say more exactly what is accepted, or give the executor a stronger model.',
  rate_limit: 'Run it again later, or configure a second model for the role.',
  verifier_parse: 'Give the role verifier a model that answers with JSON (loom models --check shows them).',
  evidence_gap: 'Name a file or a command in the goal by which it can be seen that the work is done.',
  unconfirmed_data: 'Put the sources that the claims need into the workspace, or ask for less.',
  loop: 'Give the executor another model, or ask for smaller steps.',
  budget: 'Ask for smaller steps, or raise max_tool_iterations or max_subtask_wall_clock_seconds.',
  conflict: 'Something else changes the same files: let it finish first, then run it again.',
};

/** Characters of what went wrong that travel in the failure; the whole feedback is a row. */
const TOLD = 1_000;

/** The failure with why nothing more is tried and what a person can do. */
export function givenUp(context: Attempt): Failure {
  const { kind, code, message } =
    context.failure ?? failure('terminal', 'unknown', 'it failed without a reason');
  const told = message.trim().slice(0, TOLD);
  const stop = /[.!?…]$/.test(told) ? '' : '.';
  const attempts = context.attempt === 1 ? '1 attempt' : `${context.attempt} attempts`;
  const advice = ADVICE[failureClass(context)];
  return failure(kind, code, `${told}${stop} Given up after ${attempts}: ${ending(context)}. ${advice}`, {
    failure_class: failureClass(context),
    attempts: context.attempt,
    model_calls: context.calls,
  });
}

/** Somebody with more insight may write down what to do differently. Waiting and asking again need no plan. */
export const wantsResolver = (context: Attempt): boolean =>
  context.settings.resolver && !['rate_limit', 'verifier_parse'].includes(failureClass(context));
