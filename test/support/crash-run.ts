/** Kills a run, lets it go on the way a person would, and checks that nothing was lost and nothing was done twice. */
import { expect } from 'vitest';
import type { ChangelogEntry } from '../../actors/effects/rows.ts';
import type { JournalEvent, Question, RunResult } from '../../actors/loom.ts';
import { readPatterns } from '../../store/learned.ts';
import type { Lesson } from '../../store/lessons.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import type { RunHead } from '../../store/port.ts';
import { type FakeProcess, startFakeProcess } from './fake-process.ts';
import { type Ended, type LoomChild, type Sandbox, sandbox, serverToml } from './loom-process.ts';
import { GOAL, OTHER_GOAL, prepareWorkspace, sixSubtasks } from './six-subtasks.ts';

/** How a run that lost its process is taken up again. */
export type Restart = 'resume' | 'run';

/** What an undisturbed run leaves behind. */
export interface Expected {
  tree: Record<string, string>;
  model_calls: number;
  tool_calls: string[];
  changes: number;
}

/** At most so many model calls of a run are under way at once, so a kill can cost no more repetitions. */
const MAX_IN_FLIGHT = 3;

/** A box with the workspace of the six subtasks; its key tells its requests from those of others at the same server. */
export function crashBox(url: string, more = ''): Sandbox & { key: string } {
  const box = sandbox();
  const key = `sk-${box.folder.split('-').at(-1)}`;
  prepareWorkspace(box);
  box.config(serverToml('openai_compatible', `${url}/v1`, more).replace('sk-test', key));
  return { ...box, key };
}

/** Servers that are renewed now and then, because a server keeps every request it got. */
export function fakes(scenario: string = sixSubtasks(), uses = 8) {
  const all: Promise<FakeProcess>[] = [];
  let used = 0;
  return {
    next(): Promise<FakeProcess> {
      if (used % uses === 0) all.push(startFakeProcess('openai', scenario, { chunk: 256 }));
      used += 1;
      return all.at(-1)!;
    },
    stop: async () => {
      for (const fake of all) await (await fake).stop();
    },
  };
}

export interface Stored {
  head: RunHead;
  journal: JournalEvent[];
  changes: ChangelogEntry[];
}

/** Every lesson of every run is known once: nothing was learned twice, and nothing was lost. */
async function checkLearnedOnce(box: Sandbox, run: string): Promise<void> {
  const reader = await openLmdbReader(box.home);
  try {
    const own = (await reader.range<Lesson>(run, 'learn/')).map(({ key }) => key.slice('learn/'.length));
    const ended = own.flatMap(what => /^([a-z]+)(@\d+)?$/.exec(what)?.[1] ?? []).sort();
    expect(ended).toEqual(['alpha', 'audit', 'long', 'notes', 'plan', 'rewrite', 'tidy']);
    const all = await Promise.all((await reader.runs()).map(({ id }) => reader.range<Lesson>(id, 'learn/')));
    const taught = all.flat().flatMap(({ value }) => value.observations).length;
    const known = await readPatterns(reader, 'learned/', Date.now());
    expect(known.reduce((sum, { pattern }) => sum + pattern.seen, 0)).toBe(taught);
  } finally {
    await reader.close();
  }
}

/** What the store says about the run with this goal; null when there is none. */
export async function stored(box: Sandbox, goal = GOAL): Promise<Stored | null> {
  const reader = await openLmdbReader(box.home);
  try {
    const head = (await reader.runs()).find(run => run.goal === goal);
    if (!head) return null;
    const journal = await reader.range<JournalEvent>(head.id, 'j/');
    const changes = await reader.range<ChangelogEntry>(head.id, 'c/');
    return { head, journal: journal.map(row => row.value), changes: changes.map(row => row.value) };
  } finally {
    await reader.close();
  }
}

/** Facts a `--output stream-json` process printed, as far as whole lines came through. */
export function printedEvents(stdout: string): JournalEvent[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines
    .map(line => JSON.parse(line) as { type: string } & JournalEvent)
    .filter(line => line.type === 'event')
    .map(({ type, ...event }) => event);
}

/** A person looks at the log that the command appends to, and answers accordingly. */
async function answer(box: Sandbox, question: Question): Promise<void> {
  expect(question.kind).toBe('uncertain');
  const ran = (box.tree()['audit.log'] ?? '').includes('built');
  const answered = await box.run(['answer', question.id, ran ? 'done' : 'retry']);
  expect(answered.code, answered.stderr).toBe(0);
}

export interface Recovery {
  questions: number;
  /** Events printed on the way. */
  printed: JournalEvent[];
}

