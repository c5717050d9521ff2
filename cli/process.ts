/** This process as the command line sees it: streams, signals, and where the details of a bug go. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from './context.ts';
import { EXIT } from './failure.ts';
import { createInterrupt, type Interrupt } from './interrupt.ts';

export const SHOW_CURSOR = '\u001b[?25h';

/** The streams of this process. */
export function processIo(): Io {
  return {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    stdin: process.stdin,
    tty: {
      in: process.stdin.isTTY === true,
      out: process.stdout.isTTY === true,
      err: process.stderr.isTTY === true,
    },
    columns: stream => process[stream === 'out' ? 'stdout' : 'stderr'].columns || 100,
    rows: () => process.stderr.rows || 24,
    onResize(listener) {
      process.stderr.on('resize', listener);
      return () => void process.stderr.off('resize', listener);
    },
    env: process.env,
    cwd: process.cwd(),
  };
}

/** Signals and broken pipes of this process, as interrupts. `say` prints a line for the person. */
export function processInterrupt(say: (line: string) => void): Interrupt {
  const die = () => {
    if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
    process.exit(EXIT.interrupted);
  };
  const interrupt = createInterrupt(die, say);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.hit());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read our output has gone, as `head` does. Nothing more to say to it.
    if (error.code === 'EPIPE') interrupt.quiet();
    else throw error;
  });
  process.stderr.on('error', () => undefined);
  return interrupt;
}

const usualHome = (): string => process.env['LOOM_HOME'] || join(homedir(), '.loom');

/** Writes the details of a bug to a file, whose path the message on the screen names. */
export function recordBug(error: unknown, home = usualHome()): string {
  const text = `${new Date().toISOString()}\nnode ${process.version} ${process.platform}\nloom ${process.argv.slice(2, 3).join(' ')}\n${
    error instanceof Error ? (error.stack ?? error.message) : String(error)
  }\n`;
  const name = `bug-${Date.now()}-${process.pid}.log`;
  for (const folder of [join(home, 'logs'), tmpdir()]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    } catch {
      // The next folder may be writable.
    }
  }
  return '(nowhere: no folder is writable)';
}
