/** XLSX and CSV as tables. */

import { refusal } from '../result.ts';
import { decodeText } from '../text.ts';
import type { Extraction } from './kind.ts';
import { markdownTable } from './markdown.ts';
import { listZip, unpackZip } from './unpack.ts';

const MAX_XML = 96 * 1024 * 1024;
/** A single cell in the last column of the last row spans 17 billion. */
const MAX_CELLS = 5_000_000;
/** Rows of one sheet that are shown as text; `data` tells how many there are. */
const MAX_ROWS = 5_000;

function columnNumber(letters: string): number {
  let number = 0;
  for (const letter of letters) number = number * 26 + letter.charCodeAt(0) - 64;
  return number;
}

/** Rows times columns that the cells of a sheet span. */
function spanOf(xml: Buffer): number {
  let rows = 0;
  let columns = 0;
  for (const [, letters, row] of xml
    .toString('latin1')
    .matchAll(/<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"/g)) {
    rows = Math.max(rows, Number(row));
    columns = Math.max(columns, columnNumber(letters!));
  }
  return rows * columns;
}

/** Dates as ISO text without a time that is midnight; whole numbers without a fraction. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date)
    return value
      .toISOString()
      .replace(/T00:00:00\.000Z$/, '')
      .replace('.000Z', 'Z');
  return String(value);
}

export interface OpenedWorkbook {
  /** All parts of the file. */
  names: string[];
  /** XML of the workbook and its sheets, by name. */
  parts: Map<string, Buffer>;
  /** Cells as text, numbers, booleans, dates, null. */
  sheets: { name: string; data: unknown[][] }[];
}

/**
 * All sheets of a workbook, cells with their types.
 * @throws LoomError `document_broken`, `too_large`
 */
export async function openWorkbook(
  bytes: Buffer,
  shown: string,
  signal?: AbortSignal,
): Promise<OpenedWorkbook> {
  const isXml = (name: string) => /\.(xml|rels)$/.test(name) && !/^xl\/(drawings|charts|media)\//.test(name);
  const names = (await listZip(bytes, shown)).map(entry => entry.name);
  const parts = await unpackZip(bytes, isXml, { limit: MAX_XML, shown, signal });
  for (const [name, xml] of parts)
    if (/^xl\/worksheets\/[^/]+\.xml$/.test(name) && spanOf(xml) > MAX_CELLS)
      throw refusal(
        'too_large',
        `${shown} has a sheet that spans more than ${MAX_CELLS} cells; it was not read.`,
      );
  const { zipSync } = await import('fflate');
  const safe = Buffer.from(zipSync(Object.fromEntries(parts), { level: 0 }));
  signal?.throwIfAborted();
  const { default: readXlsx } = await import('read-excel-file/node');
  try {
    const sheets = (await readXlsx(safe)).map(({ sheet, data }) => ({ name: sheet, data }));
    return { names, parts, sheets };
  } catch (error) {
    throw refusal(
      'document_broken',
      `${shown} cannot be read as an Excel workbook: ${(error as Error).message}. Get a new copy of it.`,
    );
  }
}

/** @throws LoomError `document_broken`, `too_large` */
export async function extractXlsx(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  const opened = await openWorkbook(bytes, shown, signal);
  const sheets = opened.sheets.map(({ name, data }) => ({ name, rows: data.map(row => row.map(cellText)) }));
  const text = sheets.map(({ name, rows }) => {
    const more = rows.length > MAX_ROWS ? `\n… ${rows.length - MAX_ROWS} more rows` : '';
    return `## Sheet: ${name}\n\n${rows.length === 0 ? '(empty)' : markdownTable(rows.slice(0, MAX_ROWS)) + more}`;
  });
  return {
    kind: 'xlsx',
    text: text.join('\n\n'),
    data: {
      type: 'xlsx',
      sheets: sheets.map(({ name, rows }) => ({
        name,
        rows: rows.length,
        columns: rows.reduce((most, row) => Math.max(most, row.length), 0),
      })),
      truncated: sheets.some(({ rows }) => rows.length > MAX_ROWS),
    },
  };
}

/** The separator that occurs most in the first line, outside quotes. */
export function delimiterOf(text: string): ',' | ';' | '\t' {
  const first = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replace(/"[^"]*"/g, '');
  const count = (separator: string) => first.split(separator).length;
  const [best] = ([',', ';', '\t'] as const).toSorted((a, b) => count(b) - count(a));
  return best!;
}

/** @throws LoomError `document_broken` */
export async function extractCsv(bytes: Buffer, shown: string): Promise<Extraction> {
  const decoded = await decodeText(bytes);
  if (!decoded) throw refusal('document_broken', `${shown} is not text, so it is no CSV file.`);
  const { parse } = await import('csv-parse/sync');
  const options = {
    delimiter: delimiterOf(decoded.text),
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  };
  let rows: string[][];
  try {
    rows = parse(decoded.text, options) as string[][];
  } catch (error) {
    throw refusal('document_broken', `${shown} cannot be read as CSV: ${(error as Error).message}.`);
  }
  const more = rows.length > MAX_ROWS ? `\n… ${rows.length - MAX_ROWS} more rows` : '';
  return {
    kind: 'csv',
    text: rows.length === 0 ? '(empty)' : markdownTable(rows.slice(0, MAX_ROWS)) + more,
    data: {
      type: 'csv',
      rows: rows.length,
      columns: rows[0]?.length ?? 0,
      truncated: rows.length > MAX_ROWS,
    },
  };
}
