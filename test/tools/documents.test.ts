import { deflateSync, gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { extractDocument } from '../../tools/documents/extract.ts';
import { readFile } from '../../tools/files/read-file.ts';
import { makeDocx, makePdf, makePng, makePptx, makeTar, makeXlsx } from '../support/documents.ts';
import { bench, failureOf } from './support.ts';

const read = (bytes: Buffer, name: string, window = {}) => extractDocument(bytes, { name }, window);

describe('PDF', () => {
  const pdf = makePdf([
    ['Quarterly report', 'Revenue grew.', ['Region', 'Sales'], ['North', '1200']],
    ['Second page'],
    ['Third page (last)'],
  ]);

  it('gives pages with their numbers, lines as lines and columns apart', async () => {
    const found = await read(pdf, 'report.pdf');
    expect(found).toMatchObject({ kind: 'pdf', data: { pages: 3, page_range: [0, 3], truncated: false } });
    expect(found!.text).toBe(
      '--- Page 1 ---\nQuarterly report\nRevenue grew.\nRegion\tSales\nNorth\t1200\n\n--- Page 2 ---\nSecond page\n\n--- Page 3 ---\nThird page (last)',
    );
  });

  it('reads a window of pages and refuses one behind the end', async () => {
    const found = await read(pdf, 'report.pdf', { pageStart: 1, pageEnd: 2 });
    expect(found!.text).toBe('--- Page 2 ---\nSecond page');
    expect(found!.data).toMatchObject({ page_range: [1, 2], truncated: true });
    expect(await failureOf(read(pdf, 'report.pdf', { pageStart: 3 }))).toMatchObject({
      code: 'out_of_range',
      message: expect.stringContaining('has 3 pages'),
    });
  });

  it('says when there are only pictures', async () => {
    expect((await read(makePdf([[], []]), 'scan.pdf'))!.text).toMatch(/2 pages without text; .* scanned/);
  });

  it('refuses what is broken, and streams that grow without end', async () => {
    expect((await failureOf(read(Buffer.from('%PDF-1.4 dummy'), 'doc.pdf'))).code).toBe('document_broken');
    expect((await failureOf(read(pdf.subarray(0, 300), 'doc.pdf'))).code).toBe('document_broken');
    const stream = deflateSync(Buffer.alloc(80 * 1024 * 1024, 32));
    const bomb = makePdf([['x']], { dictionary: '/Filter /FlateDecode', stream });
    expect((await failureOf(read(bomb, 'bomb.pdf'))).code).toBe('too_large');
    const nested = makePdf([['x']], {
      dictionary: '/Filter [/FlateDecode /FlateDecode]',
      stream: deflateSync(stream),
    });
    expect((await failureOf(read(nested, 'bomb.pdf'))).code).toBe('too_large');
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const many = makePdf(Array.from({ length: 100 }, (_, i) => [`page ${i}`]));
    const reading = read(many, 'long.pdf', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('Word', () => {
  it('gives Markdown with headings, tables, header and footer', async () => {
    const bytes = await makeDocx('Plan', 'First paragraph.', [
      ['Name', 'Age | years'],
      ['Ada', '36'],
    ]);
    const found = await read(bytes, 'plan.docx');
    expect(found!.kind).toBe('docx');
    expect(found!.text).toBe(
      '[header] Confidential\n\n# Plan\n\nFirst paragraph.\n\n| Name | Age \\| years |\n| --- | --- |\n| Ada | 36 |\n\n[footer] Page foot',
    );
  });

  it('is known by its contents, not by its name', async () => {
    const bytes = await makeDocx('Plan', 'Text.', [['a']]);
    expect((await extractDocument(bytes, { name: 'download' }))!.kind).toBe('docx');
    expect((await extractDocument(bytes, {}))!.kind).toBe('docx');
  });

  it('refuses bombs, also one that hides its size, and damaged files', async () => {
    const huge = Buffer.from(
      zipSync({ 'word/document.xml': new Uint8Array(40 * 1024 * 1024) }, { level: 6 }),
    );
    expect((await failureOf(read(huge, 'bomb.docx'))).code).toBe('too_large');
    const lying = Buffer.from(huge);
    for (let at = lying.indexOf('PK'); at >= 0; at = lying.indexOf('PK', at + 2)) {
      if (lying.readUInt32LE(at) === 0x04034b50) lying.writeUInt32LE(1000, at + 22);
      if (lying.readUInt32LE(at) === 0x02014b50) lying.writeUInt32LE(1000, at + 24);
    }
    expect((await failureOf(read(lying, 'bomb.docx'))).code).toBe('too_large');
    const whole = await makeDocx('Plan', 'Text.', [['a']]);
    expect((await failureOf(read(whole.subarray(0, whole.length / 2), 'cut.docx'))).code).toBe(
      'document_broken',
    );
    expect((await failureOf(read(Buffer.from('not a zip'), 'bad.docx'))).message).toMatch(
      /named as a Word document .* contents are not/,
    );
    const old = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
    expect((await failureOf(read(old, 'old.doc'))).code).toBe('old_format');
  });
});

describe('PowerPoint', () => {
  it('gives slides in their order, with tables in groups and notes', async () => {
    const bytes = makePptx([
      { title: 'Opening', lines: ['Welcome &amp; hello'], notes: 'Speak slowly' },
      {
        title: 'Figures',
        table: [
          ['Year', 'Sum'],
          ['2025', '7'],
        ],
      },
    ]);
    const found = await read(bytes, 'talk.pptx');
    expect(found).toMatchObject({ kind: 'pptx', data: { slides: 2, truncated: false } });
    expect(found!.text).toBe(
      '## Slide 1: Opening\n\nWelcome & hello\n\nNotes: Speak slowly\n\n## Slide 2: Figures\n\n| Year | Sum |\n| --- | --- |\n| 2025 | 7 |',
    );
  });

  it('refuses documents that declare entities', async () => {
    const files = {
      'ppt/presentation.xml': strToU8('<!DOCTYPE a [<!ENTITY x "y">]><p:presentation>&x;</p:presentation>'),
      'ppt/_rels/presentation.xml.rels': strToU8('<Relationships/>'),
    };
    expect((await failureOf(read(Buffer.from(zipSync(files)), 'x.pptx'))).code).toBe('document_broken');
  });
});

describe('Excel and CSV', () => {
  it('gives every sheet as a table', async () => {
    const bytes = await makeXlsx({
      People: [
        ['Name', 'Born', 'Score', 'Member'],
        ['Ada', new Date('1990-12-10T00:00:00Z'), 1.5, true],
        ['Bob', null, 2, false],
      ],
      Empty: [],
    });
    const found = await read(bytes, 'people.xlsx');
    expect(found!.text).toContain(
      '## Sheet: People\n\n| Name | Born | Score | Member |\n| --- | --- | --- | --- |\n| Ada | 1990-12-10 | 1.5 | true |\n| Bob |  | 2 | false |',
    );
    expect(found!.text).toContain('## Sheet: Empty\n\n(empty)');
    expect(found!.data).toMatchObject({
      sheets: [
        { name: 'People', rows: 3, columns: 4 },
        { name: 'Empty', rows: 0, columns: 0 },
      ],
    });
  });

  it('refuses a sheet whose one cell spans billions', async () => {
    const files = {
      'xl/workbook.xml': strToU8(
        '<workbook><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
      ),
      'xl/worksheets/sheet1.xml': strToU8(
        '<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>',
      ),
    };
    expect((await failureOf(read(Buffer.from(zipSync(files)), 'x.xlsx'))).code).toBe('too_large');
  });

  it('reads CSV by name or type, whatever separates it', async () => {
    const bytes = Buffer.from('Name;Note\nAda;"a;b"\nBob;two\n');
    const table = '| Name | Note |\n| --- | --- |\n| Ada | a;b |\n| Bob | two |';
    expect((await read(bytes, 'x.csv'))!.text).toBe(table);
    expect((await extractDocument(bytes, { mime: 'text/csv; charset=utf-8' }))!.text).toBe(table);
    expect(await extractDocument(bytes, { name: 'x.txt' })).toBeNull();
  });
});

describe('archives and images', () => {
  it('are listed', async () => {
    const zip = Buffer.from(zipSync({ 'src/a.ts': strToU8('let a;'), 'b.bin': new Uint8Array(2000) }));
    const found = await read(zip, 'x.zip');
    expect(found).toMatchObject({ kind: 'archive', data: { format: 'zip', entries: 2 } });
    expect(found!.text).toContain('src/a.ts (6 bytes)\nb.bin (2,000 bytes)');
    const tar = makeTar({ 'one.txt': 'x'.repeat(700), 'two.txt': '', 'three\nnames': 'y' });
    for (const [bytes, format] of [
      [tar, 'tar'],
      [gzipSync(tar), 'tar.gz'],
    ] as const) {
      const listed = await read(bytes, 'x');
      expect(listed!.data).toMatchObject({ format, entries: 3, truncated: false });
      expect(listed!.text).toContain('one.txt (700 bytes)\ntwo.txt (0 bytes)\n"three\\nnames" (1 bytes)');
    }
    const deep = `${'long-folder-name/'.repeat(12)}file.txt`;
    const pax = makeTar({ PaxHeader: `${deep.length + 10} path=${deep}\n`, short: 'x' });
    pax[156] = 'x'.charCodeAt(0);
    expect((await read(pax, 'x'))!.text).toContain(`${deep} (1 bytes)`);
    expect((await read(gzipSync(Buffer.from('log')), 'a/x.log.gz'))!.text).toContain('x.log (3 bytes)');
    expect((await read(tar.subarray(0, 900), 'x'))!.data['truncated']).toBe(true);
    expect((await failureOf(read(gzipSync(tar).subarray(0, 20), 'x.gz'))).code).toBe('document_broken');
  });

  it('are measured', async () => {
    expect(await read(makePng(40, 30), 'x.png')).toMatchObject({
      kind: 'image',
      data: { media_type: 'image/png', width: 40, height: 30 },
    });
    expect((await failureOf(read(makePng(4, 4).subarray(0, 12), 'x.png'))).code).toBe('document_broken');
  });

  it('text is no document, whatever it speaks of', async () => {
    expect(await read(Buffer.from('// a file begins with %PDF-1.7\n'), 'pdf.ts')).toBeNull();
    expect(await read(Buffer.from('BM is a company\n'.repeat(20)), 'notes.md')).toBeNull();
    expect(await read(Buffer.alloc(0), 'empty')).toBeNull();
  });

  it('no damage crashes: any byte changed, any end cut off', async () => {
    const originals = [
      makePdf([['Some text'], ['More']]),
      await makeDocx('Plan', 'Text.', [['a']]),
      makePptx([{ title: 'A', lines: ['b'], notes: 'c' }]),
      await makeXlsx({ A: [['x', 1]] }),
      gzipSync(makeTar({ 'one.txt': 'x' })),
      makePng(4, 4),
    ];
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    let refused = 0;
    for (let i = 0; i < (process.env['LOOM_DEEP'] ? 3_000 : 120); i++) {
      const bytes = Buffer.from(originals[i % originals.length]!);
      for (let k = 0; k < 5; k++) bytes[random(bytes.length)] = random(256);
      const cut = bytes.subarray(0, random(3) === 0 ? random(bytes.length) : bytes.length);
      await read(cut, 'x').catch(error => {
        expect(error).toHaveProperty('failure.code');
        refused++;
      });
    }
    expect(refused).toBeGreaterThan(10);
  });
});

describe('read_file', () => {
  const context = async (files: Record<string, Buffer>, outputLimit = 20_000) => ({
    ...(await bench(files)).context,
    outputLimit,
  });

  it('reads a PDF in portions of 20 pages, or of what fits', async () => {
    const pdf = makePdf(Array.from({ length: 45 }, (_, i) => [`This is page number ${i}`]));
    const first = await readFile.run({ path: 'a.pdf' }, await context({ 'a.pdf': pdf }));
    expect(first.output).toContain('--- Page 20 ---\nThis is page number 19');
    expect(first.output).toMatch(/\[pages 0–19 of 45, counted from 0; continue with page_start=20\]$/);
    expect(first.data).toMatchObject({ type: 'pdf', pages: 45, page_range: [0, 20], truncated: true });
    const small = await context({ 'a.pdf': pdf }, 1_000);
    const seen: string[] = [];
    for (let start: number | null = 0; start !== null; ) {
      const { output } = await readFile.run({ path: 'a.pdf', page_start: start, page_end: 45 }, small);
      expect(output.length).toBeLessThanOrEqual(1_000);
      seen.push(...(output.match(/number \d+/g) ?? []));
      const next: string | undefined = /page_start=(\d+)/.exec(output)?.[1];
      start = next === undefined ? null : Number(next);
    }
    expect(seen).toEqual(Array.from({ length: 45 }, (_, i) => `number ${i}`));
  });

  it('pages through one long page by lines', async () => {
    const pdf = makePdf([Array.from({ length: 45 }, (_, i) => `row ${i} ${'x'.repeat(40)}`)]);
    const small = await context({ 'a.pdf': pdf }, 1_000);
    const { output } = await readFile.run({ path: 'a.pdf' }, small);
    expect(output).toMatch(/continue with line_start=\d+/);
    const next = Number(/line_start=(\d+)/.exec(output)![1]);
    const rest = await readFile.run({ path: 'a.pdf', line_start: next }, small);
    expect(rest.output).toMatch(new RegExp(`^row ${next - 2} `));
  });

  it('shows Office documents, archives and images, and remembers that they were read', async () => {
    const files = {
      'a.docx': await makeDocx('Plan', 'Text.', [['a']]),
      'b.zip': Buffer.from(zipSync({ 'x.txt': strToU8('x') })),
      'c.png': makePng(7, 5),
      'd.csv': Buffer.from('a,b\r\n1,2\r\n'),
      'e.pptx': Buffer.from('not a zip'),
    };
    const at = await context(files);
    const word = await readFile.run({ path: 'a.docx' }, at);
    expect(word.output).toContain('# Plan\n\nText.');
    expect(Object.keys(word.reads ?? {})).toEqual(['a.docx']);
    expect((await readFile.run({ path: 'b.zip' }, at)).output).toContain('x.txt (1 bytes)');
    const image = await readFile.run({ path: 'c.png' }, at);
    expect(image.output).toContain('PNG, 7×5 pixels');
    expect(image.images).toMatchObject([{ media_type: 'image/png', blob: { size: files['c.png'].length } }]);
    expect((await readFile.run({ path: 'd.csv' }, at)).output).toBe('a,b\n1,2');
    expect((await failureOf(readFile.run({ path: 'e.pptx' }, at))).code).toBe('document_broken');
    expect((await failureOf(readFile.run({ path: 'a.docx', page_start: 1 }, at))).message).toMatch(
      /has no pages; use line_start/,
    );
  });
});
