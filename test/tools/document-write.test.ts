import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { extractDocument } from '../../tools/documents/extract.ts';
import { createRegistry } from '../../tools/registry.ts';
import { sharedRows } from '../support/shared-data.ts';
import { bench } from './support.ts';

const registry = createRegistry();

async function writer(files: Record<string, string | Uint8Array> = {}) {
  const at = await bench(files);
  return {
    ...at,
    write: async (args: Record<string, unknown>) =>
      at.keep(await registry.run('document_write', args, at.context)),
    text: (path: string) => readFile(join(at.root, path), 'utf8'),
  };
}

const report = {
  title: 'Report & more',
  content:
    'A **bold** word, `code` and a [link](https://example.org).\n\n- one\n  - two\n- three\n\n1. first\n2. second',
  sections: [
    { heading: 'Figures', body: '| Year | Sum |\n| --- | --- |\n| 2025 | 7 |', level: 3 },
    { heading: 'End', body: '> quoted\n\n```js\nlet a = 1;\n  a++;\n```' },
  ],
};

it('writes Markdown with front matter that reads back as it was given', async () => {
  const { write, text } = await writer();
  const metadata = { author: 'Ada', tags: ['a', 'b: c'], note: 'line1\nline2', draft: true, n: 3 };
  const result = await write({ path: 'docs/r.md', ...report, metadata });
  expect(result.output).toMatch(/^Created docs\/r\.md \(2 sections, ~\d+ words\)\n/);
  expect(result.files_changed).toEqual(['docs/r.md']);
  const [, front, body] = /^---\n(.*?)---\n\n(.*)$/s.exec(await text('docs/r.md'))!;
  expect(parse(front!)).toEqual(metadata);
  expect(body).toMatch(/^# Report & more\n\nA \*\*bold\*\* word/);
  expect(body).toContain('\n\n### Figures\n\n| Year | Sum |');
  expect(body!.endsWith('```\n')).toBe(true);
});

it('appends without front matter, in the style of what stands there', async () => {
  const { write, text } = await writer({
    'a.md': 'one\r\ntwo\r\n',
    'b.html': '<html><body><p>x</p></body></html>',
  });
  const result = await write({ path: 'a.md', content: 'three\n\nfour', append: true, metadata: { a: 1 } });
  expect(result.output).toMatch(/^Appended to a\.md \(~2 words\)/);
  expect(await text('a.md')).toBe('one\r\ntwo\r\n\r\nthree\r\n\r\nfour\r\n');
  await write({ path: 'b.html', content: '*y*', append: true });
  expect(await text('b.html')).toBe('<html><body><p>x</p><p><em>y</em></p>\n</body></html>');
  await write({ path: 'new.md', content: 'first', append: true });
  expect(await text('new.md')).toBe('first\n');
});

it('writes Word documents that read back with their structure', async () => {
  const { write, root } = await writer();
  const result = await write({ path: 'r.docx', ...report, metadata: { author: 'Ada', project: 'X' } });
  expect(result).toMatchObject({ success: true, data: { format: 'docx' } });
  const { text } = (await extractDocument(await readFile(join(root, 'r.docx')), { name: 'r.docx' }))!;
  expect(text).toContain('# Report & more');
  expect(text).toContain('A **bold** word, code and a [link](https://example.org');
  expect(text).toMatch(/^- one\n.*^ {4}- two\n.*^- three/ms);
  expect(text).toMatch(/^1\. first\n.*^2\. second/ms);
  expect(text).toContain('### Figures\n\n| **Year** | **Sum** |\n| --- | --- |\n| 2025 | 7 |');
  expect(text).toContain('quoted');
  expect(text).toContain('let a = 1;');
  expect((await write({ path: 'r.docx', content: 'x', append: true })).error?.detail).toEqual({
    fields: ['append'],
  });
});

it('writes HTML pages and the tables of a text as CSV', async () => {
  const { write, text } = await writer();
  await write({ path: 'r.html', ...report, metadata: { author: '"Ada" <a>' } });
  const page = await text('r.html');
  expect(page).toContain('<title>Report &amp; more</title>');
  expect(page).toContain('<meta name="author" content="&quot;Ada&quot; &lt;a&gt;">');
  expect(page).toContain('<td>2025</td>');
  await write({ path: 'r.csv', ...report });
  expect(await text('r.csv')).toBe('Year,Sum\r\n2025,7\r\n');
  await write({ path: 'p.csv', content: 'a,b\n1,2' });
  expect(await text('p.csv')).toBe('a,b\n1,2\r\n');
});

it('refuses formats it cannot write, and files nobody has read', async () => {
  const { write, text } = await writer({ 'a.md': 'theirs\n' });
  expect((await write({ path: 'x.xlsx', content: 'x' })).error?.message).toMatch(/use spreadsheet/);
  expect((await write({ path: 'x.pdf', content: 'x' })).error?.code).toBe('unknown_format');
  expect((await write({ path: 'a.md', content: 'mine' })).error?.code).toBe('not_read');
  expect(await text('a.md')).toBe('theirs\n');
  expect((await write({ path: '../a.md', content: 'x' })).error?.code).toBe('path_outside');
});

interface Recorded {
  tool: string;
  args: Record<string, unknown>;
  files_before: Record<string, string>;
  files_after: 'unchanged' | Record<string, string>;
  success: boolean;
  output: string;
}

it('answers the recorded calls as expected', async () => {
  for (const row of sharedRows<Recorded>('file_tools.jsonl')) {
    if (row.tool !== 'document_write') continue;
    const { write, text, root } = await writer();
    for (const [path, content] of Object.entries(row.files_before)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    const result = await write(row.args);
    const about = JSON.stringify(row.args);
    expect(result.success, `${about} ${result.output}`).toBe(row.success);
    if (row.files_after === 'unchanged') continue;
    // The same front matter may be written in more than one way.
    const front = row.args['metadata'] !== undefined;
    if (!front) expect(result.output.startsWith(row.output), `${about} ${result.output}`).toBe(true);
    for (const [path, content] of Object.entries(row.files_after)) {
      const now = await text(path);
      const parts = (whole: string) =>
        front ? [parse(whole.split('---')[1]!), whole.split('---')[2]] : whole;
      expect(parts(now), about).toEqual(parts(content));
    }
  }
});
