/** Unified diffs of change records, for the model, the journal and `loom diff`. */

import type { BlobRef, Blobs } from '../store/blobs-port.ts';
import { filesOf } from './records.ts';
import { decodeText } from './text.ts';
import type { ChangeRecord } from './tool.ts';

/** Lines of a diff that travel in a result; the rest is an artifact. */
const DIFF_LINES = 40;
/** Of one line, in characters: minified code must not fill a result. */
const MAX_WIDTH = 500;
/** A pathological pair of files must not stop the process; beyond this many ms the diff is told in one line. */
const DIFF_TIMEOUT_MS = 2_000;

export interface FileDiff {
  path: string;
  from?: string;
  operation: ChangeRecord['operation'];
  /** Unified diff with a/ and b/ headers, 3 lines of context; '' when the contents are the same. */
  diff: string;
}

interface Side {
  path: string;
  ref: BlobRef | null;
  exists: boolean;
}

async function textOf(side: Side, blobs: Blobs): Promise<string | null> {
  if (!side.exists) return '';
  if (!side.ref) return null;
  const decoded = await decodeText(await blobs.get(side.ref));
  if (!decoded) return null;
  // A file with old Mac line ends would be one line.
  return decoded.eol === '\r' && !decoded.mixed ? decoded.text.replaceAll('\r', '\n') : decoded.text;
}

async function unified(old: Side, now: Side, blobs: Blobs): Promise<string> {
  if (old.exists && now.exists && old.ref?.sha256 === now.ref?.sha256 && old.ref) return '';
  const [before, after] = [await textOf(old, blobs), await textOf(now, blobs)];
  const oldName = old.exists ? `a/${old.path}` : '/dev/null';
  const newName = now.exists ? `b/${now.path}` : '/dev/null';
  if (before === null || after === null) {
    const kept = (!old.exists || old.ref) && (!now.exists || now.ref);
    return `${kept ? 'Binary files' : 'Contents not kept:'} ${oldName} and ${newName} differ\n`;
  }
  const { createTwoFilesPatch } = await import('diff');
  const patch: string | undefined = createTwoFilesPatch(
    oldName,
    newName,
    before,
    after,
    undefined,
    undefined,
    {
      context: 3,
      timeout: DIFF_TIMEOUT_MS,
    },
  );
  const names = `--- ${oldName}\n+++ ${newName}\n`;
  if (patch === undefined) return `${names}(too different to show line by line)\n`;
  // Names as they are, not quoted: people and models read them.
  return names + patch.replace(/^(?:=+\n)?--- .*\n\+\+\+ .*\n/, '');
}

/** One diff per file over a series of records in the order they happened: first contents against last. */
export async function diffRecords(records: ChangeRecord[], blobs: Blobs): Promise<FileDiff[]> {
  const files: { start: Side; end: Side }[] = [];
  for (const record of records) {
    if (record.kind === 'directory') {
      if (record.operation === 'rename') followFolder(files, record);
      continue;
    }
    const before: Side = {
      path: record.from ?? record.path,
      ref: record.before,
      exists: record.operation !== 'create',
    };
    const known = files.find(file => file.end.exists && file.end.path === before.path);
    const file = known ?? { start: before, end: before };
    if (!known) files.push(file);
    file.end = { path: record.path, ref: record.after_ref ?? null, exists: record.operation !== 'delete' };
  }
  const diffs: FileDiff[] = [];
  for (const { start, end } of reunited(files)) {
    if (!start.exists && !end.exists) continue;
    const moved = start.exists && end.exists && start.path !== end.path;
    const header = moved ? `rename from ${start.path}\nrename to ${end.path}\n` : '';
    const diff = header + (await unified(start, end, blobs));
    if (diff === '') continue;
    diffs.push({
      path: end.path,
      ...(moved ? { from: start.path } : {}),
      operation: !start.exists ? 'create' : !end.exists ? 'delete' : moved ? 'rename' : 'modify',
      diff,
    });
  }
  return diffs.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What was there at the start, went away (perhaps under another name), and is back, is one file. */
function reunited(files: { start: Side; end: Side }[]): { start: Side; end: Side }[] {
  const gone = files.filter(file => file.start.exists && !file.end.exists);
  const back = files.filter(file => !file.start.exists && file.end.exists);
  const whole = back.map(file => ({ file, old: gone.find(other => other.start.path === file.end.path) }));
  const used = new Set(whole.map(({ old }) => old));
  return [
    ...files.filter(file => !back.includes(file) && !used.has(file)),
    ...whole.map(({ file, old }) => ({ start: old?.start ?? file.start, end: file.end })),
  ];
}

function followFolder(files: { end: Side }[], record: ChangeRecord): void {
  for (const file of files)
    if (file.end.path.startsWith(`${record.from}/`))
      file.end = { ...file.end, path: record.path + file.end.path.slice(record.from!.length) };
}

export function cutDiff(diff: string, limit = DIFF_LINES): { shown: string; cut: boolean } {
  const whole = diff.replace(/\n$/, '').split('\n');
  const lines = whole.map(line => (line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}…` : line));
  const narrow = whole.every(line => line.length <= MAX_WIDTH);
  if (lines.length <= limit) return { shown: lines.join('\n'), cut: !narrow };
  return {
    shown: `${lines.slice(0, limit).join('\n')}\n... (${lines.length - limit} more diff lines)`,
    cut: true,
  };
}

/** A folder has no lines: what became of it stands in words. Folders made on the way show in their files' names. */
const folderLine = ({ kind, operation, from, path }: ChangeRecord): string => {
  if (kind !== 'directory') return '';
  if (operation === 'rename') return `rename from ${from}/\nrename to ${path}/\n`;
  return operation === 'delete' ? `deleted folder ${path}/\n` : '';
};

/** The parts of a tool result that tell what changed. */
export async function changeReport(records: ChangeRecord[], blobs: Blobs) {
  const files = (await diffRecords(records, blobs)).map(file => file.diff);
  const full = [...records.map(folderLine), ...files].join('');
  const { shown, cut } = cutDiff(full);
  return {
    diff: shown,
    files_changed: filesOf(records),
    changes: records,
    ...(cut ? { artifact: await blobs.put(Buffer.from(full)) } : {}),
  };
}
