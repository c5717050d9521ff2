/** Ties the program to this process and ends it with the exit code. */
import { type OpenLoom, printedNotices } from './context.ts';
import { EXIT } from './failure.ts';
import { processInterrupt, processIo, recordBug, SHOW_CURSOR } from './process.ts';
import { program } from './program.ts';

export const openEngine: OpenLoom = async options => {
  const { openLoom } = await import('../actors/engine.ts');
  return openLoom(options);
};

/** Waits until a stream has handed everything to the system, or has failed. */
const drained = (stream: NodeJS.WriteStream) =>
  new Promise<void>(resolve => {
    if (stream.destroyed || stream.errored) return resolve();
    stream.write('', () => resolve());
  });

/** Ctrl+Z: the commit under way is finished first. What was begun by then goes on when the process does. */
async function suspend(): Promise<void> {
  const { suspendProcess } = await import('../actors/engine.ts');
  if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
  await suspendProcess();
}

/** Runs one command line and ends the process with its exit code. */
export async function start(argv: string[]): Promise<never> {
  const io = processIo();
  const notices = printedNotices(io);
  const interrupt = processInterrupt(line => notices.told(line));
  const world = { io, open: openEngine, interrupt, notices, record: recordBug };
  process.on('uncaughtException', error => {
    process.stderr.write(
      `loom: this is a bug in Loom: ${error.message}\n  Details were written to ${recordBug(error)}.\n`,
    );
    process.exit(EXIT.failed);
  });
  // A watched store alone does not keep a process alive; a command lasts until it says that it is done.
  const alive = setInterval(() => undefined, 2 ** 30);
  process.on('SIGTSTP', () => void suspend());
  const code = await program(argv, world);
  clearInterval(alive);
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(code);
}
