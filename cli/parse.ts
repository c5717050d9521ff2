/** From words to a command with its options; cac declares, parses and prints help, the walk before it checks and quotes. */
import { type CAC, cac } from 'cac';
import { COMMANDS, type CommandSpec, GLOBAL_OPTIONS, type OptionSpec } from './commands.ts';
import { UsageError } from './failure.ts';
import { nearest } from './nearest.ts';
import { Values } from './values.ts';
import { VERSION } from './version.ts';

export type Parsed =
  | { kind: 'command'; spec: CommandSpec; args: string[]; values: Values }
  | { kind: 'help'; print: () => void }
  | { kind: 'version' };

interface Flag {
  long: string;
  takesValue: boolean;
}

/** Marks a word as text: cac's parser would turn the id `1e5` into 100000 and take a value `-x` for an option. */
const TEXT = '\u0000';

const flagOf = ([flag]: OptionSpec): Flag & { names: string[] } => {
  const names = flag
    .replace(/\s*<.*$/, '')
    .split(',')
    .map(name => name.trim());
  return { names, long: names.at(-1)!.slice(2), takesValue: flag.includes('<') };
};

function flagTable(specs: OptionSpec[]): Map<string, Flag> {
  return new Map(specs.map(flagOf).flatMap(flag => flag.names.map(name => [name, flag] as const)));
}

const EVERYWHERE: OptionSpec[] = [
  ...GLOBAL_OPTIONS,
  ['-h, --help', 'Display this message'],
  ['-v, --version', 'Print the version'],
];
const ANY = flagTable([...EVERYWHERE, ...COMMANDS.flatMap(command => command.options)]);

function declare(): CAC {
  const cli = cac('loom');
  for (const [flag, text] of GLOBAL_OPTIONS) cli.option(flag, text);
  for (const { name, args, summary, options, examples } of COMMANDS) {
    const command = cli.command(args ? `${name} ${args}` : name, summary);
    for (const [flag, text] of options) command.option(flag, text);
    for (const example of examples ?? []) command.example(`  $ ${example}`);
  }
  cli.usage('<command> [options]');
  cli.help(sections =>
    sections
      .filter(section => !section.title?.startsWith('For more info'))
      // cac prints the default of a negated option, which is its opposite.
      .map(section => ({ ...section, body: section.body.replace(/ (\(default: true\))?$/gm, '') })),
  );
  cli.version(VERSION);
  return cli;
}

interface Walked {
  words: string[];
  used: { typed: string; flag: Flag }[];
  positional: string[];
}

/** Checks every option, quotes every value, and leaves a line that has one reading. */
function walk(argv: string[]): Walked {
  const words: string[] = [];
  const used: Walked['used'] = [];
  const positional: string[] = [];
  // The first positional names the command, which cac must be able to read.
  const word = (text: string) => {
    words.push(positional.length === 0 ? text : TEXT + text);
    positional.push(text);
  };
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--') {
      for (const text of argv.slice(i + 1)) word(text);
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      word(arg);
      continue;
    }
    const { typed, attached } = splitOption(arg);
    const flag = ANY.get(typed);
    if (!flag) throw unknownOption(typed, [...ANY.keys()]);
    used.push({ typed, flag });
    if (!flag.takesValue) {
      if (attached !== undefined) throw new UsageError(`${typed} takes no value`);
      // cac hands its parser only the camel-case names of flags; others would swallow the next word.
      words.push(`--${camel(flag.long)}`);
      continue;
    }
    const next = argv[i + 1];
    if (attached === undefined && (next === undefined || next === '--' || ANY.has(next.split('=')[0]!)))
      throw new UsageError(`${typed} needs a value`);
    if (attached === undefined) i++;
    words.push(`--${flag.long}`, TEXT + (attached ?? next ?? ''));
  }
  return { words, used, positional };
}

