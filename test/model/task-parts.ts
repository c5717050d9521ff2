/** The models to explore that have a task in them: with its subtasks and follow-ups as effects, and whole. */
import type { EffectEntry } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import {
  asking,
  calls,
  failed,
  node,
  ok,
  planned,
  read,
  settled,
  shell,
  taskInput,
  text,
  toolDone,
  unestablished,
  verdict,
} from '../machines/results.ts';
import {
  everything,
  NOTE,
  noBudget,
  noModel,
  type Part,
  partial,
  quiet,
  results,
  sure,
  unconfirmed,
  without,
} from './part.ts';
import { type Outputs, SUBTASK, uncounted } from './parts.ts';
import { properties } from './properties.ts';

interface Followed {
  follow_up?: { id: string; subtask: string; incarnation: number };
}

/** Outcomes that were explored for one subtask, as another one has them. */
const ofNode = (outcomes: unknown[], { id }: EffectEntry): unknown[] =>
  outcomes.map(outcome => {
    const { follow_up } = outcome as Followed;
    if (!follow_up) return outcome;
    const [, subtask = '', n = '1'] = /^s:(.+)@(\d+)$/.exec(id) ?? [];
    const own = { id: `rem-${subtask}-${n}`, subtask, incarnation: Number(n) };
    return { ...(outcome as object), follow_up: { ...follow_up, ...own } };
  });

/** Without what calls for a follow-up, where the queue is not looked at. */
export const settledOnes = (outcomes: unknown[]): unknown[] =>
  outcomes.filter(outcome => !(outcome as Followed).follow_up);

const owing = { acceptance_criteria: 'It works.', deliverables: ['x.md'] };
const three = planned(node('a', [], owing), node('b'), node('c', ['a']));
const critical = planned(
  node('a', [], { is_critical_path: true }),
  node('b'),
  node('c', [], { is_synthesis: true }),
);
const circular = planned(node('a', ['b']), node('b', ['a']));
const REPLAN = [planned(node('d', [], owing), node('c', ['d'])), planned(), noBudget, failed('overloaded')];

/** What the end of the work can say, as far as it has been looked at. */
function endings(effect: EffectEntry, again: unknown[] = []): unknown[] {
  const { rechecked, goal } = effect.input as { rechecked: boolean; goal: unknown };
  return [
    ok,
    failed('internal', 'terminal'),
    failed('obligation_unmet', 'terminal'),
    ...(rechecked ? [] : [{ ok: true, next: 'recheck', calls: again }]),
    ...(goal === null ? [{ ok: true, next: 'judge' }] : []),
  ];
}

type Mode = 'allow' | 'require_approval' | 'deny';

/** @param followed what items of the remediation queue end with */
export const task = (mode: Mode, outcomes: unknown[], plan_only = false, followed: unknown[] = []): Part => ({
  name: `task, subtasks as effects, 1 replan, degraded mode ${mode}${plan_only ? ', plan only' : ''}`,
  catalogue: without('subtask', 'turn', 'verifier', 'remediation'),
  machine: 'task',
  input: taskInput({ max_parallel: 2, max_replans: 1, degraded_mode: mode, plan_only }),
  results: effect =>
    effect.source === 'finalize'
      ? endings(effect)
      : results({
          plan: mode === 'allow' ? [three, critical, circular, noModel] : [three, circular, noModel],
          replan: REPLAN,
          subtask: ofNode(outcomes, effect),
          remediation: followed,
          turn: [{ ok: true, claim: 'success', reason: '', iterations: 1 }],
          verifier: [sure, verdict('fail')].map(({ verdict: judged }) => ({ verdict: judged, calls: 1 })),
        })(effect),
  commands: () => everything,
  costly: ['plan', 'replan', 'subtask', 'remediation'],
  properties,
  // Three plans, one new one, three subtasks and two more, each of them followed up once.
  atMost: followed.length > 0 ? 14 : 9,
});

/** A task whose first result is followed up, for what the queue ends with. */
export const followedPart = (outcomes: unknown[]): Part =>
  task(
    'deny',
    outcomes.filter(outcome => (outcome as Followed).follow_up),
    false,
    [{ ok: true, state: 'resolved' }],
  );

/** Verdicts that call for no follow-up. */
export const unfollowed = (outputs: unknown[]): unknown[] =>
  outputs.filter(output => {
    const { outcome, reason_code } = (output as { verdict: { outcome: string; reason_code: string } })
      .verdict;
    return outcome !== 'partial_verified' && !reason_code.startsWith('unconfirmed');
  });

/** Nodes side by side, the last after the first. */
const atTier3 = (first: string, second: string | null, last: string) =>
  planned(
    ...[first, ...(second ? [second] : [])].map(id => node(id, [], { verification_tier: 3 })),
    node(last, [first], { verification_tier: 3 }),
  );

const wholePlans = {
  plan: [atTier3('a', 'b', 'c'), noModel],
  replan: [atTier3('d', null, 'c'), planned(), noBudget],
  finalize: [ok, failed('stale_evidence')],
};
const wholeInput = (max_retries: number) =>
  taskInput({ max_parallel: 2, max_replans: 1, tier3_enabled: true }, { ...SUBTASK, max_retries });

