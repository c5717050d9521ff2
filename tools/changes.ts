/** Plans and applies changes to files.
 * Order: lock → compare with what was read → before-images to blobs → checkpoint → atomic writes.
 * Crash before the checkpoint: nothing happened. After it: the records tell for each file whether it stands before
 * (do it), after (it is done) or at neither (somebody else was there: uncertain, nothing is touched).
 */

import { dirname } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import { crashPoint } from '../store/crash-points.ts';
import { dropLeftover, type Entry, entryOf, sha256 } from './disk.ts';
import { carryOut, inverse, type Standing, standingOnDisk } from './records.ts';
import type { ChangeRecord, ToolContext } from './tool.ts';

/** How sure the subtask must be of what it replaces: `read` it before · not have an outdated view (`fresh`) · anything. */
type Guard = 'read' | 'fresh' | 'none';

export type PlannedChange =
  | { operation: 'write'; path: string; content: Uint8Array; guard: Guard }
  | { operation: 'delete'; path: string; guard: Guard }
  | { operation: 'rename'; from: string; path: string };

type ChangeContext = Pick<
  ToolContext,
  'workspace' | 'key' | 'subtask' | 'lastRead' | 'checkpoint' | 'recovered' | 'lock' | 'blobs' | 'signal'
>;

/** What stands in a checkpoint. */
interface Checkpoint {
  changes: ChangeRecord[];
}

interface Carrying {
  /** Also replaces what its mode protects: what a command did, and its undo. */
  protectedToo?: boolean;
  /** More to be found in the checkpoint after a crash. */
  more?: object;
  /** Done between the checkpoint and the first record. */
  before?: () => Promise<void>;
}

/** Files written at a time; their syncs then share the disk's work. */
const WRITERS = 8;

const newFileMode = (): number => 0o666 & ~process.umask();
const newFolderMode = (): number => 0o777 & ~process.umask();

export const tagOf = (key: string): string => `loom-${sha256(key).slice(0, 10)}`;

function checkpointOf(value: unknown): Checkpoint | null {
  const changes = (value as Partial<Checkpoint> | null | undefined)?.changes;
  return Array.isArray(changes) ? { changes } : null;
}

/**
 * Applies what `plan` answers, all or nothing, and returns the records for the changelog.
 * `plan` runs under the workspace lock, so what it reads is what it changes. It is not asked when a crashed
 * execution of the same key already got as far as the checkpoint.
 * @throws LoomError `not_read`, `changed_since_read`, `not_found`, `exists`; `file_changed_meanwhile` (uncertain).
 */
export async function applyChanges(
  plan: () => Promise<PlannedChange[]>,
  context: ChangeContext,
): Promise<ChangeRecord[]> {
  const release = await context.lock();
  try {
    context.signal.throwIfAborted();
    const recovered = checkpointOf(context.recovered);
    if (recovered) return await finishRecords(recovered.changes, context);
    const records = await recordsFor(await plan(), context);
    if (records.length === 0) return [];
    return await performRecords(records, context);
  } finally {
    await release();
  }
}

/** Checkpoints and carries out records that are known to stand at `before`. The caller holds the lock. */
export async function performRecords(
  records: ChangeRecord[],
  context: ChangeContext,
  { protectedToo = false, more = {}, before }: Carrying = {},
): Promise<ChangeRecord[]> {
  await context.checkpoint({ ...more, changes: records } satisfies Checkpoint);
  await before?.();
  await carryOutAll(records, context, protectedToo);
  return records;
}

/** Ends what a crash interrupted. The caller holds the lock. */
export async function finishRecords(
  records: ChangeRecord[],
  context: ChangeContext,
  { protectedToo = false }: Pick<Carrying, 'protectedToo'> = {},
): Promise<ChangeRecord[]> {
  const { root } = context.workspace;
  const standings: Standing[] = [];
  for (const record of records) standings.push(await standingOnDisk(root, record));
  const strange = records.filter((_, i) => standings[i] === 'neither');
  if (strange.length > 0) {
    for (const record of records) await dropLeftover(root, record.path, tagOf(context.key));
    const paths = strange.map(record => record.path);
    throw new LoomError(
      'uncertain',
      'file_changed_meanwhile',
      `${paths.join(', ')} was changed by somebody else while Loom was down; look at it, then decide whether to do the change again.`,
      { paths },
    );
  }
  await carryOutAll(
    records.filter((_, i) => standings[i] === 'before'),
    context,
    protectedToo,
  );
  return records;
}

/** Of a change that a crash cut off and that is not to be done any more: the records that were carried out. */
export async function changesMade(root: string, key: string, checkpoint: unknown): Promise<ChangeRecord[]> {
  const made: ChangeRecord[] = [];
  for (const record of checkpointOf(checkpoint)?.changes ?? []) {
    if ((await standingOnDisk(root, record)) === 'after') made.push(record);
    else await dropLeftover(root, record.path, tagOf(key));
  }
  return made;
}

