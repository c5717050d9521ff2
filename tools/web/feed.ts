/** RSS, Atom and RDF feeds as a list of what is new. */

const MAX_ENTRIES = 100;
const MAX_SUMMARY = 500;

type Node = Record<string, unknown>;

const list = (value: unknown): Node[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).filter(
    (item): item is Node => typeof item === 'object' && item !== null,
  );

/** Text of an element that may have attributes or be given several times. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return textOf(value[0]);
  if (typeof value === 'object' && value !== null) return textOf((value as Node)['#text']);
  return value === undefined || value === null ? '' : String(value).trim();
}

/** Summaries are HTML more often than not, and escaped as the text of an element. */
const plain = (html: string): string => bare(bare(html));

const bare = (html: string): string =>
  html
    .slice(0, 10 * MAX_SUMMARY)
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;|&#160;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;|&apos;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();

/** An Atom entry has several links: the one for readers has no relation or `alternate`. */
function linkOf(entry: Node): string {
  const links = Array.isArray(entry['link']) ? entry['link'] : [entry['link']];
  for (const link of links) {
    if (typeof link === 'string' && link.trim() !== '') return link.trim();
    if (typeof link !== 'object' || link === null) continue;
    const { '@rel': rel, '@href': href } = link as Node;
    if (typeof href === 'string' && (rel === undefined || rel === 'alternate')) return href;
  }
  const guid = textOf(entry['guid'] ?? entry['id']);
  return /^https?:/.test(guid) ? guid : '';
}

export interface Feed {
  title: string;
  entries: number;
  text: string;
}

/** @returns null when it is no feed */
export async function readFeed(xml: string): Promise<Feed | null> {
  const { XMLParser } = await import('fast-xml-parser');
  // Entities of a document's own are how a short text becomes an endless one.
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    processEntities: false,
    parseTagValue: false,
    htmlEntities: false,
  });
  let root: Node;
  try {
    root = parser.parse(xml) as Node;
  } catch {
    return null;
  }
  const rss = (root['rss'] as Node | undefined)?.['channel'] as Node | undefined;
  const rdf = root['rdf:RDF'] as Node | undefined;
  const atom = root['feed'] as Node | undefined;
  const channel = rss ?? (rdf?.['channel'] as Node | undefined) ?? atom;
  if (!channel || typeof channel !== 'object') return null;
  const entries = [...list(rss?.['item']), ...list(rdf?.['item']), ...list(atom?.['entry'])];
  const title = plain(textOf(channel['title']));
  const lines = entries.slice(0, MAX_ENTRIES).map((entry, i) => {
    const name = plain(textOf(entry['title'])) || '(no title)';
    const date = textOf(entry['pubDate'] ?? entry['updated'] ?? entry['published'] ?? entry['dc:date']);
    const link = plain(linkOf(entry));
    const summary = plain(textOf(entry['description'] ?? entry['summary'] ?? entry['content'])).slice(
      0,
      MAX_SUMMARY,
    );
    return [`${i + 1}. ${name}${date === '' ? '' : ` (${date})`}`, link, summary]
      .filter(line => line !== '')
      .join('\n   ');
  });
  if (entries.length > MAX_ENTRIES) lines.push(`… and ${entries.length - MAX_ENTRIES} more`);
  return { title, entries: entries.length, text: lines.join('\n') };
}
