/** document_write: a document of title, content and sections as Markdown, Word, HTML or (its tables) CSV. */

import { extname } from 'node:path';
import type { Tokens } from 'marked';
import { applyChanges, type PlannedChange } from './changes.ts';
import { entryOf } from './disk.ts';
import { CONTENT, PATH } from './parameters.ts';
import { changed, refusal, success } from './result.ts';
import { decodeText, encodeText, withEol } from './text.ts';
import type { Args, Tool } from './tool.ts';

const HEADING = { type: 'string', maxLength: 1_000 } as const;

interface Section {
  heading: string;
  body: string;
  level?: number;
}

/** `#` is the document's own title. */
const marks = (level = 2): string => '#'.repeat(Math.min(4, Math.max(2, level)));

/** Title, content and sections as Markdown. */
function markdownOf(args: Args): string {
  const title = ((args['title'] as string | undefined) ?? '').trim();
  const sections = (args['sections'] as Section[] | undefined) ?? [];
  return [
    title && `# ${title}`,
    ((args['content'] as string | undefined) ?? '').trim(),
    ...sections.map(({ heading, body, level }) => `${marks(level)} ${heading.trim()}\n\n${body.trim()}`),
  ]
    .filter(Boolean)
    .join('\n\n');
}

async function frontMatter(metadata: Record<string, unknown>): Promise<string> {
  if (Object.keys(metadata).length === 0) return '';
  const { stringify } = await import('yaml');
  return `---\n${stringify(metadata, { lineWidth: 0 })}---\n\n`;
}

/** The tables of a Markdown text as CSV, a blank line between two; text that is CSV already stays as it is. */
async function csvOf(markdown: string): Promise<string> {
  const { lexer } = await import('marked');
  const tables = lexer(markdown).filter((token): token is Tokens.Table => token.type === 'table');
  if (tables.length === 0) return markdown;
  const { stringify } = await import('csv-stringify/sync');
  const cells = (row: { text: string }[]) => row.map(cell => cell.text.replaceAll('\\|', '|'));
  return tables
    .map(table =>
      stringify([cells(table.header), ...table.rows.map(cells)], {
        eof: false,
        record_delimiter: '\r\n',
      }),
    )
    .join('\r\n\r\n');
}

type Format = 'markdown' | 'docx' | 'html' | 'csv';

function formatOf(path: string): Format {
  const extension = extname(path).toLowerCase();
  const known: Record<string, Format> = { '.docx': 'docx', '.html': 'html', '.htm': 'html', '.csv': 'csv' };
  if (/^\.(xlsx?|pptx?|pdf|doc|odt|rtf)$/.test(extension))
    throw refusal(
      'unknown_format',
      `document_write writes .md, .docx, .html and .csv, not ${extension}${extension.startsWith('.xls') ? '; use spreadsheet' : ''}.`,
      { fields: ['path'] },
    );
  return known[extension] ?? 'markdown';
}

async function wholeDocument(format: Format, markdown: string, args: Args): Promise<Buffer> {
  const metadata = (args['metadata'] as Record<string, unknown> | undefined) ?? {};
  const title = args['title'] as string | undefined;
  const shown = Object.entries(metadata).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const properties: Record<string, string> = { ...(title ? { title } : {}), ...Object.fromEntries(shown) };
  if (format === 'docx')
    return (await import('./documents/write-docx.ts')).markdownToDocx(markdown, properties);
  if (format === 'html')
    return Buffer.from(await (await import('./documents/write-html.ts')).htmlPage(markdown, properties));
  if (format === 'csv') return Buffer.from(`${await csvOf(markdown)}\r\n`);
  return Buffer.from(`${await frontMatter(metadata)}${markdown}\n`);
}

/** The old text with the new behind it, in the old one's style; in HTML before the end of the body. */
async function appended(format: Format, old: Buffer, markdown: string, path: string): Promise<Buffer> {
  const decoded = await decodeText(old);
  if (!decoded) throw refusal('binary_file', `${path} is not a text file; nothing can be appended to it.`);
  const { text } = decoded;
  let whole: string;
  if (format === 'html') {
    const added = await (await import('./documents/write-html.ts')).markdownToHtml(markdown);
    const end = text.search(/<\/body\s*>/i);
    whole = end < 0 ? `${text.trimEnd()}\n${added}\n` : `${text.slice(0, end)}${added}\n${text.slice(end)}`;
  } else {
    const gap = format === 'csv' ? '\n' : '\n\n';
    const added = format === 'csv' ? await csvOf(markdown) : markdown;
    whole = text.trim() === '' ? `${added}\n` : `${text.replace(/[\r\n]+$/, '')}${gap}${added}\n`;
  }
  // What stands there keeps its bytes also where line ends are mixed.
  const kept = text.slice(0, commonStart(text, whole));
  return (await encodeText(kept + withEol(whole.slice(kept.length), decoded.eol), decoded)).bytes;
}

function commonStart(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

export const documentWrite: Tool = {
  name: 'document_write',
  description:
    'Write or append a document from title, content (Markdown) and sections: .md, .docx, .html, .csv.',
  category: 'documents',
  keywords: ['report', 'document', 'word', 'markdown', 'html'],
  parameters: {
    type: 'object',
    properties: {
      path: PATH,
      title: HEADING,
      content: CONTENT,
      sections: {
        type: 'array',
        maxItems: 500,
        items: {
          type: 'object',
          properties: {
            heading: HEADING,
            body: CONTENT,
            level: { type: 'integer', minimum: 1, maximum: 6, default: 2, description: '2 to 4' },
          },
          required: ['heading', 'body'],
          additionalProperties: false,
        },
      },
      metadata: { type: 'object', maxProperties: 100, description: 'front matter or properties' },
      append: { type: 'boolean', default: false },
    },
    required: ['path'],
    additionalProperties: false,
  },
  effects: 'write',
  paths: ['path'],
  timeoutMs: 30_000,

  async run(args, context) {
    const markdown = markdownOf(args);
    if (markdown === '')
      throw refusal('invalid_arguments', 'Provide at least one of: title, content, or sections', {
        fields: ['content'],
      });
    const path = await context.workspace.resolve(args['path'] as string, { access: 'write' });
    const format = formatOf(path);
    const append = args['append'] === true;
    if (append && format === 'docx')
      throw refusal(
        'invalid_arguments',
        `Nothing can be appended to ${path}; write the whole document again.`,
        {
          fields: ['append'],
        },
      );
    const records = await applyChanges(async (): Promise<PlannedChange[]> => {
      const current = await entryOf(context.workspace.root, path);
      const adds = append && current.kind === 'file';
      const content = adds
        ? await appended(format, current.content, markdown, path)
        : await wholeDocument(format, markdown, append ? { ...args, metadata: {} } : args);
      return [{ operation: 'write', path, content, guard: adds ? 'fresh' : 'read' }];
    }, context);
    const sections = ((args['sections'] as Section[] | undefined) ?? []).length;
    const front =
      format === 'markdown' && !append
        ? await frontMatter((args['metadata'] as Record<string, unknown>) ?? {})
        : '';
    const words = (front + markdown).split(/\s+/).filter(Boolean).length;
    const about = [...(sections > 0 ? [`${sections} sections`] : []), `~${words} words`].join(', ');
    const verb = append
      ? 'Appended to'
      : records.some(one => one.operation === 'modify')
        ? 'Replaced'
        : 'Created';
    if (records.length === 0)
      return success(`${path} already has exactly this content.`, { data: { path, diff: '' } });
    return changed(`${verb} ${path} (${about})`, records, context, { path, format, words, sections });
  },
};
