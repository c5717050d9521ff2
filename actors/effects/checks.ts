/** Tier 1: looks at the state of the world, not at whether every call was green. Deterministic, no model. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EffectOutputs } from '../../machines/effects.ts';
import { GOAL } from '../../machines/obligations.ts';
import type { Verdict, VerdictDigest } from '../../machines/verdict.ts';
import { accepted } from '../../machines/verdict.ts';
import type { ChecksInput } from '../../machines/verifier.ts';
import type { Effect } from '../effect.ts';
import { type Check, DEFAULT_RULES, passed, unsure } from './checks/check.ts';
import { type Judgement, judgement, runChecks } from './checks/run.ts';
import type { TaskDeps } from './deps.ts';
import { checkFindings, inConflict } from './findings.ts';
import { checksKey, row, type StoredVerdict, verdictKey } from './rows.ts';
import { type Work, workOf } from './work.ts';

export function checksEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as ChecksInput;
    const work = await workOf(deps, input);
    const { node, changelog, traces } = work;
    const checks = await runChecks({
      root: deps.workspace.root,
      goal: deps.goal,
      node,
      answer: input.subtask === GOAL ? '' : work.answer,
      changelog,
      traces,
      everything: () => deps.rows.changelog(),
      blobs: deps.blobs,
      rules: DEFAULT_RULES,
    });
    checks.push(...(await stillHeld(deps.workspace.root, work)));
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
      ...(verdict.passed ? {} : { findings: checkFindings(checks), conflict: inConflict(traces) }),
    };
    return {
      output: { ok: true, verdict: digest } satisfies EffectOutputs['checks'],
      rows: [
        row(verdictKey(input.thread), {
          ...verdict,
          effect: intent.key,
          by: 'checks',
        } satisfies StoredVerdict),
        row(checksKey(input.thread), checks.slice(0, 200)),
      ],
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

/** What others were accepted for is read anew where a reader accepted it, or where a file of theirs is gone. A file that
 *  this work has moved is where it has moved it. */
async function stillHeld(root: string, { held, changelog }: Work): Promise<Check[]> {
  const moves = new Map(
    changelog.flatMap(entry => entry.changes.flatMap(({ from, path }) => (from ? [[from, path]] : []))),
  );
  const isThere = async (path: string): Promise<boolean> => {
    const found = await stat(join(root, path)).catch(() => null);
    if (found) return found.isDirectory() || found.size > 0;
    const moved = moves.get(path);
    return moved !== undefined && (await stat(join(root, moved)).catch(() => null)) !== null;
  };
  return Promise.all(
    held.map(async ({ text, shown }) => {
      const name = `held_${shown.obligation}`;
      const paths = shown.paths ?? [];
      const there = await Promise.all(paths.map(isThere));
      const gone = paths.filter((_, at) => !there[at]);
      if (gone.length === 0 && shown.by === 'checks') return passed(name, `${text}: still so.`);
      const what =
        gone.length > 0 ? `${gone.join(', ')} is gone or empty` : `${paths.join(', ')} was changed`;
      return unsure(name, `${what}, although an earlier subtask was accepted for: ${text}`);
    }),
  );
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
