/** DOCX as Markdown: headings, lists, tables, footnotes and comments in place; headers and footers at the ends. */

import { refusal } from '../result.ts';
import type { Extraction } from './kind.ts';
import { markdownConverter } from './markdown.ts';
import { unpackZip } from './unpack.ts';
import { findAll, parseXml, textIn } from './xml.ts';

/** Of the XML parts together, in bytes: converting takes about ten times that in memory. */
const MAX_XML = 24 * 1024 * 1024;

const COMMENTS = ['comment-reference => sup'];

async function marginal(
  parts: Map<string, Buffer>,
  kind: 'header' | 'footer',
  shown: string,
): Promise<string[]> {
  const names = [...parts.keys()].filter(name => new RegExp(`^word/${kind}\\d*\\.xml$`).test(name)).sort();
  const texts: string[] = [];
  for (const name of names) {
    const tree = await parseXml(parts.get(name)!, shown);
    const text = findAll(tree, 'w:p')
      .map(paragraph => textIn(paragraph, 'w:t').trim())
      .filter(Boolean)
      .join(' · ');
    if (text !== '' && !texts.includes(text)) texts.push(text);
  }
  return texts;
}

/** @throws LoomError `document_broken`, `too_large` */
export async function extractDocx(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  const isXml = (name: string) => /\.(xml|rels)$/.test(name);
  const parts = await unpackZip(bytes, isXml, { limit: MAX_XML, shown, signal });
  const { zipSync } = await import('fflate');
  const mammoth = (await import('mammoth')).default;
  // Packed again without pictures: the converter unpacks without a bound.
  const safe = Buffer.from(zipSync(Object.fromEntries(parts), { level: 0 }));
  signal?.throwIfAborted();
  let html: string;
  try {
    const convertImage = mammoth.images.imgElement(async () => ({ src: '' }));
    html = (await mammoth.convertToHtml({ buffer: safe }, { styleMap: COMMENTS, convertImage })).value;
  } catch (error) {
    throw refusal(
      'document_broken',
      `${shown} cannot be read as a Word document: ${(error as Error).message}. Get a new copy of it.`,
    );
  }
  signal?.throwIfAborted();
  // One space behind a mark is enough.
  const body = (await markdownConverter())
    .turndown(html)
    .replace(/^( *(?:-|\d+\.)) {2,3}(?=\S)/gm, '$1 ')
    .trim();
  const [headers, footers] = [await marginal(parts, 'header', shown), await marginal(parts, 'footer', shown)];
  const text = [...headers.map(line => `[header] ${line}`), body, ...footers.map(line => `[footer] ${line}`)]
    .filter(Boolean)
    .join('\n\n');
  return {
    kind: 'docx',
    text: text || `[Word document: ${shown}, without text]`,
    data: { type: 'docx', characters: text.length },
  };
}
