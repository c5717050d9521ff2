/** spreadsheet: reads, changes, sorts and filters CSV files and Excel workbooks. */

import { applyChanges, type PlannedChange } from './changes.ts';
import { entryOf } from './disk.ts';
import { cellText } from './documents/sheets.ts';
import { PATH } from './parameters.ts';
import { changed, refusal, success } from './result.ts';
import { isBlank, NEW_CSV, readCsv, writeCsv } from './spreadsheet/csv-file.ts';
import { apply, COMPARISONS, type Outcome } from './spreadsheet/operations.ts';
import { describeColumn, shownTable, type Table } from './spreadsheet/table.ts';
import type { Args, Tool, ToolContext, ToolResult } from './tool.ts';

const MAX_BYTES = 5 * 1024 * 1024;
/** Rows that a summary shows of a longer table. */
const SAMPLE = 10;
const NOTE_ROOM = 200;

const TEXT = { type: 'string', maxLength: 32_767 } as const;
const CELL = {
  type: ['string', 'number', 'boolean', 'null'],
  maxLength: 32_767,
  minimum: -1e300,
  maximum: 1e300,
};

const isWorkbook = (path: string): boolean => /\.xlsx$/i.test(path);

interface Loaded {
  table: Table;
  /** What a rewritten file would lose. */
  loses: string[];
  sheets: string[];
  /** Bytes of a file like this one with another table in it. */
  save(table: Table): Promise<Buffer>;
}

async function newFile(path: string, sheet = 'Sheet1'): Promise<Loaded> {
  const table: Table = { header: null, rows: [] };
  if (!isWorkbook(path))
    return {
      table,
      loses: [],
      sheets: [],
      save: made => writeCsv(made, { ...NEW_CSV, delimiter: /\.tsv$/i.test(path) ? '\t' : ',' }),
    };
  const { writeXlsx } = await import('./spreadsheet/xlsx-file.ts');
  const sheets = [{ name: sheet, rows: [] }];
  return { table, loses: [], sheets: [sheet], save: made => writeXlsx({ sheets, chosen: 0 }, made) };
}

/** Reads the file. @throws LoomError `not_found`, `is_directory`, `too_large`, `document_broken`, `old_format` */
async function load(path: string, args: Args, context: ToolContext) {
  const entry = await entryOf(context.workspace.root, path);
  if (entry.kind === 'missing') throw refusal('not_found', `File not found: ${path}`, { fields: ['path'] });
  if (entry.kind !== 'file') throw refusal('is_directory', `${path} is a folder, not a file.`);
  if (entry.size > MAX_BYTES)
    throw refusal(
      'too_large',
      `File too large (max 5 MB): ${path} has ${entry.size} bytes; use shell_execute on it.`,
    );
  const found = { sha256: entry.sha256 };
  const sheet = args['sheet'] as string | undefined;
  if (entry.content.subarray(0, 4).toString('hex') === 'd0cf11e0')
    throw refusal('old_format', `${path} is in the Excel format of before 2007; save it as xlsx first.`);
  if (entry.content.subarray(0, 2).toString('latin1') === 'PK') {
    const { readXlsx, tableOf, writeXlsx } = await import('./spreadsheet/xlsx-file.ts');
    const workbook = await readXlsx(entry.content, path, sheet, context.signal);
    const save = (made: Table) => writeXlsx(workbook, made);
    return {
      ...found,
      table: tableOf(workbook),
      loses: workbook.loses,
      sheets: workbook.sheets.map(one => one.name),
      save,
    };
  }
  const { table, style } = await readCsv(entry.content, path);
  return { ...found, table, loses: [], sheets: [], save: (made: Table) => writeCsv(made, style) };
}

const counted = (table: Table): Table => ({ ...table, rows: table.rows.filter(row => !isBlank(row)) });

const namesOf = (table: Table): string[] => (table.header?.cells ?? []).map(cellText);

/** Rows as text, as many as fit, and how many there are. */
function shownRows(table: Table, room: number, lead = ''): { text: string; truncated: boolean } {
  const { text, shown } = shownTable(table, room - NOTE_ROOM - lead.length);
  const left = table.rows.length - shown;
  const note = left > 0 ? `\n[${shown} of ${table.rows.length} rows shown; use filter to see others]` : '';
  return { text: lead + text + note, truncated: left > 0 };
}

