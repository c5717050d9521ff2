/** `loom setup [--non-interactive …]` */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createAsk } from '../ask.ts';
import { type Context, print } from '../context.ts';
import { EXIT, UsageError } from '../failure.ts';
import { canAsk } from '../questions.ts';
import { quoted } from '../render/words.ts';
import type { Run } from '../run-command.ts';
import { askSetup, flagSetup, type Prepared, setupFile, writePrepared } from '../setup.ts';

export const command: Run = async (context, _args, values) => {
  const file = setupFile(context, values.text('config'));
  const silent = values.flag('non-interactive');
  if (!silent && !canAsk(context))
    throw new UsageError(
      'there is no terminal to ask at; use loom setup --non-interactive (see loom setup --help)',
    );
  const disarm = context.interrupt.arm();
  try {
    const prepared = silent
      ? await flagSetup(context, values, file)
      : await askSetup(context, createAsk(context.io, context.interrupt.signal, context.interrupt.hit), file);
    if (!prepared) {
      context.io.err('loom: nothing was written\n');
      return context.interrupt.signal.aborted ? EXIT.interrupted : EXIT.failed;
    }
    return await finish(context, prepared, !silent || !values.flag('no-check'), silent);
  } finally {
    disarm();
  }
};

async function finish(
  context: Context,
  { file, entries }: Prepared,
  check: boolean,
  silent: boolean,
): Promise<number> {
  const engine = await import('../../actors/engine.ts');
  const { tryModel } = await engine.setup();
  // The wizard has tried the model already, before it asked on.
  const limit = AbortSignal.any([context.interrupt.signal, AbortSignal.timeout(120_000)]);
  const trial = silent && check ? await tryModel(entries[0]!, context.io.env, limit) : null;
  if (trial && !trial.ok) {
    context.io.err(`loom: nothing was written: ${entries[0]!.model}: ${trial.message}\n`);
    return EXIT.no_model;
  }
  const { backup } = await writePrepared({ file, entries });
  const written = {
    file,
    backup,
    models: entries.map(({ api_key: _, ...entry }) => entry),
    ...(trial ? { trial } : {}),
  };
  print(context, written, () =>
    [
      `Wrote ${file}${backup ? ` (before: ${backup})` : ''}.`,
      ...shadow(context, file),
      `Try it: loom run "Describe this folder in a file OVERVIEW.md"`,
    ].join('\n'),
  );
  return EXIT.ok;
}

/** A loom.toml of the folder wins over the one that was written. */
function shadow(context: Context, file: string): string[] {
  const here = join(context.workspace ?? context.io.cwd, 'loom.toml');
  if (resolve(here) === file || !existsSync(here)) return [];
  return [
    `${here} is read in its place as long as it stands there; use loom --config ${quoted(file)}, or set that one up.`,
  ];
}
