/** What the checks of one attempt look at: the claim, the changes that stand, the calls, and the files as they are. */

import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PlanNode } from '../../../machines/plan.ts';
import type { Blobs } from '../../../store/blobs-port.ts';
import { decodeText } from '../../../tools/text.ts';
import type { ChangeRecord } from '../../../tools/tool.ts';
import { inForce } from '../../../tools/undo.ts';
import { type Claim, readClaim } from '../claim.ts';
import type { ChangelogEntry, ToolTrace } from '../rows.ts';
import type { CheckRules } from './check.ts';

/** Larger files are not parsed, only seen to be there. */
const MAX_READ_BYTES = 2 * 1024 * 1024;

/** Tools whose changes are found out afterwards. */
const COMMANDS = new Set(['shell_execute', 'git_command']);

export interface Seen {
  size: number;
  folder: boolean;
  /** null: a folder or too large. */
  bytes: Buffer | null;
  /** null: not text, a folder or too large. Without a byte order mark. */
  text: string | null;
}

export interface WorldInput {
  root: string;
  goal: string;
  node: PlanNode;
  answer: string;
  /** Of this subtask, all its attempts, in order. */
  changelog: ChangelogEntry[];
  /** Of this attempt, in order. */
  traces: ToolTrace[];
  /** The changelog of the whole run; asked only when needed. */
  everything: () => Promise<ChangelogEntry[]>;
  blobs: Pick<Blobs, 'get'>;
  rules: CheckRules;
}

export interface World extends Pick<WorldInput, 'root' | 'node' | 'answer' | 'traces' | 'rules'> {
  claim: Claim;
  /** Everything the subtask was asked for, as one text. */
  asked: string;
  changes: ChangeRecord[];
  /** Every path that this subtask created, changed, moved or deleted, old names included. */
  touched: Set<string>;
  /** Of those, what only commands changed: caches, lock files and other by-products may be among it. */
  byCommands: Set<string>;
  /** Paths that this subtask changed and that are files now. */
  changed: string[];
  /** null: nothing is there. */
  see(path: string): Promise<Seen | null>;
  /** Text before this subtask's first change; '' when the file is new, null when it is not known or not text. */
  before(path: string): Promise<string | null>;
  /** Lines that this subtask added to a text file; none where it cannot be told. */
  added(path: string): Promise<string[]>;
  changedElsewhere(path: string): Promise<boolean>;
}

export function worldOf(input: WorldInput): World {
  const { root, node, answer, traces, rules } = input;
  const changes = input.changelog.filter(inForce).flatMap(entry => entry.changes);
  const byShell = traces.flatMap(trace => trace.files_changed);
  const touched = new Set([
    ...changes.flatMap(change => [change.path, ...(change.from ? [change.from] : [])]),
    ...byShell,
  ]);
  const byTools = new Set(
    input.changelog
      .filter(entry => inForce(entry) && !COMMANDS.has(entry.tool))
      .flatMap(entry => entry.changes.map(change => change.path)),
  );
  const written = changes.filter(change => change.after !== null && change.kind === undefined);
  const see = remembered((path: string) => look(root, path));
  const before = remembered((path: string) => textBefore(path, changes, input.blobs));
  return {
    root,
    node,
    answer,
    traces,
    rules,
    claim: readClaim(answer),
    asked: [input.goal, node.description, node.acceptance_criteria].join('\n'),
    changes,
    touched,
    byCommands: new Set([...touched].filter(path => !byTools.has(path))),
    changed: [...new Set([...written.map(change => change.path), ...byShell])],
    see,
    before,
    added: remembered(async (path: string) =>
      addedLines(await before(path), (await see(path))?.text ?? null),
    ),
    changedElsewhere: async path =>
      (await input.everything()).some(entry => entry.changes.some(change => change.path === path)),
  };
}

/** The file itself, or the one that is called so without its folder: a deliverable, else one that this subtask touched. */
export function meant(world: Pick<World, 'touched' | 'node'>, path: string): string {
  const { deliverables } = world.node;
  if (world.touched.has(path) || deliverables.includes(path)) return path;
  return [...deliverables, ...world.touched].find(other => other.endsWith(`/${path}`)) ?? path;
}

/** The same, but what is there under exactly this name is not taken for a copy of it elsewhere. */
export async function located(world: Pick<World, 'touched' | 'node' | 'see'>, path: string): Promise<string> {
  const guess = meant(world, path);
  if (guess === path || world.node.deliverables.includes(guess)) return guess;
  return (await world.see(path)) === null ? guess : path;
}

/** The same for a folder, which is touched when something in it is. */
export const isTouched = (world: Pick<World, 'touched' | 'node'>, path: string): boolean => {
  const folder = `${path.replace(/\/+$/, '')}/`;
  return world.touched.has(meant(world, path)) || [...world.touched].some(other => other.startsWith(folder));
};

/** Where a missing file may have gone: another case, folder or format. '' when nothing is near. */
export function nearby(world: Pick<World, 'touched'>, path: string): string {
  const others = [...world.touched].filter(other => other !== path);
  const stem = (name: string): string => name.replace(/\.[^./]*$/, '').toLowerCase();
  const sameCase = others.find(other => other.toLowerCase() === path.toLowerCase());
  if (sameCase) return ` There is ${sameCase}, whose name differs in upper and lower case.`;
  const sameName = others.find(other => basename(other) === basename(path));
  if (sameName) return ` ${sameName} was written instead, in another folder.`;
  const sameStem = others.find(other => stem(basename(other)) === stem(basename(path)));
  return sameStem ? ` ${sameStem} was written instead, in another format.` : '';
}

function remembered<T>(ask: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return path => {
    const answer = known.get(path) ?? ask(path);
    known.set(path, answer);
    return answer;
  };
}

async function look(root: string, path: string): Promise<Seen | null> {
  const full = join(root, path);
  const found = await stat(full).catch(() => null);
  if (!found) return null;
  const { size } = found;
  if (found.isDirectory()) return { size, folder: true, bytes: null, text: null };
  if (!found.isFile() || size > MAX_READ_BYTES) return { size, folder: false, bytes: null, text: null };
  const bytes = await readFile(full).catch(() => null);
  return { size, folder: false, bytes, text: bytes ? ((await decodeText(bytes))?.text ?? null) : null };
}

async function textBefore(
  path: string,
  changes: ChangeRecord[],
  blobs: Pick<Blobs, 'get'>,
): Promise<string | null> {
  const first = changes.find(change => change.path === path);
  if (!first) return null;
  if (first.operation === 'create') return '';
  if (!first.before) return null;
  // A before-image that is no longer kept makes nothing wrong; it is only not known.
  const bytes = await blobs.get(first.before).catch(() => null);
  return bytes ? ((await decodeText(bytes))?.text ?? null) : null;
}

async function addedLines(before: string | null, now: string | null): Promise<string[]> {
  if (before === null || now === null) return [];
  if (before === '') return now.split(/\r?\n/);
  const { diffLines } = await import('diff');
  const parts = diffLines(before, now, { timeout: 1_000 }) ?? [];
  return parts.filter(part => part.added).flatMap(part => part.value.split(/\r?\n/));
}
