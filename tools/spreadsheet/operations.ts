/** What the spreadsheet tool does to a table. Each operation returns another table and says what it did. */

import { cellText } from '../documents/sheets.ts';
import { refusal } from '../result.ts';
import type { Args } from '../tool.ts';
import { isBlank } from './csv-file.ts';
import { type Cell, columnOf, numberIn, type Table, type TableRow } from './table.ts';

export const COMPARISONS = [
  'equals',
  'not_equals',
  'contains',
  'greater',
  'greater_or_equal',
  'less',
  'less_or_equal',
  'empty',
  'not_empty',
] as const;

export interface Outcome {
  table: Table;
  message(path: string): string;
  data?: Record<string, unknown>;
}

function needed<T>(args: Args, name: string): T {
  const value = args[name];
  if (value === undefined || value === '')
    throw refusal('invalid_arguments', `'${args['operation']}' requires '${name}'`, { fields: [name] });
  return value as T;
}

const withRow = (rows: TableRow[], row: TableRow, changed: TableRow): TableRow[] =>
  rows.map(one => (one === row ? changed : one));

/** A text that is a number joins numbers as one; in CSV everything is text. */
const like = (amongNumbers: boolean, value: Cell): Cell =>
  (amongNumbers && typeof value === 'string' ? numberIn(value) : null) ?? value;

function create(args: Args): Outcome {
  const headers = needed<string[]>(args, 'headers');
  const rows = (args['rows'] as Cell[][] | undefined) ?? [];
  const table: Table = { header: { cells: headers }, rows: rows.map(cells => ({ cells })) };
  return {
    table,
    message: path => `Created ${path} with ${headers.length} columns and ${rows.length} rows.`,
  };
}

function addRows(table: Table, args: Args): Outcome {
  const rows = needed<Cell[][]>(args, 'rows');
  const width = table.header?.cells.length ?? 0;
  const wide = rows.findIndex(cells => cells.length > width);
  if (width > 0 && wide >= 0)
    throw refusal(
      'invalid_arguments',
      `rows[${wide}] has ${rows[wide]!.length} cells, the table has ${width} columns: ${table.header!.cells.map(cellText).join(', ')}`,
      { fields: [`rows[${wide}]`] },
    );
  const numeric = (table.header?.cells ?? []).map((_, i) =>
    table.rows.some(row => typeof row.cells[i] === 'number'),
  );
  const added = rows.map(cells => ({ cells: cells.map((cell, i) => like(numeric[i] ?? false, cell)) }));
  return {
    table: { ...table, rows: [...table.rows, ...added] },
    message: path => `Added ${rows.length} rows to ${path}.`,
  };
}

function addColumn(table: Table, args: Args): Outcome {
  const name = needed<string>(args, 'column_name');
  const value = (args['default_value'] as string | undefined) ?? '';
  const names = (table.header?.cells ?? []).map(cellText);
  if (names.includes(name))
    throw refusal('exists', `Column '${name}' exists already; use update_cell to change it.`, {
      fields: ['column_name'],
    });
  const width = names.length;
  const wider = (row: TableRow, cell: Cell): TableRow => ({
    cells: [...Array.from({ length: width }, (_, i) => row.cells[i] ?? ''), cell, ...row.cells.slice(width)],
  });
  return {
    table: {
      header: wider(table.header ?? { cells: [] }, name),
      rows: table.rows.map(row => (isBlank(row) ? row : wider(row, value))),
    },
    message: path => `Added column '${name}' to ${path}.`,
  };
}

