/** Takes changes back, newest first, without touching what somebody else changed since.
 * The whole undo is worked out as one net step per path before anything is written, so that each record can be compared
 * with the disk after a crash, and so that the undo is itself a series of records that can be undone.
 */

import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LoomError } from '../machines/failure.ts';
import { finishRecords, missingFolders, performRecords } from './changes.ts';
import { type Entry, entryOf } from './disk.ts';
import { inOrder, inverse, recordBetween, type State, standingOf } from './records.ts';
import type { ChangelogEntry, ChangeRecord, ToolContext } from './tool.ts';

export type Selection = { ids: string[] } | { subtask: string } | { all: true };

interface Skipped {
  entry: string;
  path: string;
  reason: string;
}

export interface UndoPlan {
  /** Ids of the entries that would be undone, newest first. */
  entries: string[];
  /** Inverse records in the order they apply. */
  steps: { entry: string; record: ChangeRecord }[];
  skipped: Skipped[];
}

const TAKES_BACK = new Set(['undo', 'redo']);

/** What the entry did is in the workspace. An undo is not told as work: it only takes work away. */
export const inForce = (entry: Pick<ChangelogEntry, 'tool' | 'undone_by'>): boolean =>
  !entry.undone_by && !TAKES_BACK.has(entry.tool);

/** An undone entry whose undo was itself undone stands again. */
export function isUndone(entry: ChangelogEntry, byId: Map<string, ChangelogEntry>, depth = 0): boolean {
  const undo = entry.undone_by === undefined ? undefined : byId.get(entry.undone_by);
  if (entry.undone_by === undefined) return false;
  return undo === undefined || depth > 100 || !isUndone(undo, byId, depth + 1);
}

/**
 * @param entries in the order they happened
 * @param selection an undo entry is taken back only when it is named by its id (that is a redo)
 * @throws LoomError `not_found` for an id that is not in the changelog
 */
export function planUndo(entries: ChangelogEntry[], selection: Selection): UndoPlan {
  const byId = new Map(entries.map(entry => [entry.id, entry]));
  if ('ids' in selection) {
    const missing = selection.ids.filter(id => !byId.has(id));
    if (missing.length > 0)
      throw new LoomError('terminal', 'not_found', `The changelog has no entry ${missing.join(', ')}.`);
  }
  const selected = entries.filter(entry => {
    if (entry.cut) return !isUndone(entry, byId);
    if ('ids' in selection) return selection.ids.includes(entry.id);
    return !TAKES_BACK.has(entry.tool) && ('all' in selection || entry.subtask === selection.subtask);
  });
  const plan: UndoPlan = { entries: [], steps: [], skipped: [] };
  for (const entry of selected.reverse()) {
    if (isUndone(entry, byId)) {
      plan.skipped.push({ entry: entry.id, path: '', reason: 'is undone already' });
      continue;
    }
    const before = plan.steps.length;
    for (const record of entry.changes.toReversed()) {
      if (record.undoable) plan.steps.push({ entry: entry.id, record: inverse(record) });
      else
        plan.skipped.push({
          entry: entry.id,
          path: record.path,
          reason: `was changed by ${entry.tool}, which keeps no contents`,
        });
    }
    if (plan.steps.length > before) plan.entries.push(entry.id);
  }
  return plan;
}

/** Id of the newest undo that stands and concerned the change, the subtask or, without either, anything. */
export function lastUndo(
  entries: ChangelogEntry[],
  { change, subtask }: { change?: string; subtask?: string },
): string | undefined {
  const byId = new Map(entries.map(entry => [entry.id, entry]));
  const concerns = (undo: ChangelogEntry) =>
    entries.some(
      entry =>
        entry.undone_by === undo.id &&
        (change === undefined || entry.id === change) &&
        (subtask === undefined || entry.subtask === subtask),
    );
  return entries.findLast(
    entry =>
      entry.tool === 'undo' &&
      !entry.cut &&
      !isUndone(entry, byId) &&
      (entry.id === change || concerns(entry)),
  )?.id;
}

type UndoContext = Pick<
  ToolContext,
  'workspace' | 'key' | 'subtask' | 'lastRead' | 'checkpoint' | 'recovered' | 'lock' | 'blobs' | 'signal'
>;

/** Entries of a folder that is moved back together with other changes. */
const MAX_TREE = 5000;

