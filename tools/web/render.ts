/** The text of an answer as a model reads it best, by its kind. */

import { readFeed } from './feed.ts';
import type { Kind } from './kind.ts';
import { readPage } from './page.ts';

export interface Rendered {
  /** '' where there is none. */
  title: string;
  text: string;
  data: Record<string, unknown>;
}

/** Longer texts are left as they came. */
const MAX_PRETTY = 400_000;

/** A text in one line is spread out; only where reading and writing it changes nothing else, as it would large numbers. */
function spread(json: string): string {
  if (json.length > MAX_PRETTY || json.trim().includes('\n')) return json;
  try {
    const value: unknown = JSON.parse(json);
    const same = JSON.stringify(value) === json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
    return same ? JSON.stringify(value, null, 1) : json;
  } catch {
    return json;
  }
}

/** @param base address that relative links count from */
export async function rendered(
  kind: Exclude<Kind, 'binary'> | Kind,
  text: string,
  base: string,
  mode: 'article' | 'page' | 'source',
): Promise<Rendered> {
  if (mode !== 'source' && kind === 'html') {
    const { title, markdown, article } = await readPage(text, base, mode === 'page');
    return { title, text: markdown, data: { title, article } };
  }
  if (mode !== 'source' && kind === 'feed') {
    const feed = await readFeed(text);
    if (feed)
      return { title: feed.title, text: feed.text, data: { title: feed.title, entries: feed.entries } };
  }
  if (mode !== 'source' && kind === 'json') return { title: '', text: spread(text), data: {} };
  return { title: '', text, data: {} };
}
