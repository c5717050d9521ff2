/** Tier 1: looks at the state of the world, not at whether every call was green. Deterministic, no model. */
import type { EffectOutputs } from '../../machines/effects.ts';
import type { Verdict, VerdictDigest } from '../../machines/verdict.ts';
import { accepted } from '../../machines/verdict.ts';
import type { ChecksInput } from '../../machines/verifier.ts';
import type { Effect } from '../effect.ts';
import { answersFor } from './answers-for.ts';
import { type Check, DEFAULT_RULES } from './checks/check.ts';
import { type Judgement, judgement, runChecks } from './checks/run.ts';
import type { TaskDeps } from './deps.ts';
import { checksKey, nodeOf, row, type StoredMessage, verdictKey } from './rows.ts';

export function checksEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as ChecksInput;
    const node = nodeOf(await deps.rows.plan(input.plan_version), input.subtask);
    const [messages, changelog, traces] = await Promise.all([
      deps.rows.messages(input.thread),
      answersFor(deps.rows, input.subtask, input.plan_version),
      deps.rows.traces(input.thread),
    ]);
    const checks = await runChecks({
      root: deps.workspace.root,
      goal: deps.goal,
      node,
      answer: finalAnswer(messages),
      changelog,
      traces,
      everything: () => deps.rows.changelog(),
      blobs: deps.blobs,
      rules: DEFAULT_RULES,
    });
    const judged = judgement(checks);
    const verdict = verdictOf(judged, checks);
    const good = checks.filter(check => check.result === 'passed' || check.result === 'advisory').length;
    const digest: VerdictDigest = {
      outcome: verdict.outcome,
      reason_code: verdict.reason_code,
      severity_class: verdict.severity_class,
      confidence: verdict.confidence,
      feedback: verdict.feedback.slice(0, 300),
      independent: true,
      tier: 1,
      established: judged.established,
      checks_passed: checks.length === 0 ? 1 : good / checks.length,
      tools_succeeded: traces.length === 0 ? 1 : traces.filter(trace => trace.success).length / traces.length,
      destructive: traces.some(trace => trace.destructive),
    };
    return {
      output: { ok: true, verdict: digest } satisfies EffectOutputs['checks'],
      rows: [row(verdictKey(input.thread), verdict), row(checksKey(input.thread), checks.slice(0, 200))],
      journal: [
        {
          // What nobody has judged yet is no outcome.
          event_type: judged.established ? 'verification_outcome' : 'verification_not_established',
          data: {
            subtask_id: input.subtask,
            ...digest,
            passed: verdict.passed,
            feedback: verdict.feedback.slice(0, 1_000),
          },
        },
      ],
    };
  };
}

function verdictOf(judged: Judgement, checks: Check[]): Verdict {
  const { outcome, failed, unsure, advisories } = judged;
  const told = failed.length > 0 ? failed : unsure.length > 0 ? unsure : advisories;
  return {
    passed: accepted(outcome),
    outcome,
    reason_code: judged.reason_code,
    severity_class: failed.length > 0 ? 'hard_invariant' : unsure.length > 0 ? 'inconclusive' : 'semantic',
    confidence: 1,
    feedback: told.map(check => check.detail).join(' '),
    issues: told.map(check => `${check.name}: ${check.detail}`),
    metadata: { checks: checks.length, established: judged.established },
  };
}

/** The words of the last answer that called no tool. */
export function finalAnswer(messages: StoredMessage[]): string {
  const answers = messages.map(entry => entry.message).filter(message => message.role === 'assistant');
  // A continued answer is several messages that belong together.
  const tail: string[] = [];
  for (const message of answers.reverse()) {
    if (message.role !== 'assistant' || (message.tool_calls?.length ?? 0) > 0) break;
    tail.unshift(message.content);
  }
  return tail.join('');
}
