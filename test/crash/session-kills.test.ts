/** A conversation killed at every stage of a turn: what was committed is there, what was typed is kept, what was cut off is
 *  said to be so, and nothing but what is harmless is done twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLoom } from '../../actors/engine.ts';
import type { HistoryEntry, JournalEvent, Preview } from '../../actors/loom.ts';
import { CRASH_POINTS, type CrashPoint } from '../../store/crash-points.ts';
import { openLmdbReader } from '../../store/lmdb.ts';
import { searchMessages } from '../../store/recall/search.ts';
import type { FakeServer } from '../support/fake-http.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { DEEP, lanes, random, spread } from '../support/lanes.ts';
import { type Sandbox, sandbox, serverToml } from '../support/loom-process.ts';
import { call, script } from '../support/script.ts';
import { talk } from '../support/talk.ts';

const SEED = 31;
/** Killed more often: between them lies all that a turn does. */
const ENDS: CrashPoint[] = ['before-commit', 'after-commit'];
const TEXTS = ['begin the work on the harbour', 'and now the second part'];
const LONG = 'A long answer about the harbour, '.repeat(30).trim();
const step = (n: number, rest: object) => ({ role: 'session', step: n, repeat: true, ...rest });
const scenario = script(
  step(0, {
    calls: [
      call('read_file', { path: 'kit.txt' }),
      call('shell_execute', { command: 'echo built >> audit.log' }),
      call('write_file', { path: 'a.txt', content: 'A\n' }),
    ],
  }),
  step(1, { calls: [call('edit_file', { path: 'kit.txt', old_str: 'one', new_str: 'two' })] }),
  step(2, { reply: LONG }),
  step(3, {
    calls: [call('write_file', { path: 'b.txt', content: 'B\n' }), call('read_file', { path: 'a.txt' })],
  }),
  ...Array.from({ length: 12 }, (_, i) => step(4 + i, { reply: 'All of it is done.' })),
);

/** Large enough that what stood there before is kept as a blob. */
const REST = 'and more of the same\n'.repeat(300);

const root = join(import.meta.dirname, '../..');
let folder: string;
let server: FakeServer;
let passages: Record<CrashPoint, number>;