/** Git's own cache of the workspace, which every git command may rewrite. */
const GIT_INDEX = '.git/index';

/** The disk with the undo's steps applied in thought. */
class Picture {
  readonly #root: string;
  readonly disk = new Map<string, Entry>();
  readonly now = new Map<string, State>();

  constructor(root: string) {
    this.#root = root;
  }

  async get(path: string): Promise<State> {
    const known = this.now.get(path);
    if (known) return known;
    const parent = dirname(path);
    if (parent !== '.') await this.get(parent);
    // Below what is no folder on the disk there is nothing.
    const reachable = parent === '.' || this.disk.get(parent)!.kind === 'directory';
    const entry: Entry = reachable ? await entryOf(this.#root, path) : { kind: 'missing' };
    this.disk.set(path, entry);
    this.now.set(path, entry);
    return entry;
  }

  async set(path: string, state: State): Promise<void> {
    await this.get(path);
    this.now.set(path, state);
  }

  /** The folder above a path that is a file or a link now, null where the way is free. */
  async blocker(path: string): Promise<string | null> {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const { kind } = await this.get(folder);
      if (kind === 'file' || kind === 'symlink') return folder;
    }
    return null;
  }

  /** Paths directly in a folder. */
  async children(folder: string): Promise<string[]> {
    const onDisk = await readdir(join(this.#root, folder)).catch(() => []);
    const names = new Set(onDisk.map(name => `${folder}/${name}`));
    for (const path of this.now.keys()) if (dirname(path) === folder) names.add(path);
    const present: string[] = [];
    for (const path of names) if ((await this.get(path)).kind !== 'missing') present.push(path);
    return present;
  }
}

const wanted = (record: ChangeRecord): State => {
  if (record.operation === 'delete') return { kind: 'missing' };
  const mode = record.mode_after ?? 0o644;
  if (record.kind === 'directory') return { kind: 'directory', mode };
  return {
    kind: record.kind ?? 'file',
    mode,
    sha256: record.after!,
    ...(record.after_ref ? { ref: record.after_ref } : {}),
  };
};

export interface UndoOutcome {
  /** The undo's own records; empty when there was nothing to do. */
  changes: ChangeRecord[];
  skipped: Skipped[];
}

/**
 * Carries an undo out, all or nothing.
 * @param options.force also overwrites what was changed since (its contents are kept for another undo)
 * @throws LoomError `undo_conflict` with every conflict; `file_changed_meanwhile` (uncertain) after a crash
 */
export async function applyUndo(
  plan: UndoPlan,
  context: UndoContext,
  options: { force?: boolean } = {},
): Promise<UndoOutcome> {
  const release = await context.lock();
  try {
    context.signal.throwIfAborted();
    const recovered = (context.recovered as { changes?: ChangeRecord[] } | undefined)?.changes;
    if (recovered)
      return {
        changes: await finishRecords(recovered, context, { protectedToo: true }),
        skipped: plan.skipped,
      };
    const picture = new Picture(context.workspace.root);
    const conflicts: Skipped[] = [];
    const skipped = [...plan.skipped];
    for (const { entry, record } of plan.steps) {
      // The jail holds for old paths too: a folder may have become a link since.
      for (const path of [record.path, ...(record.from === undefined ? [] : [record.from])])
        if (await picture.blocker(path))
          throw new LoomError('terminal', 'path_denied', `${path} leads elsewhere now; nothing was undone.`);
      const problem = await imagine(record, picture, options.force ?? false);
      if (problem?.conflict) conflicts.push({ entry, path: record.path, reason: problem.reason });
      else if (problem) skipped.push({ entry, path: record.path, reason: problem.reason });
    }
    if (conflicts.length > 0)
      throw new LoomError(
        'terminal',
        'undo_conflict',
        `Nothing was undone: ${conflicts.map(one => `${one.path} ${one.reason}`).join('; ')}. Use --force to overwrite, or undo other changes one by one.`,
        { conflicts },
      );
    const passed = new Set(skipped.map(one => `${one.entry} ${one.path}`));
    const steps = plan.steps.filter(({ entry, record }) => !passed.has(`${entry} ${record.path}`));
    const records = (await loneMove(steps, context)) ?? (await netRecords(picture, context));
    if (records.length === 0) return { changes: [], skipped };
    return { changes: await performRecords(records, context, { protectedToo: true }), skipped };
  } finally {
    await release();
  }
}

/** A move with the folders made for it stays a move; together with other changes its files are told one by one. */
async function loneMove(steps: UndoPlan['steps'], context: UndoContext): Promise<ChangeRecord[] | null> {
  const records = steps.map(step => step.record);
  const [move, ...rest] = records;
  const simple = rest.every(record => record.kind === 'directory' && record.operation === 'delete');
  if (move?.operation !== 'rename' || !simple) return null;
  return [...(await missingFolders(move.path, [], context)), ...records];
}

interface Problem {
  conflict: boolean;
  reason: string;
}

async function imagine(record: ChangeRecord, picture: Picture, force: boolean): Promise<Problem | null> {
  const current = await picture.get(record.path);
  const source = record.from === undefined ? undefined : await picture.get(record.from);
  const standing = standingOf(record, current, source);
  if (standing === 'after') return { conflict: false, reason: 'is already as it was' };
  if (record.kind === 'directory' && record.operation === 'delete') {
    if (current.kind !== 'directory') return { conflict: false, reason: 'is not a folder any more' };
    if ((await picture.children(record.path)).length > 0)
      return { conflict: false, reason: 'holds other files now and stays' };
  } else if (
    current.kind === 'directory' &&
    record.kind !== 'directory' &&
    (await picture.children(record.path)).length > 0
  )
    return { conflict: true, reason: 'is a folder with files in it now' };
  if (standing === 'neither' && record.path === GIT_INDEX)
    return { conflict: false, reason: 'was rewritten by git since; `git reset` brings it in line with HEAD' };
  if (standing === 'neither' && !force)
    return { conflict: true, reason: conflictOf(record, current, source) };
  if (record.operation === 'rename') return moveBack(record, current, source, picture);
  const next = wanted(record);
  if ('sha256' in next && !next.ref) return { conflict: true, reason: 'has no kept contents' };
  await picture.set(record.path, next);
  return null;
}

function conflictOf(record: ChangeRecord, current: State, source: State | undefined): string {
  if (record.operation === 'rename' && source?.kind === 'missing')
    return `cannot come back: ${record.from} is gone`;
  if (current.kind === 'missing') return 'was deleted since';
  return record.operation === 'create' || record.operation === 'rename'
    ? 'exists again with other contents'
    : 'was changed since';
}

async function moveBack(
  record: ChangeRecord,
  current: State,
  source: State | undefined,
  picture: Picture,
): Promise<Problem | null> {
  if (!source || source.kind === 'missing')
    return { conflict: true, reason: `cannot come back: ${record.from} is gone` };
  // Even by force a move never lands on something that is there.
  if (current.kind !== 'missing') return { conflict: true, reason: 'exists again' };
  if (picture.now.size > MAX_TREE) return { conflict: true, reason: `holds more than ${MAX_TREE} files` };
  if (source.kind === 'directory')
    for (const child of await picture.children(record.from!))
      await moveBack(
        { ...record, from: child, path: record.path + child.slice(record.from!.length) },
        { kind: 'missing' },
        await picture.get(child),
        picture,
      );
  await picture.set(record.path, source);
  await picture.set(record.from!, { kind: 'missing' });
  return null;
}

/** One record per path that differs, in an order in which they can be carried out. */
async function netRecords(picture: Picture, context: UndoContext): Promise<ChangeRecord[]> {
  for (const [path, state] of [...picture.now]) {
    if (state.kind === 'missing') continue;
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const parent = await picture.get(folder);
      if (parent.kind === 'directory') continue;
      if (parent.kind !== 'missing')
        throw new LoomError(
          'terminal',
          'undo_conflict',
          `Nothing was undone: ${folder} is a ${parent.kind} now, so ${path} cannot come back. Move it away first.`,
          { conflicts: [{ entry: '', path: folder, reason: `is a ${parent.kind} now` }] },
        );
      await picture.set(folder, { kind: 'directory', mode: 0o777 & ~process.umask() });
    }
  }
  const records: ChangeRecord[] = [];
  for (const [path, state] of picture.now) {
    const record = await recordBetween(path, picture.disk.get(path)!, state, context.blobs);
    if (record) records.push(record);
  }
  return inOrder(records);
}
