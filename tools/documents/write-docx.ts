/** Markdown as a Word document: headings, lists, tables, quotes, code, bold, italic, links. */

import type { FileChild, IParagraphOptions, ParagraphChild } from 'docx';
import type { Token, Tokens } from 'marked';

type Docx = typeof import('docx');

interface Style {
  bold?: boolean;
  italics?: boolean;
  strike?: boolean;
}

/** Indentation of one level, in twentieths of a point: half an inch. */
const INDENT = 720;
const MONOSPACE = 'Courier New';

const plain = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

function runs(docx: Docx, tokens: Token[] = [], style: Style = {}): ParagraphChild[] {
  const { TextRun, ExternalHyperlink } = docx;
  const run = (text: string, more: object = {}) => new TextRun({ text: plain(text), ...style, ...more });
  return tokens.flatMap((token): ParagraphChild[] => {
    const inner = 'tokens' in token ? (token.tokens as Token[] | undefined) : undefined;
    switch (token.type) {
      case 'strong':
        return runs(docx, inner, { ...style, bold: true });
      case 'em':
        return runs(docx, inner, { ...style, italics: true });
      case 'del':
        return runs(docx, inner, { ...style, strike: true });
      case 'codespan':
        return [run((token as Tokens.Codespan).text, { font: MONOSPACE })];
      case 'br':
        return [new TextRun({ break: 1 })];
      case 'link':
        return [
          new ExternalHyperlink({
            link: (token as Tokens.Link).href,
            children: runs(docx, inner, style) as never[],
          }),
        ];
      case 'image':
        return [run(`[image: ${(token as Tokens.Image).text || (token as Tokens.Image).href}]`)];
      default:
        return inner ? runs(docx, inner, style) : [run('text' in token ? String(token.text) : token.raw)];
    }
  });
}

function table(docx: Docx, { header, rows }: Tokens.Table): FileChild {
  const { Table, TableRow, TableCell, Paragraph, WidthType } = docx;
  const line = (cells: Tokens.TableCell[], head: boolean) =>
    new TableRow({
      tableHeader: head,
      children: cells.map(
        cell =>
          new TableCell({ children: [new Paragraph({ children: runs(docx, cell.tokens, { bold: head }) })] }),
      ),
    });
  return new Table({
    width: { size: 100, type: WidthType.PERCENTAGE },
    rows: [line(header, true), ...rows.map(row => line(row, false))],
  });
}

/** @param lists counts ordered lists, so that each begins with its own first number */
function list(docx: Docx, token: Tokens.List, level: number, lists: { count: number }): FileChild[] {
  const instance = ++lists.count;
  const kind: IParagraphOptions = token.ordered
    ? { numbering: { reference: 'ordered', level: Math.min(level, 8), instance } }
    : { bullet: { level: Math.min(level, 8) } };
  return token.items.flatMap(item => {
    const mark = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    let first = true;
    return item.tokens.flatMap((part): FileChild[] => {
      if (part.type === 'list') return list(docx, part as Tokens.List, level + 1, lists);
      if (part.type === 'space') return [];
      if (part.type !== 'text' && part.type !== 'paragraph') return blocks(docx, [part], level + 1, lists);
      const children = runs(docx, [
        ...(first && mark ? [{ type: 'text', raw: mark, text: mark } as Token] : []),
        part,
      ]);
      const options = first ? kind : { indent: { left: INDENT * (level + 1) } };
      first = false;
      return [new docx.Paragraph({ children, ...options })];
    });
  });
}

function blocks(docx: Docx, tokens: Token[], level: number, lists: { count: number }): FileChild[] {
  const { Paragraph, TextRun, HeadingLevel, BorderStyle } = docx;
  const indent = level > 0 ? { indent: { left: INDENT * level } } : {};
  return tokens.flatMap((token): FileChild[] => {
    switch (token.type) {
      case 'space':
        return [];
      case 'heading': {
        const { depth, tokens: inner } = token as Tokens.Heading;
        const heading = HeadingLevel[`HEADING_${Math.min(depth, 6)}` as keyof typeof HeadingLevel];
        return [new Paragraph({ heading, children: runs(docx, inner) })];
      }
      case 'list':
        return list(docx, token as Tokens.List, level, lists);
      case 'table':
        return [table(docx, token as Tokens.Table)];
      case 'blockquote':
        return blocks(docx, (token as Tokens.Blockquote).tokens, level + 1, lists);
      case 'code':
        return (token as Tokens.Code).text
          .split('\n')
          .map(
            line => new Paragraph({ ...indent, children: [new TextRun({ text: line, font: MONOSPACE })] }),
          );
      case 'hr':
        return [new Paragraph({ border: { bottom: { style: BorderStyle.SINGLE, size: 6, space: 1 } } })];
      default: {
        const inner = 'tokens' in token ? (token.tokens as Token[] | undefined) : undefined;
        const children = runs(docx, inner ?? [token]);
        return [new Paragraph({ ...indent, children, spacing: { after: 120 } })];
      }
    }
  });
}

/** @param properties title, author and the like; unknown ones are kept as custom properties */
export async function markdownToDocx(markdown: string, properties: Record<string, string>): Promise<Buffer> {
  const [docx, { lexer }] = await Promise.all([import('docx'), import('marked')]);
  const { title, author, description, subject, keywords, ...custom } = properties;
  const levels = Array.from({ length: 9 }, (_, level) => ({
    level,
    format: docx.LevelFormat.DECIMAL,
    text: `%${level + 1}.`,
    style: { paragraph: { indent: { left: INDENT * (level + 1), hanging: INDENT / 2 } } },
  }));
  const document = new docx.Document({
    creator: author ?? 'Loom',
    ...(title ? { title } : {}),
    ...(description ? { description } : {}),
    ...(subject ? { subject } : {}),
    ...(keywords ? { keywords } : {}),
    customProperties: Object.entries(custom).map(([name, value]) => ({ name, value })),
    numbering: { config: [{ reference: 'ordered', levels }] },
    sections: [{ children: blocks(docx, lexer(markdown), 0, { count: 0 }) }],
  });
  return docx.Packer.toBuffer(document);
}
