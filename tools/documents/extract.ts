/** Text of documents: PDF, Word, PowerPoint, Excel, CSV; images described, archives listed. Every reader is loaded when needed. */

import { refusal } from '../result.ts';
import {
  containerOf,
  type DocumentHint,
  type DocumentKind,
  type Extraction,
  officeKind,
  type PageWindow,
  promisedKind,
} from './kind.ts';

const NAMES: Record<DocumentKind, string> = {
  pdf: 'PDF document',
  docx: 'Word document (docx)',
  pptx: 'PowerPoint presentation (pptx)',
  xlsx: 'Excel workbook (xlsx)',
  csv: 'CSV table',
  image: 'image',
  archive: 'archive',
};

async function extractZip(bytes: Buffer, shown: string, signal?: AbortSignal): Promise<Extraction> {
  const { listZip } = await import('./unpack.ts');
  const entries = await listZip(bytes, shown);
  const kind = officeKind(entries.map(entry => entry.name));
  if (kind === 'docx') return (await import('./docx.ts')).extractDocx(bytes, shown, signal);
  if (kind === 'pptx') return (await import('./pptx.ts')).extractPptx(bytes, shown, signal);
  if (kind === 'xlsx') return (await import('./sheets.ts')).extractXlsx(bytes, shown, signal);
  return (await import('./archive.ts')).listed('zip', { entries, whole: true }, shown);
}

/**
 * Reads a document, whatever its name says, as long as its bytes tell what it is.
 * @param hint name and MIME type; `.csv` is known by these alone
 * @returns null when it is no document: text, or something unknown
 * @throws LoomError `document_broken`, `password_needed`, `too_large`, `out_of_range`, `old_format`; the signal's reason
 */
export async function extractDocument(
  bytes: Buffer,
  hint: DocumentHint,
  window: PageWindow = {},
): Promise<Extraction | null> {
  const { signal } = window;
  const shown = hint.name ?? 'the document';
  signal?.throwIfAborted();
  const promised = promisedKind(hint);
  switch (containerOf(bytes)) {
    case 'pdf':
      return (await import('./pdf.ts')).extractPdf(bytes, shown, window);
    case 'zip':
      return extractZip(bytes, shown, signal);
    case 'gzip':
      return (await import('./archive.ts')).listGzip(bytes, shown, signal);
    case 'tar':
      return (await import('./archive.ts')).listTar(bytes, shown, signal);
    case 'image':
      return (await import('./image.ts')).describeImage(bytes, shown);
    case 'ole':
      throw refusal(
        'old_format',
        `${shown} is an office document of before 2007 or protected by a password. Save it as docx, xlsx or pptx without one (e.g. soffice --headless --convert-to docx).`,
      );
    case 'other':
      if (promised === 'csv') return (await import('./sheets.ts')).extractCsv(bytes, shown);
      if (promised === null) return null;
      throw refusal(
        'document_broken',
        `${shown} is named as a ${NAMES[promised]}, but its contents are not one. Get a new copy of it.`,
      );
  }
}
