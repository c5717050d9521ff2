import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { extractDocument } from '../../tools/documents/extract.ts';
import { offer, wireTools } from '../../tools/offer.ts';
import { createRegistry } from '../../tools/registry.ts';
import { spreadsheet } from '../../tools/spreadsheet.ts';
import { makeXlsx } from '../support/documents.ts';
import { sharedRows } from '../support/shared-data.ts';
import { bench } from './support.ts';

const registry = createRegistry();

async function sheet(files: Record<string, string | Uint8Array> = {}) {
  const { context, root } = await bench(files);
  const call = (args: Record<string, unknown>) =>
    registry.run('spreadsheet', { path: 'a.csv', ...args }, context);
  const text = (path = 'a.csv') => readFile(join(root, path), 'utf8');
  return { call, text, root, context };
}

const people = 'Name,Score\nAda,95\nBob,\nCleo,7\n';

it.each([
  ['Write the totals as costs.xlsx', 'spreadsheet'],
  ['Calculate the npv of these flows', 'calculator'],
  ['Write a report as a Word document', 'document_write'],
  ['Turn the parser functions into classes', 'analyze_code'],
])('work that says %j is offered %s, within the room of a first request', (text, name) => {
  const offered = offer(registry.list(), { role: 'executor', text, room: 1e9 });
  expect(offered).toContain(name);
  expect(offered).toContain('ripgrep_search');
  expect(JSON.stringify(wireTools(registry.list(), offered)).length).toBeLessThanOrEqual(5_000);
});

