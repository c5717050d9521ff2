/** Words to commands: every option in both places, ids kept as text, mistakes named with the nearest match. */
import { describe, expect, test } from 'vitest';
import { COMMANDS, GLOBAL_OPTIONS, type OptionSpec } from '../../cli/commands.ts';
import { UsageError } from '../../cli/failure.ts';
import { parse } from '../../cli/parse.ts';

function parsed(...argv: string[]) {
  const result = parse(argv);
  if (result.kind !== 'command') throw new Error(`no command but ${result.kind}`);
  return { name: result.spec.name, args: result.args, values: result.values };
}

function mistake(...argv: string[]): string {
  try {
    parse(argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

/** As many arguments as the command needs. */
const needed = (args: string) => (args.match(/<\w+>/g) ?? []).map((_, i) => `word${i}`);
const flags = (option: OptionSpec) => {
  const names = option[0]
    .replace(/\s*<.*/, '')
    .split(',')
    .map(name => name.trim());
  return { names, long: names.at(-1)!.slice(2), takesValue: option[0].includes('<') };
};

describe('every option of every command', () => {
  const cases = COMMANDS.flatMap(command =>
    [...GLOBAL_OPTIONS, ...command.options].flatMap(option =>
      flags(option).names.map(typed => ({ command, typed, ...flags(option) })),
    ),
  );
  test.each(cases)('$command.name $typed stands before or after', ({ command, typed, long, takesValue }) => {
    const option = takesValue ? [typed, '-7'] : [typed];
    const words = needed(command.args);
    const before = parsed(...option, command.name, ...words);
    const after = parsed(command.name, ...words, ...option);
    const between = parsed(command.name, ...option, ...words);
    for (const { name, args, values } of [before, after, between]) {
      expect([name, args]).toEqual([command.name, words]);
      expect(takesValue ? values.list(long) : values.flag(long)).toEqual(takesValue ? ['-7'] : true);
    }
  });
  test('absent options are absent', () => {
    const { values } = parsed('run', 'goal');
    for (const option of COMMANDS[0]!.options.map(flags))
      expect([option.long, values.flag(option.long), values.list(option.long)]).toEqual([
        option.long,
        false,
        [],
      ]);
  });
});

describe('values', () => {
  test.each([['--model=x'], ['-m=x'], ['-mx'], ['--model', 'x']])('%s', (...words) => {
    expect(parsed('run', 'goal', ...words).values.text('model')).toBe('x');
  });
  test('rules repeat and keep their order', () => {
    const { values } = parsed('run', '--allow', 'a(b c)', 'goal', '--allow=d=e');
    expect(values.list('allow')).toEqual(['a(b c)', 'd=e']);
  });
  test.each(['1e5', '007', '0x10', '123456789012345678901'])('the id %s stays as it was typed', id => {
    expect(parsed('show', id).args).toEqual([id]);
  });
  test('what follows -- is text', () => {
    expect(parsed('run', '--', '--fix -it').args).toEqual(['--fix -it']);
  });
  test('an option may name a prototype key', () => {
    expect(parsed('run', '__proto__').args).toEqual(['__proto__']);
  });
  test('numbers are checked', () => {
    const number = (text: string, kind: 'whole' | 'any') =>
      parsed('run', 'g', '--max-tokens', text).values.number('max-tokens', kind);
    expect(number('200000', 'whole')).toBe(200_000);
    expect(number('.5', 'any')).toBe(0.5);
    expect(() => number('1.5', 'whole')).toThrow('whole number');
    for (const wrong of ['0', '-1', 'ten', '1,5', 'Infinity', '0x10', ''])
      expect(() => number(wrong, 'any')).toThrow('--max-tokens');
  });
  test('a choice names its words and the nearest', () => {
    const { values } = parsed('run', 'g', '--approval', 'manul');
    expect(() => values.choice('approval', ['auto', 'manual'] as const)).toThrow(
      '--approval is one of auto, manual, not "manul"; did you mean manual?',
    );
  });
  test('a single value given twice is a mistake', () => {
    expect(() => parsed('run', 'g', '-m', 'a', '-m', 'b').values.text('model')).toThrow(
      '--model is given twice',
    );
  });
});

describe('mistakes', () => {
  test.each([
    [['rnu', 'goal'], 'unknown command "rnu"; did you mean loom run?'],
    [['stat', 'x'], 'unknown command "stat"; did you mean loom status?'],
    [['fix the bug'], 'unknown command "fix the bug"; to give Loom a goal: loom run "fix the bug"'],
    [['run', 'g', '--modle', 'x'], 'unknown option --modle; did you mean --model?'],
    [['run', 'g', '--detach'], 'unknown option --detach; see loom --help'],
    [['status', 'x', '--plan-only'], 'unknown option --plan-only for loom status; see loom status --help'],
    [['run', 'g', '--model'], '--model needs a value'],
    [['run', 'g', '--model', '--output', 'json'], '--model needs a value'],
    [['run', 'g', '--plan-only=yes'], '--plan-only takes no value'],
    [['run'], 'loom run needs GOAL: loom run <goal>'],
    [['answer', 'q1'], 'loom answer needs ANSWER: loom answer <id> <answer>'],
    [['run', 'fix', 'the', 'bug'], 'put the goal in quotes: loom run "fix the bug"'],
    [['tasks', 'x'], 'loom tasks does not take "x"'],
    [['-x', 'run'], 'unknown option -x; see loom --help'],
  ])('%j', (argv, message) => {
    expect(mistake(...argv)).toBe(message);
  });
});

test('without a command it is the session, options included', () => {
  expect(parsed()).toMatchObject({ name: 'cowork' });
  expect(parsed('--continue', '-w', '.').values.flag('continue')).toBe(true);
  expect(parsed('--resume', 'k3x9').values.text('resume')).toBe('k3x9');
});

test.each([[['--help']], [['help']], [['run', '--help']], [['-h', 'run']], [['help', 'run']]])(
  '%j is help',
  argv => {
    expect(parse(argv).kind).toBe('help');
  },
);

test.each(['--version', '-v'])('%s is the version', flag => {
  expect(parse([flag]).kind).toBe('version');
});
