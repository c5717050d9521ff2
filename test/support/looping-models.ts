/** Forty models that go round in circles, each in a way of its own; every trace goes on for ever. */
import { type Said, type SaidCall, seeded } from './said.ts';

export interface LoopingModel {
  name: string;
  /** The model call, from 1, that is the first to repeat what was there before. */
  repeatsAt: number;
  trace(): Iterable<Said>;
}

type Round = (n: number) => Said;

function* forever(round: Round): Iterable<Said> {
  for (let n = 0; ; n++) yield round(n);
}

const looping = (name: string, repeatsAt: number, round: Round): LoopingModel => ({
  name,
  repeatsAt,
  trace: () => forever(round),
});

/** Calls a cycle is made of; a result belongs to each. */
const STEPS: SaidCall[] = [
  { name: 'read_file', args: { path: 'src/index.js' }, result: 'export const a = 1;' },
  { name: 'list_directory', args: { path: 'src', recursive: true }, result: 'index.js\nslug.js' },
  {
    name: 'shell_execute',
    args: { command: 'npm test' },
    result: '1 failing\n[exit code 1]',
    success: false,
  },
  { name: 'ripgrep_search', args: { pattern: 'slugify', path: 'src' }, result: 'No matches.' },
  {
    name: 'read_file',
    args: { path: 'docs/notes.md' },
    result: 'Error: docs/notes.md does not exist.',
    success: false,
  },
];

/** Ways to make the same call look new. */
const DISGUISES: Record<string, (call: SaidCall, n: number) => Said> = {
  plainly: call => ({ calls: [call] }),
  'with new white space and order of arguments': (call, n) => {
    const entries = Object.entries(call.args as Record<string, unknown>).map(([key, value]) => [
      key,
      key === 'command' ? String(value).replace(/ /g, ' '.repeat(1 + (n % 3))) : value,
    ]);
    return { calls: [{ ...call, args: Object.fromEntries(n % 2 ? entries.reverse() : entries) }] };
  },
  'with other limits, time limits and spellings of the path': (call, n) => {
    const args = { ...(call.args as Record<string, unknown>) };
    if (call.name === 'shell_execute') args['timeout_seconds'] = 30 + n;
    if (call.name === 'read_file') args['line_end'] = 200 + n;
    if (typeof args['path'] === 'string') args['path'] = `${'./'.repeat(n % 3)}${args['path']}`;
    return { calls: [{ ...call, args }] };
  },
  'with a moment in time in the command, and claims of progress': (call, n) => {
    const args = { ...(call.args as Record<string, unknown>) };
    if (call.name === 'shell_execute')
      args['command'] = `${args['command']} # try ${n} at 12:00:${10 + (n % 50)}`;
    return { text: `Good progress, step ${n} is done. Next I look again.`, calls: [{ ...call, args }] };
  },
};

function cycles(): LoopingModel[] {
  return Object.entries(DISGUISES).flatMap(([way, disguise]) =>
    [1, 2, 3, 4, 5].map(length =>
      looping(`a cycle of ${length} ${way}`, length + 1, n => disguise(STEPS[n % length]!, n)),
    ),
  );
}

/** After a first round in order, any of the first `size` in random order. */
function shuffled(size: number): LoopingModel {
  return {
    name: `${size} calls in random order`,
    repeatsAt: size + 1,
    *trace() {
      const random = seeded(size);
      for (let n = 0; ; n++) yield { calls: [STEPS[n < size ? n : Math.floor(random() * size)]!] };
    },
  };
}

const BROKEN = [
  'path is report.md',
  '{"path": "report.md", "content": "It rai',
  '<path>report.md</path>',
  '[]',
  '{{{"path"',
  'null',
  '"report.md, then the content"',
];
const GARBAGE = [
  '<tool_call>\n{"name": "write_file", "arguments": {"path": \n</tool_call>',
  '<tool_call>\n{"name": "write_file", "arguments": write the file please}\n</tool_call>',
  '<tool_call>{"arguments": {"path": "a.md"}}</tool_call>',
];
const write = (content: string, result: string): SaidCall => ({
  name: 'write_file',
  args: { path: 'a.txt', content },
  result,
});
const [first, second, tests] = [STEPS[0]!, STEPS[1]!, STEPS[2]!];

