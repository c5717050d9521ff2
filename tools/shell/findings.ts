/** What the rules for programs get, and where they tell what they found. */

import type { Command } from './parse.ts';
import type { Place } from './paths.ts';
import type { Word } from './words.ts';

/** Where a rule tells what it found. */
export interface Findings {
  readonly place: Place;
  /** Changes files of the workspace, which undo can bring back. */
  write(reason: string): void;
  /** May do anything that the sandbox lets it do. */
  doubt(reason: string): void;
  reach(reason: string): void;
  /** Speaks to a service on this machine, and to nobody else. */
  local(reason: string): void;
  destroy(reason: string): void;
  /** Nobody means this; no permission makes it run. */
  ruin(reason: string): void;
  /** Leaves something running. */
  background: boolean;
  /** Runs git for more than a look. */
  git: boolean;
  script(source: string, depth: number): Promise<void>;
  /** Words that together are the source of a script. */
  code(words: Word[], depth: number): Promise<null>;
  /** A variable gets a value that other programs will see. */
  assign(name: string, value: Word, depth: number): Promise<void>;
  /** A script runs; this very command may have written it. */
  written(script: Word): void;
  run(words: Word[], call: Call): Promise<void>;
}

export interface Call {
  name: string;
  args: Word[];
  texts: string[];
  /** Arguments that are no options, and all behind `--`. */
  operands: Word[];
  command: Command;
  depth: number;
}

/** true: everything is said. */
export type Rule = (call: Call, findings: Findings) => boolean | Promise<boolean>;
