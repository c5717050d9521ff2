/** Text of PDF pages, line by line, wide gaps kept as tabs so that tables can be read. */

import { inflateSync } from 'node:zlib';
import { refusal } from '../result.ts';
import type { Extraction, PageWindow } from './kind.ts';

/** Pages read when the caller names no end. */
const MAX_PAGES = 500;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_TEXT = 4_000_000;
/** A compressed stream below this size cannot grow to more than about 16 MB. */
const SMALL_STREAM = 16 * 1024;
const MAX_STREAM = 64 * 1024 * 1024;

interface Item {
  str: string;
  transform: number[];
  width: number;
  height: number;
  hasEOL: boolean;
}

/** The reader inflates without a bound, so streams that grow out of all proportion are found before. */
function refuseBombs(bytes: Buffer, shown: string): void {
  const bomb = () =>
    refusal('too_large', `${shown} holds a stream that unpacks to an enormous size; it was not read.`);
  if (/\/(FlateDecode|Fl)\s*\/(FlateDecode|Fl|LZWDecode|LZW)\b/.test(bytes.toString('latin1'))) throw bomb();
  for (let at = bytes.indexOf('stream'); at >= 0; at = bytes.indexOf('stream', at + 6)) {
    const start = at + (bytes[at + 6] === 13 ? 8 : 7);
    const end = bytes.indexOf('endstream', start);
    if (end - start < SMALL_STREAM || (bytes[start]! & 0x0f) !== 8) continue;
    try {
      inflateSync(bytes.subarray(start, end), { maxOutputLength: MAX_STREAM });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw bomb();
      // Not a compressed stream after all, or a damaged one: the reader copes with it.
    }
    at = end;
  }
}

/** What lies between two pieces of text of a page. */
function between(last: Item, item: Item): string {
  const height = Math.max(item.height, last.height, 1);
  const down = Math.abs(item.transform[5]! - last.transform[5]!);
  if (down > height * 1.9) return '\n\n';
  if (down > height * 0.5) return '\n';
  const gap = item.transform[4]! - (last.transform[4]! + last.width);
  return gap > height * 1.5 ? '\t' : gap > height * 0.2 ? ' ' : '';
}

function textOf(items: Item[]): string {
  let text = '';
  let last: Item | null = null;
  for (const item of items) {
    if (item.str.trim() !== '') {
      const gap = last ? between(last, item) : '';
      const ended = /[\n\t ]$/.test(text);
      // A blank item said " ", but the places of its neighbours know how wide it is.
      if (gap === '\t' || gap.startsWith('\n'))
        text = text.replace(/[\t ]+$/, '') + (text.endsWith('\n') && gap === '\n' ? '' : gap);
      else if (!ended) text += gap;
      text += item.str;
      last = item;
    } else if (item.str !== '' && !/[\n\t ]$/.test(text)) text += ' ';
    if (item.hasEOL && !text.endsWith('\n')) text = `${text.trimEnd()}\n`;
  }
  return text.replace(/\n{3,}/g, '\n\n').trim();
}

function broken(error: unknown, shown: string): Error {
  const { name = '', message = '' } = error as Error;
  if (name === 'PasswordException')
    return refusal('password_needed', `${shown} is protected by a password. Ask for an unprotected copy.`);
  return refusal(
    'document_broken',
    `${shown} cannot be read as a PDF: ${message || name}. Get a new copy of it.`,
  );
}

/** @throws LoomError `document_broken`, `password_needed`, `too_large`, `out_of_range` */
export async function extractPdf(bytes: Buffer, shown: string, window: PageWindow): Promise<Extraction> {
  if (bytes.length > MAX_BYTES)
    throw refusal('too_large', `${shown} has ${bytes.length} bytes; PDFs are read up to ${MAX_BYTES} bytes.`);
  refuseBombs(bytes, shown);
  const { getDocumentProxy } = await import('unpdf');
  // The reader takes the bytes over, so it gets its own.
  const document = await getDocumentProxy(new Uint8Array(bytes), {
    isEvalSupported: false,
    verbosity: 0,
  }).catch(error => {
    throw broken(error, shown);
  });
  try {
    const pages = document.numPages;
    const start = window.pageStart ?? 0;
    if (start >= pages)
      throw refusal(
        'out_of_range',
        `${shown} has ${pages} pages; page_start=${start} is behind its end (the first page is 0).`,
      );
    const end = Math.min(window.pageEnd ?? start + MAX_PAGES, pages);
    if (end <= start)
      throw refusal('out_of_range', `page_end=${end} must be greater than page_start=${start}.`);
    const texts: string[] = [];
    let size = 0;
    let last = start;
    for (; last < end && size < MAX_TEXT; last++) {
      window.signal?.throwIfAborted();
      const page = await document.getPage(last + 1);
      const { items } = await page.getTextContent();
      const text = textOf(items.filter(item => 'str' in item) as Item[]);
      page.cleanup();
      size += text.length;
      texts.push(`--- Page ${last + 1} ---\n${text}`);
    }
    const empty = texts.every(text => /^--- Page \d+ ---\n$/.test(text));
    return {
      kind: 'pdf',
      text: empty
        ? `[PDF document: ${shown}, ${pages} pages without text; they are probably scanned images]`
        : texts.join('\n\n'),
      data: { type: 'pdf', pages, page_range: [start, last], truncated: last < pages },
    };
  } catch (error) {
    if (error instanceof Error && 'failure' in error) throw error;
    window.signal?.throwIfAborted();
    throw broken(error, shown);
  } finally {
    await document.destroy();
  }
}
