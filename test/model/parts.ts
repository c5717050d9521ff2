/** The models to explore: each part alone, and the whole with parts left out, which then are effects with the outputs
 *  that their own exploration found. `small` is enough to judge a mutant by. */
import type { Catalogue, EffectEntry, MachineEvent } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import {
  answer,
  asking,
  askUser,
  calls,
  cut,
  denying,
  failed,
  node,
  ok,
  planned,
  pressure,
  read,
  settled,
  shell,
  shrunk,
  subtaskInput,
  taskInput,
  text,
  toolDone,
  turnInput,
  unestablished,
  verdict,
  verifierInput,
  write,
} from '../machines/results.ts';
import type { Model } from './explore.ts';
import { properties } from './properties.ts';

export interface Part extends Model {
  name: string;
  /** Most costly effects any path may have. */
  atMost: number;
}

export const without = (...left: string[]): Catalogue => ({
  ...catalogue,
  machines: Object.fromEntries(Object.entries(catalogue.machines).filter(([name]) => !left.includes(name))),
});

const resume: MachineEvent[] = [{ type: 'RESUME' }];
/** What a person can do to a task at any point. */
const everything: MachineEvent[] = [
  { type: 'CANCEL' },
  { type: 'PAUSE' },
  { type: 'RESUME' },
  { type: 'STEER', id: 's', at: '1', text: 'use tabs' },
];

const answers = (effect: EffectEntry): unknown[] => {
  const { kind } = effect.input as { kind: string };
  if (kind === 'uncertain') return [answer('retry'), answer('skip'), answer('done')];
  if (kind === 'ask_user') return [answer('blue')];
  return [answer('approve'), answer('reject')];
};

/** Sizes of prompts are no part of what a machine decides by. */
export const quiet = (output: unknown): unknown => ({ ...(output as object), tokens: 0 });
const noBudget = failed('budget', 'terminal');
export const noModel = failed('no_model', 'terminal');

/** Results by source; questions are answered in every way, what is not listed can only work. */
export const results =
  (alphabet: Record<string, unknown[]>) =>
  (effect: EffectEntry): unknown[] => {
    if (effect.source === 'question') return answers(effect);
    return alphabet[effect.source] ?? [ok];
  };

const answering = [
  text(),
  text('partial'),
  text('failed'),
  text('blocked'),
  cut,
  failed('overloaded'),
  failed('script', 'terminal'),
  noModel,
].map(quiet);
const TOOL = [
  toolDone('x'),
  toolDone('y'),
  failed('in_flight', 'uncertain'),
  noBudget,
  failed('aborted'),
].map(quiet);
const NOTE = [{ ok: true, tokens: 0 }, noBudget];

const turn = (name: string, max_iterations: number, model: unknown[], tool: unknown[]): Part => ({
  name: `turn, ${name}, ${max_iterations} iterations`,
  catalogue,
  machine: 'turn',
  input: turnInput({ max_iterations, tokens: 0 }),
  results: results({ model, tool, note: NOTE }),
  commands: () => [{ type: 'RESUME' }, { type: 'PAUSE' }],
  costly: ['model'],
  properties,
  atMost: max_iterations,
});

export function turns(small: boolean): Part[] {
  const singles = [
    calls(),
    calls(read(0)),
    calls(read(0, { valid: false })),
    calls(shell(0)),
    calls(shell(0, asking)),
    calls(write(0, denying)),
    calls(askUser(0)),
  ].map(quiet);
  const sets = [
    calls(read(0), read(1), read(2)),
    calls(read(0), write(1), read(2, asking), write(3, { valid: false })),
    calls(shell(0, asking), read(1, denying), shell(2)),
    calls(askUser(0), read(1), write(2, denying), write(3, asking)),
    calls(read(0, asking), read(1), shell(2), askUser(3)),
  ].map(quiet);
  const circles = [calls(read(0)), calls(read(0, { signature: 'other' })), cut].map(quiet);
  // Two answers cut off; each of the two calls is new once; five that bring nothing after the first, six end it.
  const loops = (model: unknown[]): Part => ({
    ...turn('loops', 20, model, [quiet(toolDone('same'))]),
    commands: () => [],
    atMost: 15,
  });
  // The same call six times is five that bring nothing: a compaction that does not help is then the sixth.
  const compaction: Part = {
    ...turn('compaction', 7, [], []),
    results: results({
      model: [text(), cut, pressure, calls(read(0))].map(quiet),
      tool: [quiet(toolDone('same'))],
      compact: [shrunk(100, 10), shrunk(100, 99), failed('no_model')],
    }),
    // A model call that only asks for it costs nothing.
    costly: ['compact'],
    atMost: 3,
  };
  // Stored calls that are run once more, without a model.
  const given: Part = {
    ...turn('given calls', 1, [], TOOL),
    input: turnInput({ max_iterations: 1, tokens: 0, given: [read(0), shell(1), shell(2, asking)] }),
  };
  if (small)
    return [
      compaction,
      given,
      turn('single calls', 2, [...answering, ...singles], TOOL),
      turn('several calls', 1, [quiet(text()), ...sets.slice(2, 4)], TOOL.slice(1)),
      loops(circles.slice(0, 1)),
    ];
  return [
    given,
    turn('single calls', 3, [...answering, ...singles], TOOL),
    turn('several calls', 1, [quiet(text()), ...sets], TOOL.slice(1)),
    loops(circles),
    compaction,
  ];
}

