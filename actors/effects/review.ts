/** Tier 2: a model that did not do the work reads what was really changed. Unreadable answers say nothing: they fail closed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EffectOutputs } from '../../machines/effects.ts';
import { failure } from '../../machines/failure.ts';
import type { Outcome, SeverityClass, Verdict, VerdictDigest } from '../../machines/verdict.ts';
import { accepted } from '../../machines/verdict.ts';
import type { ReviewInput } from '../../machines/verifier.ts';
import { diffRecords } from '../../tools/diff.ts';
import { decodeText } from '../../tools/text.ts';
import type { Effect } from '../effect.ts';
import { endsInside, extractJson } from '../models/extract-json.ts';
import { verifierMessages } from '../prompts/verifier.ts';
import { callModel } from './call-model.ts';
import { finalAnswer } from './checks.ts';
import { costOf, type TaskDeps } from './deps.ts';
import { nodeOf, row, verdictKey } from './rows.ts';

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
const unreadableKey = (thread: string, vote: number): string => `vx/${thread}/${vote}`;

export function reviewEffect(deps: TaskDeps): Effect {
  return async (intent, context) => {
    const input = intent.input as ReviewInput;
    const node = nodeOf(await deps.rows.plan(input.plan_version), input.subtask);
    const [messages, changelog, traces, before] = await Promise.all([
      deps.rows.messages(input.thread),
      deps.rows.changelog(input.subtask),
      deps.rows.traces(input.thread),
      input.repair > 0 ? deps.rows.get<string>(unreadableKey(input.thread, input.vote)) : null,
    ]);
    const records = changelog.filter(entry => !entry.undone_by).flatMap(entry => entry.changes);
    const diffs = (await diffRecords(records, deps.blobs)).map(diff => diff.diff).join('\n');
    const paths = [...new Set([...node.deliverables, ...records.map(record => record.path)])].slice(0, 12);
    const worker = messages.map(entry => entry.alias).filter(alias => alias !== undefined);
    const history = verifierMessages(
      {
        goal: deps.goal,
        node,
        attempt: input.attempt,
        claim: finalAnswer(messages),
        diffs,
        files: await excerpts(deps.workspace.root, paths),
        commands: traces
          .filter(trace => trace.exit_code !== undefined)
          .map(trace => `${trace.subject} → exit ${trace.exit_code}`),
        instructions: (await deps.rows.instructions()).map(instruction => instruction.text),
        unreadable: before,
      },
      deps.config.limits.verifier.max_verifier_prompt_tokens * CHARS_PER_TOKEN,
    );
    const called = await callModel(deps, context, 'verifier', {
      history,
      schema: { name: 'verdict', schema: VERDICT_SCHEMA },
      tier: 1,
      subtask: input.subtask,
      avoid: [...new Set(worker)],
      max_tokens: 2_048,
    });
    const { response, independent } = called.routed;
    const shared = { journal: called.journal, used: costOf(deps.config, called.routed) };
    const verdict = response.finish === 'length' ? null : readVerdict(response.content);
    if (!verdict) {
      const unreadable = failure('retryable', 'unreadable', 'the verifier did not answer with a verdict');
      return {
        ...shared,
        output: { ok: false, failure: unreadable } satisfies EffectOutputs['review'],
        rows: [row(unreadableKey(input.thread, input.vote), response.content.slice(0, 4_000) || '(empty)')],
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
    };
    return {
      ...shared,
      output: { ok: true, verdict: digest } satisfies EffectOutputs['review'],
      rows: [row(verdictKey(input.thread), verdict)],
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

async function excerpts(root: string, paths: string[]): Promise<{ path: string; content: string }[]> {
  const files = await Promise.all(
    paths.map(async path => {
      const bytes = await readFile(join(root, path)).catch(() => null);
      const decoded = bytes ? await decodeText(bytes) : null;
      return decoded ? { path, content: decoded.text } : null;
    }),
  );
  return files.filter(file => file !== null);
}

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
