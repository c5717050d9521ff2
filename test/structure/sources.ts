/** The project's own source files, and the modules each of them names. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** LOOM_TREE points the structure tests at another working tree. */
export const root = process.env['LOOM_TREE'] ?? resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folders of the program, in DESIGN order; `test` and configuration are not part of it. */
export const FOLDERS = [
  'machines',
  'store',
  'tools',
  'processes',
  'actors',
  'visualizations',
  'server',
  'cli',
] as const;

export interface Import {
  /** The path as it stands in the line, or, for our own modules, relative to the root with forward slashes. */
  target: string;
  own: boolean;
  /** Gone after compilation. */
  typeOnly: boolean;
  dynamic: boolean;
}

export interface Source {
  /** Relative to the root, forward slashes. */
  path: string;
  text: string;
  imports: Import[];
}

/** Files below a folder, without what is generated or not ours; [] when there is no such folder. */
export function filesBelow(folder: string): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap(entry => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

const FROM = /^\s*(?:import|export)\s+(type\s+)?([^'"`;=()]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
const BARE = /^\s*import\s*['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** `{ type A, type B }`: every name is a type. */
const namesTypesOnly = (clause: string): boolean => {
  const names = /^\{([\s\S]*)\}\s*$/.exec(clause.trim())?.[1];
  const list = names?.split(',').filter(name => name.trim() !== '') ?? [];
  return list.length > 0 && list.every(name => /^\s*type\s/.test(name));
};

/** Every import, re-export and dynamic import with a literal path. */
export function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const made = (raw: string, typeOnly: boolean, dynamic: boolean): Import => {
    const own = raw.startsWith('.');
    return { target: own ? posix.join(posix.dirname(path), raw) : raw, own, typeOnly, dynamic };
  };
  return [
    ...[...code.matchAll(FROM)].map(found =>
      made(found[3]!, found[1] !== undefined || namesTypesOnly(found[2] ?? ''), false),
    ),
    ...[...code.matchAll(BARE)].map(found => made(found[1]!, false, false)),
    ...[...code.matchAll(DYNAMIC)].map(found => made(found[1]!, false, true)),
  ];
}

/** All modules of the program. */
export const sources: Source[] = FOLDERS.flatMap(folder => filesBelow(folder))
  .filter(path => /\.(ts|mts|js|mjs)$/.test(path) && !path.startsWith('processes/demo/'))
  .map(path => {
    const text = readFileSync(join(root, relative('.', path).split(sep).join('/')), 'utf8');
    return { path, text, imports: importsOf(path, text) };
  });

export const folderOf = (path: string): string => path.split('/')[0]!;
