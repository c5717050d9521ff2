/** A short look at the workspace for the planner: two levels of names, bounded in size. */
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

/** Relative names, folders with a trailing slash; `(empty)` when there is nothing. */
export async function surveyWorkspace(root: string): Promise<string> {
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
