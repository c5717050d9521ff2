/** What a reader can rely on when opening any file: where it is, how long it is, and a first line that says why. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FOLDERS, filesBelow, root, sources } from './sources.ts';

const TOP = new Set<string>([...FOLDERS, 'test', 'docs', 'dist', 'node_modules', 'coverage']);
const VAGUE = /(^|[-._/])(utils?|helpers?|managers?|commons?|misc)([-._/]|$)/i;

describe('the folders', () => {
  it('at the top are the ones the architecture names', () => {
    const strange = readdirSync(root, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !entry.name.startsWith('.') && !TOP.has(entry.name))
      .map(entry => entry.name);
    expect(strange).toEqual([]);
  });
});

describe('every source file', () => {
  it('has at most 400 lines', () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  it('starts with a comment that says what it is for', () => {
    const silent = sources.filter(({ text }) => {
      const first = text.replace(/^#!.*\n/, '').split('\n')[0]!;
      return !/^(\/\*\*?|\/\/)\s*\S.*\s\S/.test(first);
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has a name that says something', () => {
    const tests = filesBelow('test').filter(path => !path.includes('/goldens/'));
    const vague = [...sources.map(({ path }) => path), ...tests].filter(path => VAGUE.test(path));
    expect(vague).toEqual([]);
    expect(VAGUE.test('store/string-utils.ts')).toBe(true);
  });
});