/** Takes the killed run up until it is over. `kill`: environment of each restart, so that it may be killed again. */
export async function goOn(
  box: Sandbox,
  how: Restart,
  restarted: (child: LoomChild) => void = () => {},
): Promise<Recovery> {
  const recovery: Recovery = { questions: 0, printed: [] };
  const attempt = async (args: string[]): Promise<Ended> => {
    const child = box.start([...args, '--output', 'stream-json']);
    restarted(child);
    const ended = await child.ended;
    const own = (await stored(box))?.head.id;
    recovery.printed.push(...printedEvents(ended.stdout).filter(event => event.task_id === own));
    return ended;
  };
  for (let tries = 0; tries < 20; tries++) {
    const before = await stored(box);
    const over = before?.head.exit_code !== undefined;
    const other = before !== null && how === 'run' && tries === 0;
    if (over && !other) {
      expect(before.head.exit_code, `the run ended ${before.head.status}`).toBe(0);
      return recovery;
    }
    const ended = await attempt(
      before ? (other ? ['run', OTHER_GOAL] : ['resume', '--last']) : ['run', GOAL],
    );
    if (ended.signal === 'SIGKILL') continue;
    if (other) {
      expect(ended.code, ended.stderr).toBe(0);
      if (over) continue;
      const after = await stored(box);
      expect(
        after?.journal.some(event => event.event_type === 'task_run_recovered'),
        'adopted',
      ).toBe(true);
      if (after?.head.parked?.reason !== 'waiting') continue;
    } else if (ended.code === 0) continue;
    else expect(ended.code, ended.stdout.slice(-2_000) + ended.stderr).toBe(3);
    const { value } = await box.json<{ questions: Question[] }>(['status', (await stored(box))!.head.id]);
    expect(value.questions).toHaveLength(1);
    await answer(box, value.questions[0]!);
    recovery.questions += 1;
  }
  throw new Error('the run does not come to an end');
}

const counted = (names: string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

/** Everything that must be true of a run after `kills` kills. */
export async function checkNothingLostNorDoubled(
  box: Sandbox & { key: string },
  fake: FakeProcess,
  expected: Expected,
  { printed, kills, questions }: { printed: JournalEvent[]; kills: number; questions: number },
): Promise<void> {
  expect(box.tree()).toEqual(expected.tree);
  const { head, journal, changes } = (await stored(box))!;
  expect(head.status).toBe('completed');
  expect(journal.map(event => event.seq)).toEqual(journal.map((_, i) => i + 1));
  const bySeq = new Map(journal.map(event => [event.seq, event]));
  for (const event of printed) expect(bySeq.get(event.seq), 'printed, so it must be stored').toEqual(event);
  const log = box.journal(head.id);
  expect(log).toEqual(journal.slice(0, log.length));
  // Killed between the last commit and its line: the next run in the workspace adds it, nothing else would.
  expect(log.length).toBeGreaterThanOrEqual(journal.length - 1);

  const of = (type: string): Record<string, unknown>[] =>
    journal.filter(event => event.event_type === type).map(event => event.data);
  const subtasks = of('subtask_completed').map(data => String(data['subtask_id']));
  expect(subtasks.sort()).toEqual(['alpha', 'audit', 'long', 'notes', 'rewrite', 'tidy']);
  // A call that a person called done has no result of its own.
  const calls = of('tool_call_completed').map(data => String(data['call']).replace(/@\d+/, ''));
  for (const [call, count] of Object.entries(counted(calls))) expect([call, count]).toEqual([call, 1]);
  const missing = expected.tool_calls.filter(call => !calls.includes(call));
  expect(missing.length).toBeLessThanOrEqual(questions);
  expect(of('model_invocation').filter(data => data['phase'] === 'done')).toHaveLength(expected.model_calls);

  const all = await fake.requests();
  const requests = all.filter(
    request =>
      request.headers['authorization'] === `Bearer ${box.key}` &&
      !JSON.stringify(request.body).includes(OTHER_GOAL) &&
      !JSON.stringify(request.body).includes('Subtask: look'),
  );
  const keys = [...new Set(all.map(request => request.headers['authorization']))];
  expect(requests.length, `${box.key} among ${keys}`).toBeGreaterThanOrEqual(expected.model_calls);
  expect(requests.length).toBeLessThanOrEqual(expected.model_calls + MAX_IN_FLIGHT * kills);

  expect(changes.length).toBe(expected.changes - missing.length);
  expect(new Set(changes.map(entry => entry.id)).size).toBe(changes.length);

  await checkLearnedOnce(box, head.id);

  const verified = await box.run(['store', 'verify']);
  expect(verified.code, verified.stdout).toBe(0);
}

/** The undisturbed run: what it leaves behind, and how often it passed each crash point. */
export async function undisturbed(
  box: Sandbox,
  counts?: string,
): Promise<{ expected: Expected; ended: Ended & { result: RunResult } }> {
  const ended = await box.run(
    ['run', GOAL, '--output', 'stream-json'],
    counts ? { LOOM_CRASH_COUNTS: counts } : {},
  );
  expect(ended.code, ended.stderr).toBe(0);
  const { journal, changes } = (await stored(box))!;
  expect(printedEvents(ended.stdout)).toEqual(journal);
  const done = journal.filter(event => event.event_type === 'tool_call_completed');
  const result = JSON.parse(ended.stdout.trim().split('\n').at(-1)!) as RunResult;
  return {
    ended: { ...ended, result },
    expected: {
      tree: box.tree(),
      model_calls: journal.filter(
        event => event.event_type === 'model_invocation' && event.data['phase'] === 'done',
      ).length,
      tool_calls: done.map(event => String(event.data['call']).replace(/@\d+/, '')).sort(),
      changes: changes.length,
    },
  };
}
