/** HTML to Markdown with tables, and tables of text to Markdown. */

import type TurndownService from 'turndown';

const cell = (text: string): string =>
  text
    .replace(/\s*\n\s*/g, ' ')
    .trim()
    .replaceAll('|', '\\|');

/** A Markdown table; the first row is its head. Rows may differ in length. */
export function markdownTable(rows: string[][]): string {
  const width = Math.max(...rows.map(row => row.length), 1);
  const line = (row: string[]) =>
    `| ${Array.from({ length: width }, (_, i) => cell(row[i] ?? '')).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), `|${' --- |'.repeat(width)}`, ...body.map(line)].join('\n');
}

/** A converter with ATX headings, fenced code and tables. Each cell's text stands in one line. */
export async function markdownConverter(): Promise<TurndownService> {
  const { default: Turndown } = await import('turndown');
  const service = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' });
  service.remove(['script', 'style', 'noscript']);
  service.addRule('tableCell', { filter: ['td', 'th'], replacement: content => `${cell(content)}\u0000` });
  service.addRule('tableRow', { filter: 'tr', replacement: content => `${content}\u0001` });
  service.addRule('tableSection', { filter: ['thead', 'tbody', 'tfoot'], replacement: content => content });
  service.addRule('table', {
    filter: 'table',
    replacement(content) {
      const rows = content
        .split('\u0001')
        .map(row =>
          row
            .split('\u0000')
            .slice(0, -1)
            .map(text => text.replaceAll('\\|', '|')),
        )
        .filter(row => row.length > 0);
      return rows.length === 0 ? content : `\n\n${markdownTable(rows)}\n\n`;
    },
  });
  return service;
}