beforeAll(async () => {
  // Inside the project, so that packages that are not bundled are found.
  folder = mkdtempSync(join(root, 'node_modules', '.loom-session-'));
  await build({
    entryPoints: { child: join(root, 'test/support/session-child.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  server = await startFakeServer('openai', scenario, { chunk: 16, pace_ms: 2 });
  const box = prepared();
  const counts = join(box.folder, 'passages.json');
  const whole = await converse(box, { LOOM_CRASH_COUNTS: counts });
  expect(whole.code).toBe(0);
  passages = JSON.parse(readFileSync(counts, 'utf8')) as Record<CrashPoint, number>;
  box.remove();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function prepared(): Sandbox {
  const box = sandbox();
  mkdirSync(box.workspace, { recursive: true });
  writeFileSync(join(box.workspace, 'kit.txt'), `one\n${REST}`);
  box.config(serverToml('openai_compatible', `${server.url}/v1`));
  return box;
}

interface Printed {
  code: number | null;
  events: JournalEvent[];
  sent: string[];
  previews: { preview: Preview; at: number }[];
}

/** Lets the child say its lines; `meanwhile` may kill it. */
async function converse(
  box: Sandbox,
  env: Record<string, string>,
  meanwhile: (child: ChildProcess, printed: Printed) => void = () => {},
): Promise<Printed> {
  const args = [join(folder, 'child.mjs'), box.home, box.workspace, JSON.stringify(TEXTS)];
  const child = spawn(process.execPath, args, { env: { ...process.env, LOOM_TEST: '1', ...env } });
  const printed: Printed = { code: null, events: [], sent: [], previews: [] };
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const value = JSON.parse(line) as {
        event?: JournalEvent;
        sent?: string;
        preview?: Preview;
        at?: number;
      };
      if (value.event) printed.events.push(value.event);
      if (value.sent) printed.sent.push(value.sent);
      if (value.preview) printed.previews.push({ preview: value.preview, at: value.at! });
    }
    meanwhile(child, printed);
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  printed.code = await new Promise(resolve => child.once('close', resolve));
  if (printed.code !== 0 && printed.code !== null) throw new Error(`the child failed: ${complaint}`);
  return printed;
}

const read = (box: Sandbox, name: string): string => {
  try {
    return readFileSync(join(box.workspace, name), 'utf8');
  } catch {
    return '';
  }
};

/** Every result has its call before it, every call exactly one result. */
function checkPairs(history: HistoryEntry[]): void {
  const open = new Set<string>();
  for (const entry of history) {
    for (const { id } of entry.calls) open.add(`${entry.turn} ${id}`);
    if (entry.role === 'tool') expect(open.delete(`${entry.turn} ${entry.call_id}`), entry.text).toBe(true);
  }
  expect([...open]).toEqual([]);
}

interface Kept {
  id: string;
  messages: { key: string; value: { message: { content: string } } }[];
  journal: JournalEvent[];
}

async function kept(box: Sandbox): Promise<Kept | null> {
  const reader = await openLmdbReader(box.home);
  try {
    const [head] = (await reader.runs()).filter(run => run.kind === 'session');
    if (!head) return null;
    const messages = await reader.range<Kept['messages'][0]['value']>(head.id, 'm/');
    const journal = (await reader.range<JournalEvent>(head.id, 'j/')).map(row => row.value);
    return { id: head.id, messages, journal };
  } finally {
    await reader.close();
  }
}

/** Takes the killed session up, looks at everything, and goes on to the end. */
async function checkAndGoOn(box: Sandbox, printed: Printed): Promise<HistoryEntry[]> {
  const before = await kept(box);
  if (!before) return [];
  // Nothing was shown that is not stored.
  for (const event of printed.events) expect(before.journal[event.seq - 1]).toEqual(event);
  const loom = await openLoom({ home: box.home, workspace: box.workspace, env: box.env });
  try {
    const resumed = await talk(loom, { resume: before.id });
    await resumed.until(() => resumed.session.state().phase === 'idle', 'it is in order again');
    const calls = server.requests.length;
    const history = await resumed.session.history(1_000);
    expect(server.requests.length, 'nothing is asked by itself').toBe(calls);
    checkPairs(history);
    const after = (await kept(box))!;
    const texts = new Map(after.messages.map(({ key, value }) => [key, value.message.content]));
    for (const { key, value } of before.messages) expect(texts.get(key)).toBe(value.message.content);
    // What was typed is a message, or waits to become one.
    const waiting = resumed.session.state().queued;
    const said = history.filter(entry => entry.role === 'user').map(entry => entry.text);
    expect(said.length + waiting).toBeGreaterThanOrEqual(printed.sent.length);
    await resumed.say('go on');
    const ends = resumed.told('turn_ended');
    expect(ends.at(-1)).toMatchObject({ ok: true });
    const all = await resumed.session.history(1_000);
    checkPairs(all);
    for (const text of printed.sent)
      expect(all.filter(entry => entry.role === 'user' && entry.text === text)).toHaveLength(1);
    await resumed.session.close();
    expect((await loom.verifyStore()).problems).toEqual([]);
    return all;
  } finally {
    await loom.close();
  }
}

async function checkWorld(box: Sandbox, history: HistoryEntry[]): Promise<void> {
  const built = read(box, 'audit.log').split('\n').filter(Boolean);
  expect(built.length).toBeLessThanOrEqual(1);
  const results = (tool: string) => history.filter(entry => entry.tool === tool).map(entry => entry.text);
  const shell = results('shell_execute');
  if (shell.some(text => !/^(Error|Uncertain)/.test(text))) expect(built).toHaveLength(1);
  const done = results('write_file').filter(text => !/^Error/.test(text));
  if (done.some(text => text.includes('a.txt'))) expect(read(box, 'a.txt')).toBe('A\n');
  // Edited once: a second time there would be nothing left to edit.
  expect([`one\n${REST}`, `two\n${REST}`]).toContain(read(box, 'kit.txt'));
  const found = await kept(box);
  if (!found) return;
  const reader = await openLmdbReader(box.home);
  const hits = await searchMessages(reader, [found.id], 'harbour', { limit: 50 });
  const count = await reader.get<number>(found.id, 'x/n');
  await reader.close();
  expect(count).toBe(found.messages.length);
  expect(hits.length).toBe(
    found.messages.filter(({ value }) => value.message.content.includes('harbour')).length,
  );
}

test('an undisturbed conversation passes every boundary', () => {
  for (const point of CRASH_POINTS) expect(passages[point], point).toBeGreaterThan(0);
});

test('killed at a boundary, it loses nothing and does nothing twice', async () => {
  const draw = random(SEED);
  const kills = CRASH_POINTS.flatMap(point =>
    spread(passages[point], DEEP ? passages[point] : ENDS.includes(point) ? 4 : 2, draw).map(
      n => `${point}:${n}`,
    ),
  );
  expect(kills.length).toBeGreaterThanOrEqual(20);
  await lanes(kills, 2, async at => {
    const box = prepared();
    const printed = await converse(box, { LOOM_CRASH_AT: at });
    const history = await checkAndGoOn(box, printed);
    await checkWorld(box, history);
    box.remove();
  });
});

test('killed at any instant, it shows what had arrived of an answer as cut off', async () => {
  const draw = random(SEED + 1);
  const kills = Array.from({ length: DEEP ? 100 : 3 }, (_, i) => ({
    i,
    after: 100 + Math.floor(draw() * 1_500),
  }));
  let cutOff = 0;
  await lanes(kills, 2, async ({ after }) => {
    const box = prepared();
    box.config(serverToml('openai_compatible', `${slow.url}/v1`));
    let killedAt = 0;
    let begun = false;
    const printed = await converse(box, {}, (child, seen) => {
      if (begun || seen.previews.length === 0) return;
      begun = true;
      setTimeout(() => {
        killedAt = Date.now();
        child.kill('SIGKILL');
      }, after);
    });
    const history = await checkAndGoOn(box, printed);
    const partial = history.find(entry => entry.interrupted);
    const secondBefore = printed.previews.filter(({ at }) => at <= killedAt - 1_000).at(-1);
    if (killedAt > 0 && partial) {
      cutOff++;
      expect(LONG.startsWith(partial.text)).toBe(true);
    }
    // At most a second of what was shown is lost.
    const complete = printed.events.some(
      ({ event_type, data }) => event_type === 'assistant_message' && data['text'] === LONG,
    );
    if (secondBefore && !complete) {
      const { offset, text } = secondBefore.preview;
      expect(partial?.text.length ?? 0).toBeGreaterThanOrEqual(offset + text.length);
    }
    box.remove();
  });
  expect(cutOff).toBeGreaterThan(0);
});

let slow: FakeServer;
beforeAll(async () => {
  slow = await startFakeServer('openai', scenario, { chunk: 8, pace_ms: 12 });
});
afterAll(() => slow.stop());
