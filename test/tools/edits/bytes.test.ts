/** Encoding, BOM, line ends, mode and the final newline of an edited file, to the byte. */

import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editFile } from '../../../tools/files/edit-file.ts';
import { writeFile } from '../../../tools/files/write-file.ts';
import { bench, failureOf } from '../support.ts';

const LINES = ['# Größe und Maß', 'def größe(maß):', '    wert = 10', '', '    return wert * maß'];
const CHANGED = LINES.with(2, '    wert = 11').toSpliced(4, 0, '    größer = wert + 1');

const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
const encodings: Record<string, (text: string) => Buffer> = {
  'UTF-8': text => Buffer.from(text),
  'UTF-8 with BOM': text => Buffer.from(`\ufeff${text}`),
  'UTF-16 LE': text => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'UTF-16 BE': text => swap(Buffer.from(`\ufeff${text}`, 'utf16le')),
  'UTF-16 LE without BOM': text => Buffer.from(text, 'utf16le'),
  'Latin-1': text => Buffer.from(text, 'latin1'),
};
const ends: Record<string, string> = { LF: '\n', CRLF: '\r\n', CR: '\r' };

const cases = Object.keys(encodings).flatMap(encoding =>
  Object.keys(ends).flatMap(eol => [true, false].map(final => ({ encoding, eol, final }))),
);

describe('an edited file', () => {
  it.each(cases)(
    'in $encoding with $eol, final newline $final, stays that',
    async ({ encoding, eol, final }) => {
      const bytes = (lines: string[]) =>
        encodings[encoding]!(lines.join(ends[eol]) + (final ? ends[eol] : ''));
      const { context, root } = await bench({ 'maß.py': bytes(LINES) });
      await chmod(join(root, 'maß.py'), 0o750);
      const result = await editFile.run(
        {
          path: 'maß.py',
          old_str: `${LINES.slice(1)
            .map(line => `${line} `)
            .join('\n')}\n`,
          new_str: `${CHANGED.slice(1)
            .map(line => `${line} `)
            .join('\n')}\n`,
        },
        context,
      );
      expect(await readFile(join(root, 'maß.py'))).toEqual(bytes(CHANGED));
      expect((await stat(join(root, 'maß.py'))).mode & 0o777).toBe(0o750);
      expect(result.data).toMatchObject({ match: 'whitespace' });
      expect(result.data['ratio']).toBeGreaterThan(0.8);
      expect(result.data['diff']).toContain('+    wert = 11');
    },
  );

  it('keeps bytes that no encoding explains', async () => {
    const strange = Buffer.concat([
      Buffer.from('a = 1 # \x81 \x8d caf\xe9 \xfc\n', 'latin1'),
      Buffer.from('b = 2\n'),
    ]);
    const { context, root } = await bench({ 'a.py': strange });
    await editFile.run({ path: 'a.py', old_str: 'b = 2', new_str: 'b = 3' }, context);
    const expected = Buffer.from(strange);
    expected[strange.length - 2] = 0x33;
    expect(await readFile(join(root, 'a.py'))).toEqual(expected);
  });

  it('is left alone by a batch of which one edit fails', async () => {
    const { context, root } = await bench({ 'a.txt': 'one\r\ntwo\r\n' });
    const edits = [
      { old_str: 'one', new_str: '1' },
      { old_str: 'three', new_str: '3' },
    ];
    const failure = await failureOf(editFile.run({ path: 'a.txt', edits }, context));
    expect(failure.message).toMatch(/^edits\[1\].*None of the edits was applied\.$/s);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('one\r\ntwo\r\n');
  });

  it('tells the least exact match of a batch, and each', async () => {
    const { context } = await bench({ 'a.txt': 'one\n  two\nthree\n' });
    const edits = [
      { old_str: 'one', new_str: '1' },
      { old_str: 'two \nthree', new_str: '2 \nthree' },
    ];
    const { data } = await editFile.run({ path: 'a.txt', edits }, context);
    expect(data).toMatchObject({ match: 'whitespace', matches: ['exact', 'whitespace'] });
  });

  it('in a legacy encoding may become UTF-8 when it is written whole, and that is said', async () => {
    const { context, root } = await bench({ 'a.txt': Buffer.from('Ma\xdf f\xfcr Ma\xdf\n', 'latin1') });
    const result = await writeFile.run({ path: 'a.txt', content: '東京\n' }, { ...context, subtask: null });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('東京\n');
    expect(result.output).toContain('UTF-8');
  });
});
