/** The parts every dialect of written tool calls has. A new one: copy the nearest file, add it to `all.ts`, give it a table in `test/`. */

/** A call as it was written. */
export interface WrittenCall {
  name: string;
  /** An object, or JSON text still to be read. */
  arguments: unknown;
  /** Arguments without names, in order: `read_file("a.txt")`. */
  positional?: unknown[];
  /** The values were written as bare text: the schema of the tool says what they are. */
  plain?: boolean;
  /** The text ends before the call does; what stands there is whole, but something may be missing. */
  unended?: boolean;
  /** Why it cannot be read. */
  broken?: string;
  /** What was mended, a word each. */
  repaired: string[];
}

export interface Reading {
  calls: WrittenCall[];
  /** Where the dialect's text ends. */
  end: number;
}

/** One family of models' way to write calls with marks of their own. */
export interface Dialect {
  name: string;
  /** How it is recognised: the mark it begins with. No capturing groups. */
  opener: RegExp;
  /** How it is read. `after` is where the mark ends. Null: that was no call, go on behind the mark. */
  read(text: string, after: number, opener: string): Reading | null;
}

export const CUT = 'the answer was cut off inside this call; send it again, whole';

/** A call that cannot be read, so that the model hears of it. */
export const brokenCall = (name: string, written: string, why: string): WrittenCall => ({
  name,
  arguments: written,
  repaired: [],
  broken: why,
});

/** A match of a sticky pattern exactly at a position. */
export function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The position behind a sticky pattern that may stand there. */
export const skip = (pattern: RegExp, text: string, at: number): number =>
  at + (matchAt(pattern, text, at)?.[0].length ?? 0);

/** A name as tools have them; anything else in its place is prose. */
export const isName = (text: string): boolean => /^[A-Za-z_][\w.:/-]{0,127}$/.test(text);