describe('CSV', () => {
  it('keeps line ends, quotes, blank lines and a missing last line end of what it does not change', async () => {
    const before = 'Name,Note\r\n"Ada","a, b"\r\n\r\nBob, plain \r\n"Cleo","two\r\nlines"';
    const { call, text } = await sheet({ 'a.csv': before });
    await call({ operation: 'update_cell', column_name: 'Note', row_index: 1, value: 'x"y' });
    expect(await text()).toBe(before.replace('Bob, plain ', 'Bob,"x""y"'));
    await call({ operation: 'add_rows', rows: [['Dan', 'z']] });
    expect(await text()).toBe(`${before.replace('Bob, plain ', 'Bob,"x""y"')}\r\nDan,z\r\n`);
  });

  it('keeps encoding, BOM and separator', async () => {
    const { call, root } = await sheet({ 'a.csv': Buffer.from('\ufeffName;Ort\nJörg;Köln\n', 'utf16le') });
    await call({ operation: 'add_rows', rows: [['Änne', 'a;b']] });
    expect((await readFile(join(root, 'a.csv'))).toString('utf16le')).toBe(
      '\ufeffName;Ort\nJörg;Köln\nÄnne;"a;b"\n',
    );
  });

  it('adds columns where rows are short, and refuses what is there or does not fit', async () => {
    const { call, text } = await sheet({ 'a.csv': 'A,B\n1\n2,3\n' });
    const added = await call({ operation: 'add_column', column_name: 'C %', default_value: 'c' });
    expect(added.output).toMatch(/^Added column 'C %' to a\.csv\./);
    expect(await text()).toBe('A,B,C %\n1,,c\n2,3,c\n');
    const again = await call({ operation: 'add_column', column_name: 'C %' });
    expect(again.error).toMatchObject({ code: 'exists', detail: { fields: ['column_name'] } });
    const wide = await call({ operation: 'add_rows', rows: [['1', '2', '3', '4']] });
    expect(wide.error?.message).toMatch(/rows\[0\] has 4 cells, the table has 3 columns: A, B, C %/);
  });

  it('sorts numbers by size, empty cells last in both directions', async () => {
    const { call, text } = await sheet({ 'a.csv': people });
    await call({ operation: 'sort', column_name: 'Score' });
    expect(await text()).toBe('Name,Score\nCleo,7\nAda,95\nBob,\n');
    await call({ operation: 'sort', column_name: 'score', descending: true });
    expect(await text()).toBe('Name,Score\nAda,95\nCleo,7\nBob,\n');
  });

  it('filters, shows what matches, and writes it elsewhere when asked', async () => {
    const { call, text, context } = await sheet({ 'a.csv': people });
    const rows = async (comparison: string, value?: string) =>
      (await call({ operation: 'filter', column_name: 'Score', comparison, value })).data['matched'];
    expect(await rows('greater', '10')).toBe(1);
    expect(await rows('less', '10')).toBe(1);
    expect(await rows('equals', '95.0')).toBe(1);
    expect(await rows('not_equals', '95')).toBe(2);
    expect(await rows('empty')).toBe(1);
    expect(await rows('not_empty')).toBe(2);
    expect(await rows('contains', '5')).toBe(1);
    const args = {
      operation: 'filter',
      path: 'a.csv',
      column_name: 'Name',
      value: 'Ada',
      output_path: 'out/b.csv',
    };
    const result = await call(args);
    expect(result).toMatchObject({ success: true, files_changed: ['out/b.csv'] });
    expect(await text('out/b.csv')).toBe('Name,Score\nAda,95\n');
    expect(await text()).toBe(people);
    const judged = await registry.assess('spreadsheet', args, context.workspace);
    expect(judged).toMatchObject({ mutates: true, effect: 'checkable', subject: 'a.csv -> out/b.csv' });
    expect(judged.risks).toContain('write');
    expect(
      (await registry.assess('spreadsheet', { ...args, output_path: undefined }, context.workspace)).risks,
    ).toEqual(['read']);
  });

  it('gives the change as a diff that can be undone', async () => {
    const { call } = await sheet({ 'a.csv': people });
    const { data, changes } = await call({
      operation: 'update_cell',
      column_name: 'Score',
      row_index: 1,
      value: '8',
    });
    expect(data['diff']).toContain('-Bob,\n+Bob,8');
    expect(changes).toMatchObject([{ operation: 'modify', path: 'a.csv', undoable: true }]);
  });

  it('summarises: sample, and figures of each column', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `n${i},${i}`).join('\n');
    const { call } = await sheet({ 'a.csv': `Name,Size\n${rows}\n` });
    const { output } = await call({ operation: 'summary' });
    expect(output).toContain('Rows: 30\n\nFirst 10 rows:');
    expect(output).not.toContain('n10 |');
    expect(output).toContain('Name: text, 30 different\nSize: number, 0 to 29, mean 14.5, sum 435');
  });

  it('says how many rows it shows of many', async () => {
    const { context } = await bench({ 'a.csv': `A\n${'x\n'.repeat(5_000)}` });
    const result = await spreadsheet.run(
      { operation: 'read', path: 'a.csv' },
      { ...context, outputLimit: 1_000 },
    );
    expect(result.output.length).toBeLessThanOrEqual(1_000);
    expect(result.output).toMatch(/\[\d+ of 5000 rows shown/);
  });
});