/** The task and its subtasks, three of them, two live; turn and verifier are effects. */
export const tree = (outputs: Outputs, max_retries: number): Part => ({
  name: `task and subtasks, ${max_retries} retries, 1 replan`,
  catalogue: without('turn', 'verifier', 'remediation'),
  machine: 'task',
  input: wholeInput(max_retries),
  results: results({
    ...wholePlans,
    ...uncounted(outputs),
    prepare: [{ ok: true, tokens: 0 }],
    settle: [settled],
  }),
  commands: () => everything,
  costly: ['plan', 'replan', 'turn', 'verifier'],
  properties,
  // Three plans, one new one; up to five subtasks, each with three turns and six verifications.
  atMost: 4 + 5 * 3 * (max_retries + 1),
});

/** The same task with its subtasks as effects. */
export const crown = (outcomes: unknown[], max_retries: number): Part => ({
  ...task('allow', outcomes),
  name: 'task of the whole, subtasks as effects',
  input: wholeInput(max_retries),
  results: results({ ...wholePlans, subtask: outcomes }),
});

/** Preparing and settling only work: where they do not, the machine alone has been explored. */
export function gentle(part: Part): Part {
  const kind: Record<string, unknown[]> = {
    prepare: [{ ok: true, tokens: 0 }],
    settle: [settled],
  };
  return {
    ...part,
    name: `${part.name}, gentle`,
    results: (effect, run) => kind[effect.source] ?? part.results(effect, run),
  };
}

/** The end of the work: commands that are run once more by a turn, the goal judged by a verifier, both of them real. */
const closing = (): Part => ({
  name: 'task with a last turn and verifier',
  catalogue: without('subtask'),
  machine: 'task',
  input: taskInput({ max_replans: 0 }),
  results: effect =>
    effect.source === 'finalize'
      ? endings(effect, [shell(0), read(1)])
      : results({
          plan: [planned(node('a'))],
          subtask: [{ ok: true, attempts: 1, verdict: sure.verdict, calls: 1 }],
          tool: [toolDone(), failed('in_flight', 'uncertain'), noBudget].map(quiet),
          note: NOTE,
          checks: [unestablished, verdict('fail')],
          review: [sure, verdict('fail'), noModel],
        })(effect),
  commands: () => everything,
  costly: ['plan', 'review'],
  properties,
  atMost: 4,
});

const followable = results({
  plan: [planned(node('a'))],
  prepare: [{ ok: true, tokens: 0 }, failed('no_plan', 'terminal')],
  model: [quiet(text()), noModel],
  settle: [settled],
});

/** All machines together, on plans small enough for every order. */
export function whole(): Part[] {
  const all = (name: string, input: unknown, model: unknown[], tool: unknown[], ...ids: string[]): Part => ({
    name: `all machines, ${name}`,
    catalogue,
    machine: 'task',
    input,
    results: results({
      plan: [planned(...ids.map(id => node(id, [], { verification_tier: 1 })))],
      prepare: [{ ok: true, tokens: 0 }],
      note: [{ ok: true, tokens: 0 }],
      model,
      tool: tool.map(quiet),
      checks: [verdict('pass', { tier: 1 }), verdict('fail', { tier: 1 }), unestablished],
      review: [verdict('pass'), verdict('fail'), noModel],
      settle: [settled],
    }),
    commands: () => [{ type: 'CANCEL' }, { type: 'PAUSE' }, { type: 'RESUME' }],
    costly: ['plan', 'model', 'review'],
    properties,
    atMost: 1 + ids.length * 6,
  });
  return [
    closing(),
    all(
      'one subtask, a command that is asked for and uncertain, 1 retry',
      taskInput({ max_replans: 0 }, { max_retries: 1, max_iterations: 2 }),
      [quiet(text()), quiet(calls(shell(0, asking), read(1))), noModel],
      [toolDone(), failed('in_flight', 'uncertain')],
      'a',
    ),
    // Each attempt may be rejected for what it states; three of them by the queue.
    {
      ...all(
        'one subtask and its follow-up',
        taskInput({ max_replans: 0 }, { max_retries: 0, max_iterations: 1 }),
        [quiet(text()), noModel],
        [],
        'a',
      ),
      name: 'all machines, one subtask and its follow-up',
      results: effect =>
        effect.source === 'review'
          ? [verdict('pass'), partial, unconfirmed, verdict('fail', { reason_code: 'unconfirmed_x' })]
          : effect.source === 'checks'
            ? [unestablished]
            : followable(effect),
      commands: () => [{ type: 'CANCEL' }, { type: 'RESUME' }],
      atMost: 1 + 4 * 2,
    },
    {
      ...all(
        'two subtasks side by side, commands, deadlines',
        taskInput({ max_replans: 0 }, { max_retries: 0, max_iterations: 1 }),
        [quiet(text()), quiet(calls(shell(0)))],
        [toolDone()],
        'a',
        'b',
      ),
      commands: () => [{ type: 'CANCEL' }, { type: 'RESUME' }],
    },
  ];
}
