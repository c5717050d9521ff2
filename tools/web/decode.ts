/** Bytes of an answer to text: by its BOM, the server's charset, what the document says of itself, and at last by its look. */

import { decodeText } from '../text.ts';

/** `<meta charset>`, `<meta http-equiv>` and the XML declaration stand in the first bytes, in ASCII. */
function declaredInside(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 2048)).toString('latin1');
  const found =
    /<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)/i.exec(head) ??
    /<meta[^>]*\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head);
  return found?.[1]?.toLowerCase() ?? '';
}

const hasMark = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) ||
  (bytes[0] === 0xff && bytes[1] === 0xfe) ||
  (bytes[0] === 0xfe && bytes[1] === 0xff);

/** A cut in the middle of a character leaves no stray byte behind. */
const strayless = (text: string): string => text.replace(/\ufffd+$/, '');

/** @param charset as the server names it, '' for none */
export async function decodeBody(bytes: Buffer, charset: string): Promise<string> {
  const named = charset || declaredInside(bytes);
  if (!hasMark(bytes) && named !== '' && !/^utf-?8$/.test(named)) {
    const { default: iconv } = await import('iconv-lite');
    // As browsers read it: what calls itself Latin-1 is what Windows made of it.
    const name = /^(iso-?8859-1|latin-?1|us-ascii|ascii)$/.test(named) ? 'windows-1252' : named;
    if (iconv.encodingExists(name)) return iconv.decode(bytes, name);
  }
  if (/^utf-?8$/.test(named)) return strayless(new TextDecoder().decode(bytes));
  const decoded = await decodeText(bytes);
  return decoded?.text ?? strayless(new TextDecoder().decode(bytes));
}