async function carryOutAll(
  records: ChangeRecord[],
  context: ChangeContext,
  protectedToo: boolean,
): Promise<void> {
  const { root } = context.workspace;
  const options = { tag: tagOf(context.key), protectedToo };
  const done: ChangeRecord[] = [];
  const perform = async (record: ChangeRecord) => {
    await carryOut(root, record, context.blobs, options);
    crashPoint('file-changed');
    done.push(record);
  };
  try {
    for (const group of inGroups(records)) {
      // All of a group are waited for, so that taking back does not race with one that is still at work.
      const ended = await Promise.allSettled(group.map(perform));
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
    }
  } catch (error) {
    // A batch is all or nothing: take back what was done, as far as the disk lets us.
    for (const record of done.reverse())
      await carryOut(root, inverse(record), context.blobs, options).catch(() => {});
    throw error;
  }
}

/** Plain files that follow each other do not depend on each other; everything else has its turn alone. */
function inGroups(records: ChangeRecord[]): ChangeRecord[][] {
  const groups: ChangeRecord[][] = [];
  const plain = (record: ChangeRecord | undefined) =>
    record !== undefined && !record.kind && !record.kind_before && /^(create|modify)$/.test(record.operation);
  for (const record of records) {
    const last = groups.at(-1);
    if (last && last.length < WRITERS && plain(last[0]) && plain(record)) last.push(record);
    else groups.push([record]);
  }
  return groups;
}

async function recordsFor(planned: PlannedChange[], context: ChangeContext): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (const change of planned) {
    if (change.operation !== 'delete') records.push(...(await missingFolders(change.path, records, context)));
    const record = await recordFor(change, context);
    if (record) records.push(record);
  }
  return records;
}

/** Folders that must be made first, outermost first. */
export async function missingFolders(
  path: string,
  planned: ChangeRecord[],
  context: Pick<ChangeContext, 'workspace'>,
): Promise<ChangeRecord[]> {
  const missing: ChangeRecord[] = [];
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    if (planned.some(record => record.path === folder && record.operation === 'create')) break;
    const entry = await entryOf(context.workspace.root, folder);
    if (entry.kind === 'directory') break;
    if (entry.kind !== 'missing')
      throw new LoomError('terminal', 'path_invalid', `${folder} is a file, so nothing can be put below it.`);
    missing.unshift({
      operation: 'create',
      path: folder,
      before: null,
      after: null,
      kind: 'directory',
      mode_before: null,
      mode_after: newFolderMode(),
      undoable: true,
    });
  }
  return missing;
}

async function recordFor(change: PlannedChange, context: ChangeContext): Promise<ChangeRecord | null> {
  const { root } = context.workspace;
  const { blobs } = context;
  const current = await entryOf(root, change.path);
  if (change.operation === 'rename') return renameRecord(change, current, context);
  if (change.operation === 'delete') {
    if (current.kind === 'missing')
      throw new LoomError('terminal', 'not_found', `${change.path} does not exist; nothing was deleted.`);
    checkGuard(change.guard, change.path, current, context);
    const before = current.kind === 'directory' ? null : await blobs.put(current.content);
    return {
      operation: 'delete',
      path: change.path,
      before,
      after: null,
      ...(current.kind === 'file' ? {} : { kind: current.kind }),
      mode_before: current.mode,
      mode_after: null,
      undoable: true,
    };
  }
  const after = sha256(change.content);
  if (current.kind === 'missing')
    return {
      operation: 'create',
      path: change.path,
      before: null,
      after,
      after_ref: await blobs.put(change.content),
      mode_before: null,
      mode_after: newFileMode(),
      undoable: true,
    };
  if (current.kind !== 'file')
    throw new LoomError('terminal', 'is_directory', `${change.path} is a folder, not a file.`);
  if (current.sha256 === after) return null;
  checkGuard(change.guard, change.path, current, context);
  return {
    operation: 'modify',
    path: change.path,
    before: await blobs.put(current.content),
    after,
    after_ref: await blobs.put(change.content),
    mode_before: current.mode,
    mode_after: current.mode,
    undoable: true,
  };
}

async function renameRecord(
  change: Extract<PlannedChange, { operation: 'rename' }>,
  target: Entry,
  context: ChangeContext,
): Promise<ChangeRecord> {
  const source = await entryOf(context.workspace.root, change.from);
  if (source.kind === 'missing')
    throw new LoomError('terminal', 'not_found', `${change.from} does not exist; nothing was moved.`);
  if (target.kind !== 'missing')
    throw new LoomError('terminal', 'exists', `${change.path} exists already; nothing was moved.`);
  const kept = source.kind === 'directory' ? null : await context.blobs.put(source.content);
  return {
    operation: 'rename',
    path: change.path,
    from: change.from,
    before: kept,
    after: kept?.sha256 ?? null,
    ...(kept ? { after_ref: kept } : {}),
    ...(source.kind === 'file' ? {} : { kind: source.kind }),
    mode_before: source.mode,
    mode_after: source.mode,
    undoable: true,
  };
}

/** The lost-update check. Calls from the command line (no subtask) are a person's own decision. */
function checkGuard(guard: Guard, path: string, current: Entry, context: ChangeContext): void {
  if (guard === 'none' || context.subtask === null || current.kind !== 'file') return;
  const seen = context.lastRead(path);
  if (seen === undefined) {
    if (guard === 'fresh') return;
    throw new LoomError(
      'terminal',
      'not_read',
      `${path} exists and you have not read it; call read_file on it first, or use edit_file for a small change.`,
    );
  }
  if (seen === current.sha256) return;
  throw new LoomError(
    'terminal',
    'changed_since_read',
    `${path} was changed by somebody else since you read it; call read_file again and base the change on what it says now.`,
  );
}
