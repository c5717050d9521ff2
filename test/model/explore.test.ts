/** Model checking by parts: each machine alone with every result its effects can have, then the parts that contain it
 *  with that machine as an effect whose results are the outputs just explored. In the end every transition of every
 *  machine has been taken. */
import { afterAll, describe, expect, it } from 'vitest';
import { catalogue } from '../machines/drive.ts';
import { points } from '../machines/golden-points.ts';
import { distinct, received, representatives } from './alphabet.ts';
import { type Behaviour, behaviourOf } from './behaviour.ts';
import { explore, type Model, type Report, summary } from './explore.ts';
import type { Part } from './part.ts';
import { type Outputs, remediation, subtask, turns, verifiers } from './parts.ts';
import { conversation, session } from './talk.ts';
import { crown, followedPart, gentle, settledOnes, task, tree, unfollowed, whole } from './task-parts.ts';
import { recordTaken } from './transitions.ts';

const record = recordTaken(Object.values(catalogue.machines));
const figures: string[] = [];
let total = 0;
afterAll(() => console.log([...figures, `${total} ms of processor time in all`].join('\n')));

/** Prints the figures, and expects nothing wrong anywhere. */
function sound(name: string, report: Report, atMost: number): Report {
  figures.push(summary(name, report));
  total += report.ms;
  const { deadlocks, leaks, errors, lost } = report;
  const few = Object.entries({ deadlocks, leaks, errors, lost }).map(([key, list]) => [
    key,
    list.slice(0, 3),
  ]);
  expect(Object.fromEntries(few)).toEqual({ deadlocks: [], leaks: [], errors: [], lost: [] });
  expect(report.finals).toBeGreaterThan(0);
  expect(report.calls).toBeLessThanOrEqual(atMost);
  return report;
}
const prove = (part: Part, more: Partial<Model> = {}): Report =>
  sound(part.name, explore({ ...part, ...more }), part.atMost);

/** What work has cost so far: it only ends work that has cost too much, which its own tests look at. */
const COUNTS = ['calls', 'attempt_calls', 'spent', 'before'];
/** Differences between outcomes of a subtask that its task does not look at; `calls` only bounds what has cost a lot. */
const IGNORED = ['attempts', 'attempt', 'thread', 'verdict', 'calls', 'failure', 'record'];
/** What each part can end with, as its own exploration found. */
const proven: Outputs & Record<'subtask' | 'remediation', unknown[]> = {
  turn: [],
  verifier: [],
  subtask: [],
  remediation: [],
};
const known = (outputs: unknown[]): unknown[] => {
  expect(outputs.length).toBeGreaterThan(1);
  return outputs;
};

describe('the turn alone', () => {
  it.each(turns(false))('ends or waits from every state: $name', part => {
    proven.turn = distinct([...proven.turn, ...prove(part).outputs], ['iterations', 'barren']);
  });
});

describe('the verifier alone', () => {
  it.each(verifiers(false))('ends or waits from every state: $name', part => {
    proven.verifier = distinct([...proven.verifier, ...prove(part).outputs], ['calls']);
  });
});

describe('the subtask, whatever its turn and its verifier end with', () => {
  it('ends or waits from every state', () => {
    const all = { turn: known(proven.turn), verifier: known(proven.verifier) };
    // Verdicts that a subtask cannot tell apart are one.
    const verifier = representatives(subtask(all, 2), 'verifier', all.verifier, 1);
    const outputs = { ...all, verifier };
    proven.subtask = distinct(prove(subtask(outputs, 2)).outputs, IGNORED);
  });
});

describe('an item of the remediation queue, whatever its attempts end with', () => {
  it.each([true, false])('ends or waits from every state, waited for: %s', waits => {
    const part = remediation(settledOnes(known(proven.subtask)), waits);
    const outcomes = representatives(part, 'subtask', settledOnes(proven.subtask), 2);
    const { outputs } = prove(remediation(outcomes, waits));
    proven.remediation = distinct([...proven.remediation, ...outputs], IGNORED);
  });
});

