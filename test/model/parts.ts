/** The models to explore: each part alone, and the whole with parts left out, which then are effects with the outputs
 *  that their own exploration found. `small` is enough to judge a mutant by. Here: everything below the task. */
import { catalogue } from '../machines/drive.ts';
import {
  asking,
  askUser,
  calls,
  cut,
  denying,
  failed,
  ok,
  pressure,
  read,
  remediationInput,
  settled,
  shell,
  shrunk,
  subtaskInput,
  text,
  toolDone,
  turnInput,
  unestablished,
  verdict,
  verifierInput,
  wary,
  write,
} from '../machines/results.ts';
import {
  doubtful,
  NOTE,
  noBudget,
  noModel,
  type Part,
  partial,
  quiet,
  results,
  resume,
  sure,
  unconfirmed,
  without,
} from './part.ts';
import { properties } from './properties.ts';

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
  // Looking around, with something changed in between or not.
  const patience: Part = {
    ...turn(
      'patience',
      4,
      [quiet(text()), quiet(calls(read(0)))],
      [quiet(toolDone('x')), quiet({ ...toolDone('y'), progress: true })],
    ),
    input: turnInput({ max_iterations: 4, tokens: 0, patience: 2 }),
  };
  // Stored calls that are run once more, without a model.
  const given: Part = {
    ...turn('given calls', 1, [], TOOL),
    input: turnInput({ max_iterations: 1, tokens: 0, given: [read(0), shell(1), shell(2, asking)] }),
  };
  // What is read makes the gate wary of what comes after it, beside it, and of what was put off before it.
  const tainting = turn(
    'something untrusted',
    2,
    [
      text(),
      calls(read(0), read(1, wary), shell(2, wary)),
      calls(shell(0, wary), read(1)),
      { ...calls(shell(0, wary)), tainted: true },
    ].map(quiet),
    [toolDone('x'), { ...toolDone('x'), untrusted: true }, noBudget].map(quiet),
  );
  if (small)
    return [
      compaction,
      patience,
      given,
      tainting,
      turn('single calls', 2, [...answering, ...singles], TOOL),
      turn('several calls', 1, [quiet(text()), ...sets.slice(2, 4)], TOOL.slice(1)),
      loops(circles.slice(0, 1)),
    ];
  return [
    given,
    tainting,
    patience,
    turn('single calls', 3, [...answering, ...singles], TOOL),
    turn('several calls', 1, [quiet(text()), ...sets], TOOL.slice(1)),
    loops(circles),
    compaction,
  ];
}

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
    ...(votes === 1 ? [doubtful, partial, unconfirmed] : []),
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
export const uncounted = ({ turn, verifier }: Outputs): Outputs => ({
  turn: turn.map(output => ({ ...(output as object), iterations: 0, barren: 0 })),
  verifier: verifier.map(output => ({ ...(output as object), calls: 0 })),
});

/** What every subtask explored can do; advice and extraction are steps of one subtask alone and stay out of the whole. */
export const SUBTASK = { result_gate: true };

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
    settle: [settled, failed('internal', 'terminal'), failed('overtaken')],
  }),
  commands: () => [{ type: 'PAUSE' }, { type: 'RESUME' }],
  costly: ['turn', 'verifier', 'resolve'],
  properties,
  // Each attempt has one turn and at most two verifications, two more when others write meanwhile; all attempts but the
  // last are followed by advice.
  atMost: 5 * (max_retries + 1) + max_retries,
});

/** An item of the queue: of a subtask that waits for it, or of one that is completed. */
export const remediation = (outcomes: unknown[], waits: boolean): Part => ({
  name: `remediation, its attempts as effects, ${waits ? 'waited for' : 'beside the work'}`,
  catalogue: without('subtask', 'turn', 'verifier'),
  machine: 'remediation',
  root: 'task/x/r:a@1',
  input: remediationInput(waits ? {} : { waits, blocking: false, record: null }),
  results: results({
    // A rejected attempt may have changed something.
    subtask: outcomes.flatMap(outcome =>
      (outcome as { ok: boolean }).ok ? [outcome] : [outcome, { ...(outcome as object), fruitful: true }],
    ),
  }),
  commands: () => [{ type: 'PAUSE' }, { type: 'RESUME' }, { type: 'FINISH' }],
  costly: ['subtask'],
  properties,
  atMost: 3,
});