/** `--name=value`, `-w=dir` and `-wdir` in two parts. */
function splitOption(arg: string): { typed: string; attached?: string } {
  const equals = arg.indexOf('=');
  if (equals > 0) return { typed: arg.slice(0, equals), attached: arg.slice(equals + 1) };
  const short = arg.slice(0, 2);
  if (!arg.startsWith('--') && arg.length > 2 && ANY.get(short)?.takesValue)
    return { typed: short, attached: arg.slice(2) };
  return { typed: arg };
}

function unknownOption(typed: string, known: string[], command?: string): UsageError {
  const bare = (name: string) => name.replace(/^-+/, '');
  const long = known.filter(name => name.startsWith('--'));
  const near = typed.length > 2 ? nearest(bare(typed), long.map(bare)) : null;
  const where = command ? ` for loom ${command}` : '';
  return new UsageError(
    `unknown option ${typed}${where}${near ? `; did you mean --${near}?` : `; see loom ${command ? `${command} ` : ''}--help`}`,
  );
}

function unknownCommand(word: string): UsageError {
  const near = nearest(
    word,
    COMMANDS.map(command => command.name),
  );
  const hint = near
    ? `; did you mean loom ${near}?`
    : /\s/.test(word)
      ? `; to give Loom a goal: loom run "${word}"`
      : '; see loom --help';
  return new UsageError(`unknown command "${word}"${hint}`);
}

/** Throws UsageError. Options may stand before or after the command. */
export function parse(argv: string[]): Parsed {
  const { words, used, positional } = walk(argv);
  const asked = (long: string) => used.some(option => option.flag.long === long);
  const name = positional[0];
  if (name === undefined && asked('version')) return { kind: 'version' };
  const cli = declare();
  // Without a command: the session, with its own options.
  if (name === undefined && !asked('help')) return parse(['cowork', ...argv]);
  if (name === undefined || name === 'help') return { kind: 'help', print: () => helpOf(cli, positional[1]) };
  const spec = COMMANDS.find(command => command.name === name);
  if (!spec) throw unknownCommand(name);
  if (asked('help')) return { kind: 'help', print: () => helpOf(cli, name) };
  const own = flagTable([...EVERYWHERE, ...spec.options]);
  const foreign = used.find(option => !own.has(option.typed));
  if (foreign) throw unknownOption(foreign.typed, [...own.keys()], name);
  cli.parse(['node', 'loom', ...words], { run: false });
  checkCount(spec, cli);
  return { kind: 'command', spec, args: cli.args.map(plain), values: valuesOf(cli, own) };
}

function helpOf(cli: CAC, name: string | undefined): void {
  const wanted = name === undefined ? undefined : cli.commands.find(command => command.name === name);
  if (name !== undefined && !wanted) throw unknownCommand(name);
  if (wanted) wanted.outputHelp();
  else cli.outputHelp();
}

function checkCount(spec: CommandSpec, cli: CAC): void {
  const declared = cli.matchedCommand?.args ?? [];
  const missing = declared.filter(arg => arg.required)[cli.args.length];
  if (missing)
    throw new UsageError(
      `loom ${spec.name} needs ${missing.value.toUpperCase()}: loom ${spec.name} ${spec.args}`,
    );
  if (cli.args.length <= declared.length) return;
  if (spec.name === 'run')
    throw new UsageError(`put the goal in quotes: loom run "${cli.args.map(plain).join(' ').slice(0, 200)}"`);
  throw new UsageError(`loom ${spec.name} does not take "${plain(cli.args[declared.length])}"`);
}

/** `max-tokens` as cac keeps it; the `no-` of a negated flag stays apart. */
const camel = (long: string): string =>
  long.replace(/(?<!^no)-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const plain = (word: unknown): string => String(word).replace(TEXT, '');

function valuesOf(cli: CAC, own: Map<string, Flag>): Values {
  const read = ({ long, takesValue }: Flag): string[] | boolean => {
    const negated = long.startsWith('no-');
    const value: unknown = cli.options[camel(negated ? long.slice(3) : long)];
    if (!takesValue) return negated ? value === false : value === true;
    return value === undefined ? [] : [value].flat().map(plain);
  };
  return new Values(Object.fromEntries([...own.values()].map(flag => [flag.long, read(flag)])));
}
