/** A map of a folder within a budget of characters: what lies where, and what its most telling source files define. */

import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { plainPath, ripgrep } from '../files/rg.ts';
import { isSecretPath } from '../result.ts';
import { decodeText } from '../text.ts';
import { languageOf } from './languages.ts';
import { type CodeSymbol, outlineOf } from './outline.ts';

export interface MapOptions {
  /** Folder, canonical and relative. Default: all. */
  path?: string;
  /** Characters of the whole text. */
  budget: number;
  /** Words that files of interest may have in their paths, such as those of a goal. */
  words?: string[];
  signal: AbortSignal;
}

export interface DirectoryMap {
  text: string;
  files: number;
  /** Source files whose definitions are shown. */
  outlined: number;
}

const MAX_FILES = 100_000;
/** Larger files are generated, or data. Bytes. */
const MAX_SOURCE = 200_000;
/** Files that are parsed at most, and how long that may take, ms. */
const MAX_PARSED = 120;
const PARSE_TIME = 2_000;
/** Part of the budget for names; the rest is for definitions. */
const NAMES_SHARE = 0.5;
const NAMES_PER_FOLDER = 20;

const ENTRY = /^(main|index|app|cli|server|mod|lib|__init__|__main__|setup|manage)\.[a-z]+$/i;
const ASIDE =
  /(^|\/)(tests?|__tests__|spec|fixtures?|examples?|vendor|third_party|dist|build|migrations)\/|[._-](test|spec)\.|\.(min|d)\.[a-z]+$/i;

interface Folder {
  name: string;
  folders: Map<string, Folder>;
  files: string[];
  /** Of itself and everything below. */
  count: number;
}

const newFolder = (name: string): Folder => ({ name, folders: new Map(), files: [], count: 0 });

async function filesBelow(root: string, path: string, signal: AbortSignal): Promise<string[]> {
  const files: string[] = [];
  await ripgrep(root, ['--files', '--null'], path, '\0', signal, record => {
    // A line break in a name must not look like two entries.
    const file = plainPath(record);
    if (!/[\u0000-\u001f\u007f]/.test(file)) files.push(file);
    return files.length < MAX_FILES;
  });
  return files.sort();
}

function treeOf(files: string[], base: string): Folder {
  const top = newFolder('');
  for (const file of files) {
    const parts = file.slice(base.length).split('/');
    let folder = top;
    folder.count++;
    for (const part of parts.slice(0, -1)) {
      const known = folder.folders.get(part) ?? newFolder(part);
      folder.folders.set(part, known);
      folder = known;
      folder.count++;
    }
    folder.files.push(parts.at(-1)!);
  }
  return top;
}

const plural = (count: number): string => `${count} file${count === 1 ? '' : 's'}`;

/** Lines of a folder, down to `depth` levels below it. */
function linesOf(folder: Folder, depth: number, indent = ''): string[] {
  const folders = [...folder.folders.values()].flatMap(child => [
    `${indent}${child.name}/ (${plural(child.count)})`,
    ...(depth > 1 ? linesOf(child, depth - 1, `${indent}  `) : []),
  ]);
  const shown = folder.files.slice(0, NAMES_PER_FOLDER).map(name => `${indent}${name}`);
  const more = folder.files.length - shown.length;
  return [...folders, ...shown, ...(more > 0 ? [`${indent}… ${more} more files`] : [])];
}

function cutTo(lines: string[], room: number): string {
  let size = 0;
  const shown = lines.filter(line => (size += line.length + 1) <= room - 20);
  return [...shown, ...(shown.length < lines.length ? [`… ${lines.length - shown.length} more`] : [])].join(
    '\n',
  );
}

/** As deep as fits: three levels, or two, or one. */
function names(top: Folder, room: number): string {
  for (const depth of [3, 2, 1]) {
    const lines = linesOf(top, depth);
    if (depth === 1 || lines.reduce((sum, line) => sum + line.length + 1, 0) <= room)
      return cutTo(lines, room);
  }
  return '';
}

/** The higher the more a file tells of what the folder is about. */
function weightOf(file: string, base: string, words: string[]): number {
  const below = file.slice(base.length);
  const lower = below.toLowerCase();
  const asked = words.filter(word => lower.includes(word)).length;
  const depth = below.split('/').length;
  return asked * 5 + (ENTRY.test(basename(file)) ? 2 : 0) - depth - (ASIDE.test(below) ? 4 : 0);
}

const shownSymbol = ({ name, kind, children }: CodeSymbol): string => {
  const inner = children
    .filter(child => child.kind === 'method' && child.name !== 'constructor')
    .map(child => child.name);
  const list = inner.length > 6 ? [...inner.slice(0, 6), '…'] : inner;
  return `${/^(class|interface|struct|trait|enum|impl)$/.test(kind) ? `${kind} ` : ''}${name}${list.length > 0 ? `(${list.join(', ')})` : ''}`;
};

/** Definitions of a file in one line; '' when there are none to tell of. */
async function definitionsOf(root: string, file: string): Promise<string> {
  const language = languageOf(file)!;
  const found = await stat(join(root, file)).catch(() => null);
  if (!found?.isFile() || found.size > MAX_SOURCE) return '';
  const decoded = await decodeText(await readFile(join(root, file)).catch(() => Buffer.alloc(0)));
  if (!decoded) return '';
  const { symbols } = await outlineOf(decoded.text, language);
  const exported = symbols.filter(symbol => symbol.exported);
  const told = (exported.length > 0 ? exported : symbols).filter(symbol => symbol.kind !== 'variable');
  return told.map(shownSymbol).join(', ');
}

/** A map of what ripgrep would search: ignored files and links are not on it. */
export async function mapDirectory(root: string, options: MapOptions): Promise<DirectoryMap> {
  const { path = '.', budget, words = [], signal } = options;
  const base = path === '.' ? '' : `${path}/`;
  const files = await filesBelow(root, path, signal);
  if (files.length === 0) return { text: '(empty)', files: 0, outlined: 0 };
  const listing = names(treeOf(files, base), budget * NAMES_SHARE);
  const ranked = files
    .filter(file => languageOf(file) !== undefined && !isSecretPath(file))
    .map(file => ({ file, weight: weightOf(file, base, words) }))
    .sort((a, b) => b.weight - a.weight || (a.file < b.file ? -1 : 1))
    .slice(0, MAX_PARSED);
  const head = '\n\nDefinitions:';
  let room = budget - listing.length - head.length;
  const lines: string[] = [];
  const until = performance.now() + PARSE_TIME;
  for (const { file } of ranked) {
    signal.throwIfAborted();
    if (room < 60 || performance.now() > until) break;
    const told = await definitionsOf(root, file).catch(() => '');
    if (told === '') continue;
    // One file must not take the room of all others.
    const most = Math.min(room - 1, 400);
    const line = `${file.slice(base.length)}: ${told}`;
    const shown = line.length > most ? `${line.slice(0, most - 1)}…` : line;
    lines.push(shown);
    room -= shown.length + 1;
  }
  const text = lines.length > 0 ? `${listing}${head}\n${lines.join('\n')}` : listing;
  return { text, files: files.length, outlined: lines.length };
}
