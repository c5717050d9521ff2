/** What a file is, by its first bytes; its name or MIME type decides only where bytes cannot. And what reading it gives. */

export type DocumentKind = 'pdf' | 'docx' | 'pptx' | 'xlsx' | 'csv' | 'image' | 'archive';

export interface DocumentHint {
  name?: string;
  mime?: string;
}

export interface Extraction {
  kind: DocumentKind;
  /** Markdown where the document has structure; PDF pages stand below `--- Page n ---`. */
  text: string;
  /** `type` and what else is known of it: pages, sheets, width, entries, `truncated`. */
  data: Record<string, unknown>;
}

export interface PageWindow {
  /** First page of a PDF, from 0. */
  pageStart?: number;
  /** Page behind the last. Default: 500 pages on. */
  pageEnd?: number;
  signal?: AbortSignal;
}

/** What the bytes begin with. `zip` may be an office document; `ole` is an office document of before 2007 or an encrypted one. */
export type Container = 'pdf' | 'zip' | 'ole' | 'gzip' | 'tar' | 'image' | 'other';

const IMAGES: [offset: number, hex: string][] = [
  [0, '89504e470d0a1a0a'],
  [0, 'ffd8ff'],
  [0, '47494638'],
  [0, '424d'],
  [0, '49492a00'],
  [0, '4d4d002a'],
];

const MIMES: Record<string, DocumentKind> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
};

const EXTENSIONS: Record<string, DocumentKind> = {
  pdf: 'pdf',
  docx: 'docx',
  docm: 'docx',
  pptx: 'pptx',
  pptm: 'pptx',
  xlsx: 'xlsx',
  xlsm: 'xlsx',
  csv: 'csv',
  tsv: 'csv',
};

const begins = (bytes: Buffer, hex: string, offset = 0): boolean =>
  bytes.subarray(offset, offset + hex.length / 2).toString('hex') === hex;

const ascii = (bytes: Buffer, from: number, to: number): string =>
  bytes.subarray(from, to).toString('latin1');

/** BMP begins with two letters only: its header must make sense, too. */
const isBitmap = (bytes: Buffer): boolean =>
  bytes.length > 26 &&
  bytes.readUInt32LE(6) === 0 &&
  bytes.readUInt32LE(14) >= 12 &&
  bytes.readUInt32LE(14) <= 124;

/** @param bytes the whole file, or at least its first 512 bytes */
export function containerOf(bytes: Buffer): Container {
  // Text that speaks of PDF is none: only white space and a BOM may stand before the mark.
  if (/^(\u00ef\u00bb\u00bf)?\s*%PDF-/.test(ascii(bytes, 0, 64))) return 'pdf';
  if (begins(bytes, '504b0304') || begins(bytes, '504b0506')) return 'zip';
  if (begins(bytes, 'd0cf11e0a1b11ae1')) return 'ole';
  if (begins(bytes, '1f8b08')) return 'gzip';
  if (ascii(bytes, 257, 262) === 'ustar' && bytes.subarray(0, 512).includes(0)) return 'tar';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'image';
  if (/^ftyp(avif|avis|heic|heix|mif1)$/.test(ascii(bytes, 4, 12))) return 'image';
  const image = IMAGES.find(([offset, hex]) => begins(bytes, hex, offset));
  if (image) return image[1] !== '424d' || isBitmap(bytes) ? 'image' : 'other';
  return 'other';
}

/** What the name or the MIME type promises; null when they promise no document. */
export function promisedKind({ name = '', mime = '' }: DocumentHint): DocumentKind | null {
  const byMime = MIMES[mime.split(';')[0]!.trim().toLowerCase()];
  return byMime ?? EXTENSIONS[/\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null;
}

/** Which of the office formats a ZIP archive holds, by the names in it. */
export function officeKind(names: string[]): 'docx' | 'pptx' | 'xlsx' | null {
  if (names.includes('word/document.xml')) return 'docx';
  if (names.includes('ppt/presentation.xml')) return 'pptx';
  if (names.includes('xl/workbook.xml')) return 'xlsx';
  return null;
}
