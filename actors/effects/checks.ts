/** Tier 1: looks at the state of the world, not at whether every call was green. Deterministic, no model. */
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { EffectOutputs } from '../../machines/effects.ts';
import type { PlanNode } from '../../machines/plan.ts';
import type { Verdict } from '../../machines/verdict.ts';
import type { ChecksInput } from '../../machines/verifier.ts';
import type { Effect } from '../effect.ts';
import { readClaim } from './claim.ts';
import { claimedPaths, criteriaPaths } from './claimed-paths.ts';
import type { TaskDeps } from './deps.ts';
import { type ChangelogEntry, nodeOf, row, type StoredMessage, type ToolTrace, verdictKey } from './rows.ts';

export interface Check {
  name: string;
  passed: boolean;
  detail: string;
}

/** Larger files are not parsed, only seen to be there. */
const MAX_PARSED_BYTES = 2 * 1024 * 1024;

export function checksEffect(deps: TaskDeps): Effect {
  return async intent => {
    const input = intent.input as ChecksInput;
    const node = nodeOf(await deps.rows.plan(input.plan_version), input.subtask);
    const [messages, changelog, traces] = await Promise.all([
      deps.rows.messages(input.thread),
      deps.rows.changelog(input.subtask),
      deps.rows.traces(input.thread),
    ]);
    const checks = await runChecks(deps.workspace.root, node, finalAnswer(messages), changelog, traces, () =>
      deps.rows.changelog(),
    );
    // Tier 1 has the last word here: an attempt that did nothing and names no status leaves nothing to go by.
    const idle = checks.length === 0 && !traces.some(trace => trace.success);
    if (input.tier === 1 && idle && !readClaim(finalAnswer(messages)).explicit)
      checks.push({
        name: 'status_missing',
        passed: false,
        detail:
          'Nothing was done, and the answer does not say that nothing had to be done: end it with the JSON object and its status.',
      });
    const failed = checks.filter(check => !check.passed);
    const verdict: Verdict = {
      passed: failed.length === 0,
      outcome: failed.length === 0 ? 'pass' : 'fail',
      reason_code: failed.length === 0 ? '' : reasonOf(failed),
      severity_class: failed.length === 0 ? 'semantic' : 'hard_invariant',
      confidence: 1,
      feedback: [...new Set(failed.map(check => check.detail))].join(' '),
      issues: failed.map(check => `${check.name}: ${check.detail}`),
      metadata: { checks: checks.length },
    };
    const digest = {
      outcome: verdict.outcome,
      reason_code: verdict.reason_code,
      severity_class: verdict.severity_class,
      confidence: verdict.confidence,
      feedback: verdict.feedback.slice(0, 300),
      independent: true,
      tier: 1,
      checks_passed: checks.length === 0 ? 1 : (checks.length - failed.length) / checks.length,
      tools_succeeded: traces.length === 0 ? 1 : traces.filter(trace => trace.success).length / traces.length,
      destructive: traces.some(trace => trace.destructive),
    };
    return {
      output: { ok: true, verdict: digest } satisfies EffectOutputs['checks'],
      rows: [row(verdictKey(input.thread), verdict)],
      journal: [
        {
          event_type: 'verification_outcome',
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

const reasonOf = (failed: Check[]): string =>
  failed.some(check => check.name.startsWith('claim'))
    ? 'claimed_deliverable_missing'
    : 'hard_invariant_failed';

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

/** All deterministic checks of one subtask against the files under `root`. `changelog`: of this subtask; `everything`:
 *  of the whole run, asked only when a claim speaks of a file this subtask did not touch. */
export async function runChecks(
  root: string,
  node: PlanNode,
  answer: string,
  changelog: ChangelogEntry[],
  traces: ToolTrace[],
  everything: () => Promise<ChangelogEntry[]>,
): Promise<Check[]> {
  const claim = readClaim(answer);
  const mine = changelog.filter(entry => entry.undone_by === undefined).flatMap(entry => entry.changes);
  const shellTouched = traces.flatMap(trace => trace.files_changed);
  const touched = new Set([
    ...mine.flatMap(change => [change.path, ...(change.from ? [change.from] : [])]),
    ...shellTouched,
    // Writing what was there already leaves no change, and is no lie either.
    ...traces.filter(trace => trace.success && trace.tool === 'write_file').map(trace => trace.subject),
  ]);
  const checks: Check[] = [];

  for (const path of node.deliverables) checks.push(await present(root, path, 'deliverable'));
  const { wanted, unwanted } = criteriaPaths(node.acceptance_criteria);
  for (const path of wanted)
    if (!node.deliverables.includes(path)) checks.push(await present(root, path, 'criterion'));
  for (const path of unwanted) checks.push(await absent(root, path));

  const claimed = claimedPaths(answer, claim.deliverables);
  for (const path of claimed.touched) {
    const there = await present(root, path, 'claim');
    if (!there.passed && touched.has(path)) continue; // deleted or moved on purpose
    checks.push(
      there.passed && !touched.has(path) && !(await changedByOthers(path, everything))
        ? unchanged(path)
        : there,
    );
  }
  if (claimed.claimsWriting && touched.size === 0) {
    checks.push({
      name: 'claim_without_change',
      passed: false,
      detail: 'The answer says that files were written or changed, but this subtask changed no file.',
    });
  }
  const changed = [...new Set(mine.filter(change => change.after !== null).map(change => change.path))];
  for (const path of changed) {
    const nonEmpty = await syntax(root, path);
    if (nonEmpty) checks.push(nonEmpty);
  }
  return checks;
}

const changedByOthers = async (path: string, everything: () => Promise<ChangelogEntry[]>): Promise<boolean> =>
  (await everything()).some(entry => entry.changes.some(change => change.path === path));

const unchanged = (path: string): Check => ({
  name: `claim_${path}`,
  passed: false,
  detail: `The answer says that ${path} was written or changed, but nothing in this run changed it.`,
});

async function present(root: string, path: string, kind: string): Promise<Check> {
  const found = await stat(join(root, path)).catch(() => null);
  const passed = found !== null && (found.isDirectory() || found.size > 0);
  const detail =
    found === null ? `${path} does not exist.` : passed ? `${path} is there.` : `${path} is empty.`;
  return { name: `${kind}_${path}`, passed, detail };
}

async function absent(root: string, path: string): Promise<Check> {
  const found = await stat(join(root, path)).catch(() => null);
  return {
    name: `absent_${path}`,
    passed: found === null,
    detail: found ? `${path} should be gone but is there.` : `${path} is gone.`,
  };
}

/** Parses what it knows how to parse; null when there is nothing to say about this kind of file. */
async function syntax(root: string, path: string): Promise<Check | null> {
  const parse = PARSERS[extname(path).toLowerCase()];
  const full = join(root, path);
  const found = await stat(full).catch(() => null);
  if (!parse || !found?.isFile() || found.size > MAX_PARSED_BYTES) return null;
  try {
    await parse((await readFile(full, 'utf8')).replace(/^\uFEFF/, ''));
    return { name: `syntax_${path}`, passed: true, detail: `${path} parses.` };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { name: `syntax_${path}`, passed: false, detail: `${path} does not parse: ${why}` };
  }
}

const PARSERS: Record<string, (text: string) => Promise<unknown> | unknown> = {
  '.json': text => JSON.parse(text),
  '.yaml': async text => {
    const { parseAllDocuments } = await import('yaml');
    const broken = parseAllDocuments(text).flatMap(document =>
      'errors' in document ? document.errors : [],
    )[0];
    if (broken) throw broken;
  },
  '.toml': async text => (await import('smol-toml')).parse(text),
};
PARSERS['.yml'] = PARSERS['.yaml']!;