async function look(operation: string, path: string, args: Args, context: ToolContext): Promise<ToolResult> {
  const loaded = await load(path, args, context);
  const table = counted(loaded.table);
  const reads = { [path]: loaded.sha256 };
  const columns = namesOf(table);
  const about = {
    path,
    columns,
    rows: table.rows.length,
    ...(loaded.sheets.length > 0 ? { sheets: loaded.sheets } : {}),
  };
  if (!table.header)
    return success(isWorkbook(path) ? 'Empty sheet.' : 'Empty CSV file.', { data: about, reads });
  if (operation === 'filter') {
    const { table: matching, message, data } = apply('filter', table, args);
    const { text, truncated } = shownRows(matching, context.outputLimit, `${message(path)}\n`);
    return success(text, { data: { ...about, ...data, truncated }, reads });
  }
  if (operation === 'read') {
    const { text, truncated } = shownRows(table, context.outputLimit);
    const others =
      loaded.sheets.length > 1 ? `\n[sheets: ${loaded.sheets.join(', ')}; choose with sheet]` : '';
    return success(text + others, { data: { ...about, truncated }, reads });
  }
  const sample = { ...table, rows: table.rows.slice(0, SAMPLE) };
  const more = table.rows.length - sample.rows.length;
  const output = [
    `File: ${path}`,
    `Columns (${columns.length}): ${columns.join(', ')}`,
    `Rows: ${table.rows.length}`,
    ...(loaded.sheets.length > 1 ? [`Sheets: ${loaded.sheets.join(', ')}`] : []),
    '',
    `${more > 0 ? `First ${SAMPLE} rows` : 'Data rows'}:`,
    shownTable(sample, context.outputLimit / 2, 40).text,
    '',
    'Columns hold:',
    ...columns.map((_, i) => describeColumn(table, i)),
  ];
  return success(output.join('\n'), { data: about, reads });
}

async function change(
  operation: string,
  path: string,
  args: Args,
  context: ToolContext,
): Promise<ToolResult> {
  const asked = args['output_path'] as string | undefined;
  const target = asked === undefined ? path : await context.workspace.resolve(asked, { access: 'write' });
  let outcome: Outcome | undefined;
  const records = await applyChanges(async (): Promise<PlannedChange[]> => {
    const creates = operation === 'create';
    const loaded = creates
      ? await newFile(path, args['sheet'] as string | undefined)
      : await load(path, args, context);
    outcome = apply(
      operation,
      creates ? loaded.table : operation === 'filter' ? counted(loaded.table) : loaded.table,
      args,
    );
    if (target === path && loaded.loses.length > 0)
      throw refusal(
        'would_lose',
        `${path} has ${loaded.loses.join(', ')}, which would be lost by writing it; nothing was changed. Give output_path to filter or sort, or create a new file.`,
      );
    const alike = isWorkbook(target) === isWorkbook(path);
    const content = await (alike ? loaded : await newFile(target)).save(outcome.table);
    return [
      { operation: 'write', path: target, content, guard: creates || target !== path ? 'read' : 'fresh' },
    ];
  }, context);
  // After a crash the change was found done; what it said is not known any more.
  const message = outcome?.message(path) ?? `Changed ${target}.`;
  const where = target === path ? '' : ` Written to ${target}.`;
  if (records.length === 0)
    return success(`${message}${where} The file was so already.`, { data: { path: target, diff: '' } });
  return changed(message + where, records, context, { path: target, ...outcome?.data });
}

export const spreadsheet: Tool = {
  name: 'spreadsheet',
  description: 'Read, create, change, sort, filter a CSV or XLSX table.',
  category: 'data',
  keywords: ['csv', 'xlsx', 'excel', 'table', 'rows', 'columns', 'sort', 'filter'],
  parameters: {
    type: 'object',
    properties: {
      operation: {
        enum: ['create', 'read', 'add_rows', 'add_column', 'update_cell', 'summary', 'filter', 'sort'],
      },
      path: PATH,
      // Said where a workbook has more than one; what Excel allows in a name.
      sheet: { type: 'string', maxLength: 31, pattern: "^[^[\\]\\\\/:*?']+$", rare: true },
      headers: { type: 'array', maxItems: 1_000, items: TEXT },
      rows: { type: 'array', maxItems: 10_000, items: { type: 'array', maxItems: 1_000, items: CELL } },
      column_name: TEXT,
      default_value: { ...TEXT, rare: true },
      row_index: { type: 'integer', minimum: 0, maximum: 10_000_000, description: 'from 0; no default' },
      value: TEXT,
      comparison: { enum: COMPARISONS, default: 'equals' },
      descending: { type: 'boolean', default: false },
      output_path: PATH,
    },
    required: ['operation', 'path'],
    additionalProperties: false,
  },
  effects: {
    by: 'operation',
    operations: {
      create: 'write',
      read: 'read',
      add_rows: 'write',
      add_column: 'write',
      update_cell: 'write',
      summary: 'read',
      filter: 'read',
      sort: 'write',
    },
  },
  paths: ['path', 'output_path'],
  timeoutMs: 30_000,

  assess: (args, _workspace, declared) =>
    args['operation'] === 'filter' && args['output_path'] !== undefined
      ? { ...declared, risks: [...declared.risks, 'write'], effect: 'checkable', mutates: true }
      : declared,

  async run(args, context) {
    const operation = args['operation'] as string;
    const writes =
      !['read', 'summary'].includes(operation) &&
      (operation !== 'filter' || args['output_path'] !== undefined);
    if (args['output_path'] !== undefined && !['filter', 'sort'].includes(operation))
      throw refusal('invalid_arguments', `'${operation}' has no output_path; it works on path.`, {
        fields: ['output_path'],
      });
    const reading = !writes || args['output_path'] !== undefined;
    const path = await context.workspace.resolve(args['path'] as string, {
      access: reading ? 'read' : 'write',
    });
    return writes ? change(operation, path, args, context) : look(operation, path, args, context);
  },
};
