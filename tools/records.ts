/** A change record is a complete instruction: it can be compared with the disk, carried out, and turned round. */

import { LoomError } from '../machines/failure.ts';
import type { Blobs } from '../store/blobs-port.ts';
import { entryOf, makeFolder, makeLink, moveEntry, removeEntry, setMode, writeAtomically } from './disk.ts';
import type { ChangeRecord } from './tool.ts';

/** Where the disk stands with regard to one record. */
export type Standing = 'before' | 'after' | 'neither';

/** As much of an entry as a comparison needs. */
export type Seen =
  | { kind: 'missing' }
  | { kind: 'directory'; mode: number }
  | { kind: 'file' | 'symlink'; mode: number; sha256: string };

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
  if (missing || entry.kind === 'directory') return 'neither';
  if (before.sha256 === after.sha256 && entry.sha256 === after.sha256)
    return entry.mode === after.mode ? 'after' : 'before';
  if (entry.sha256 === after.sha256) return 'after';
  return entry.sha256 === before.sha256 ? 'before' : 'neither';
}

export async function standingOnDisk(root: string, record: ChangeRecord): Promise<Standing> {
  const entry = await entryOf(root, record.path);
  return standingOf(record, entry, record.from === undefined ? undefined : await entryOf(root, record.from));
}

/** The record that undoes this one. */
export function inverse(record: ChangeRecord): ChangeRecord {
  const { before, after_ref, kind } = record;
  const turned = { create: 'delete', delete: 'create', modify: 'modify', rename: 'rename' } as const;
  return {
    operation: turned[record.operation],
    path: record.operation === 'rename' ? record.from! : record.path,
    ...(record.operation === 'rename' ? { from: record.path } : {}),
    before: after_ref ?? null,
    after: before?.sha256 ?? null,
    ...(kind ? { kind } : {}),
    ...(before ? { after_ref: before } : {}),
    mode_before: record.mode_after,
    mode_after: record.mode_before,
    undoable: record.undoable,
  };
}

/** Does what the record says. The caller has made sure that the disk stands at `before`. */
export async function carryOut(root: string, record: ChangeRecord, blobs: Blobs, tag: string): Promise<void> {
  const { operation, path, kind } = record;
  if (operation === 'rename') return moveEntry(root, record.from!, path);
  if (operation === 'delete') return removeEntry(root, path);
  if (kind === 'directory') return makeFolder(root, path, record.mode_after ?? 0o755);
  if (!record.after_ref)
    throw new LoomError('terminal', 'not_kept', `The contents of ${path} were not kept.`);
  if (operation === 'modify' && record.before?.sha256 === record.after)
    return setMode(root, path, record.mode_after ?? 0o644);
  const content = await blobs.get(record.after_ref);
  if (kind === 'symlink') return makeLink(root, path, content.toString());
  return writeAtomically(root, path, content, { mode: record.mode_after ?? 0o644, tag });
}

/** Files among the records, each once; folders made on the way are not worth telling. */
export const filesOf = (records: ChangeRecord[]): string[] => [
  ...new Set(
    records
      .filter(record => record.kind !== 'directory' || record.operation === 'rename')
      .flatMap(record => (record.from === undefined ? [record.path] : [record.from, record.path])),
  ),
];
