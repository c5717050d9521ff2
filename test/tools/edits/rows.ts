/** Rows of the corpus of drifted edits: a source file, a true change to it, and what a model might have written for it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../../tools/files/fold.ts';

export interface Row {
  name: string;
  path: string;
  original: string;
  old: string;
  now: string;
  /** What a careful person would have made of the file; null: the edit must be refused. */
  expected: string | null;
}

export interface Source {
  path: string;
  text: string;
}

const HERE = new URL('.', import.meta.url).pathname;
const ROOT = new URL('../../../', import.meta.url).pathname;

const own = ['inventory.py', 'queue.go', 'services.yaml', 'handbook.md', 'release.sh'].map(
  name => [name, join(HERE, 'sources', name)] as const,
);
const ofProject = [
  'machines/confidence.ts',
  'store/leases.ts',
  'tools/cut.ts',
  'tools/nearest.ts',
  'tools/text.ts',
  'processes/demo/project/src/wrap.js',
  'processes/demo/project/test/slug.test.js',
  'processes/demo/scenario.yaml',
  '.github/workflows/ci.yml',
  'docs/decisions/2026-11-22-windows.md',
  'package.json',
  'node_modules/lmdb/src/compression.cpp',
  'node_modules/highlight.js/styles/vs2015.css',
].map(path => [path, join(ROOT, path)] as const);

/** Files of ten languages: written for this, of the project itself, and of packages it is pinned to. */
export const sources = (): Source[] =>
  [...own, ...ofProject].map(([path, file]) => ({
    path,
    text: readFileSync(file, 'utf8')
      .replaceAll('\r\n', '\n')
      .replace(/[ \t]+$/gm, '')
      .replace(/\n*$/, '\n'),
  }));

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const pick = <T>(next: () => number, list: readonly T[]): T => list[Math.floor(next() * list.length)]!;

/** A place of a file and a true change to it. */
export interface Change {
  path: string;
  lines: string[];
  /** First line of the block and the one behind it. */
  from: number;
  to: number;
  block: string[];
  changed: string[];
}

const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];
const isBlank = (line: string) => line.trim() === '';

const changes: Record<string, (block: string[], at: number) => string[] | null> = {
  'a word replaced': (block, at) => {
    const words = block[at]!.match(/[A-Za-z]{4,}/g);
    return words ? block.with(at, block[at]!.replace(words.at(-1)!, `${words.at(-1)}Renamed`)) : null;
  },
  'a number replaced': (block, at) => {
    const number = /\d+/.exec(block[at]!)?.[0];
    return number ? block.with(at, block[at]!.replace(number, `${Number(number) + 1}`)) : null;
  },
  'a line replaced': (block, at) => block.with(at, `${indentOf(block[at]!)}replaced_by(something, 17)`),
  'a line added': (block, at) => block.toSpliced(at + 1, 0, `${indentOf(block[at]!)}added_line = other(3)`),
  'two lines added': (block, at) =>
    block.toSpliced(at + 1, 0, `${indentOf(block[at]!)}first_new`, `${indentOf(block[at]!)}second_new`),
  'a line removed': (block, at) => (at > 0 && at < block.length - 1 ? block.toSpliced(at, 1) : null),
};

/** Blocks that stand once in the file whatever the white space, with a change in a line that is not the first. */
export function changesOf({ path, text }: Source, next: () => number, count: number): Change[] {
  const lines = text.split('\n').slice(0, -1);
  const flat = keyOf(text);
  const found: Change[] = [];
  for (let tries = 0; found.length < count && tries < count * 60; tries++) {
    const size = 3 + Math.floor(next() * 6);
    const from = Math.floor(next() * Math.max(1, lines.length - size));
    const block = lines.slice(from, from + size);
    const key = keyOf(block.join('\n'));
    if (block.length < size || isBlank(block[0]!) || isBlank(block.at(-1)!) || key.length < 25) continue;
    if (flat.indexOf(key) !== flat.lastIndexOf(key) || found.some(other => Math.abs(other.from - from) < 3))
      continue;
    const full = block.flatMap((line, i) => (i > 0 && /[A-Za-z]{3}/.test(line) ? [i] : []));
    if (full.length === 0) continue;
    const kind = pick(next, Object.keys(changes));
    const changed = changes[kind]!(block, pick(next, full));
    if (changed) found.push({ path, lines, from, to: from + size, block, changed });
  }
  return found;
}

export const fileOf = ({ lines, from, to }: Change, block: string[]): string =>
  `${[...lines.slice(0, from), ...block, ...lines.slice(to)].join('\n')}\n`;

const stales: [string, (line: string) => string | null][] = [
  ['number', line => (/\d/.test(line) ? line.replace(/\d+/, found => `${Number(found) + 7}`) : null)],
  [
    'negation',
    line =>
      /\b(not|no|never)\b ?|!(?=\w)/.test(line)
        ? line.replace(/\b(not|no|never)\b ?|!(?=\w)/, '')
        : /\bif \(?/.test(line)
          ? line.replace(/\bif (\(?)/, 'if $1not ')
          : null,
  ],
  [
    'operator',
    line => {
      const found = /[<>=!]=|&&|\|\||(?<= )[+\-*/<>](?= )/.exec(line)?.[0];
      const other: Record<string, string> = {
        '==': '!=',
        '!=': '==',
        '<=': '>=',
        '>=': '<=',
        '&&': '||',
        '||': '&&',
      };
      return found ? line.replace(found, other[found] ?? (found === '+' ? '-' : '+')) : null;
    },
  ],
  [
    'identifier',
    line => {
      const word = line.match(/[A-Za-z_]{4,}/g)?.at(-1);
      return word ? line.replace(word, `${word}s`) : null;
    },
  ],
  [
    'other name',
    line => (/[A-Za-z_]{4,}/.test(line) ? line.replace(/[A-Za-z_]{4,}/, 'somethingElse') : null),
  ],
];

/** The same file after somebody else changed one line of the block; null where this line allows no such change. */
export function staled(
  block: string[],
  next: () => number,
  first = 0,
): { kind: string; block: string[] } | null {
  const order = block.flatMap((line, i) => (i >= first && !isBlank(line) ? [i] : []));
  for (let tries = 0; tries < 30 && order.length > 0; tries++) {
    const [kind, change] = pick(next, stales);
    const at = pick(next, order);
    const line = change(block[at]!);
    if (line !== null && line !== block[at]) return { kind, block: block.with(at, line) };
  }
  return null;
}
