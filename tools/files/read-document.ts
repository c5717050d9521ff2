/** What read_file shows of a document: of a PDF as many whole pages as fit. */

import { refusal } from '../result.ts';
import type { ToolContext } from '../tool.ts';

/** Pages of a PDF in one read, unless page_end says otherwise. */
const PAGES = 20;
/** Kept free for the notes behind the text. */
const NOTE_ROOM = 320;

export interface ReadDocument {
  text: string;
  data: Record<string, unknown>;
  /** Said behind the end of the text: how to go on. */
  note?: string;
}

interface Pages {
  pageStart: number | undefined;
  pageEnd: number | undefined;
}

/** Whole pages up to the limit, at least one. */
function fitting(text: string, limit: number): { text: string; count: number } {
  const pages = text.split(/\n\n(?=--- Page \d+ ---\n)/);
  let size = 0;
  let count = 0;
  for (const page of pages) {
    size += page.length + 2;
    if (count > 0 && size > limit) break;
    count++;
  }
  return { text: pages.slice(0, count).join('\n\n'), count };
}

/**
 * Text of a document of the workspace; null when it is none after all.
 * @throws LoomError as `extractDocument`; `invalid_arguments` for pages of what has none
 */
export async function readDocument(
  path: string,
  bytes: Buffer,
  { pageStart, pageEnd }: Pages,
  { signal, outputLimit }: Pick<ToolContext, 'signal' | 'outputLimit'>,
): Promise<ReadDocument | null> {
  const { extractDocument } = await import('../documents/extract.ts');
  const start = pageStart ?? 0;
  const found = await extractDocument(
    bytes,
    { name: path },
    { pageStart: start, pageEnd: pageEnd ?? start + PAGES, signal },
  );
  if (!found) return null;
  const asked = pageStart !== undefined || pageEnd !== undefined;
  if (found.kind !== 'pdf') {
    if (!asked) return found;
    throw refusal('invalid_arguments', `${path} has no pages; use line_start and line_end.`, {
      fields: ['page_start'],
    });
  }
  const pages = found.data['pages'] as number;
  const { text, count } = fitting(found.text, outputLimit - NOTE_ROOM);
  const [, last] = found.data['page_range'] as [number, number];
  const end = Math.min(last, start + count);
  const whole = end >= pages;
  return {
    text,
    data: { ...found.data, page_range: [start, end], truncated: end < Math.min(pageEnd ?? pages, pages) },
    ...(start === 0 && whole
      ? {}
      : {
          note: `pages ${start}–${end - 1} of ${pages}, counted from 0${whole ? '' : `; continue with page_start=${end}`}`,
        }),
  };
}
