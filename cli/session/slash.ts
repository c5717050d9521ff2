/** The commands of the prompt: its own, and those of the command line that make sense within it. */
import { nearest } from '../nearest.ts';
import { pad } from '../render/width.ts';
import { type App, type Slash, SlashError } from './app.ts';
import { FILE_COMMANDS } from './commands/files.ts';
import { RUN_COMMANDS } from './commands/runs.ts';
import { SESSION_COMMANDS } from './commands/session.ts';
import { SETTING_COMMANDS } from './commands/settings.ts';
import type { Entry } from './words.ts';

/** Of the command line: they read or change what is stored, print it and end. */
const SHARED = new Set([
  'status',
  'tasks',
  'steer',
  'models',
  'doctor',
  'config',
  'learned',
  'reset-learning',
  'store',
  'purge',
  'chart',
]);

const help: Slash = {
  name: 'help',
  args: '[COMMAND]',
  summary: 'What you can type here',
  run(app, [name]) {
    const one = name ? find(name.replace(/^\//, '')) : undefined;
    app.print(one ? [`/${one.name} ${one.args}`.trimEnd(), `  ${one.summary}`] : helpLines(app));
  },
};

export const SLASHES: Slash[] = [
  help,
  ...SESSION_COMMANDS,
  ...RUN_COMMANDS,
  ...FILE_COMMANDS,
  ...SETTING_COMMANDS,
];

const find = (name: string): Slash | undefined =>
  SLASHES.find(slash => slash.name === name || slash.aliases?.includes(name));

function helpLines(app: App): string[] {
  const { paint } = app;
  const left = (slash: Slash) => `/${slash.name}${slash.args ? ` ${slash.args}` : ''}`;
  const widest = Math.min(30, Math.max(...SLASHES.map(slash => left(slash).length)));
  const table = SLASHES.map(slash => {
    const aliases = slash.aliases?.length
      ? paint.dim(` (${slash.aliases.map(name => `/${name}`).join(', ')})`)
      : '';
    return `  ${pad(left(slash), widest)}  ${slash.summary}${aliases}`;
  });
  return [
    'Type what you want. @path attaches a file or a folder, ! in front steers the running turn, // begins a text with a slash.',
    'Alt+Enter is a new line, Ctrl+C stops a turn, twice leaves, Tab completes.',
    ...table,
    paint.dim(
      `  also: ${[...SHARED]
        .filter(name => known(app, name))
        .map(name => `/${name}`)
        .join(' ')}, as on the command line`,
    ),
  ];
}

const known = ({ context }: App, name: string): boolean =>
  SHARED.has(name) && context.nested.names.includes(name);

/** Throws SlashError for what is no command; nothing of it reaches the model. */
export async function runSlash(app: App, entry: Extract<Entry, { kind: 'command' }>): Promise<void> {
  const slash = find(entry.name);
  if (slash) return slash.run(app, entry.args, entry.rest);
  if (known(app, entry.name)) {
    await app.context.nested.run([entry.name, ...entry.args], app.context);
    return;
  }
  const near = nearest(entry.name, [
    ...SLASHES.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...SHARED,
  ]);
  throw new SlashError(
    `there is no command /${entry.name}${near ? `; did you mean /${near}?` : '; /help lists them'} (// in front sends it as text)`,
  );
}
