import { describe, expect, it } from 'vitest';
import { decodeText, describeBinary, encodeText, withEol } from '../../tools/text.ts';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part))),
  );

describe('decoding', () => {
  const cases: [string, Buffer, object][] = [
    [
      'plain UTF-8',
      bytes('héllo\n'),
      { text: 'héllo\n', encoding: 'utf-8', bom: false, eol: '\n', mixed: false },
    ],
    [
      'UTF-8 with BOM and CRLF',
      bytes([0xef, 0xbb, 0xbf], 'a\r\nb\r\n'),
      { text: 'a\r\nb\r\n', bom: true, eol: '\r\n', mixed: false },
    ],
    [
      'UTF-16 LE with BOM',
      bytes([0xff, 0xfe, 0x61, 0, 0xe9, 0]),
      { text: 'aé', encoding: 'utf-16le', bom: true },
    ],
    ['UTF-16 BE with BOM', bytes([0xfe, 0xff, 0, 0x61]), { text: 'a', encoding: 'utf-16be', bom: true }],
    [
      'UTF-16 LE without BOM',
      Buffer.from('plain text here', 'utf16le'),
      { text: 'plain text here', encoding: 'utf-16le', bom: false },
    ],
    [
      'Latin-1',
      Buffer.from('Stra\xdfe nach K\xf6ln, sch\xf6ne Gr\xfc\xdfe aus M\xfcnchen', 'latin1'),
      { text: 'Straße nach Köln, schöne Grüße aus München' },
    ],
    ['mixed line ends, majority CRLF', bytes('a\r\nb\r\nc\n'), { eol: '\r\n', mixed: true }],
    ['nothing', Buffer.alloc(0), { text: '', eol: '\n' }],
  ];
  it.each(cases)('%s', async (_, input, expected) => {
    const found = await decodeText(input);
    expect(found).toMatchObject(expected);
    const { bytes: again, encoding } = await encodeText(found!.text, found!);
    expect(again.equals(input)).toBe(true);
    expect(encoding).toBe(found!.encoding);
  });

  it('recognises Shift_JIS and writes it back byte for byte', async () => {
    const text = 'これは日本語の文章です。文字コードを判定します。\n'.repeat(4);
    const { default: iconv } = await import('iconv-lite');
    const input = iconv.encode(text, 'shift_jis');
    const found = await decodeText(input);
    expect(found?.text).toBe(text);
    expect((await encodeText(found!.text, found!)).bytes.equals(input)).toBe(true);
  });

  it.each([
    ['PNG', bytes([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])],
    ['random', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 151) % 256))],
    ['NUL after long text', bytes(`${'x'.repeat(9000)}`, [0], 'y')],
  ])('%s is binary', async (_, input) => {
    expect(await decodeText(input)).toBeNull();
  });

  it('describes what is not text in one line', () => {
    expect(describeBinary('x.pdf', bytes('%PDF-1.7 …'))).toMatch(/^\[PDF document: x\.pdf, \d+ bytes/);
  });
});

describe('encoding', () => {
  it('says when the old encoding cannot hold the text', async () => {
    const { bytes: out, encoding } = await encodeText('a → b', { encoding: 'windows-1252', bom: false });
    expect(encoding).toBe('utf-8');
    expect(out.toString()).toBe('a → b');
  });

  it('gives every line the same end', () => {
    expect(withEol('a\r\nb\nc\rd', '\r\n')).toBe('a\r\nb\r\nc\r\nd');
    expect(withEol('a\r\nb\n', '\n')).toBe('a\nb\n');
  });
});
