/** The goal as the user gave it: words, or @FILE. */
import { open } from 'node:fs/promises';
import { UsageError } from './failure.ts';

export const MAX_GOAL_CHARACTERS = 32_000;

/** Cuts by characters, never inside a surrogate pair. */
function cut(text: string, max: number): string {
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? max - 1 : max);
}

/** Reads at most the part of a file that can matter, whatever its size. */
async function readStart(path: string): Promise<{ text: string; bytes: number }> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new UsageError(`cannot take the goal from ${path}: ${why}`);
  });
  try {
    const info = await file.stat();
    if (info.isDirectory())
      throw new UsageError(`cannot take the goal from ${path}: it is a folder; name a file`);
    // UTF-8 needs at most 3 bytes per UTF-16 unit; a few more tell whether there was more.
    const buffer = Buffer.alloc(MAX_GOAL_CHARACTERS * 3 + 8);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    const read = buffer.subarray(0, length);
    if (read.includes(0)) throw new UsageError(`cannot take the goal from ${path}: it is not a text file`);
    return { text: new TextDecoder().decode(read), bytes: info.size };
  } finally {
    await file.close();
  }
}

/** Throws UsageError. `note` says when the file was cut. */
export async function readGoal(given: string): Promise<{ goal: string; note?: string }> {
  if (!given.startsWith('@')) {
    const goal = given.trim();
    if (!goal) throw new UsageError('the goal is empty; say what you want: loom run "Fix the failing test"');
    if (goal.length > MAX_GOAL_CHARACTERS)
      throw new UsageError(
        `the goal has ${goal.length} characters, more than ${MAX_GOAL_CHARACTERS}; shorten it, or put the material into a file of the workspace and name that file in the goal`,
      );
    return { goal };
  }
  const path = given.slice(1);
  if (!path) throw new UsageError('@ needs a file name: loom run @goal.md');
  const { text, bytes } = await readStart(path);
  const goal = text.trim();
  if (!goal) throw new UsageError(`the goal file ${path} is empty`);
  if (goal.length <= MAX_GOAL_CHARACTERS) return { goal };
  return {
    goal: cut(goal, MAX_GOAL_CHARACTERS),
    note: `the goal file ${path} (${bytes} bytes) is longer than ${MAX_GOAL_CHARACTERS} characters; only its first ${MAX_GOAL_CHARACTERS} are used`,
  };
}
