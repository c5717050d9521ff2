/** XML of office documents as a tree in document order. */

import { refusal } from '../result.ts';

export interface Element {
  /** With its prefix, e.g. `a:tbl`. */
  tag: string;
  attributes: Record<string, string>;
  children: Element[];
  /** Own text, of text nodes only. */
  text: string;
}

type Ordered = Record<string, unknown>;

function elementOf(node: Ordered): Element {
  const tag = Object.keys(node).find(key => key !== ':@') ?? '';
  const attributes = (node[':@'] ?? {}) as Record<string, string>;
  if (tag === '#text') return { tag, attributes, children: [], text: String(node[tag]) };
  return { tag, attributes, children: (node[tag] as Ordered[]).map(elementOf), text: '' };
}

/** @throws LoomError `document_broken` */
export async function parseXml(xml: Buffer, shown: string): Promise<Element> {
  const { XMLParser } = await import('fast-xml-parser');
  const text = xml.toString('utf8');
  try {
    // Office documents declare no entities of their own; what does is an attempt to make them grow.
    if (/<!DOCTYPE/i.test(text.slice(0, 4096))) throw new Error('a document type declaration');
    const parser = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: '',
      parseTagValue: false,
      trimValues: false,
      ignoreDeclaration: true,
    });
    return { tag: '', attributes: {}, children: (parser.parse(text) as Ordered[]).map(elementOf), text: '' };
  } catch (error) {
    throw refusal(
      'document_broken',
      `${shown} is damaged: ${(error as Error).message}. Get a new copy of it.`,
    );
  }
}

/** All descendants with one of the tags, in order; does not look inside those found. */
export function findAll(element: Element, ...tags: string[]): Element[] {
  return element.children.flatMap(child => (tags.includes(child.tag) ? [child] : findAll(child, ...tags)));
}

/** Text of all descendants with that tag. */
export const textIn = (element: Element, tag: string): string =>
  findAll(element, tag)
    .map(found => found.children.map(child => child.text).join(''))
    .join('');
