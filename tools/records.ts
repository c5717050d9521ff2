/** A change record is a complete instruction: it can be compared with the disk, carried out, and turned round. */

import { LoomError } from '../machines/failure.ts';
import type { BlobRef, Blobs } from '../store/blobs-port.ts';
import {
  entryOf,
  isReached,
  makeFolder,
  makeLink,
  moveEntry,
  removeEntry,
  setMode,
  writeAtomically,
} from './disk.ts';
import type { ChangeRecord } from './tool.ts';

/** Where the disk stands with regard to one record. */
export type Standing = 'before' | 'after' | 'neither';

/** As much of an entry as a comparison needs. */
export type Seen =
  | { kind: 'missing' }
  | { kind: 'directory'; mode: number }
  | { kind: 'file' | 'symlink'; mode: number; sha256: string };

/** Enough of an entry to bring it about: its contents, or where they are stored. */
export type State =
  | { kind: 'missing' }
  | { kind: 'directory'; mode: number }
  | { kind: 'file' | 'symlink'; mode: number; sha256: string; content?: Buffer; ref?: BlobRef };

type Side = { sha256: string | null; mode: number | null };

function holds(entry: Seen, kind: ChangeRecord['kind'], side: Side): boolean {
  if (entry.kind !== (kind ?? 'file')) return false;
  return !('sha256' in entry) || entry.sha256 === side.sha256;
}

/** Compares contents; the mode decides only when the contents are the same on both sides. */
export function standingOf(record: ChangeRecord, entry: Seen, source?: Seen): Standing {
  const missing = entry.kind === 'missing';
  const before: Side = { sha256: record.before?.sha256 ?? null, mode: record.mode_before };
  const after: Side = { sha256: record.after, mode: record.mode_after };
  if (record.operation === 'create') {
    if (missing) return 'before';
    return holds(entry, record.kind, after) ? 'after' : 'neither';
  }
  if (record.operation === 'delete') {
    if (missing) return 'after';
    return holds(entry, record.kind, before) ? 'before' : 'neither';
  }
  if (record.operation === 'rename') {
    const sourceMissing = !source || source.kind === 'missing';
    if (missing && !sourceMissing) return holds(source, record.kind, before) ? 'before' : 'neither';
    return sourceMissing && holds(entry, record.kind, after) ? 'after' : 'neither';
  }
  const { kind_before = record.kind ?? 'file' } = record;
  const turns = kind_before !== (record.kind ?? 'file');
  // A file that becomes a folder is away for an instant.
  if (missing) return turns ? 'before' : 'neither';
  if (!turns && before.sha256 === after.sha256) {
    if (!holds(entry, record.kind, after)) return 'neither';
    if (entry.mode === after.mode) return 'after';
    return entry.mode === before.mode ? 'before' : 'neither';
  }
  if (holds(entry, record.kind, after)) return 'after';
  return holds(entry, kind_before === 'file' ? undefined : kind_before, before) ? 'before' : 'neither';
}

export async function standingOnDisk(root: string, record: ChangeRecord): Promise<Standing> {
  // Below what is not, or not yet, a folder there is nothing.
  const seen = async (path: string): Promise<Seen> =>
    (await isReached(root, path)) ? entryOf(root, path) : { kind: 'missing' };
  const source = record.from === undefined ? undefined : await seen(record.from);
  return standingOf(record, await seen(record.path), source);
}

const kindOf = (kind: State['kind']): Pick<ChangeRecord, 'kind'> =>
  kind === 'directory' || kind === 'symlink' ? { kind } : {};

async function refOf(state: State, blobs: Blobs): Promise<BlobRef | null> {
  if (!('sha256' in state)) return null;
  if (state.ref) return state.ref;
  if (state.content) return blobs.put(state.content);
  throw new LoomError('terminal', 'not_kept', 'Contents that were to be restored were not kept.');
}

/** The record that turns one state of a path into another; null where they are the same. */
export async function recordBetween(
  path: string,
  old: State,
  now: State,
  blobs: Blobs,
): Promise<ChangeRecord | null> {
  if (old.kind === 'missing' && now.kind === 'missing') return null;
  if (old.kind !== 'missing' && now.kind !== 'missing') {
    const sameContents =
      old.kind === now.kind && (!('sha256' in old) || !('sha256' in now) || old.sha256 === now.sha256);
    if (sameContents && (old.mode === now.mode || old.kind === 'symlink')) return null;
  }
  const kept = await refOf(now, blobs);
  const turned = old.kind !== 'missing' && now.kind !== 'missing' && old.kind !== now.kind;
  return {
    operation: old.kind === 'missing' ? 'create' : now.kind === 'missing' ? 'delete' : 'modify',
    path,
    before: await refOf(old, blobs),
    after: kept?.sha256 ?? null,
    ...kindOf(now.kind === 'missing' ? old.kind : now.kind),
    ...(turned ? { kind_before: old.kind } : {}),
    ...(kept ? { after_ref: kept } : {}),
    mode_before: old.kind === 'missing' ? null : old.mode,
    mode_after: now.kind === 'missing' ? null : now.mode,
    undoable: true,
  };
}

