/** A short look at the workspace for the planner: a map of names and definitions, bounded in size. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const SKIPPED = new Set([
  '.git',
  'node_modules',
  '.loom',
  '__pycache__',
  '.venv',
  'venv',
  'dist',
  'build',
  'target',
  '.next',
]);
const MAX_LINES = 120;

async function namesOf(folder: string): Promise<{ name: string; folder: boolean }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => !SKIPPED.has(entry.name))
    .map(entry => ({ name: entry.name, folder: entry.isDirectory() }))
    .sort((a, b) => Number(b.folder) - Number(a.folder) || (a.name < b.name ? -1 : 1));
}

/** Characters of a map: a planner's first request stays below 10 KB. */
const MAP_BUDGET = 3_000;

/** Words of a goal that files of interest may carry in their paths. */
const wordsOf = (goal: string): string[] => [
  ...new Set(
    goal
      .toLowerCase()
      .match(/[\p{L}\p{N}_]{4,}/gu)
      ?.slice(0, 100) ?? [],
  ),
];

/**
 * What lies where and what the most telling sources define, those that the goal speaks of first.
 * Where there is nothing to map, all being ignored or ripgrep missing, names alone; `(empty)` when there is nothing at all.
 */
export async function surveyWorkspace(root: string, goal: string, signal: AbortSignal): Promise<string> {
  const names = await twoLevels(root);
  if (names === '(empty)') return names;
  try {
    const { mapDirectory } = await import('../../tools/code/map.ts');
    const map = await mapDirectory(root, { budget: MAP_BUDGET, words: wordsOf(goal), signal });
    return map.files > 0 ? map.text : names;
  } catch (error) {
    if (signal.aborted) throw error;
    return names;
  }
}

/** Relative names, folders with a trailing slash. */
async function twoLevels(root: string): Promise<string> {
  const lines: string[] = [];
  for (const entry of await namesOf(root)) {
    if (lines.length >= MAX_LINES) break;
    lines.push(entry.folder ? `${entry.name}/` : entry.name);
    if (!entry.folder) continue;
    const inner = await namesOf(join(root, entry.name));
    const shown = inner.slice(0, 20).map(child => `  ${child.name}${child.folder ? '/' : ''}`);
    lines.push(...shown, ...(inner.length > 20 ? [`  … ${inner.length - 20} more`] : []));
  }
  if (lines.length === 0) return '(empty)';
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), '… more'].join('\n') : lines.join('\n');
}
