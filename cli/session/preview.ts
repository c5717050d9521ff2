/** `/open PATH`: a file as a person wants to see it in a terminal. */
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Loom } from '../../actors/loom.ts';
import { diffLines } from '../render/diff.ts';
import { highlighter } from '../render/highlight.ts';
import { type MarkdownStyle, markdownLines } from '../render/markdown.ts';
import { clip, safe } from '../render/width.ts';

/** Larger text is cut: nobody scrolls through it, an editor does that better. */
const LONGEST_BYTES = 512 * 1024;
const MOST_LINES = 400;
const TABLE_ROWS = 200;
const TABLE_COLUMNS = 24;
const CELL = 120;

const DOCUMENT = /\.(pdf|docx?|pptx?|xlsx?|png|jpe?g|gif|bmp|webp|zip|tar|tgz|gz)$/i;
const TABLE = /\.(csv|tsv)$/i;
const MARKDOWN = /\.(md|markdown)$/i;
const HTML = /\.(html?|xhtml)$/i;

const LANGUAGES: Record<string, string> = {
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'typescript',
  '.jsx': 'javascript',
  '.yml': 'yaml',
  '.toml': 'ini',
  '.h': 'c',
  '.hpp': 'cpp',
  '.htm': 'xml',
  '.html': 'xml',
};

const languageOf = (path: string): string =>
  LANGUAGES[extname(path).toLowerCase()] ?? extname(path).slice(1).toLowerCase();

/** Lines to print. Throws LoomError for what lies outside of the workspace or cannot be read. */
export async function preview(loom: Loom, path: string, style: MarkdownStyle): Promise<string[]> {
  if (DOCUMENT.test(path)) return document(loom, path, style);
  // The tool decides what may be read: the same jail as for the model.
  const seen = await loom.tools.call('read_file', { path, line_start: 1, line_end: 1 });
  if (!seen.success) return [seen.output];
  const file = join(loom.workspace, path);
  const info = await stat(file);
  if (info.isDirectory()) return (await loom.tools.call('list_directory', { path })).output.split('\n');
  const bytes = await readFile(file);
  const text = new TextDecoder().decode(bytes.subarray(0, LONGEST_BYTES));
  const lines = await textLines(path, text, style);
  const shown = lines.slice(0, MOST_LINES);
  const cut = lines.length > shown.length || bytes.length > LONGEST_BYTES;
  return cut ? [...shown, style.paint.dim(`… more in ${path} (${bytes.length} bytes)`)] : shown;
}

async function document(loom: Loom, path: string, style: MarkdownStyle): Promise<string[]> {
  const read = await loom.tools.call('read_file', { path });
  return read.success ? markdownLines(read.output, style) : [read.output];
}

async function textLines(path: string, text: string, style: MarkdownStyle): Promise<string[]> {
  if (MARKDOWN.test(path)) return markdownLines(text, style);
  if (TABLE.test(path)) return table(text, path.toLowerCase().endsWith('.tsv') ? '\t' : ',', style);
  if (/\.(diff|patch)$/i.test(path)) return diffLines(text, style.paint);
  if (HTML.test(path)) return markdownLines(await readable(text), style);
  const highlight = await highlighter(style.paint);
  if (/\.json$/i.test(path)) return highlight(pretty(text), 'json').split('\n');
  return highlight(safe(text), languageOf(path)).replace(/\n$/, '').split('\n');
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return safe(text);
  }
}

async function readable(html: string): Promise<string> {
  const { default: Turndown } = await import('turndown');
  return new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced' })
    .remove(['script', 'style'])
    .turndown(html);
}

async function table(text: string, delimiter: string, style: MarkdownStyle): Promise<string[]> {
  const { parse } = await import('csv-parse/sync');
  const rows = parse(text, {
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    to: TABLE_ROWS + 1,
  }) as string[][];
  const cell = (value: string) => clip(safe(value).replace(/\s+/g, ' '), CELL).replaceAll('|', '\\|');
  const line = (row: string[]) => `| ${row.slice(0, TABLE_COLUMNS).map(cell).join(' | ')} |`;
  const [header = [], ...rest] = rows;
  const rule = `|${header
    .slice(0, TABLE_COLUMNS)
    .map(() => '---')
    .join('|')}|`;
  const lines = markdownLines([line(header), rule, ...rest.slice(0, TABLE_ROWS).map(line)].join('\n'), style);
  return rest.length > TABLE_ROWS ? [...lines, style.paint.dim('… more rows')] : lines;
}
