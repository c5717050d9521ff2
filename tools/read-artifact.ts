/** read_artifact: pages through what was kept whole: cut outputs, full diffs, fetched files. */

import type { Artifact } from './artifacts.ts';
import { refusal, success } from './result.ts';
import { decodeText } from './text.ts';
import type { Tool } from './tool.ts';

const DEFAULT_CHARS = 12_000;
/** Kept free for the note about what is not shown. */
const NOTE_ROOM = 160;
/** Longest text of an artifact, characters. */
const MAX_OFFSET = 1_000_000_000;

/** What a model can read of it; null for bytes that mean nothing to it. */
async function textOf(artifact: Artifact, signal: AbortSignal): Promise<string | null> {
  const { extractDocument } = await import('./documents/extract.ts');
  const document = await extractDocument(
    artifact.content,
    { name: artifact.id, mime: artifact.media_type },
    { signal },
  );
  return document?.text ?? (await decodeText(artifact.content))?.text ?? null;
}

/** Not between the halves of a surrogate pair. */
const boundary = (text: string, at: number): number =>
  at > 0 && at < text.length && /[\ud800-\udbff]/.test(text[at - 1]!) ? at - 1 : at;

export const readArtifact: Tool = {
  name: 'read_artifact',
  description: 'Page through an output, diff or fetched file that was kept whole.',
  category: 'tools',
  parameters: {
    type: 'object',
    properties: {
      artifact_ref: { type: 'string', maxLength: 64, description: 'af_… as named where it was cut' },
      offset: { type: 'integer', minimum: 0, maximum: MAX_OFFSET, default: 0, description: 'in characters' },
      max_chars: { type: 'integer', minimum: 400, maximum: 120_000, default: DEFAULT_CHARS },
    },
    required: ['artifact_ref'],
    additionalProperties: false,
  },
  effects: 'read',
  timeoutMs: 30_000,

  async run(args, context) {
    const artifact = await context.artifacts.get(args['artifact_ref'] as string);
    const { id, media_type, source, content } = artifact;
    const untrusted = artifact.untrusted ? { untrusted: { source } } : {};
    const data = { artifact_ref: id, media_type, source, size_bytes: content.length };
    const text = await textOf(artifact, context.signal);
    if (text === null)
      return success(
        `${id} (${source}) is ${content.length} bytes of ${media_type}; it has no text to read.`,
        {
          data: { ...data, binary: true },
        },
      );
    const start = boundary(text, args['offset'] as number);
    if (start > 0 && start >= text.length)
      throw refusal(
        'out_of_range',
        `offset=${start} is behind the end: ${id} has ${text.length} characters.`,
        {
          fields: ['offset'],
        },
      );
    const asked = Math.min(args['max_chars'] as number, Math.max(200, context.outputLimit - NOTE_ROOM));
    const end = boundary(text, Math.min(start + asked, text.length));
    const rest = end < text.length ? `; continue with offset=${end}` : '';
    const note =
      start > 0 || end < text.length ? `\n[characters ${start}–${end} of ${text.length}${rest}]` : '';
    return success((text.slice(start, end) || '(empty)') + note, {
      data: { ...data, chars: text.length, offset: start, end, truncated: end < text.length },
      ...untrusted,
    });
  },
};
