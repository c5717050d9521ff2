/** The points of a run whose stored form is kept as golden, and how each comes about. */
import { type Drive, start } from './drive.ts';
import {
  asking,
  askUser,
  calls,
  composed,
  failed,
  node,
  ok,
  planned,
  read,
  sessionInput,
  shell,
  taskInput,
  text,
  toolDone,
  verdict,
  write,
} from './results.ts';

const at = (subtask: string, id: string) => ({ in: `s:${subtask}@`, id });
const begin = (settings = {}, subtask = {}) => start('task', taskInput(settings, subtask));
const executing = (settings = {}, subtask = {}) =>
  begin(settings, subtask).settle(
    'plan',
    planned(
      node('a', [], { verification_tier: 3 }),
      node('b'),
      node('c', ['a', 'b'], { is_synthesis: true }),
    ),
  );
const working = (settings = {}, subtask = {}) =>
  executing(settings, subtask).settle(at('a', 'prepare'), { ok: true, tokens: 700 });
const done = (drive: Drive, id: string, votes = false) => {
  drive.settle(at(id, 'prepare'), { ok: true, tokens: 700 });
  drive.settle(at(id, 'model'), text()).settle(at(id, 'checks'), verdict('pass', { tier: 1 }));
  drive.settle(at(id, 'review'), verdict());
  if (votes) drive.settle(at(id, 'vote-2'), verdict());
  return drive.settle(at(id, 'settle'), { ok: true, summary: `${id} is done` });
};

const talking = () =>
  start('session', sessionInput())
    .command('USER', { id: 'u', at: '2026-01-01', text: 'hello' })
    .settle('compose', composed());

export const points: Record<string, () => Drive> = {
  'session-approving': () =>
    talking()
      .command('USER', { id: 'v', at: '2026-01-02', text: 'and then' })
      .command('STEER', { id: 'w', at: '2026-01-03', text: 'shorter' })
      .settle('model', calls(read(0), shell(1, asking)))
      .settle('t-0', toolDone()),
  'session-mending': () =>
    talking()
      .settle('model', calls(shell(0)))
      .command('INTERRUPT'),
  'planning-repair': () => begin().settle('plan', planned(node('a', ['nowhere']))),
  'asking-to-degrade': () =>
    [1, 2, 3].reduce(drive => drive.settle('plan', planned()), begin({ degraded_mode: 'require_approval' })),
  'calling-the-model': () => working(),
  'tools-and-question': () =>
    working()
      .settle(at('a', 'model'), calls(read(0), read(1), write(2, asking), askUser(3)))
      .settle(at('b', 'prepare'), { ok: true, tokens: 700 })
      .settle(at('b', 'model'), calls(shell(0, asking)))
      .settle(at('a', 't-0'), toolDone()),
  'uncertain-call': () =>
    working()
      .settle(at('a', 'model'), calls(shell(0), read(1)))
      .settle(at('a', 't-0'), failed('in_flight', 'uncertain')),
  voting: () =>
    working()
      .settle(at('a', 'model'), text())
      .settle(at('a', 'checks'), verdict('pass', { tier: 1 }))
      .settle(at('a', 'review'), verdict('fail')),
  'backing-off': () => working().settle(at('a', 'model'), failed('rate_limit')),
  'held-by-a-command': () =>
    working()
      .settle(at('a', 'model'), calls(shell(0)))
      .settle(at('a', 'deadline'), ok),
  'asking-for-the-result': () =>
    executing({}, { result_gate: true })
      .settle(at('b', 'prepare'), { ok: true, tokens: 700 })
      .settle(at('b', 'model'), text())
      .settle(at('b', 'checks'), verdict('pass', { tier: 1, checks_passed: 0.5 }))
      .settle(at('b', 'review'), verdict('pass', { confidence: 0.2, checks_passed: 0.5 })),
  'following-up': () =>
    executing()
      .settle(at('b', 'prepare'), { ok: true, tokens: 700 })
      .settle(at('b', 'model'), text())
      .settle(at('b', 'checks'), verdict('pass', { tier: 1 }))
      .settle(at('b', 'review'), verdict('fail', { reason_code: 'unconfirmed_claims' }))
      .settle({ in: 'r:b@', id: 'prepare' }, { ok: true, tokens: 700 })
      .settle({ in: 'r:b@', id: 'model' }, text('failed')),
  replanning: () => working().settle(at('a', 'model'), text('blocked', 'no access')),
  'replanned-and-paused': () =>
    working()
      .settle(at('a', 'model'), text('blocked', 'no access'))
      .command('PAUSE')
      .settle('replan', planned(node('a2'), node('c', ['a2', 'b'], { is_synthesis: true }))),
  stuck: () => working().settle(at('a', 'model'), failed('no_model', 'terminal')),
  finalizing: () => done(done(done(executing(), 'a', true), 'b'), 'c'),
  'rechecking-without-money': () =>
    done(done(done(executing(), 'a', true), 'b'), 'c')
      .settle('finalize', { ok: true, next: 'recheck', calls: [shell(0)] })
      .settle('t-0', failed('budget', 'terminal')),
  'judging-without-a-model': () =>
    done(done(done(executing(), 'a', true), 'b'), 'c')
      .settle('finalize', { ok: true, next: 'recheck', calls: [shell(0)] })
      .settle('t-0', toolDone())
      .settle('finalize', { ok: true, next: 'judge' })
      .settle('checks', verdict('pass', { tier: 1 }))
      .settle('review', failed('no_model', 'terminal')),
  'cancelled-not-settled': () =>
    working()
      .settle(at('a', 'model'), calls(shell(0)))
      .command('CANCEL'),
};
