/** Model checking by parts: each machine alone with every result its effects can have, then the parts that contain it
 *  with that machine as an effect whose results are the outputs just explored. */
import { afterAll, describe, expect, it } from 'vitest';
import type { CallDigest } from '../../machines/effects.ts';
import type { PlanNode } from '../../machines/plan.ts';
import type { Catalogue, EffectEntry, MachineEvent, Outside, Reaction, Run } from '../../machines/react.ts';
import { catalogue } from '../machines/drive.ts';
import {
  answer,
  asking,
  askUser,
  calls,
  cut,
  denying,
  digest,
  failed,
  node,
  planned,
  read,
  settled,
  shell,
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
import { explore, type Model, type Report, summary } from './explore.ts';

const ok = { ok: true };
const resume: MachineEvent[] = [{ type: 'RESUME' }];
const figures: string[] = [];
let total = 0;
afterAll(() => console.log(figures.join('\n')));

/** Explores, prints the figures, and expects nothing wrong anywhere. */
function prove(name: string, model: Model): Report {
  const report = explore(model);
  figures.push(summary(name, report));
  total += report.ms;
  const found = {
    deadlocks: report.deadlocks,
    leaks: report.leaks,
    errors: report.errors,
    lost: report.lost,
  };
  const few = Object.fromEntries(Object.entries(found).map(([key, list]) => [key, list.slice(0, 3)]));
  expect(few).toEqual({ deadlocks: [], leaks: [], errors: [], lost: [] });
  expect(report.finals).toBeGreaterThan(0);
  expect(report.calls).toBeLessThan(Number.POSITIVE_INFINITY);
  return report;
}

const without = (...left: string[]): Catalogue => ({
  ...catalogue,
  machines: Object.fromEntries(Object.entries(catalogue.machines).filter(([name]) => !left.includes(name))),
});

const contextOf = (run: Run, path: string) =>
  (run.actors[path]?.snapshot as { context: Record<string, unknown> } | undefined)?.context;

/** No tool runs without its gate: denied ones never, asked ones only after a person's yes. */
function gated(before: Run, outside: Outside, { start }: Reaction): string | null {
  for (const effect of start) {
    if (effect.source !== 'tool') continue;
    const { n } = effect.input as { n: number };
    // Calls that start in the reaction that brought them were not there before: only `run` may do that.
    const known =
      (contextOf(before, effect.path)?.['calls'] as (CallDigest & { phase: string })[] | undefined) ?? [];
    const settledId = outside.type === 'settled' ? before.effects[outside.key]?.id : '';
    const brought = outside.type === 'settled' && settledId === 'model';
    const list = brought ? (outside.output as { calls: CallDigest[] }).calls : known;
    const call = list.find(other => other.n === n)!;
    const word = outside.type === 'settled' ? (outside.output as { answer?: string }).answer : undefined;
    const yes = settledId === `q-${n}` && (word === 'approve' || word === 'retry');
    const parked = !brought && known.find(other => other.n === n)?.phase === 'approved';
    if (!call.valid || call.gate.decision === 'deny') return `tool ${n} ran although refused`;
    if (call.gate.decision === 'ask' && !yes && !parked) return `tool ${n} ran unasked`;
  }
  return null;
}

const answers = (effect: EffectEntry): unknown[] => {
  const { kind } = effect.input as { kind: string };
  if (kind === 'uncertain') return [answer('retry'), answer('skip'), answer('done')];
  if (kind === 'ask_user') return [answer('blue')];
  return [answer('approve'), answer('reject')];
};

const quiet = <T extends object>(output: T): T => ({ ...output, tokens: 0 });

describe('turn alone', () => {
  const alphabet = (model: unknown[], tool: unknown[]) => (effect: EffectEntry) => {
    switch (effect.source) {
      case 'model':
        return model.map(output => quiet(output as object));
      case 'tool':
        return tool.map(output => quiet(output as object));
      case 'question':
        return answers(effect);
      default:
        return [{ ok: true, tokens: 0 }, failed('budget', 'terminal')];
    }
  };
  const answering = [text(), text('blocked'), cut, failed('overloaded'), failed('no_model', 'terminal')];

  it('ends or waits from every state, whatever single calls do', () => {
    const singles = [
      read(0),
      read(0, { valid: false }),
      shell(0),
      shell(0, asking),
      write(0, denying),
      askUser(0),
    ];
    const report = prove('turn, single calls, 3 iterations', {
      catalogue,
      machine: 'turn',
      input: turnInput({ max_iterations: 3, tokens: 0 }),
      results: alphabet(
        [...answering, calls(), ...singles.map(call => calls(call))],
        [
          toolDone('x'),
          toolDone('y'),
          failed('in_flight', 'uncertain'),
          failed('budget', 'terminal'),
          failed('aborted'),
        ],
      ),
      commands: () => resume,
      costly: ['model'],
      check: gated,
    });
    expect(report.calls).toBe(3);
  });

  it('ends or waits from every state, whatever several calls at once do', () => {
    const sets = [
      calls(read(0), read(1), read(2)),
      calls(read(0), write(1), read(2, asking), write(3, { valid: false })),
      calls(shell(0, asking), read(1, denying), shell(2)),
      calls(askUser(0), read(1), write(2, denying), write(3, asking)),
      calls(read(0, asking), read(1), shell(2), askUser(3)),
    ];
    const report = prove('turn, several calls, 1 iteration', {
      catalogue,
      machine: 'turn',
      input: turnInput({ max_iterations: 1, tokens: 0 }),
      results: alphabet(
        [text(), ...sets],
        [toolDone(), failed('in_flight', 'uncertain'), failed('budget', 'terminal'), failed('aborted')],
      ),
      commands: () => resume,
      costly: ['model'],
      check: gated,
    });
    expect(report.calls).toBe(1);
  });

  it('ends every circle, however two calls with one result alternate', () => {
    const report = prove('turn, loops, 20 iterations', {
      catalogue,
      machine: 'turn',
      input: turnInput({ max_iterations: 20, tokens: 0 }),
      results: alphabet([calls(read(0)), calls(read(0, { signature: 'other' }))], [toolDone('same')]),
      costly: ['model'],
    });
    // Each of the two is new once, and six calls that bring nothing follow; the first may be repeated five times before the second.
    expect(report.calls).toBe(13);
  });
});

describe('verifier alone', () => {
  it.each([1, 2, 3, 5])('ends or waits from every state at tier 1, 2 and 3 with %i votes', votes => {
    for (const tier of votes === 1 ? [1, 2, 3] : [3]) {
      const report = prove(`verifier, tier ${tier}, ${votes} votes`, {
        catalogue,
        machine: 'verifier',
        input: verifierInput({ tier, votes }),
        results: effect =>
          effect.source === 'checks'
            ? [
                verdict('pass'),
                verdict('pass_with_warnings'),
                verdict('fail'),
                unestablished,
                failed('aborted'),
              ]
            : [
                verdict('pass'),
                verdict('fail'),
                verdict('inconclusive'),
                failed('unreadable'),
                failed('connection'),
                failed('budget', 'terminal'),
              ],
        commands: () => resume,
        costly: ['review'],
      });
      // At tier 1 only what the checks could not establish is reviewed, with two repairs.
      expect(report.calls).toBeLessThanOrEqual(tier === 1 ? 3 : 3 + votes - 1);
    }
  });
});

const judgements = [
  verdict('pass', { confidence: 1, checks_passed: 1 }),
  verdict('pass', { confidence: 0, checks_passed: 0, destructive: true }),
  verdict('fail'),
  verdict('inconclusive', { reason_code: 'infra_verifier_error' }),
  verdict('inconclusive', { reason_code: 'vote_split' }),
].map(({ verdict }) => ({ verdict }));

const turns = [
  { ok: true, claim: 'success', reason: '', iterations: 1 },
  { ok: true, claim: 'partial', reason: '', iterations: 1 },
  { ok: true, claim: 'blocked', reason: '', iterations: 1 },
  { ...failed('loop'), iterations: 1 },
  { ...failed('rate_limit'), iterations: 1 },
  { ...failed('script', 'terminal'), iterations: 1 },
];

describe('subtask with turn and verifier as effects', () => {
  it('ends or waits from every state with two retries and the result gate', () => {
    const report = prove('subtask, 2 retries', {
      catalogue: without('turn', 'verifier'),
      machine: 'subtask',
      root: 'task/x/s:a@1',
      input: subtaskInput({ max_retries: 2, result_gate: true, extract: true }, { verification_tier: 3 }),
      results: effect => {
        switch (effect.source) {
          case 'prepare':
            return [{ ok: true, tokens: 0 }, { ok: true, tokens: 0, tier: 2 }, failed('no_plan', 'terminal')];
          case 'extract':
            return [{ ok: true, entries: 2 }, failed('no_model', 'terminal')];
          case 'turn':
            return turns;
          case 'verifier':
            return judgements;
          case 'settle':
            return [settled];
          case 'question':
            return answers(effect);
          default:
            return [ok];
        }
      },
      commands: () => resume,
      costly: ['turn', 'verifier'],
    });
    // Three attempts, each with one turn and at most two verifications.
    expect(report.calls).toBe(9);
  });
});

/** Completed nodes stay completed, with the very same description. */
function keepsCompleted(before: Run, _outside: Outside, { next }: Reaction): string | null {
  const completed = (run: Run) => {
    const entry = run.actors['task/x'];
    const plan = entry?.apart['plan'] as { subtasks: { id: string }[] } | null | undefined;
    const status = String(contextOf(run, 'task/x')?.['status'] ?? '');
    return new Map(
      (plan?.subtasks ?? []).filter((_, i) => status[i] === 'c').map(n => [n.id, JSON.stringify(n)]),
    );
  };
  if (next.output !== undefined) return null;
  const after = completed(next);
  for (const [id, was] of completed(before))
    if (after.get(id) !== was) return `the completed node ${id} was touched`;
  return null;
}

/** `completed` means that every node of the newest plan is. */
function honest(before: Run, _outside: Outside, { next }: Reaction): string | null {
  if (before.output !== undefined) return null;
  const { status } = (next.output ?? {}) as { status?: string };
  const letters = String(contextOf(before, 'task/x')?.['status'] ?? '');
  return status === 'completed' && !/^c+$/.test(letters) ? `completed with ${letters}` : null;
}

describe('task with its subtasks as effects', () => {
  const subtasks = [
    { ok: true, attempts: 1, verdict: digest() },
    { ...failed('llm_semantic_failed'), blocked: false, attempts: 3 },
    { ...failed('blocked', 'terminal'), blocked: true, attempts: 1 },
  ];
  const plans = [
    planned(node('a'), node('b'), node('c', ['a'])),
    planned(node('a', [], { is_critical_path: true }), node('b'), node('c', [], { is_synthesis: true })),
    planned(node('a', ['b']), node('b', ['a'])),
    failed('no_model', 'terminal'),
  ];
  const replans = [planned(node('d'), node('c', ['d'])), planned(), failed('budget', 'terminal')];

  it.each(['allow', 'require_approval', 'deny'] as const)(
    'ends or waits from every state, two of three live, one replan, cancel and pause anywhere, degraded mode %s',
    mode => {
      prove(`task, 3 subtasks, 1 replan, ${mode}`, {
        catalogue: without('subtask'),
        machine: 'task',
        input: taskInput({ max_parallel: 2, max_replans: 1, degraded_mode: mode }),
        results: effect => {
          switch (effect.source) {
            case 'plan':
              return mode === 'allow' ? plans : [plans[0], plans[2], plans[3]];
            case 'replan':
              return replans;
            case 'subtask':
              return subtasks;
            case 'question':
              return answers(effect);
            default:
              return [ok, failed('stale_evidence')];
          }
        },
        commands: () => [{ type: 'CANCEL' }, { type: 'PAUSE' }, { type: 'RESUME' }],
        costly: ['plan', 'replan', 'subtask'],
        check: (before, outside, reaction) =>
          keepsCompleted(before, outside, reaction) ?? honest(before, outside, reaction),
      });
    },
  );
});

describe('the whole tree', () => {
  const tree = (nodes: PlanNode[], model: unknown[], tool: unknown[]) => (effect: EffectEntry) => {
    switch (effect.source) {
      case 'plan':
        return [planned(...nodes)];
      case 'prepare':
      case 'note':
        return [{ ok: true, tokens: 0 }];
      case 'model':
        return model;
      case 'tool':
        return tool;
      case 'question':
        return answers(effect);
      case 'checks':
        return [verdict('pass', { tier: 1 }), verdict('fail', { tier: 1 }), unestablished];
      case 'review':
        return [verdict('pass'), verdict('fail')];
      case 'settle':
        return [settled];
      default:
        return [ok];
    }
  };
  const checks: Pick<Model, 'costly' | 'check'> = {
    costly: ['plan', 'model', 'review'],
    check: (before, outside, reaction) =>
      gated(before, outside, reaction) ?? honest(before, outside, reaction),
  };
  const cheap = { verification_tier: 1 };

  it('ends or waits from every state: a shell command that is asked for and uncertain, deadline, retry, cancel', () => {
    prove('task, subtask, turn, verifier, 1 retry', {
      ...checks,
      catalogue,
      machine: 'task',
      input: taskInput({ max_replans: 0 }, { max_retries: 1, max_iterations: 2 }),
      results: tree(
        [node('a', [], cheap)],
        [quiet(text()), quiet(calls(shell(0, asking), read(1))), failed('no_model', 'terminal')],
        [quiet(toolDone()), failed('in_flight', 'uncertain')],
      ),
      commands: () => [{ type: 'CANCEL' }, { type: 'RESUME' }],
    });
  });

  it('ends or waits from every state: two subtasks side by side, commands, deadlines, cancel', () => {
    prove('two whole subtasks side by side', {
      ...checks,
      catalogue,
      machine: 'task',
      input: taskInput({ max_replans: 0 }, { max_retries: 1, max_iterations: 1 }),
      results: tree(
        [node('a', [], cheap), node('b', [], cheap)],
        [quiet(text()), quiet(calls(shell(0)))],
        [quiet(toolDone())],
      ),
      commands: () => [{ type: 'CANCEL' }],
    });
  });

  it('takes no more than a minute of processor time in all', () => {
    expect(total).toBeLessThan(60_000);
  });
});
