/** Bytes to text and back without losing what the file was: encoding, BOM, line ends, final newline. */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | (string & {});

export interface TextStyle {
  encoding: Encoding;
  bom: boolean;
  /** The majority; `mixed` tells that others occur. */
  eol: '\n' | '\r\n' | '\r';
  mixed: boolean;
}

export interface DecodedText extends TextStyle {
  /** Without BOM, with its line ends as they are. */
  text: string;
}

const SNIFF = 8192;

function eolOf(text: string): Pick<TextStyle, 'eol' | 'mixed'> {
  const crlf = text.match(/\r\n/g)?.length ?? 0;
  const lf = (text.match(/\n/g)?.length ?? 0) - crlf;
  const cr = (text.match(/\r/g)?.length ?? 0) - crlf;
  const eol = crlf > lf && crlf >= cr ? '\r\n' : cr > lf && cr > crlf ? '\r' : '\n';
  return { eol, mixed: [crlf, lf, cr].filter(count => count > 0).length > 1 };
}

/** UTF-16 without a BOM: ASCII text has a NUL in every second byte and hardly any in the others. */
function bareUtf16(head: Uint8Array): Encoding | null {
  const pairs = Math.floor(head.length / 2);
  if (pairs < 2) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < head.length; i += 2) {
    if (head[i] === 0) even++;
    if (head[i + 1] === 0) odd++;
  }
  if (odd > pairs * 0.4 && even < pairs * 0.05) return 'utf-16le';
  if (even > pairs * 0.4 && odd < pairs * 0.05) return 'utf-16be';
  return null;
}

const strict = (label: string, bytes: Uint8Array): string | null => {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};

const decoded = (raw: string, encoding: Encoding): DecodedText => {
  const bom = raw.startsWith('\ufeff');
  const text = bom ? raw.slice(1) : raw;
  return { text, encoding, bom, ...eolOf(text) };
};

const controls = (head: Uint8Array): number =>
  head.reduce((sum, byte) => sum + (byte < 32 && ![7, 8, 9, 10, 12, 13, 27].includes(byte) ? 1 : 0), 0);

/** Text of a file, or null when it is binary. */
export async function decodeText(bytes: Uint8Array): Promise<DecodedText | null> {
  const head = bytes.subarray(0, SNIFF);
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : null;
  const wide = mark ?? (head.includes(0) ? bareUtf16(head) : null);
  if (wide) {
    const raw = strict(wide, bytes);
    return raw === null || raw.includes('\0') ? null : decoded(raw, wide);
  }
  if (head.includes(0)) return null;
  const utf8 = strict('utf-8', bytes);
  if (utf8 !== null) return utf8.includes('\0') ? null : decoded(utf8, 'utf-8');
  if (controls(head) > head.length * 0.02) return null;
  return decodeLegacy(bytes);
}

async function decodeLegacy(bytes: Uint8Array): Promise<DecodedText> {
  const [{ default: jschardet }, { default: iconv }] = await Promise.all([
    import('jschardet'),
    import('iconv-lite'),
  ]);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const guess = jschardet.detect(buffer.subarray(0, 256 * 1024));
  const name = (guess.encoding ?? '').toLowerCase();
  const sure = guess.confidence > 0.6 && !['', 'ascii', 'utf-8'].includes(name) && iconv.encodingExists(name);
  // Latin-1 has a character for every byte; a guess that loses one would change the file where nobody edited it.
  for (const encoding of sure ? [name, 'windows-1252'] : ['windows-1252']) {
    const text = iconv.decode(buffer, encoding, { stripBOM: false });
    if (iconv.encode(text, encoding).equals(buffer)) return decoded(text, encoding);
  }
  return decoded(iconv.decode(buffer, 'iso-8859-1', { stripBOM: false }), 'iso-8859-1');
}

/**
 * Bytes for `text` in the given style; line ends are written as they stand in `text`.
 * `encoding` in the answer is `utf-8` when the old encoding cannot hold the text.
 */
export async function encodeText(
  text: string,
  style: Pick<TextStyle, 'encoding' | 'bom'>,
): Promise<{ bytes: Buffer; encoding: Encoding }> {
  const marked = style.bom ? `\ufeff${text}` : text;
  if (style.encoding === 'utf-8') return { bytes: Buffer.from(marked, 'utf8'), encoding: 'utf-8' };
  if (style.encoding === 'utf-16le')
    return { bytes: Buffer.from(marked, 'utf16le'), encoding: style.encoding };
  if (style.encoding === 'utf-16be')
    return { bytes: Buffer.from(marked, 'utf16le').swap16(), encoding: style.encoding };
  const { default: iconv } = await import('iconv-lite');
  const bytes = iconv.encode(marked, style.encoding);
  if (iconv.decode(bytes, style.encoding, { stripBOM: false }) === marked)
    return { bytes, encoding: style.encoding };
  return { bytes: Buffer.from(text, 'utf8'), encoding: 'utf-8' };
}

/** Gives every line the same end. */
export const withEol = (text: string, eol: TextStyle['eol']): string => {
  const unix = text.replace(/\r\n?/g, '\n');
  return eol === '\n' ? unix : unix.replaceAll('\n', eol);
};

const SIGNATURES: [string, string][] = [
  ['89504e470d0a1a0a', 'PNG image'],
  ['ffd8ff', 'JPEG image'],
  ['47494638', 'GIF image'],
  ['25504446', 'PDF document'],
  ['504b0304', 'ZIP archive or office document'],
  ['1f8b', 'gzip archive'],
  ['7f454c46', 'ELF program'],
  ['53514c6974652066', 'SQLite database'],
  ['0061736d', 'WebAssembly module'],
  ['fd377a585a00', 'xz archive'],
  ['28b52ffd', 'zstd archive'],
];

/** One line about a file that is not text. */
export function describeBinary(path: string, bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  const kind = SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1] ?? 'binary file';
  return `[${kind}: ${path}, ${bytes.length.toLocaleString('en-US')} bytes; not shown as text]`;
}
