/** `docs/charts/` shows the machines as they are now; `npm run charts` draws it anew. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chartDocuments } from '../../visualizations/documents.ts';
import { machineNames, sentenceOf } from '../../visualizations/machines.ts';

const FOLDER = join(import.meta.dirname, '../../docs/charts');
const documents = chartDocuments();

if (process.env['LOOM_WRITE_CHARTS'] === '1') {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(FOLDER, name), text);
}

describe('docs/charts', () => {
  it('has a page for each machine and nothing else', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(
      [...machineNames().map(name => `${name}.md`), 'README.md'].sort(),
    );
  });

  it.each(Object.keys(documents))('%s is what the machines say today (else: npm run charts)', name => {
    expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(documents[name]);
  });

  it('says of every machine what it is for', () => {
    expect(machineNames().filter(name => sentenceOf(name) === '')).toEqual([]);
  });
});
