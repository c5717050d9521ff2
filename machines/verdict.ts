/** Verdicts of verification; the words are those users of Loom know. */
export type Outcome = 'pass' | 'pass_with_warnings' | 'partial_verified' | 'fail' | 'inconclusive';
export type SeverityClass = 'hard_invariant' | 'semantic' | 'inconclusive' | 'infra';

/** What a verdict asks for besides its outcome. */
export type RemediationMode =
  | 'confirm_or_prune'
  | 'queue_follow_up'
  | 'targeted_remediation'
  | 'remediate_and_retry';

export interface Verdict {
  passed: boolean;
  outcome: Outcome;
  /** e.g. '', hard_invariant_failed, llm_semantic_failed, parse_inconclusive, infra_verifier_error, claimed_deliverable_missing. */
  reason_code: string;
  severity_class: SeverityClass;
  /** 0..1 */
  confidence: number;
  feedback: string;
  issues: string[];
  metadata: Record<string, unknown>;
}

/** The part of a verdict that travels in events and contexts; feedback and issues are rows. */
export interface VerdictDigest {
  outcome: Outcome;
  reason_code: string;
  severity_class: SeverityClass;
  confidence: number;
  /** False when the model that did the work also judged it. */
  independent: boolean;
  /** Highest tier that answered. */
  tier: number;
  /** Of tier 1: false when nothing observable supports the work, so that a reviewer has to read it. */
  established?: boolean;
  /** What was wrong, at most 300 characters; the whole feedback is a row. */
  feedback?: string;
  /** Share of the deterministic checks that passed, 0..1. */
  checks_passed?: number;
  /** Share of the attempt's tool calls that succeeded, 0..1. */
  tools_succeeded?: number;
  /** The attempt ran something that can destroy data. */
  destructive?: boolean;
  /** Hash of what exactly was found wrong; equal when a further attempt fails in just the same way. */
  findings?: string;
  /** What was left unconfirmed should be followed up, and how. */
  remediation?: RemediationMode;
  /** A change of this attempt was refused because somebody else had changed the same file. */
  conflict?: boolean;
}

export const accepted = (outcome: Outcome): boolean =>
  outcome === 'pass' || outcome === 'pass_with_warnings' || outcome === 'partial_verified';
