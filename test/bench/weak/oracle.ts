/** Holds a workspace against the truth, file by file. Asked only when a run is over; Loom can neither see nor call it. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Files } from './jobs.ts';

/** How the workspace differs from the truth, one line a file; empty when it is right. */
export async function differences(workspace: string, truth: Files): Promise<string[]> {
  const found = await filesOf(workspace);
  const paths = [...new Set([...Object.keys(found), ...Object.keys(truth)])].sort();
  return paths.flatMap(path => {
    if (found[path] !== undefined && sameText(found[path], truth[path])) return [];
    if (truth[path] === undefined) return [`${path} should not be there`];
    return [found[path] === undefined ? `${path} is missing` : `${path} is wrong`];
  });
}

/** A last line counts as one with or without its end: tools do not show the difference. */
const sameText = (text: string, truth: string | undefined): boolean =>
  text.replace(/\n$/, '') === truth?.replace(/\n$/, '');

async function filesOf(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => !relative(root, path).startsWith('.loom'));
  const read = files.map(async path => [relative(root, path), await readFile(path, 'utf8')] as const);
  return Object.fromEntries(await Promise.all(read));
}