describe('XLSX', () => {
  it('is created, read and changed, other sheets and types kept', async () => {
    const bytes = await makeXlsx({
      Data: [
        ['Name', 'Score', 'Day'],
        ['Ada', 95, new Date('2026-01-02T00:00:00Z')],
      ],
      Other: [['x', true]],
    });
    const { call, root } = await sheet({ 'a.xlsx': bytes });
    const at = { path: 'a.xlsx' };
    await call({ ...at, operation: 'add_rows', rows: [['Bob', '7', null]] });
    await call({ ...at, operation: 'update_cell', column_name: 'Score', row_index: 0, value: '96' });
    const read = await call({ ...at, operation: 'read' });
    expect(read.output).toBe(
      'Name | Score | Day\n------------------\nAda | 96 | 2026-01-02\nBob | 7 | \n[sheets: Data, Other; choose with sheet]',
    );
    expect(read.data['sheets']).toEqual(['Data', 'Other']);
    const found = await extractDocument(await readFile(join(root, 'a.xlsx')), { name: 'a.xlsx' });
    expect(found!.text).toContain('## Sheet: Other\n\n| x | true |');
    expect((await call({ ...at, operation: 'read', sheet: 'No' })).error?.message).toMatch(
      /Available: Data, Other/,
    );
    await call({ path: 'b.xlsx', operation: 'create', headers: ['A', 'B'], rows: [[1, 'x']] });
    expect((await call({ path: 'b.xlsx', operation: 'read' })).output).toContain('A | B\n-----\n1 | x');
  });

  it('is turned into CSV and back by sort and filter', async () => {
    const { call, text } = await sheet({ 'a.csv': people });
    await call({ operation: 'sort', column_name: 'Name', descending: true, output_path: 'b.xlsx' });
    await call({
      path: 'b.xlsx',
      operation: 'filter',
      column_name: 'Score',
      comparison: 'not_empty',
      output_path: 'c.csv',
    });
    expect(await text('c.csv')).toBe('Name,Score\r\nCleo,7\r\nAda,95\r\n');
  });

  it('is never rewritten where formulas would be lost', async () => {
    const bytes = await makeXlsx({
      A: [
        ['x', 'y'],
        [1, 2],
      ],
    });
    const parts = unzipSync(bytes);
    const name = Object.keys(parts).find(one => /worksheets\/.*\.xml$/.test(one))!;
    parts[name] = strToU8(strFromU8(parts[name]!).replace(/<c r="B2"([^>]*)>/, '<c r="B2"$1><f>A2*2</f>'));
    const { call, root } = await sheet({ 'a.xlsx': Buffer.from(zipSync(parts)) });
    const before = (await stat(join(root, 'a.xlsx'))).mtimeMs;
    const result = await call({ path: 'a.xlsx', operation: 'add_rows', rows: [[3, 4]] });
    expect(result.error).toMatchObject({ code: 'would_lose', message: expect.stringContaining('formulas') });
    expect((await stat(join(root, 'a.xlsx'))).mtimeMs).toBe(before);
    expect((await call({ path: 'a.xlsx', operation: 'read' })).output).toContain('1 | 2');
  });
});

interface Recorded {
  args: Record<string, unknown>;
  files_before: Record<string, string | { __bytes__: number }>;
  files_after: 'unchanged' | Record<string, string>;
  workspace: string;
  success: boolean;
  output: string;
  error: string | null;
}

it('answers the recorded calls as expected, line ends apart', async () => {
  for (const row of sharedRows<Recorded>('spreadsheet.jsonl')) {
    // Without a workspace there are no tools here; files outside of it are refused.
    if (row.workspace === 'None' || String(row.args['path']).startsWith('$TMP/external')) continue;
    const files = Object.entries(row.files_before).map(([path, content]) => [
      path,
      typeof content === 'string' ? content : `A\n${'x'.repeat(content.__bytes__)}`,
    ]);
    const { root, context } = await bench(Object.fromEntries(files));
    const result = await registry.run(
      'spreadsheet',
      { ...row.args, path: String(row.args['path']).replace('$TMP', '/elsewhere') },
      context,
    );
    const about = JSON.stringify(row.args);
    expect(result.success, about).toBe(row.success);
    if (row.success) expect(result.output.startsWith(row.output), `${about}: ${result.output}`).toBe(true);
    if (row.files_after === 'unchanged') continue;
    for (const [path, content] of Object.entries(row.files_after)) {
      const now = await readFile(join(root, path), 'utf8');
      expect(now.replaceAll('\r\n', '\n'), about).toBe(content.replaceAll('\r\n', '\n'));
      const before = row.files_before[path];
      if (typeof before === 'string' && !before.includes('\r')) expect(now).not.toContain('\r');
    }
  }
});
