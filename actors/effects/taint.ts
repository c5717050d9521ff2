/** Who has read untrusted content, and what that changes: rows `taint/<subtask>`, written with the result that was read and
 *  kept for ever; inherited with what a tainted subtask leaves to others, its files included. */
import { createHash } from 'node:crypto';
import type { ToolInput } from '../../machines/turn.ts';
import type { Row } from '../../store/port.ts';
import type { ToolResult } from '../../tools/tool.ts';
import type { TaskDeps } from './deps.ts';
import { row, TAINT_PREFIX, TAINTED_RUN, type Taint, taintKey } from './rows.ts';

type Rows = Pick<TaskDeps, 'rows'>;

/** The goal itself comes from somebody who had read untrusted content. */
export const bornTainted = async ({ rows }: Rows): Promise<boolean> =>
  (await rows.get<Taint>(TAINTED_RUN)) !== null;

export const isTainted = async (deps: Rows, subtask: string | null): Promise<boolean> =>
  (await deps.rows.get<Taint>(taintKey(subtask))) !== null || (await bornTainted(deps));

export const taintRow = (subtask: string | null, source: string): Row =>
  row(taintKey(subtask), { source: source.slice(0, 500) } satisfies Taint);

/** What a subtask that builds on these takes over from them; none where none of them is tainted. */
export async function inheritedTaint(deps: Rows, subtask: string, from: (string | null)[]): Promise<Row[]> {
  if (await isTainted(deps, subtask)) return [];
  for (const other of new Set(from))
    if (await isTainted(deps, other)) return [taintRow(subtask, `what ${other} left`)];
  return [];
}

/** Where the contents of a result come from, when not from this machine: what the tool says, a command that was let into the
 *  network, or a file that a tainted subtask wrote. */
export async function sourceOf(
  deps: Rows,
  input: ToolInput,
  result: Pick<ToolResult, 'untrusted' | 'reads' | 'changes'>,
): Promise<string | null> {
  if (result.untrusted) return result.untrusted.source;
  if (input.network) return input.subject;
  const read = Object.keys(result.reads ?? {});
  if (read.length === 0 || result.changes?.length) return null;
  for (const key of await deps.rows.keys(TAINT_PREFIX)) {
    const subtask = key.slice(TAINT_PREFIX.length);
    if (subtask === (input.subtask ?? '-')) continue;
    const written = new Set(
      (await deps.rows.changelog(subtask)).flatMap(entry => entry.changes.map(change => change.path)),
    );
    const path = read.find(one => written.has(one));
    if (path !== undefined) return `${path}, written by ${subtask}`;
  }
  return null;
}

/** Word of a fence: the same when a call is repeated, and not to be guessed by what stands inside. */
export const fenceWord = (run: string, key: string): string =>
  createHash('sha256').update(`fence\n${run}\n${key}`).digest('hex').slice(0, 12);