/**
 * An order in which one record per path can be carried out: what goes away goes first, innermost first; what comes is made
 * outermost first. A folder that its owner may not write to gets its mode when everything stands in it.
 */
export function inOrder(records: ChangeRecord[]): ChangeRecord[] {
  const byPath = records.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const going = byPath.filter(record => record.operation === 'delete').reverse();
  const coming: ChangeRecord[] = [];
  const later: ChangeRecord[] = [];
  for (const record of byPath) {
    if (record.operation === 'delete') continue;
    const mode = record.mode_after;
    if (record.kind !== 'directory' || mode === null || (mode & 0o300) === 0o300) coming.push(record);
    else if (record.operation === 'create' || record.kind_before) {
      const open = mode | 0o700;
      coming.push({ ...record, mode_after: open });
      later.unshift({
        operation: 'modify',
        path: record.path,
        before: null,
        after: null,
        kind: 'directory',
        mode_before: open,
        mode_after: mode,
        undoable: record.undoable,
      });
    } else later.unshift(record);
  }
  return [...going, ...coming, ...later];
}

/** The record that undoes this one. */
export function inverse(record: ChangeRecord): ChangeRecord {
  const { before, after_ref, kind, kind_before } = record;
  const turned = { create: 'delete', delete: 'create', modify: 'modify', rename: 'rename' } as const;
  return {
    operation: turned[record.operation],
    path: record.operation === 'rename' ? record.from! : record.path,
    ...(record.operation === 'rename' ? { from: record.path } : {}),
    before: after_ref ?? null,
    after: before?.sha256 ?? null,
    ...kindOf(kind_before ?? kind ?? 'file'),
    ...(kind_before ? { kind_before: kind ?? 'file' } : {}),
    ...(before ? { after_ref: before } : {}),
    mode_before: record.mode_after,
    mode_after: record.mode_before,
    undoable: record.undoable,
  };
}

/**
 * Does what the record says. The caller has made sure that the disk stands at `before`.
 * @param options.protectedToo also replaces a file whose mode forbids writing: what a command has done, and its undo
 */
export async function carryOut(
  root: string,
  record: ChangeRecord,
  blobs: Blobs,
  { tag, protectedToo = false }: { tag: string; protectedToo?: boolean },
): Promise<void> {
  const { operation, path, kind } = record;
  const mode = record.mode_after ?? (kind === 'directory' ? 0o755 : 0o644);
  if (operation === 'rename') return moveEntry(root, record.from!, path);
  if (operation === 'delete') return removeEntry(root, path, { protectedToo });
  if (record.kind_before && record.kind_before !== (kind ?? 'file'))
    await removeEntry(root, path, { mayBeGone: true, protectedToo });
  else if (operation === 'modify' && (record.before?.sha256 ?? null) === record.after)
    return setMode(root, path, mode);
  if (kind === 'directory') return makeFolder(root, path, mode);
  if (!record.after_ref)
    throw new LoomError('terminal', 'not_kept', `The contents of ${path} were not kept.`);
  const content = await blobs.get(record.after_ref);
  if (kind === 'symlink') return makeLink(root, path, content.toString(), tag);
  return writeAtomically(root, path, content, {
    mode,
    tag,
    protectedToo,
    ...(record.mtime === undefined ? {} : { mtime: record.mtime }),
  });
}

/** What git keeps for itself: taken back like everything else, but nobody's result. */
export const isGitsOwn = (path: string): boolean => path.split('/').includes('.git');

/** Files among the records, each once; folders made on the way are not worth telling. */
export const filesOf = (records: ChangeRecord[]): string[] => [
  ...new Set(
    records
      .filter(record => !isGitsOwn(record.path))
      .filter(record => record.kind !== 'directory' || record.operation === 'rename' || !record.undoable)
      .flatMap(record => (record.from === undefined ? [record.path] : [record.from, record.path])),
  ),
];
