/** One call of `loom` from words to exit code. Whatever happens is said in one message, never as a stack trace. */
import { resolve } from 'node:path';
import type { Loom } from '../actors/loom.ts';
import { COMMANDS, type CommandSpec } from './commands.ts';
import {
  type Context,
  type Io,
  type NestedCommands,
  type Notices,
  type OpenLoom,
  type OutputForm,
  paintFor,
} from './context.ts';
import { EXIT, shown, UsageError } from './failure.ts';
import type { Interrupt } from './interrupt.ts';
import { parse } from './parse.ts';
import { safe } from './render/width.ts';
import type { Values } from './values.ts';
import { VERSION } from './version.ts';

export interface World {
  io: Io;
  open: OpenLoom;
  interrupt: Interrupt;
  notices: Notices;
  /** Writes the details of an unexpected error to a file and gives its path. */
  record(error: unknown): string;
}

const FORMS = ['text', 'json', 'stream-json'] as const;

/** Resolves to the exit code. */
export async function program(argv: string[], world: World): Promise<number> {
  let form: OutputForm = wantedForm(argv);
  try {
    const parsed = parse(argv);
    if (parsed.kind === 'version') {
      world.io.out(`loom ${VERSION}\n`);
      return EXIT.ok;
    }
    if (parsed.kind === 'help') {
      parsed.print();
      return EXIT.ok;
    }
    form = parsed.values.choice('output', FORMS) ?? 'text';
    return await runCommand(parsed.spec, parsed.args, parsed.values, form, world);
  } catch (error) {
    return fail(error, form, world);
  }
}

async function runCommand(
  spec: CommandSpec,
  args: string[],
  values: Values,
  output: OutputForm,
  { io, open, interrupt, notices }: World,
): Promise<number> {
  const off = values.flag('no-color');
  const dir = values.text('workspace');
  const workspace = dir === undefined ? undefined : resolve(io.cwd, dir);
  const config = values.text('config');
  let opened: Promise<Loom> | undefined;
  const model = values.text('model');
  const context: Context = {
    io,
    notices,
    output,
    interrupt,
    workspace,
    model,
    paint: {
      out: paintFor({ env: io.env, tty: io.tty.out, off }),
      err: paintFor({ env: io.env, tty: io.tty.err, off }),
    },
    nested,
    async reload() {
      const before = await opened?.catch(() => undefined);
      opened = undefined;
      await before?.close();
    },
    loom: () =>
      (opened ??= open({
        workspace: workspace ?? io.cwd,
        env: io.env,
        onNotice: line => notices.told(line),
        ...(model === undefined ? {} : { model }),
        ...(config === undefined ? {} : { config: resolve(io.cwd, config) }),
      })),
  };
  const { command } = await spec.load();
  try {
    return await command(context, args, values);
  } finally {
    // A failure to open was already thrown by the command.
    const loom = await opened?.catch(() => undefined);
    await loom?.close();
  }
}

const nested: NestedCommands = {
  names: COMMANDS.map(command => command.name),
  async run(words, context) {
    const parsed = parse(words);
    if (parsed.kind !== 'command') throw new UsageError(`loom ${words[0]} --help tells how to use it`);
    const { command } = await parsed.spec.load();
    return command(context, parsed.args, parsed.values);
  },
};

/** The form is needed for errors in the words themselves, before they are parsed. */
function wantedForm(argv: string[]): OutputForm {
  const at = argv.findIndex(word => word === '--output' || word.startsWith('--output='));
  const value = at < 0 ? '' : argv[at]!.includes('=') ? argv[at]!.slice('--output='.length) : argv[at + 1];
  return FORMS.find(form => form === value) ?? 'text';
}

function fail(error: unknown, form: OutputForm, { io, record }: World): number {
  const { code, message, exit_code, bug } = shown(error);
  const details = bug ? record(error) : '';
  const text = bug
    ? `this is a bug in Loom: ${message}\n  Details were written to ${details}. Runs are safe; loom tasks lists them.`
    : message;
  io.err(`loom: ${safe(text)}\n`);
  if (form !== 'text')
    io.out(`${JSON.stringify({ type: 'result', status: 'failed', exit_code, error: { code, message } })}\n`);
  return exit_code;
}
