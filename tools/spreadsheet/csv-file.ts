/** CSV files as tables and back: rows that nobody changed keep their very bytes, quotes and line ends. */

import { cellText, delimiterOf } from '../documents/sheets.ts';
import { refusal } from '../result.ts';
import { decodeText, encodeText, type TextStyle } from '../text.ts';
import type { Cell, Table, TableRow } from './table.ts';

export interface CsvStyle extends TextStyle {
  delimiter: string;
}

/** As RFC 4180 has it. */
export const NEW_CSV: CsvStyle = { encoding: 'utf-8', bom: false, eol: '\r\n', mixed: false, delimiter: ',' };

/** @throws LoomError `document_broken` */
export async function readCsv(bytes: Buffer, shown: string): Promise<{ table: Table; style: CsvStyle }> {
  const decoded = await decodeText(bytes);
  if (!decoded) throw refusal('document_broken', `${shown} is not text, so it is no CSV file.`);
  const { text, ...rest } = decoded;
  const delimiter = /\.tsv$/i.test(shown) ? '\t' : delimiterOf(text);
  const { parse } = await import('csv-parse/sync');
  let records: { record: string[]; raw: string }[];
  try {
    const options = { raw: true, relax_column_count: true, relax_quotes: true, delimiter };
    records = parse(text, options) as unknown as { record: string[]; raw: string }[];
  } catch (error) {
    throw refusal('document_broken', `${shown} cannot be read as CSV: ${(error as Error).message}.`);
  }
  const rows: TableRow[] = [];
  let at = 0;
  for (const { record, raw } of records) {
    const body = raw.replace(/[\r\n]+$/, '');
    const eol = /^(\r\n|\n|\r)?/.exec(text.slice(at + body.length, at + body.length + 2))![0];
    const found = text.startsWith(body, at);
    rows.push({ cells: record, ...(found ? { raw: { text: body, eol } } : {}) });
    at += body.length + eol.length;
  }
  const [header = null, ...body] = rows;
  return { table: { header, rows: body }, style: { ...rest, delimiter } };
}

/** A line without any cell: kept where it stands, never counted. */
export const isBlank = (row: TableRow): boolean => row.raw?.text === '' && row.cells.length <= 1;

export async function writeCsv({ header, rows }: Table, style: CsvStyle): Promise<Buffer> {
  const { stringify } = await import('csv-stringify/sync');
  const line = (cells: Cell[]): string =>
    stringify([cells.map(cellText)], { delimiter: style.delimiter, eof: false, record_delimiter: style.eol });
  const all = [...(header ? [header] : []), ...rows];
  const texts = all.map(({ cells, raw }, i) => {
    const last = i === all.length - 1;
    // A last line without an end stays so; one that is the last no more gets its end.
    const eol = raw ? raw.eol || (last ? '' : style.eol) : style.eol;
    return (raw?.text ?? line(cells)) + eol;
  });
  return (await encodeText(texts.join(''), style)).bytes;
}
