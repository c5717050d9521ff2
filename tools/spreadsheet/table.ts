/** A table as the spreadsheet tool works on it, whatever file it comes from. */

import { cellText } from '../documents/sheets.ts';
import { refusal } from '../result.ts';

export type Cell = string | number | boolean | Date | null;

export interface TableRow {
  cells: Cell[];
  /** Its text in a CSV file and the line end behind it, while nobody has changed it. */
  raw?: { text: string; eol: string };
}

export interface Table {
  /** Cells of the first row; null for a file without any. */
  header: TableRow | null;
  rows: TableRow[];
}

/** A number as people write it in a cell; null for anything else, such as 007 or 1-2. */
export function numberIn(cell: Cell | undefined): number | null {
  if (typeof cell === 'number') return cell;
  const text = cellText(cell).trim();
  if (!/^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?%?$/.test(text) || !/\d/.test(text)) return null;
  const number = Number(text.replaceAll(',', '').replace('%', ''));
  return Number.isFinite(number) ? number : null;
}

/** @throws LoomError naming the columns there are */
export function columnOf(table: Table, name: string): number {
  const names = (table.header?.cells ?? []).map(cellText);
  const exact = names.indexOf(name);
  if (exact >= 0) return exact;
  const alike = names.flatMap((one, i) =>
    one.trim().toLowerCase() === name.trim().toLowerCase() ? [i] : [],
  );
  if (alike.length === 1) return alike[0]!;
  throw refusal('not_found', `Column '${name}' not found. Available: ${names.join(', ')}`, {
    fields: ['column_name'],
  });
}

const shownRow = (row: TableRow): string => row.cells.map(cellText).join(' | ');

/** Header, a rule and rows, as far as `room` characters go. */
export function shownTable(
  { header, rows }: Table,
  room: number,
  rule?: number,
): { text: string; shown: number } {
  const head = header ? shownRow(header) : '';
  const lines = [head, '-'.repeat(rule ?? head.length)];
  let size = lines.join('\n').length;
  let shown = 0;
  for (const row of rows) {
    const line = shownRow(row);
    size += line.length + 1;
    if (size > room && shown > 0) break;
    lines.push(line.slice(0, room));
    shown++;
  }
  return { text: lines.join('\n'), shown };
}

/** What a column holds: `number`, `date`, `boolean`, `text`, and figures of it. */
export function describeColumn(table: Table, column: number): string {
  const cells = table.rows.map(row => row.cells[column] ?? null);
  const filled = cells.filter(cell => cellText(cell) !== '');
  const numbers = filled.map(numberIn);
  const name = cellText(table.header?.cells[column]) || `column ${column + 1}`;
  const empty = cells.length > filled.length ? `, ${cells.length - filled.length} empty` : '';
  if (filled.length > 0 && numbers.every(number => number !== null)) {
    const sum = numbers.reduce((total, number) => total + number, 0);
    const [least, most] = numbers.reduce<[number, number]>(
      ([low, high], number) => [Math.min(low, number), Math.max(high, number)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    const short = (value: number) => Number(value.toPrecision(10));
    return `${name}: number, ${least} to ${most}, mean ${short(sum / numbers.length)}, sum ${short(sum)}${empty}`;
  }
  const distinct = new Set(filled.map(cellText)).size;
  return `${name}: text, ${distinct} different${empty}`;
}
