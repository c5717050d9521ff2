/** From words to exit codes: every failure is one message, in the form that was asked for. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type OpenLoom, paintFor, printedNotices } from '../../cli/context.ts';
import { createInterrupt } from '../../cli/interrupt.ts';
import { recordBug } from '../../cli/process.ts';
import { program } from '../../cli/program.ts';
import { LoomError } from '../../machines/failure.ts';
import { testIo } from './io.ts';

async function loom(argv: string[], open: OpenLoom = async () => Promise.reject(new Error('not opened'))) {
  const io = testIo();
  const recorded: unknown[] = [];
  const code = await program(argv, {
    io,
    open,
    interrupt: createInterrupt(
      () => undefined,
      () => undefined,
    ),
    notices: printedNotices(io),
    record: error => {
      recorded.push(error);
      return '/logs/bug.log';
    },
  });
  return { code, out: io.printed.out, err: io.printed.err, recorded };
}

const failing =
  (code: string): OpenLoom =>
  async () => {
    throw new LoomError('terminal', code, `what happened (${code}), what to do`);
  };

describe('errors of the engine', () => {
  test.each([
    ['usage', 2],
    ['config', 2],
    ['workspace_missing', 2],
    ['ambiguous_id', 2],
    ['auth', 4],
    ['no_model', 5],
    ['budget', 6],
    ['store_full', 1],
    ['store_unreadable', 1],
    ['unknown_id', 1],
    ['owned_elsewhere', 1],
    ['something_new', 1],
  ])('%s ends in exit code %d with its message alone', async (code, exit) => {
    const text = await loom(['tasks'], failing(code));
    expect(text).toMatchObject({
      code: exit,
      out: '',
      err: `loom: what happened (${code}), what to do\n`,
      recorded: [],
    });
    const json = await loom(['tasks', '--output', 'json'], failing(code));
    expect(json.code).toBe(exit);
    expect(JSON.parse(json.out)).toEqual({
      type: 'result',
      status: 'failed',
      exit_code: exit,
      error: { code, message: `what happened (${code}), what to do` },
    });
  });
});

test('an unexpected error is called a bug, with its details in a file and no stack on the screen', async () => {
  const bug = new TypeError('x is not a function');
  const { code, err, recorded } = await loom(['tasks'], async () => Promise.reject(bug));
  expect(code).toBe(1);
  expect(err).toBe(
    'loom: this is a bug in Loom: x is not a function\n  Details were written to /logs/bug.log. Runs are safe; loom tasks lists them.\n',
  );
  expect(recorded).toEqual([bug]);
});

test('details of a bug go to the home, with the stack', () => {
  const home = mkdtempSync(join(tmpdir(), 'loom-bug-'));
  try {
    const path = recordBug(new TypeError('boom'), home);
    expect(path.startsWith(join(home, 'logs'))).toBe(true);
    expect(readFileSync(path, 'utf8')).toMatch(/TypeError: boom\n\s+at /);
    expect(existsSync(recordBug('text', '/dev/null/home'))).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test.each([
  [['rn'], 2, 'did you mean loom run?'],
  [['run', ''], 2, 'the goal is empty'],
  [['run', '@/nowhere.md'], 2, 'there is no such file'],
  [['run', 'g', '--approval', 'never'], 2, '--approval is one of'],
  [['run', 'g', '--max-cost', 'much'], 2, '--max-cost takes a number'],
  [['run', 'g', '--timeout', '0'], 2, '--timeout takes a number'],
  [['tasks', '--output', 'yaml'], 2, '--output is one of'],
  [['resume'], 2, 'loom resume --last'],
  [['resume', 'x', '--last'], 2, 'not both'],
  [['answer', 'q', ' '], 2, 'the answer is empty'],
  [['tool', 'lst'], 2, 'did you mean list?'],
  [['tool', 'call'], 2, 'which tool?'],
  [['tool', 'call', 'x', '{'], 2, 'not JSON'],
  [['tool', 'call', 'x', '[]'], 2, 'must be a JSON object'],
  [['store', 'compct'], 2, 'did you mean compact?'],
  [['store', 'backup'], 2, 'where to?'],
  [['store', 'compact', 'x'], 2, 'does not take "x"'],
  [['config', 'chek'], 2, 'did you mean check?'],
])('%j is refused before anything is opened', async (argv, exit, message) => {
  const { code, err, out } = await loom(argv);
  expect(err).toContain(message);
  expect([code, out]).toEqual([exit, '']);
});

test('a mistake in the words is JSON when JSON was asked for', async () => {
  for (const form of [['--output', 'json'], ['--output=stream-json']]) {
    const { out, code } = await loom(['rn', ...form]);
    expect([code, JSON.parse(out).error.code]).toEqual([2, 'usage']);
  }
});

test('the version needs no Loom', async () => {
  expect((await loom(['version'])).out).toMatch(/^loom \S+\n$/);
  expect(JSON.parse((await loom(['version', '--output', 'json'])).out).name).toBe('loom');
});

describe('Ctrl+C', () => {
  function pressed() {
    const said: string[] = [];
    let deaths = 0;
    const interrupt = createInterrupt(
      () => {
        deaths += 1;
      },
      text => said.push(text),
    );
    return { interrupt, said, deaths: () => deaths };
  }
  test('once stops cleanly, twice ends', () => {
    const { interrupt, said, deaths } = pressed();
    interrupt.arm();
    interrupt.hit();
    expect([interrupt.signal.aborted, deaths(), said.length]).toEqual([true, 0, 1]);
    interrupt.hit();
    expect(deaths()).toBe(1);
  });
  test('ends at once when nothing would act on it', () => {
    const { interrupt, deaths } = pressed();
    interrupt.arm()();
    interrupt.hit();
    expect([interrupt.signal.aborted, deaths()]).toEqual([false, 1]);
  });
  test('a reader that has gone stops the run without a word', () => {
    const { interrupt, said, deaths } = pressed();
    interrupt.arm();
    interrupt.quiet();
    expect([interrupt.signal.aborted, deaths(), said]).toEqual([true, 0, []]);
  });
});

test.each([
  [{ env: {}, tty: true, off: false }, 1],
  [{ env: {}, tty: false, off: false }, 0],
  [{ env: { NO_COLOR: '1' }, tty: true, off: false }, 0],
  [{ env: { NO_COLOR: '' }, tty: true, off: false }, 1],
  [{ env: { FORCE_COLOR: '1' }, tty: false, off: false }, 1],
  [{ env: { FORCE_COLOR: '1', NO_COLOR: '1' }, tty: true, off: false }, 0],
  [{ env: { FORCE_COLOR: '1' }, tty: true, off: true }, 0],
  [{ env: { TERM: 'dumb' }, tty: true, off: false }, 0],
])('colours for %j: level %d', (colours, level) => {
  expect(paintFor(colours).level).toBe(level);
});
