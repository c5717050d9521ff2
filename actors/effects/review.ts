/** Tier 2: a model that did not do the work reads what was really changed. Unreadable answers say nothing: they fail closed. */
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type {
  Outcome,
  RemediationMode,
  SeverityClass,
  Verdict,
  VerdictDigest,
} from '../../machines/verdict.ts';
import { accepted } from '../../machines/verdict.ts';
import type { ReviewInput } from '../../machines/verifier.ts';
import type { Effect } from '../effect.ts';
import { endsInside, extractJson } from '../models/extract-json.ts';
import { verifierMessages } from '../prompts/verifier.ts';
import { callModel } from './call-model.ts';
import type { Check } from './checks/check.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { evidence } from './evidence.ts';
import { inConflict, reviewFindings } from './findings.ts';
import { checksKey, row, type StoredVerdict, verdictKey } from './rows.ts';
import { workOf } from './work.ts';

const VERDICT_SCHEMA = {
  type: 'object',
  properties: {
    passed: { type: 'boolean' },
    outcome: { type: 'string', enum: ['pass', 'pass_with_warnings', 'partial_verified', 'fail'] },
    reason_code: { type: 'string' },
    severity_class: { type: 'string', enum: ['hard_invariant', 'semantic', 'inconclusive', 'infra'] },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    feedback: { type: 'string' },
    issues: { type: 'array', items: { type: 'string' } },
    metadata: { type: 'object' },
  },
  required: ['passed', 'outcome', 'confidence', 'feedback', 'issues'],
};

const CHARS_PER_TOKEN = 3;
/** Tokens of a verdict. */
const ANSWER_TOKENS = 2_048;
const unreadableKey = (thread: string, vote: number): string => `vx/${thread}/${vote}`;

/** An answer that was no verdict, and who gave it. */
interface Unreadable {
  text: string;
  alias: string;
}

export function reviewEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ReviewInput;
    const [work, checks, before] = await Promise.all([
      workOf(deps, input),
      deps.rows.get<Check[]>(checksKey(input.thread)),
      input.repair > 0 ? deps.rows.get<Unreadable>(unreadableKey(input.thread, input.vote)) : null,
    ]);
    const { node, messages, changelog, traces } = work;
    const worker = messages.map(entry => entry.alias).filter(alias => alias !== undefined);
    // The first repair is the same model's, the second another's where there is one.
    const avoid = [...new Set([...worker, ...(input.repair > 1 && before ? [before.alias] : [])])];
    const history = verifierMessages(
      {
        goal: deps.goal,
        node,
        attempt: input.attempt,
        claim: work.answer,
        held: work.held.map(({ text }) => text),
        evidence: await evidence({
          root: deps.workspace.root,
          node,
          changelog,
          traces,
          checks: checks ?? [],
          blobs: deps.blobs,
        }),
        instructions: (await deps.rows.instructions()).map(instruction => instruction.text),
        unreadable: before?.text ?? null,
        vote: input.vote,
      },
      (await promptTokens(deps, avoid, context.signal)) * CHARS_PER_TOKEN,
    );
    const called = await callModel(deps, context, 'verifier', {
      history,
      schema: { name: 'verdict', schema: VERDICT_SCHEMA },
      tier: 1,
      subtask: input.subtask,
      avoid,
      max_tokens: ANSWER_TOKENS,
    });
    const { response, independent } = called.routed;
    const shared = { journal: called.journal, used: costOf(deps.config, called.routed) };
    const read = response.finish === 'length' ? null : readVerdict(response.content);
    const verdict = deps.config.verification.allow_partial_verified ? read : read && wholly(read);
    if (!verdict) {
      const unreadable = failure('retryable', 'unreadable', 'the verifier did not answer with a verdict');
      return {
        ...shared,
        output: { ok: false, failure: unreadable } satisfies EffectOutputs['review'],
        rows: [
          row(unreadableKey(input.thread, input.vote), {
            text: response.content.slice(0, 4_000) || '(empty)',
            alias: called.routed.alias,
          } satisfies Unreadable),
        ],
      };
    }
    const digest: VerdictDigest = {
      outcome: verdict.outcome,
      reason_code: verdict.reason_code,
      severity_class: verdict.severity_class,
      confidence: verdict.confidence,
      feedback: verdict.feedback.slice(0, 300),
      independent,
      tier: 2,
      ...remediationOf(verdict),
      ...(verdict.passed ? {} : { findings: reviewFindings(verdict), conflict: inConflict(traces) }),
    };
    return {
      ...shared,
      output: { ok: true, verdict: digest } satisfies EffectOutputs['review'],
      rows: [
        row(verdictKey(input.thread), {
          ...verdict,
          effect: intent.key,
          by: 'review',
        } satisfies StoredVerdict),
      ],
      journal: [
        ...called.journal,
        {
          event_type: 'verification_outcome',
          data: {
            subtask_id: input.subtask,
            ...digest,
            vote: input.vote,
            passed: verdict.passed,
            feedback: verdict.feedback.slice(0, 1_000),
          },
        },
      ],
    };
  };
}