function updateCell(table: Table, args: Args): Outcome {
  const column = columnOf(table, needed<string>(args, 'column_name'));
  const index = needed<number>(args, 'row_index');
  const value = (args['value'] as string | undefined) ?? '';
  const rows = table.rows.filter(row => !isBlank(row));
  const row = rows[index];
  if (rows.length === 0) throw refusal('out_of_range', 'CSV has no data rows', { fields: ['row_index'] });
  if (!row)
    throw refusal('out_of_range', `Row index ${index} out of range (0-${rows.length - 1})`, {
      fields: ['row_index'],
    });
  const old = row.cells[column];
  const cells: Cell[] = Array.from(
    { length: Math.max(row.cells.length, column + 1) },
    (_, i) => row.cells[i] ?? '',
  );
  cells[column] = like(typeof old === 'number', value);
  return {
    table: { ...table, rows: withRow(table.rows, row, { cells }) },
    message: path =>
      `Updated ${path}[${index}, ${cellText(table.header?.cells[column])}]: '${cellText(old)}' -> '${value}'.`,
  };
}

/** Numbers by size, the rest by text; empty cells come last in either direction. */
function order(a: Cell | undefined, b: Cell | undefined, down: boolean): number {
  const [emptyA, emptyB] = [cellText(a) === '', cellText(b) === ''];
  if (emptyA || emptyB) return Number(emptyA) - Number(emptyB);
  const [x, y] = [numberIn(a), numberIn(b)];
  const sign = down ? -1 : 1;
  if (x !== null && y !== null) return sign * (x - y);
  if (x !== null || y !== null) return sign * (x !== null ? -1 : 1);
  const [s, t] = [cellText(a), cellText(b)];
  return sign * (s < t ? -1 : s > t ? 1 : 0);
}

function sort(table: Table, args: Args): Outcome {
  const column = columnOf(table, needed<string>(args, 'column_name'));
  const down = args['descending'] === true;
  const rows = table.rows
    .filter(row => !isBlank(row))
    .toSorted((a, b) => order(a.cells[column], b.cells[column], down));
  return {
    table: { ...table, rows },
    message: path =>
      `Sorted ${rows.length} rows of ${path} by ${cellText(table.header?.cells[column])}${down ? ', descending' : ''}.`,
  };
}

function holds(cell: Cell | undefined, comparison: (typeof COMPARISONS)[number], value: string): boolean {
  const text = cellText(cell);
  if (comparison === 'empty') return text.trim() === '';
  if (comparison === 'not_empty') return text.trim() !== '';
  const [x, y] = [numberIn(cell), numberIn(value)];
  const numbers = x !== null && y !== null;
  const same = numbers ? x === y : text === value;
  if (comparison === 'equals') return same;
  if (comparison === 'not_equals') return !same;
  if (comparison === 'contains') return text.toLowerCase().includes(value.toLowerCase());
  // What cannot be compared as asked does not hold: an empty cell is not less than 5.
  if (text === '' || (y !== null && x === null)) return false;
  const difference = numbers ? x - y : text < value ? -1 : text > value ? 1 : 0;
  if (comparison === 'greater') return difference > 0;
  if (comparison === 'greater_or_equal') return difference >= 0;
  return comparison === 'less' ? difference < 0 : difference <= 0;
}

function filter(table: Table, args: Args): Outcome {
  const column = columnOf(table, needed<string>(args, 'column_name'));
  const comparison = (args['comparison'] as (typeof COMPARISONS)[number] | undefined) ?? 'equals';
  const value = /empty$/.test(comparison) ? '' : needed<string>(args, 'value');
  const all = table.rows.filter(row => !isBlank(row));
  const rows = all.filter(row => holds(row.cells[column], comparison, value));
  return {
    table: { ...table, rows },
    message: path => `${rows.length} of ${all.length} rows of ${path} match.`,
    data: { matched: rows.length, rows: all.length },
  };
}

/** Operations that make another table of the one in the file. */
export function apply(operation: string, table: Table, args: Args): Outcome {
  if (operation === 'create') return create(args);
  if (operation === 'add_rows') return addRows(table, args);
  if (operation === 'add_column') return addColumn(table, args);
  if (operation === 'update_cell') return updateCell(table, args);
  return operation === 'sort' ? sort(table, args) : filter(table, args);
}
