/** What an answer is: by its media type, and where that says nothing by its bytes. */

export type Kind = 'html' | 'json' | 'feed' | 'xml' | 'text' | 'binary';

/** Lower case, without parameters; '' where the server names none. */
export const mediaType = (headers: Record<string, string>): string =>
  (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();

export const charsetOf = (headers: Record<string, string>): string =>
  /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? '';

/** Media types that say nothing: servers give them to what they do not know. */
const VAGUE = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/x-download']);
const TEXTUAL =
  /^(text\/|application\/(json|xml|javascript|ecmascript|x-javascript|x-ndjson|ndjson|jsonl|x-jsonlines|json-seq|yaml|x-yaml|toml|sql|graphql|x-sh|x-httpd-php|rtf-text|xhtml\+xml|x-www-form-urlencoded)$|message\/|.*\+(json|xml|yaml)$)/;

const startOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.subarray(0, 2048))
    .toString('latin1')
    .replace(/^(\xef\xbb\xbf|\s)+/, '');

/** Bytes that no text has. UTF-16 has a mark in front. */
function hasBinaryBytes(bytes: Uint8Array): boolean {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return false;
  return bytes.subarray(0, 2048).some(byte => byte < 32 && ![7, 8, 9, 10, 12, 13, 27].includes(byte));
}

const MAGIC =
  /^(%PDF-|PK\x03\x04|\x89PNG|GIF8|\xff\xd8\xff|\x1f\x8b|Rar!|7z\xbc\xaf|\xd0\xcf\x11\xe0|BM....\0\0)/s;

/** Whether the beginning of a body will be read as text. Some servers call everything text. */
export function looksText(type: string, head: Uint8Array): boolean {
  if (MAGIC.test(startOf(head))) return false;
  if (TEXTUAL.test(type)) return true;
  return VAGUE.has(type) && !hasBinaryBytes(head);
}

/** How a body is shown. */
export function kindOf(type: string, bytes: Uint8Array): Kind {
  if (!looksText(type, bytes)) return 'binary';
  const start = startOf(bytes);
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (/(^application\/json$|\+json$|^text\/json$)/.test(type)) return 'json';
  if (/^(application\/(rss|atom|rdf)\+xml|text\/(rss|atom)\+xml)$/.test(type)) return 'feed';
  if (/([/+])xml$/.test(type)) return /<(rss|feed|rdf:RDF)[\s>]/i.test(start) ? 'feed' : 'xml';
  if (VAGUE.has(type) || type === 'text/plain') return sniffed(start, type);
  return 'text';
}

function sniffed(start: string, type: string): Kind {
  if (/^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<(rss|feed|rdf:RDF)[\s>]/i.test(start)) return 'feed';
  if (type === 'text/plain') return 'text';
  if (/^(<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(start)) return 'html';
  if (/^<\?xml\s/.test(start)) return 'xml';
  return /^[[{]/.test(start) ? 'json' : 'text';
}