/** What a verdict says should follow: a mode by its name, or only that something should. */
function remediationOf({ metadata }: Verdict): Pick<VerdictDigest, 'remediation'> {
  const named = MODES.find(mode => mode === metadata['remediation_mode']);
  const remediation = named ?? (metadata['remediation_required'] === true ? 'queue_follow_up' : undefined);
  return remediation ? { remediation } : {};
}

/** Where nothing may stay unconfirmed, accepted in part is not accepted. */
const wholly = (verdict: Verdict): Verdict =>
  verdict.outcome === 'partial_verified'
    ? { ...verdict, passed: false, outcome: 'fail', reason_code: verdict.reason_code || 'partial_verified' }
    : verdict;

/** What the prompt may take: as configured, but never more than the reviewer's window leaves beside its answer. */
async function promptTokens(deps: TaskDeps, avoid: string[], signal: AbortSignal): Promise<number> {
  const configured = deps.config.limits.verifier.max_verifier_prompt_tokens;
  try {
    const window = await deps.router.pick('verifier', { tier: 1, exclude: avoid }).window(signal);
    return Math.min(configured, window - Math.min(ANSWER_TOKENS, Math.floor(window / 2)) - 128);
  } catch {
    // No model, or none that answers: the call itself says so, in words that can be acted on.
    return configured;
  }
}

const MODES: RemediationMode[] = [
  'confirm_or_prune',
  'queue_follow_up',
  'targeted_remediation',
  'remediate_and_retry',
];
const OUTCOMES: Outcome[] = ['pass', 'pass_with_warnings', 'partial_verified', 'fail'];
const SEVERITIES: SeverityClass[] = ['hard_invariant', 'semantic', 'inconclusive', 'infra'];

/** A verdict only when the answer says clearly whether it passed; contradictions count as a failure. null: unreadable. */
export function readVerdict(text: string): Verdict | null {
  if (endsInside(text)) return null;
  const value = extractJson(text, ['passed'])?.value;
  if (!value || typeof value !== 'object' || Array.isArray(value)) return null;
  const given = value as Record<string, unknown>;
  const passed = booleanOf(given['passed'] ?? given['pass'] ?? given['result']);
  const named = OUTCOMES.find(outcome => outcome === given['outcome']);
  if (passed === null && !named) return null;
  const says = passed ?? accepted(named!);
  const issues = Array.isArray(given['issues']) ? given['issues'].map(String).slice(0, 20) : [];
  const outcome: Outcome =
    !says || named === 'fail' ? 'fail' : (named ?? (issues.length > 0 ? 'pass_with_warnings' : 'pass'));
  const reason = typeof given['reason_code'] === 'string' ? given['reason_code'].slice(0, 80) : '';
  return {
    passed: accepted(outcome),
    outcome,
    reason_code: outcome === 'fail' ? reason || 'llm_semantic_failed' : reason,
    severity_class: SEVERITIES.find(severity => severity === given['severity_class']) ?? 'semantic',
    confidence: confidenceOf(given['confidence'], accepted(outcome)),
    feedback: String(given['feedback'] ?? given['reason'] ?? issues.join('; ')).slice(0, 4_000),
    issues: issues.map(issue => issue.slice(0, 500)),
    metadata:
      typeof given['metadata'] === 'object' && given['metadata']
        ? (given['metadata'] as Record<string, unknown>)
        : {},
  };
}

function booleanOf(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  const word = String(value ?? '').toLowerCase();
  if (['true', 'yes', 'pass', 'passed'].includes(word)) return true;
  return ['false', 'no', 'fail', 'failed'].includes(word) ? false : null;
}

function confidenceOf(value: unknown, passed: boolean): number {
  const number =
    typeof value === 'string' ? Number.parseFloat(value) / (value.includes('%') ? 100 : 1) : Number(value);
  if (!Number.isFinite(number)) return passed ? 0.8 : 0.4;
  return Math.min(1, Math.max(0, number > 1 ? number / 100 : number));
}