const sure = verdict('pass', { confidence: 1, checks_passed: 1 });
const doubtful = verdict('pass', { confidence: 0, checks_passed: 0, destructive: true });

const verifier = (tier: number, votes: number): Part => ({
  name: `verifier, tier ${tier}, ${votes} votes`,
  catalogue,
  machine: 'verifier',
  input: verifierInput({ tier, votes }),
  results: results({
    // Of five votes what three do not show: the order in which they come.
    ...(votes > 3
      ? { checks: [sure], review: [sure, verdict('fail'), failed('unreadable'), noBudget] }
      : judged(votes)),
  }),
  commands: () => resume,
  costly: ['review'],
  properties,
  // At tier 1 only what the checks could not establish is reviewed, with two repairs; each further vote has one.
  atMost: tier === 1 ? 3 : 3 + 2 * (votes - 1),
});

const judged = (votes: number): Record<string, unknown[]> => ({
  checks: [sure, verdict('pass_with_warnings'), verdict('fail'), unestablished, failed('aborted')],
  review: [
    sure,
    ...(votes === 1 ? [doubtful] : []),
    verdict('fail'),
    verdict('inconclusive'),
    failed('unreadable'),
    failed('connection'),
    noBudget,
  ],
});

export const verifiers = (small: boolean): Part[] =>
  small
    ? [verifier(2, 1), verifier(3, 3)]
    : [verifier(1, 1), verifier(2, 1), verifier(3, 1), verifier(3, 2), verifier(3, 3), verifier(3, 5)];

/** Results of the effects that stand for parts left out. */
export interface Outputs {
  turn: unknown[];
  verifier: unknown[];
}

/** How many calls were made only decides when work has cost too much, which its own tests look at. */
const uncounted = ({ turn, verifier }: Outputs): Outputs => ({
  turn: turn.map(output => ({ ...(output as object), iterations: 0 })),
  verifier: verifier.map(output => ({ ...(output as object), calls: 0 })),
});

/** What every subtask explored can do; advice and extraction are steps of one subtask alone and stay out of the whole. */
const SUBTASK = { result_gate: true };

export const subtask = (outputs: Outputs, max_retries: number, all = true): Part => ({
  name: `subtask, ${max_retries} retries`,
  catalogue: without('turn', 'verifier'),
  machine: 'subtask',
  root: 'task/x/s:a@1',
  input: subtaskInput({ ...SUBTASK, extract: all, resolver: all, max_retries }, { verification_tier: 3 }),
  results: results({
    ...uncounted(outputs),
    resolve: [ok, noModel],
    prepare: [{ ok: true, tokens: 0 }, { ok: true, tokens: 0, tier: 2 }, failed('no_plan', 'terminal')],
    extract: [{ ok: true, entries: 2 }, failed('no_model', 'terminal')],
    settle: [settled, failed('internal', 'terminal')],
  }),
  commands: () => [{ type: 'PAUSE' }, { type: 'RESUME' }],
  costly: ['turn', 'verifier', 'resolve'],
  properties,
  // Each attempt has one turn and at most two verifications, and all but the last are followed by advice.
  atMost: 3 * (max_retries + 1) + max_retries,
});

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

export const task = (mode: Mode, outcomes: unknown[], plan_only = false): Part => ({
  name: `task, subtasks as effects, 1 replan, degraded mode ${mode}${plan_only ? ', plan only' : ''}`,
  catalogue: without('subtask', 'turn', 'verifier'),
  machine: 'task',
  input: taskInput({ max_parallel: 2, max_replans: 1, degraded_mode: mode, plan_only }),
  results: effect =>
    effect.source === 'finalize'
      ? endings(effect)
      : results({
          plan: mode === 'allow' ? [three, critical, circular, noModel] : [three, circular, noModel],
          replan: REPLAN,
          subtask: outcomes,
          turn: [{ ok: true, claim: 'success', reason: '', iterations: 1 }],
          verifier: [sure, verdict('fail')].map(({ verdict: judged }) => ({ verdict: judged, calls: 1 })),
        })(effect),
  commands: () => everything,
  costly: ['plan', 'replan', 'subtask'],
  properties,
  // Three plans, one new one, three subtasks and two more.
  atMost: 9,
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
  catalogue: without('turn', 'verifier'),
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

/** All four machines together, on plans small enough for every order. */
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
