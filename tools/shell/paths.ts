/** Where the words of a command point, judged by their text and, for what would be written, by the links on disk. */

import { lstatSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { isSecretPath } from '../result.ts';
import type { Word } from './words.ts';

export interface Place {
  root: string;
  /** Where relative paths begin: the workspace, somewhere below it after `cd`, or nobody knows where. */
  relative: 'root' | 'below' | 'elsewhere';
  /** That folder, where it is known. */
  cwd: string | null;
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** Inside the workspace; what is known only at run time is not. */
export function isInside(word: Word, place: Place): boolean {
  if (word.dynamic) return false;
  if (!isAbsolute(word.text)) {
    if (place.relative === 'elsewhere') return false;
    if (place.relative === 'below' && place.cwd === null) return !word.text.split('/').includes('..');
  }
  return isBelow(resolve(place.cwd ?? place.root, word.text), place.root);
}

export const isHarmless = (word: Word, place: Place): boolean =>
  isInside(word, place) || /^\/dev\/(null|zero|u?random|std(in|out|err)|fd\/\d+|tty)$/.test(word.text);

/** A file of its own below /tmp, and not in a home that is there. */
export const isTemporary = (word: Word): boolean =>
  !word.dynamic &&
  /^\/tmp\/[^/.]/.test(word.text) &&
  !word.text.includes('..') &&
  !isBelow(word.text, homedir());

/** Has the form of a path and leads out; `--option=/path` counts too. */
export function looksOutside(word: Word, place: Place): boolean {
  const option = word.text.startsWith('-');
  const value = option ? word.text.replace(/^--?[\w-]+=?/, '') : word.text;
  const pathLike = value.startsWith('/') || value.split('/').includes('..');
  const lost = place.relative === 'elsewhere' && !option;
  return (pathLike || lost) && !isHarmless({ ...word, text: value, dynamic: false }, place);
}

/** The file on disk that a word names, or would name in the root where the folder is not known. */
const fileOf = (word: Word, place: Place): string | null =>
  word.dynamic || (place.relative === 'elsewhere' && !isAbsolute(word.text))
    ? null
    : resolve(place.cwd ?? place.root, word.text);

/** A link in the workspace would carry what is written out of it. */
export function leadsOut(word: Word, place: Place): boolean {
  let at = fileOf(word, place);
  if (at === null || !isBelow(at, place.root)) return false;
  for (; isBelow(at, place.root); at = dirname(at)) {
    try {
      return !isBelow(realpathSync(at), realpathSync(place.root));
    } catch {
      // Does not exist: its folder decides.
    }
  }
  return false;
}

/** An existing file with something in it, which could be lost. */
export function holdsSomething(word: Word, place: Place): boolean {
  const file = fileOf(word, place);
  const found = file === null ? undefined : lstatSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size > 0;
}

/** Something stands there. */
export function exists(word: Word, place: Place): boolean {
  const file = fileOf(word, place);
  return file !== null && lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

const SECRET_NAMES = ['.env', '.netrc', '.npmrc', '.ssh', '.aws', '.gnupg'];
const SECRET_SYSTEM =
  /^\/(etc\/(passwd|shadow|gshadow|sudoers|ssl\/private)|proc\/[^/]+\/(environ|mem)|root\/)/;
const SECRET_HOME =
  /(^|\/)\.(config\/(gh|gcloud|op)|password-store|mozilla|bash_history|zsh_history|vault-token|terraform\.d|azure)(\/|$)/;

export function namesSecret({ text, glob }: Word, place: Place): boolean {
  const value = text.replace(/^--?[\w-]+=/, '').replace(/^@/, '');
  const system = SECRET_SYSTEM.test(value) && !isInside({ text: value, dynamic: false, glob: false }, place);
  const loomHome = [process.env['LOOM_HOME'], `${homedir()}/.loom`].some(
    home => home !== undefined && isBelow(value, home) && !isBelow(place.root, home),
  );
  const hidden =
    glob && value.split('/').some(part => /^\.[^/]*[*?[]/.test(part) && couldBe(part, SECRET_NAMES));
  return system || loomHome || hidden || SECRET_HOME.test(value) || isSecretPath(value);
}

/** A pattern that would match one of the names. */
function couldBe(pattern: string, names: string[]): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
    .replace(/\[[^\]]*\]?/g, '.');
  return names.some(name => new RegExp(`^${source}$`).test(name));
}

/** The system, a home, or a folder that holds the workspace: `/`, `/*`, `~`, `/usr`, `..`. */
export function wipes(word: Word, place: Place): boolean {
  if (word.dynamic) return false;
  const bare = word.text.replace(/\/\*?$/, '') || '/';
  if (!isAbsolute(bare) && place.cwd === null) return false;
  const full = resolve(place.cwd ?? place.root, bare);
  const above = place.root.startsWith(full === sep ? sep : full + sep);
  return (
    above ||
    full === homedir() ||
    /^\/(usr|etc|bin|sbin|lib|lib64|boot|var|home|root|opt|dev|proc|sys|Users|System)$/.test(full)
  );
}