describe('the task, whatever its subtasks end with', () => {
  it.each(['allow', 'require_approval', 'deny'] as const)(
    'ends or waits from every state, two of three live, one replan, degraded mode %s',
    mode => {
      const outcomes = settledOnes(known(proven.subtask));
      // The modes differ in how a plan comes about, not in what becomes of it.
      const each = mode === 'allow' ? 2 : 1;
      prove(task(mode, representatives(task(mode, outcomes), 'subtask', outcomes, each)));
    },
  );

  it('ends or waits from every state, with a queue of follow-ups', () => {
    const followed = known(proven.remediation);
    const part = task('deny', known(proven.subtask), false, followed);
    const outcomes = representatives(part, 'subtask', proven.subtask, 1);
    const ends = representatives(followedPart(outcomes), 'remediation', followed, 1);
    prove({
      ...task('deny', outcomes, false, ends),
      name: 'task, subtasks and follow-ups as effects, 1 replan',
    });
  });

  it('ends with the plan when nothing else was asked for', () => {
    expect(prove(task('require_approval', settledOnes(known(proven.subtask)), true)).outputs).toContainEqual({
      status: 'planned',
    });
  });
});

describe('the task with its subtasks', () => {
  /** One of each kind of outcome of a turn and of a verifier that a subtask can tell apart. */
  const few = (): Outputs => {
    const part = subtask(proven, 2);
    // The queue is looked at by itself; here its items stay out.
    return {
      turn: representatives(part, 'turn', known(proven.turn), 1),
      verifier: representatives(part, 'verifier', unfollowed(known(proven.verifier)), 1),
    };
  };

  const all = {} as { outputs: Outputs; below: Behaviour; above: Behaviour };

  it('of which each subtask ends or waits from every state', () => {
    all.outputs = few();
    const part = gentle(subtask(all.outputs, 2, false));
    const names = ['id', 'incarnation', 'plan_version', ...COUNTS];
    all.below = behaviourOf(part, { names }, received(task('allow', proven.subtask), 'subtask'));
    sound(`${part.name}, ${all.below.blocks} behaviours`, all.below.report, part.atMost);
  });

  it('of which the task ends or waits from every state', () => {
    const part = crown(distinct(all.below.report.outputs, IGNORED), 2);
    all.above = behaviourOf(part, { names: COUNTS, child: 'subtask' });
    sound(`${part.name}, ${all.above.blocks} behaviours`, all.above.report, part.atMost);
  });

  it('ends or waits from every state: three subtasks, two live, two retries, one replan', () => {
    let unknown = 0;
    prove(tree(all.outputs, 2), {
      stopsAtOnce: true,
      sameAs: (_path, entry, effects) => {
        const name = (entry.machine === 'subtask' ? all.below : all.above).nameOf(entry, effects);
        if (name === undefined) unknown++;
        return name;
      },
    });
    // Every actor in the whole was in a state that its own exploration had met.
    expect(unknown).toBe(0);
  });

  it.each(whole())('ends or waits from every state: $name', part => {
    prove(part);
  });
});

describe('the session', () => {
  it('ends or waits from every state, whatever its turns end with', () => {
    prove(session(distinct(known(proven.turn), ['iterations', 'barren', 'claim', 'failure'])));
  });

  it('ends or waits from every state, with its turn', () => {
    prove(conversation());
  });
});

describe('all of it', () => {
  it('takes no more than two minutes of processor time', () => {
    expect(total).toBeLessThan(120_000);
  });

  it('takes every transition of every machine', () => {
    for (const arrive of Object.values(points)) arrive();
    figures.push(`${record.all.length} transitions of ${Object.keys(catalogue.machines).join(', ')}`);
    expect(record.missing()).toEqual([]);
  });
});
