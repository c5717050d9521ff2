/** What a command gets: a way to print, a way to open Loom, and word of an interrupt. */
import { Chalk } from 'chalk';
import type { Loom, OpenOptions } from '../actors/loom.ts';
import type { Interrupt } from './interrupt.ts';
import { safe } from './render/width.ts';
import type { Paint } from './render/words.ts';

export type OutputForm = 'text' | 'json' | 'stream-json';

/** The world outside, so that tests can stand in for it. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  stdin: NodeJS.ReadStream;
  tty: { in: boolean; out: boolean; err: boolean };
  columns(stream: 'out' | 'err'): number;
  rows(): number;
  onResize(listener: () => void): () => void;
  env: Record<string, string | undefined>;
  cwd: string;
}

/** Where lines for the person go that belong to no result; a live view takes them over while it stands. */
export interface Notices {
  told(line: string): void;
}

export const printedNotices = (io: Io): Notices => ({ told: line => io.err(`loom: ${safe(line)}\n`) });

export type OpenLoom = (options: OpenOptions) => Promise<Loom>;

export interface NestedCommands {
  names: string[];
  /** Resolves to the exit code. Throws UsageError. */
  run(words: string[], context: Context): Promise<number>;
}

export interface Context {
  io: Io;
  paint: { out: Paint; err: Paint };
  output: OutputForm;
  interrupt: Interrupt;
  /** Absolute, only when the user named one. */
  workspace: string | undefined;
  model: string | undefined;
  notices: Notices;
  /** Another command line within this one, as a session runs them. */
  nested: NestedCommands;
  /** Opens Loom; closed by the program when the command ends. */
  loom(): Promise<Loom>;
  /** Closes it, so that the next one is opened with what the settings say by then. */
  reload(): Promise<void>;
}

export interface Colours {
  env: Record<string, string | undefined>;
  tty: boolean;
  /** `--no-color` was given. */
  off: boolean;
}

/** NO_COLOR and `--no-color` win over FORCE_COLOR, that over the terminal. */
export function paintFor({ env, tty, off }: Colours): Paint {
  if (off || env['NO_COLOR']) return new Chalk({ level: 0 });
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return new Chalk({ level: forced === '0' || forced === 'false' ? 0 : 1 });
  return new Chalk({ level: tty && env['TERM'] !== 'dumb' ? 1 : 0 });
}

/** Prints data: an object as one line of JSON when asked for, else the text. */
export function print(context: Context, value: unknown, text: () => string): void {
  if (context.output === 'text') {
    const lines = text();
    if (lines) context.io.out(lines.endsWith('\n') ? lines : `${lines}\n`);
    return;
  }
  const rows = context.output === 'stream-json' && Array.isArray(value) ? value : [value];
  for (const row of rows) context.io.out(`${JSON.stringify(row)}\n`);
}
