/** web_fetch: one address, as text that can be read. What it returns was written by somebody else. */

import { failure, LoomError } from '../../machines/failure.ts';
import { failed, success } from '../result.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import type { Fetched } from './access.ts';
import { subjectOf } from './address.ts';
import { decodeBody } from './decode.ts';
import { charsetOf, kindOf, mediaType } from './kind.ts';
import { type Rendered, rendered } from './render.ts';

type Mode = 'article' | 'page' | 'source';

/** Of the text of an answer that tells of an error. */
const MAX_ERROR_TEXT = 2_000;
const RETRYABLE = new Set([408, 425, 429, 500, 502, 503, 504]);

const REASONS: Record<number, string> = {
  401: 'it wants a login',
  403: 'it refuses this request',
  404: 'there is no such page',
  410: 'the page is gone',
  429: 'it was asked too often',
  451: 'it is blocked for legal reasons',
  503: 'it is not available now',
};

/** As the server names the file, else as the address does. */
function fileName({ url, headers }: Fetched): string {
  const named = /filename\*?\s*=\s*(?:utf-8'')?"?([^";]+)/i.exec(headers['content-disposition'] ?? '')?.[1];
  const last = new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? '';
  return (named ?? last).replace(/[^\w.() -]/g, '_').slice(-100) || 'download';
}

const aboutOf = (page: Fetched) => ({
  url: page.url,
  status_code: page.status,
  content_type: mediaType(page.headers),
  size_bytes: page.bytes.length,
  truncated: page.truncated,
  ...(page.cached ? { cached: true } : {}),
});

/** What is no text: a document that can be read, or bytes that are only kept. */
async function binary(page: Fetched, context: ToolContext): Promise<ToolResult> {
  const { bytes, url } = page;
  const name = fileName(page);
  const media_type = mediaType(page.headers) || 'application/octet-stream';
  const untrusted = { source: url };
  const artifact_ref = await context.artifacts.put(bytes, { media_type, source: url, untrusted: true });
  const data = { ...aboutOf(page), name, artifact_ref };
  const { extractDocument } = await import('../documents/extract.ts');
  const about = `${name} from ${url}, ${bytes.length} bytes of ${media_type}, kept as ${artifact_ref}`;
  try {
    const document = await extractDocument(bytes, { name, mime: media_type }, { signal: context.signal });
    if (document)
      return success(`[${about}]\n\n${document.text}`, {
        data: { ...data, ...document.data, content_kind: document.kind },
        untrusted,
      });
    return success(`[${about}; not shown as text]`, {
      data: { ...data, content_kind: 'binary' },
      untrusted,
    });
  } catch (error) {
    if (!(error instanceof LoomError)) throw error;
    return success(`[${about}; it cannot be read: ${error.message}]`, {
      data: { ...data, content_kind: 'binary' },
      untrusted,
    });
  }
}

function shown(page: Fetched, { title, text }: Rendered): string {
  const head = title === '' ? page.url : `${title}\n${page.url}`;
  const cut = page.truncated ? `\n[only the first ${page.bytes.length} bytes were read]` : '';
  return `${head}\n\n${text.trim() === '' ? '(no text)' : text}${cut}`;
}

async function refusedBy(page: Fetched): Promise<ToolResult> {
  const { status, url } = page;
  const why = REASONS[status] ?? (status >= 500 ? 'the server has a fault' : 'it does not answer this');
  const kind = RETRYABLE.has(status) ? 'retryable' : 'terminal';
  const error = failure(kind, 'http_error', `${url} answered ${status}: ${why}.`, { status });
  const type = kindOf(mediaType(page.headers), page.bytes);
  const text =
    type === 'binary'
      ? ''
      : (
          await rendered(type, await decodeBody(page.bytes, charsetOf(page.headers)), url, 'article')
        ).text.slice(0, MAX_ERROR_TEXT);
  return failed(error, { output: text, data: aboutOf(page), untrusted: { source: url } });
}

export const webFetch: Tool = {
  name: 'web_fetch',
  description: 'Fetch a public URL as readable text: page, JSON, feed, PDF, Office document.',
  category: 'web',
  keywords: [
    'url',
    'http',
    'https',
    'website',
    'page',
    'download',
    'online',
    'internet',
    'documentation',
    'api',
  ],
  parameters: {
    type: 'object',
    properties: {
      url: { type: 'string', minLength: 1, maxLength: 8_192 },
      mode: {
        enum: ['article', 'page', 'source'],
        default: 'article',
        description: 'of HTML: its article, the whole page, or its source',
      },
    },
    required: ['url'],
    additionalProperties: false,
  },
  effects: 'network',
  timeoutMs: 60_000,

  assess(args, _workspace, declared) {
    const url = args['url'] as string;
    // What is no address is refused by the client, in its words.
    return { ...declared, subject: URL.canParse(url) ? subjectOf(new URL(url)) || url : url };
  },

  async run(args, context) {
    const { web, signal } = context;
    const page = await web.client.fetch(args['url'] as string, {
      signal,
      local: web.local,
      follow: web.follow,
    });
    if (page.status >= 400) return refusedBy(page);
    const kind = kindOf(mediaType(page.headers), page.bytes);
    if (kind === 'binary' && page.bytes.length > 0) return binary(page, context);
    const text = await decodeBody(page.bytes, charsetOf(page.headers));
    const result = await rendered(kind, text, page.url, args['mode'] as Mode);
    return success(shown(page, result), {
      data: { ...aboutOf(page), content_kind: kind, ...result.data },
      untrusted: { source: page.url },
    });
  },
};
