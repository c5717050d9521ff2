/** What a reviewer is shown of one attempt: what changed, what ran, what the checks found. Never the worker's transcript. */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanNode } from '../../machines/plan.ts';
import type { Blobs } from '../../store/blobs-port.ts';
import { diffRecords } from '../../tools/diff.ts';
import { sha256 } from '../../tools/disk.ts';
import { decodeText, describeBinary } from '../../tools/text.ts';
import { inForce } from '../../tools/undo.ts';
import type { Check } from './checks/check.ts';
import type { ChangelogEntry, ToolTrace } from './rows.ts';

export interface Evidence {
  /** Unified diffs of what this subtask changed, one per file. */
  diffs: { path: string; text: string }[];
  /** Parts of files as they are now; a line where a file is not text. */
  excerpts: { path: string; text: string }[];
  /** Commands and failed changes, in order. */
  commands: { line: string; output: string }[];
  /** What was looked at, for work that leaves no change. */
  observed: string[];
  checks: Check[];
}

export interface EvidenceInput {
  root: string;
  node: PlanNode;
  /** Of the subtask. */
  changelog: ChangelogEntry[];
  /** Of the attempt. */
  traces: ToolTrace[];
  checks: Check[];
  blobs: Blobs;
}

const MAX_EXCERPTS = 12;
/** Lines shown before and after a change. */
const AROUND = 12;
const MAX_LINES = 400;
const MAX_BYTES = 4 * 1024 * 1024;

export async function evidence(input: EvidenceInput): Promise<Evidence> {
  const { node, traces } = input;
  const records = input.changelog.filter(inForce).flatMap(entry => entry.changes);
  const diffs = await diffRecords(records, input.blobs);
  const shell = traces.flatMap(trace => trace.files_changed);
  const seen = traces
    .filter(trace => trace.success && trace.tool === 'read_file')
    .map(trace => trace.subject);
  const created = new Set(diffs.filter(diff => diff.operation === 'create').map(diff => diff.path));
  const paths = [...diffs.map(diff => diff.path), ...node.deliverables, ...shell];
  // The diff of a new file is the file, unless somebody else wrote there since; work without changes is judged by what it
  // looked at.
  const whole = [...created].filter(path => shownWhole(diffs.find(diff => diff.path === path)!.diff));
  const last = new Map(records.map(record => [record.path, record.after]));
  const same = await Promise.all(whole.map(path => isStill(input.root, path, last.get(path) ?? null)));
  const shown = new Set(whole.filter((_, at) => same[at]));
  const wanted = [...new Set(paths.length > 0 ? paths : seen)].filter(path => !shown.has(path));
  const excerpts = await Promise.all(
    wanted.slice(0, MAX_EXCERPTS).map(async path => {
      const text = await excerpt(input.root, path, diffs.find(diff => diff.path === path)?.diff ?? '');
      return text === null ? null : { path, text };
    }),
  );
  return {
    diffs: diffs.map(diff => ({ path: diff.path, text: diff.diff })),
    excerpts: excerpts.filter(each => each !== null),
    commands: traces
      .filter(trace => trace.exit_code !== undefined || (trace.mutates && !trace.success))
      .map(told),
    observed:
      paths.length > 0
        ? []
        : traces.filter(trace => trace.success).map(trace => `${trace.tool} ${trace.subject}`),
    checks: input.checks,
  };
}

const isStill = async (root: string, path: string, digest: string | null): Promise<boolean> => {
  const bytes = await readFile(join(root, path)).catch(() => null);
  return bytes !== null && sha256(bytes) === digest;
};

const shownWhole = (diff: string): boolean =>
  !diff.startsWith('Binary') && !diff.startsWith('Contents not kept');

function told({ tool, subject, exit_code, success, output = '' }: ToolTrace): Evidence['commands'][number] {
  const ending = exit_code === undefined ? (success ? 'done' : 'failed') : `exit ${exit_code}`;
  return { line: `${exit_code === undefined ? `${tool} ` : '$ '}${subject} → ${ending}`, output };
}

/** null: nothing is there. Around the changes where there are any, otherwise from the beginning. */
async function excerpt(root: string, path: string, diff: string): Promise<string | null> {
  const full = join(root, path);
  const found = await stat(full).catch(() => null);
  if (!found?.isFile()) return null;
  if (found.size > MAX_BYTES)
    return `[${path}, ${found.size.toLocaleString('en-US')} bytes; too large to show]`;
  const bytes = await readFile(full).catch(() => null);
  if (!bytes) return null;
  const text = (await decodeText(bytes))?.text;
  if (text === undefined) return describeBinary(path, bytes);
  return windows(text.split(/\r?\n/), changedLines(diff));
}

/** Line ranges of the new file, from the headers of the diff. */
function changedLines(diff: string): { from: number; to: number }[] {
  return [...diff.matchAll(/^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/gm)].map(([, start, length]) => {
    const from = Number(start);
    return { from, to: from + Math.max(0, Number(length ?? 1) - 1) };
  });
}

function windows(lines: string[], ranges: { from: number; to: number }[]): string {
  const numbered = (from: number, to: number): string =>
    lines
      .slice(from - 1, to)
      .map((line, at) => `${from + at}\t${line}`)
      .join('\n');
  if (ranges.length === 0) {
    const rest = lines.length > MAX_LINES ? `\n[… ${lines.length - MAX_LINES} more lines]` : '';
    return numbered(1, MAX_LINES) + rest;
  }
  const parts: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const wide = { from: Math.max(1, from - AROUND), to: Math.min(lines.length, to + AROUND) };
    const last = parts.at(-1);
    if (last && wide.from <= last.to + 1) last.to = Math.max(last.to, wide.to);
    else parts.push(wide);
  }
  return parts
    .map(part => `[lines ${part.from} to ${part.to} of ${lines.length}]\n${numbered(part.from, part.to)}`)
    .join('\n');
}
