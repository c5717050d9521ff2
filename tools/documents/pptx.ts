/** PPTX as Markdown: slides in their order with titles, text, tables (also in groups) and speaker notes. */

import { posix } from 'node:path';
import { refusal } from '../result.ts';
import type { Extraction } from './kind.ts';
import { markdownTable } from './markdown.ts';
import { unpackZip } from './unpack.ts';
import { type Element, findAll, parseXml } from './xml.ts';

const MAX_XML = 64 * 1024 * 1024;
const MAX_SLIDES = 1_000;

/** Relations of a part: id → path in the archive, and type. */
async function relationsOf(parts: Map<string, Buffer>, path: string, shown: string) {
  const folder = posix.dirname(path);
  const file = parts.get(`${folder}/_rels/${posix.basename(path)}.rels`);
  if (!file) return [];
  return findAll(await parseXml(file, shown), 'Relationship').map(({ attributes }) => ({
    id: attributes['Id'] ?? '',
    type: (attributes['Type'] ?? '').split('/').at(-1)!,
    path: posix.normalize(posix.join(folder, attributes['Target'] ?? '')).replace(/^\//, ''),
  }));
}

/** Line breaks inside a paragraph count. */
const paragraphs = (element: Element): string[] =>
  findAll(element, 'a:p')
    .map(paragraph =>
      findAll(paragraph, 'a:t', 'a:br')
        .map(part => (part.tag === 'a:br' ? '\n' : part.children.map(child => child.text).join('')))
        .join('')
        .trim(),
    )
    .filter(Boolean);

const tableRows = (table: Element): string[][] =>
  findAll(table, 'a:tr').map(row => findAll(row, 'a:tc').map(cell => paragraphs(cell).join(' ')));

const placeholderOf = (shape: Element): string => findAll(shape, 'p:ph')[0]?.attributes['type'] ?? '';

function slideBlocks(slide: Element): { title: string; blocks: string[] } {
  let title = '';
  const blocks: string[] = [];
  for (const part of findAll(slide, 'p:sp', 'a:tbl')) {
    if (part.tag === 'a:tbl') {
      const rows = tableRows(part);
      if (rows.length > 0) blocks.push(markdownTable(rows));
      continue;
    }
    const kind = placeholderOf(part);
    const lines = paragraphs(part);
    if (title === '' && /^(title|ctrTitle)$/.test(kind)) title = lines.join(' ');
    else if (lines.length > 0 && !/^(sldNum|dt|ftr)$/.test(kind)) blocks.push(lines.join('\n'));
  }
  return { title, blocks };
}

/** @throws LoomError `document_broken`, `too_large` */
export async function extractPptx(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  const needed = /^ppt\/(presentation\.xml$|_rels\/|slides\/|notesSlides\/)/;
  const parts = await unpackZip(bytes, name => needed.test(name) && /\.(xml|rels)$/.test(name), {
    limit: MAX_XML,
    shown,
    signal,
  });
  const main = parts.get('ppt/presentation.xml');
  if (!main) throw refusal('document_broken', `${shown} holds no presentation. Get a new copy of it.`);
  const relations = await relationsOf(parts, 'ppt/presentation.xml', shown);
  const order = findAll(await parseXml(main, shown), 'p:sldId').map(({ attributes }) => attributes['r:id']);
  const slides: string[] = [];
  for (const id of order.slice(0, MAX_SLIDES)) {
    signal?.throwIfAborted();
    const path = relations.find(relation => relation.id === id)?.path ?? '';
    const file = parts.get(path);
    if (!file) continue;
    const { title, blocks } = slideBlocks(await parseXml(file, shown));
    const notesPath = (await relationsOf(parts, path, shown)).find(one => one.type === 'notesSlide')?.path;
    const notesFile = notesPath === undefined ? undefined : parts.get(notesPath);
    const notes = notesFile
      ? findAll(await parseXml(notesFile, shown), 'p:sp')
          .filter(shape => placeholderOf(shape) === 'body')
          .flatMap(paragraphs)
      : [];
    const heading = `## Slide ${slides.length + 1}${title ? `: ${title}` : ''}`;
    slides.push(
      [heading, ...blocks, ...(notes.length > 0 ? [`Notes: ${notes.join('\n')}`] : [])].join('\n\n'),
    );
  }
  return {
    kind: 'pptx',
    text: slides.join('\n\n') || `[PowerPoint presentation: ${shown}, without slides]`,
    data: { type: 'pptx', slides: order.length, truncated: order.length > MAX_SLIDES },
  };
}
