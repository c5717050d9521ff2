/** HTML to Markdown: the article of a page where it has one, else the whole of it without what only serves its looks. */

import { markdownConverter } from '../documents/markdown.ts';
import { measured, plainText } from './plain.ts';

/** As much of a document as is used here. */
interface Element {
  textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  remove(): void;
}
interface Page {
  title: string | null;
  body: Element;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  cloneNode(deep: boolean): Page;
}

export interface ReadPage {
  title: string;
  markdown: string;
  /** The text is the page's article; what stands around it was left out. */
  article: boolean;
}

/** Beyond them a page is read in one pass instead of as a tree, whose work grows faster than the page. */
const MAX_TAGS = 40_000;
const MAX_DEPTH = 200;
const MAX_TITLE = 300;
/** An article that holds less of the page's text than this share is not what the page is about. */
const LEAST_SHARE = 0.3;
const ENOUGH_CHARACTERS = 1_500;
const CLUTTER =
  'script, style, noscript, template, iframe, object, embed, svg, canvas, video, audio, dialog, nav, form button, [hidden], [aria-hidden="true"]';

const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Not part of the pages' own text: a converted page has no long runs of empty lines. */
const tidied = (markdown: string): string =>
  markdown
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

/** Endless blanks are in nobody's interest. */
const spaced = (html: string): string => html.replace(/\s{200,}/g, ' ');

function titleOf(html: string): string {
  const open = /<title\b[^<>]{0,200}>/i.exec(html.slice(0, 200_000));
  if (!open) return '';
  return squeezed(
    plainText(
      html
        .slice(open.index + open[0].length)
        .slice(0, 2_000)
        .split(/<\/title/i)[0]!,
    ),
  ).slice(0, MAX_TITLE);
}

/** The parser makes up no element that the text leaves out, as browsers do. */
function framed(html: string): string {
  if (/<body[\s>]/i.test(html)) return /<html[\s>]/i.test(html) ? html : `<html>${html}</html>`;
  const inner = html.replace(/<!doctype[^>]*>|<\/?html\b[^>]*>/gi, '');
  const head = /<head\b[^>]*>[\s\S]*?<\/head\s*>/i.exec(inner)?.[0] ?? '';
  return `<!doctype html><html>${head}<body>${inner.replace(head, () => '')}</body></html>`;
}

/** Links are of use only when they say where they lead from here. */
function resolveLinks(document: Page, base: string): void {
  const named = document.querySelector('base[href]')?.getAttribute('href') ?? '';
  const from = URL.canParse(named, base) ? new URL(named, base).href : base;
  for (const [selector, attribute] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const value = element.getAttribute(attribute) ?? '';
      if (/^(javascript|data|vbscript):/i.test(value.trim())) element.removeAttribute(attribute);
      else if (URL.canParse(value, from)) element.setAttribute(attribute, new URL(value, from).href);
    }
  }
}

/**
 * @param base address that relative links count from
 * @param whole the whole page is wanted, not its article
 */
export async function readPage(html: string, base: string, whole: boolean): Promise<ReadPage> {
  const { tags, depth } = measured(html);
  if (tags > MAX_TAGS || depth > MAX_DEPTH)
    return { title: titleOf(html), markdown: plainText(html), article: false };
  const [{ parseHTML }, service] = await Promise.all([import('linkedom'), markdownConverter()]);
  const parse = (text: string): Page => (parseHTML(text) as unknown as { document: Page }).document;
  const markdownOf = ({ body }: Page): string => tidied(service.turndown(body as never));
  try {
    const document = parse(framed(spaced(html)));
    const title = titleOf(html);
    document.title = title;
    resolveLinks(document, base);
    const found = whole ? null : await articleOf(document);
    for (const element of document.querySelectorAll(CLUTTER)) element.remove();
    if (found && isMost(found.text, document)) {
      const part = parse(`<html><body>${found.html}</body></html>`);
      return { title: found.title || title, markdown: markdownOf(part), article: true };
    }
    return { title, markdown: markdownOf(document), article: false };
  } catch (error) {
    // Thousands of elements inside each other: nobody reads that as a tree.
    if (!(error instanceof RangeError)) throw error;
    return { title: titleOf(html), markdown: plainText(html), article: false };
  }
}

async function articleOf(document: Page): Promise<{ title: string; html: string; text: string } | null> {
  const { Readability } = await import('@mozilla/readability');
  const found = new Readability(document.cloneNode(true) as never, { charThreshold: 200 }).parse();
  if (!found?.content) return null;
  return {
    title: squeezed(found.title ?? ''),
    html: found.content,
    text: squeezed(found.textContent ?? ''),
  };
}

/** A list of links or a front page has no article; the little that looks like one would hide the rest. */
const isMost = (text: string, document: Page): boolean =>
  text.length >= ENOUGH_CHARACTERS ||
  text.length >= squeezed(document.body.textContent ?? '').length * LEAST_SHARE;
