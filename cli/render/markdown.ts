/** Markdown as lines of a terminal: wrapped, coloured, tables aligned. */
import { lexer, type Token, type Tokens } from 'marked';
import wrap from 'wrap-ansi';
import type { Highlight } from './highlight.ts';
import { safe, width } from './width.ts';
import type { Paint } from './words.ts';

export interface MarkdownStyle {
  paint: Paint;
  highlight: Highlight;
  /** Columns of a line. */
  columns: number;
}

/** Below this many columns nothing is wrapped: words would stand alone. */
const NARROWEST = 20;

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** Lines of `text`, without an empty one at either end. */
export function markdownLines(text: string, style: MarkdownStyle): string[] {
  return blocks(lexer(safe(text)), style);
}

function blocks(tokens: Token[], style: MarkdownStyle): string[] {
  const parts = tokens.filter(token => token.type !== 'space' && token.type !== 'def');
  return parts.flatMap((token, i) => {
    const lines = block(token, style);
    return i > 0 && apart(parts[i - 1]!, token) ? ['', ...lines] : lines;
  });
}

/** An empty line between two blocks; none between the text of a list item and the list below it. */
const apart = (before: Token, token: Token): boolean =>
  before.type !== 'text' && before.type !== 'checkbox' && token.type !== 'text';

function block(token: Token, style: MarkdownStyle): string[] {
  const { paint } = style;
  switch (token.type) {
    case 'heading':
      return folded(paint.bold.cyan(inline((token as Tokens.Heading).tokens, style)), style);
    case 'paragraph':
    case 'text':
      return folded(inline((token as Tokens.Text).tokens ?? [token], style), style);
    case 'code':
      return codeLines((token as Tokens.Code).text, (token as Tokens.Code).lang ?? '', style);
    case 'blockquote':
      return indented((token as Tokens.Blockquote).tokens, style, paint.dim('│ '), paint.dim('│ '));
    case 'list':
      return listLines(token as Tokens.List, style);
    case 'table':
      return tableLines(token as Tokens.Table, style);
    case 'hr':
      return [paint.dim('─'.repeat(Math.min(40, style.columns)))];
    default:
      // HTML and whatever else: as it was written
      return folded(token.raw.trimEnd(), style);
  }
}

const folded = (text: string, { columns }: MarkdownStyle): string[] =>
  (columns < NARROWEST ? text : wrap(text, columns, { hard: true, trim: true })).split('\n');

/** Code as it stands, two columns in: it is copied more often than read, so it is never wrapped. */
export function codeLines(code: string, language: string, style: MarkdownStyle): string[] {
  return style
    .highlight(code, language.split(/[\s,{]/)[0]!.toLowerCase())
    .split('\n')
    .map(line => `  ${line}`);
}

function indented(tokens: Token[], style: MarkdownStyle, first: string, rest: string): string[] {
  const columns = Math.max(1, style.columns - width(first));
  return blocks(tokens, { ...style, columns }).map((line, i) => `${i === 0 ? first : rest}${line}`.trimEnd());
}

function listLines(list: Tokens.List, style: MarkdownStyle): string[] {
  const start = typeof list.start === 'number' ? list.start : 1;
  return list.items.flatMap((item, i) => {
    const box = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    const sign = list.ordered ? `${start + i}. ` : box === '' ? '• ' : box;
    const words = item.tokens.filter(token => token.type !== 'checkbox');
    const lines = indented(words, style, sign, ' '.repeat(width(sign)));
    return list.loose && i > 0 ? ['', ...lines] : lines;
  });
}

function tableLines(table: Tokens.Table, style: MarkdownStyle): string[] {
  const rows = [table.header, ...table.rows].map(row => row.map(cell => inline(cell.tokens, style)));
  const widths = table.header.map((_, i) => Math.max(...rows.map(row => width(row[i] ?? ''))));
  if (widths.reduce((sum, n) => sum + n + 3, 0) > style.columns) return cards(rows, style);
  const line = (row: string[], paint = (text: string) => text) =>
    row
      .map((cell, i) => paint(aligned(cell, widths[i]!, table.align[i] ?? 'left')))
      .join(style.paint.dim(' │ '))
      .trimEnd();
  const rule = style.paint.dim(widths.map(n => '─'.repeat(n)).join('─┼─'));
  return [line(rows[0]!, style.paint.bold), rule, ...rows.slice(1).map(row => line(row))];
}

/** A table too wide for the terminal: one row below the other, each cell with its heading. */
function cards([header = [], ...rows]: string[][], style: MarkdownStyle): string[] {
  return rows.flatMap((row, n) => [
    ...(n > 0 ? [''] : []),
    ...row.flatMap((cell, i) => folded(`${style.paint.bold(header[i] ?? '')}: ${cell}`, style)),
  ]);
}

function aligned(cell: string, columns: number, align: 'left' | 'right' | 'center'): string {
  const room = Math.max(0, columns - width(cell));
  const left = align === 'right' ? room : align === 'center' ? room >> 1 : 0;
  return ' '.repeat(left) + cell + ' '.repeat(room - left);
}

const plain = (text: string): string =>
  text.replace(/&(#?\w+);/g, (all, name: string) => ENTITIES[name] ?? all);

function inline(tokens: Token[], style: MarkdownStyle): string {
  const { paint } = style;
  return tokens
    .map(token => {
      const inner = (): string => inline((token as Tokens.Strong).tokens ?? [], style);
      switch (token.type) {
        case 'strong':
          return paint.bold(inner());
        case 'em':
          return paint.italic(inner());
        case 'del':
          return paint.strikethrough(inner());
        case 'codespan':
          return paint.yellow(plain((token as Tokens.Codespan).text));
        case 'br':
          return '\n';
        case 'link': {
          const { href } = token as Tokens.Link;
          const label = inner();
          return label === href || href === `mailto:${label}`
            ? paint.underline(label)
            : `${paint.underline(label)} ${paint.dim(`(${href})`)}`;
        }
        case 'image':
          return paint.dim(`[image: ${(token as Tokens.Image).text || (token as Tokens.Image).href}]`);
        case 'escape':
          return (token as Tokens.Escape).text;
        case 'text':
          return 'tokens' in token && token.tokens ? inner() : plain((token as Tokens.Text).text);
        default:
          return token.raw;
      }
    })
    .join('');
}
