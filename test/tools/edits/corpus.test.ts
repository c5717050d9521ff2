/** Drifted edits from three generators: what can be done is done to the byte, what must not be done is refused. */

import { describe, expect, it } from 'vitest';
import { LoomError } from '../../../machines/failure.ts';
import { applyEdit } from '../../../tools/files/edit-match.ts';
import { rewritingRows } from './rewriting.ts';
import type { Row } from './rows.ts';
import { staleRows } from './stale.ts';
import { whitespaceRows } from './whitespace.ts';

const deep = process.env['LOOM_DEEP'] === '1';
const SEEDS = deep ? [1, 2, 3, 4, 5, 6, 7, 8] : [1];
const PER_KIND = deep ? 25 : 7;

type Outcome = 'right' | 'wrong' | 'refused';

function outcomeOf(row: Row): { outcome: Outcome; text: string } {
  try {
    const { text } = applyEdit(row.path, row.original, { old_str: row.old, new_str: row.now });
    return { outcome: text === row.expected ? 'right' : 'wrong', text };
  } catch (error) {
    if (!(error instanceof LoomError)) throw error;
    return { outcome: 'refused', text: error.failure.message };
  }
}

const generators = [
  ['white space and line ends', whitespaceRows],
  ['rewriting by a model', rewritingRows],
  ['stale text', staleRows],
] as const;

describe.each(generators)('edits that drifted by %s', (_, generate) => {
  const rows = SEEDS.flatMap(seed => generate(seed, PER_KIND)).flat();

  it('are never applied wrong', () => {
    const wrong = rows.map(row => ({ row, ...outcomeOf(row) })).filter(({ outcome }) => outcome === 'wrong');
    expect(wrong.map(({ row, text }) => ({ ...row, text }))).toEqual([]);
  });

  it('are applied wherever a careful person would', () => {
    const meant = rows.filter(row => row.expected !== null);
    const refused = meant.filter(row => outcomeOf(row).outcome === 'refused');
    expect(meant.length).toBeGreaterThan(60);
    expect(refused.length / meant.length, refused.map(row => row.name).join('\n')).toBeLessThanOrEqual(0.03);
  });
});

it('are more than 300, each with its twin', () => {
  const pairs = generators.flatMap(([, generate]) => generate(1, PER_KIND));
  expect(pairs.length).toBeGreaterThanOrEqual(300);
  expect(pairs.every(([a, b]) => (a.expected === null) !== (b.expected === null))).toBe(true);
});
