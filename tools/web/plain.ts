/** HTML to bare text in one pass, for pages too large or too deep to be read as a tree. Its work grows with the text alone. */

const SKIPPED = new Set(['script', 'style', 'template', 'noscript', 'svg', 'title']);
const BREAKS = /^(p|div|br|li|ul|ol|tr|table|h[1-6]|section|article|header|footer|pre|blockquote|dd|dt|hr)$/;
const CELLS = /^(td|th)$/;
const VOID = /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|td|th|tr|dd|dt|option)$/;

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

const unescaped = (text: string): string =>
  text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi,
    (all, decimal, hex, name) => {
      if (name) return ENTITIES[name.toLowerCase()] ?? all;
      const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
    },
  );

interface Tag {
  name: string;
  closing: boolean;
  /** Behind its `>`. */
  end: number;
}

/** The tag that begins at `from`, null where the `<` begins none. */
function tagAt(html: string, from: number): Tag | null {
  const named = /^<(\/?)([a-z][a-z0-9:-]{0,40})/i.exec(html.slice(from, from + 44));
  if (!named) return null;
  const close = html.indexOf('>', from);
  // A tag without an end is the rest of the text.
  return {
    name: named[2]!.toLowerCase(),
    closing: named[1] === '/',
    end: close < 0 ? html.length : close + 1,
  };
}

/** How many tags a text has and how deep they are inside each other at most, roughly. */
export function measured(html: string): { tags: number; depth: number } {
  let tags = 0;
  let depth = 0;
  let deepest = 0;
  let tag: Tag | null = null;
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', tag?.end ?? at + 1)) {
    tags++;
    tag = tagAt(html, at);
    if (!tag || VOID.test(tag.name)) continue;
    depth = tag.closing ? Math.max(0, depth - 1) : depth + 1;
    deepest = Math.max(deepest, depth);
  }
  return { tags, depth: deepest };
}

/** Text without tags, scripts and styles; lines where blocks end, bars between cells. */
export function plainText(html: string): string {
  const lower = html.toLowerCase();
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) break;
    parts.push(html.slice(at, open));
    if (html.startsWith('<!--', open)) {
      const end = html.indexOf('-->', open);
      at = end < 0 ? html.length : end + 3;
      continue;
    }
    const tag = tagAt(html, open);
    if (!tag) {
      parts.push('<');
      at = open + 1;
      continue;
    }
    at = tag.end;
    if (!tag.closing && SKIPPED.has(tag.name)) {
      const end = lower.indexOf(`</${tag.name}`, at);
      at = end < 0 ? html.length : end;
    } else if (BREAKS.test(tag.name)) parts.push('\n');
    else if (CELLS.test(tag.name) && !tag.closing) parts.push(' | ');
  }
  if (at < html.length) parts.push(html.slice(at));
  return unescaped(parts.join(''))
    .split('\n')
    .map(line => line.split(/\s+/).filter(Boolean).join(' '))
    .filter(line => line !== '')
    .join('\n');
}
