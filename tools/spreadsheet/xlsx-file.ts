/** Excel workbooks as tables and back. Values alone are carried over, so a workbook with more than values is never rewritten. */

import { openWorkbook } from '../documents/sheets.ts';
import { refusal } from '../result.ts';
import type { Cell, Table } from './table.ts';

export interface Workbook {
  sheets: { name: string; rows: Cell[][] }[];
  /** Index of the sheet that was asked for. */
  chosen: number;
  /** What rewriting would lose. */
  loses: string[];
}

const LOST: [pattern: RegExp, what: string][] = [
  [/^xl\/charts\//, 'charts'],
  [/^xl\/(drawings|media)\//, 'drawings'],
  [/^xl\/pivotTables\//, 'pivot tables'],
  [/^xl\/(comments|threadedComments)/, 'comments'],
  [/^xl\/vbaProject/, 'macros'],
];

/** @throws LoomError `document_broken`, `too_large`, `not_found` for the sheet */
export async function readXlsx(
  bytes: Buffer,
  shown: string,
  sheet: string | undefined,
  signal: AbortSignal,
): Promise<Workbook> {
  const { names, parts, sheets } = await openWorkbook(bytes, shown, signal);
  const chosen = sheet === undefined ? 0 : sheets.findIndex(({ name }) => name === sheet);
  if (chosen < 0 || sheets.length === 0)
    throw refusal(
      'not_found',
      `Sheet '${sheet}' not found in ${shown}. Available: ${sheets.map(one => one.name).join(', ')}`,
      {
        fields: ['sheet'],
      },
    );
  const worksheets = [...parts]
    .filter(([name]) => name.startsWith('xl/worksheets/'))
    .map(([, xml]) => xml.toString('latin1'));
  const loses = [
    ...(worksheets.some(xml => /<(\w+:)?f[\s>]/.test(xml)) ? ['formulas'] : []),
    ...(worksheets.some(xml => /<(\w+:)?mergeCell\s/.test(xml)) ? ['merged cells'] : []),
    ...LOST.filter(([pattern]) => names.some(name => pattern.test(name))).map(([, what]) => what),
  ];
  return { sheets: sheets.map(({ name, data }) => ({ name, rows: data as Cell[][] })), chosen, loses };
}

export const tableOf = ({ sheets, chosen }: Workbook): Table => {
  const [header, ...rows] = sheets[chosen]!.rows;
  return { header: header ? { cells: header } : null, rows: rows.map(cells => ({ cells })) };
};

/** @param table takes the place of the chosen sheet */
export async function writeXlsx(
  { sheets, chosen }: Pick<Workbook, 'sheets' | 'chosen'>,
  table: Table,
): Promise<Buffer> {
  const { default: write } = await import('write-excel-file/node');
  const rows = [...(table.header ? [table.header] : []), ...table.rows].map(row => row.cells);
  const cell = (value: Cell) => {
    if (value === null || value === '') return null;
    if (!(value instanceof Date)) return { value };
    const midnight = value.getTime() % 86_400_000 === 0;
    return { value, type: Date, format: midnight ? 'yyyy-mm-dd' : 'yyyy-mm-dd hh:mm:ss' };
  };
  const written = sheets.map(({ name, rows: own }, i) => ({
    sheet: name,
    data: (i === chosen ? rows : own).map(cells => cells.map(cell)),
  }));
  return write(written as Parameters<typeof write>[0]).toBuffer();
}