export const LOOPING_MODELS: LoopingModel[] = [
  ...cycles(),
  shuffled(3),
  shuffled(4),
  shuffled(5),
  looping('the same calls, now together, now apart', 2, n => ({
    calls: n % 3 === 0 ? [first, second] : n % 3 === 1 ? [first] : [second],
  })),
  looping('the same calls together in another order', 2, n => ({
    calls: n % 2 ? [second, tests, first] : [first, second, tests],
  })),
  looping('tests run again without an edit, told apart by their time only (pytest)', 2, n => ({
    calls: [
      { ...tests, result: `FAILED test_a.py::test_slug\n1 failed, 3 passed in 0.${10 + n}s\n[exit code 1]` },
    ],
  })),
  looping('tests run again without an edit, told apart by their time only (vitest)', 2, n => ({
    calls: [
      {
        ...tests,
        result: `FAIL slug.test.ts (${n + 3} ms)\n Start at  10:00:${10 + n}\n Duration  ${300 + n}ms (transform ${n}ms)`,
      },
    ],
  })),
  looping('a call without arguments', 2, () => ({ calls: [{ name: 'write_file', args: {} }] })),
  looping('calls of all tools without arguments', 2, n => ({
    calls: [{ name: ['read_file', 'write_file', 'edit_file', 'shell_execute'][n % 4]!, args: {} }],
  })),
  looping('a listing without arguments', 2, () => ({
    calls: [{ name: 'list_directory', args: {}, result: 'src/\nREADME.md' }],
  })),
  looping('arguments that are not JSON, differently each time', 2, n => ({
    calls: [{ name: 'write_file', args: BROKEN[n % BROKEN.length]! }],
  })),
  looping('arguments that are not JSON, of tool after tool', 2, n => ({
    calls: [
      { name: ['write_file', 'edit_file', 'read_file'][n % 3]!, args: `please: ${'{'.repeat(1 + (n % 4))}` },
    ],
  })),
  looping('calls written as text that nobody can read', 2, n => ({ text: GARBAGE[n % GARBAGE.length]! })),
  looping('tools that do not exist', 2, n => ({ calls: [{ name: `make_coffee_${n}`, args: { cups: n } }] })),
  looping('arguments of the wrong kind', 2, n => ({
    calls: [{ name: 'edit_file', args: { path: 'a.md', lines: [n, n + 1], change: 'better' } }],
  })),
  looping('an unreadable call beside one already answered', 2, () => ({
    calls: [first, { name: 'write_file', args: 'path is a.md' }],
  })),
  looping('a cycle with answers that are cut off in between', 2, n =>
    n % 2 ? { cut: true } : { calls: [first] },
  ),
  looping('one file written to and fro', 5, n => ({
    calls: [
      n === 0
        ? write('A', 'Created a.txt\n+A')
        : n % 2
          ? write('B', 'Wrote a.txt\n-A\n+B')
          : write('A', 'Wrote a.txt\n-B\n+A'),
    ],
  })),
  looping('commands that are refused and files that are not there, in turn', 3, n => ({
    calls: [n % 2 ? STEPS[4]! : { name: 'git_command', args: { args: ['push', '--force'] }, denied: true }],
  })),
  looping('a call that is refused', 2, () => ({
    calls: [{ name: 'shell_execute', args: { command: 'rm -rf build' }, denied: true }],
  })),
];

/** Any cycle of up to five of the calls, each time in another disguise. */
export function randomLoop(seed: number): LoopingModel {
  const random = seeded(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const cycle = [...STEPS].sort(() => random() - 0.5).slice(0, 1 + below(STEPS.length));
  const ways = Object.values(DISGUISES);
  return looping(`random cycle ${seed}`, cycle.length + 1, n =>
    ways[below(ways.length)]!(cycle[n % cycle.length]!, n),
  );
}
