/** A call that a person changed before they allowed it. What the model asked for stays stored as it was; the change is a row of
 *  its own, which the tool is run by and the model is told of. */
import { LoomError } from '../machines/failure.ts';
import type { Row } from '../store/port.ts';
import type { Registry } from '../tools/registry.ts';
import type { Args, Workspace } from '../tools/tool.ts';
import {
  type EditedCall,
  editedKey,
  messageKey,
  row,
  type StoredCall,
  type StoredMessage,
  type TaskRows,
} from './effects/rows.ts';

interface Powers {
  rows: TaskRows;
  registry: Registry;
  workspace: Workspace;
}

/** `<thread>.<iteration>.<n>` of a question in its parts; null where it is about no call. */
function addressOf(call: string): { thread: string; iteration: number; n: number } | null {
  const [, thread, iteration, n] = /^(.+)\.(\d+)\.(\d+)$/.exec(call) ?? [];
  return thread === undefined ? null : { thread, iteration: Number(iteration), n: Number(n) };
}

/** The call a question is about, in full. */
export async function askedCall(rows: TaskRows, call: string): Promise<StoredCall | null> {
  const at = addressOf(call);
  if (!at) return null;
  const answer = await rows.get<StoredMessage>(messageKey.answer(at.thread, at.iteration));
  return answer?.calls?.[at.n] ?? null;
}

const refused = (message: string): LoomError => new LoomError('terminal', 'usage', message);

/** Rows that put other arguments in the place of the model's. Throws LoomError `usage` where the call would become another kind
 *  of call than the one that was asked about, and `invalid_arguments`. */
export async function editRows(
  { rows, registry, workspace }: Powers,
  call: string,
  given: Args,
): Promise<Row[]> {
  const at = addressOf(call);
  const asked = await askedCall(rows, call);
  if (!at || !asked) throw refused('This question is about no call that could be changed.');
  const valid = await registry.validate(asked.name, given);
  if (!valid.ok)
    throw new LoomError(valid.failure.kind, valid.failure.code, valid.failure.message, valid.failure.detail);
  const before = await registry.assess(asked.name, asked.arguments, workspace);
  const after = await registry.assess(asked.name, valid.args, workspace);
  // How a crash in the middle of it is met was decided when it was asked about.
  if (before.effect !== after.effect || before.mutates !== after.mutates)
    throw refused(
      'Changed like this it is another kind of call. Say no, and tell the model what you want instead.',
    );
  return [
    row(editedKey(at.thread, at.iteration, at.n), {
      arguments: valid.given,
      subject: after.subject,
    } satisfies EditedCall),
  ];
}
