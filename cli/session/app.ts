/** What the commands of a session work on. */
import type { JournalEvent, Loom, Session, SessionOptions } from '../../actors/loom.ts';
import type { Ask } from '../ask.ts';
import type { Context } from '../context.ts';
import type { MarkdownStyle } from '../render/markdown.ts';
import type { Paint } from '../render/words.ts';
import type { Runs } from './runs.ts';
import type { Status } from './status-line.ts';
import type { WorkspaceRules } from './workspace-rules.ts';

export interface App {
  /** For commands of the command line: what they print appears above the prompt. */
  readonly context: Context;
  readonly loom: Loom;
  /** The one that is open; another one after `/new` and `/resume`. */
  readonly session: Session;
  readonly runs: Runs;
  readonly paint: Paint;
  readonly rules: WorkspaceRules;
  columns(): number;
  style(): MarkdownStyle;
  print(lines: string[]): void;
  /** Puts a question to the person while the prompt waits. */
  asking<T>(use: (ask: Ask) => Promise<T>): Promise<T>;
  /** Results of calls in their order, for `/show N`; the first is number 1. */
  results(): JournalEvent[];
  status(): Status;
  /** Does something to this conversation from outside, such as an undo; between two turns only. */
  aside<T>(work: () => Promise<T>): Promise<T>;
  /** Closes the session that is open and opens another one. */
  reopen(options: SessionOptions): Promise<void>;
  /** After `/setup`: everything is opened anew with the new settings. */
  restart(): Promise<void>;
  clear(): void;
  quit(): void;
}

/** One command of the prompt. */
export interface Slash {
  name: string;
  aliases?: string[];
  /** As in help. */
  args: string;
  summary: string;
  takes?: 'path' | 'run' | 'session' | string[];
  /** @param rest what follows the name, as it was typed */
  run(app: App, args: string[], rest: string): Promise<void> | void;
}

/** A mistake of the person, shown as one line. */
export class SlashError extends Error {}
