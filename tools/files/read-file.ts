/** read_file: text of a file or of a window of its lines; of documents what can be read in them, PDF by pages. */

import { entryOf } from '../disk.ts';
import { containerOf, promisedKind } from '../documents/kind.ts';
import { PATH } from '../parameters.ts';
import { refusal, success } from '../result.ts';
import { decodeText, describeBinary } from '../text.ts';
import type { Args, Tool, ToolContext, ToolImage } from '../tool.ts';
import { linesOf } from './lines.ts';
import { type ReadDocument, readDocument } from './read-document.ts';

/** Kept free for the note about what is not shown. */
const NOTE_ROOM = 240;
/** Line numbers beyond this mean no line of any file. */
const MAX_LINES = 1_000_000_000;
const MAX_PAGES = 1_000_000;

interface Window {
  text: string;
  /** Last line shown, 1-based. */
  last: number;
  /** The last line shown is itself cut. */
  cutLine: boolean;
}

/** As many whole lines as fit; at least a part of the first. */
function windowOf(lines: string[], start: number, end: number, limit: number, numbered: boolean): Window {
  const width = String(end).length;
  const shown: string[] = [];
  let size = 0;
  for (let n = start; n <= end; n++) {
    const line = numbered ? `${String(n).padStart(width)}\t${lines[n - 1]}` : lines[n - 1]!;
    if (size + line.length + 1 > limit) {
      if (shown.length > 0) return { text: shown.join('\n'), last: n - 1, cutLine: false };
      return { text: line.slice(0, limit), last: n, cutLine: true };
    }
    shown.push(line);
    size += line.length + 1;
  }
  return { text: shown.join('\n'), last: end, cutLine: false };
}

const isDocument = (bytes: Buffer, path: string): boolean => {
  if (containerOf(bytes) !== 'other') return true;
  // A CSV file is text to be read and edited as it is.
  return bytes.length > 0 && ![null, 'csv'].includes(promisedKind({ name: path }));
};

/** Formats that models take, and the largest picture that is sent. Bytes. */
const VISIBLE = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const MAX_IMAGE = 5 * 1024 * 1024;

async function imagesOf(
  bytes: Buffer,
  { media_type }: Record<string, unknown>,
  { blobs }: Pick<ToolContext, 'blobs'>,
): Promise<ToolImage[]> {
  if (typeof media_type !== 'string' || !VISIBLE.includes(media_type) || bytes.length > MAX_IMAGE) return [];
  return [{ blob: await blobs.put(bytes), media_type }];
}

const pagesOf = (args: Args) => ({
  pageStart: args['page_start'] as number | undefined,
  pageEnd: args['page_end'] as number | undefined,
});

async function readText(path: string, bytes: Buffer): Promise<ReadDocument | null> {
  const decoded = await decodeText(bytes);
  if (!decoded) return null;
  const { text, encoding, bom, eol, mixed } = decoded;
  return {
    text,
    data: {
      path,
      encoding,
      ...(bom ? { bom } : {}),
      eol: mixed ? 'mixed' : { '\n': 'lf', '\r\n': 'crlf', '\r': 'cr' }[eol],
    },
  };
}

export const readFile: Tool = {
  name: 'read_file',
  description: 'Read a text file or document (PDF, Office), or a window of its lines.',
  category: 'files',
  parameters: {
    type: 'object',
    properties: {
      path: PATH,
      line_start: { type: 'integer', minimum: 1, maximum: MAX_LINES, default: 1 },
      line_end: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_LINES,
        description: 'inclusive; default: the end',
      },
      line_numbers: { type: 'boolean', default: false },
      // The note behind a document's text says how to go on.
      page_start: { type: 'integer', minimum: 0, maximum: MAX_PAGES, description: 'default: 0', rare: true },
      page_end: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_PAGES,
        description: 'exclusive; default: 20 on',
        rare: true,
      },
    },
    required: ['path'],
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 30_000,

  async run(args, context) {
    const asked = args['path'] as string;
    const path = await context.workspace.resolve(asked, { mustExist: true });
    const entry = await entryOf(context.workspace.root, path);
    if (entry.kind === 'directory')
      throw refusal('is_directory', `${path} is a folder; use list_directory to see what is in it.`);
    if (entry.kind !== 'file') throw refusal('not_found', `${path} does not exist.`);
    const reads = { [path]: entry.sha256 };
    const read = isDocument(entry.content, path)
      ? await readDocument(path, entry.content, pagesOf(args), context)
      : await readText(path, entry.content);
    if (!read)
      return success(describeBinary(path, entry.content), {
        data: { path, binary: true, size: entry.size },
        reads,
      });
    const images = await imagesOf(entry.content, read.data, context);
    const lines = linesOf(read.text);
    const data: Record<string, unknown> = {
      path,
      size: entry.size,
      lines: lines.length,
      ...read.data,
    };
    if (lines.length === 0) return success('(empty file)', { data, reads });

    const start = (args['line_start'] as number | undefined) ?? 1;
    const end = Math.min((args['line_end'] as number | undefined) ?? lines.length, lines.length);
    if (start > lines.length)
      throw refusal(
        'out_of_range',
        `${path} has ${lines.length} lines; line_start=${start} is behind its end.`,
      );
    if (end < start) throw refusal('out_of_range', `line_end=${end} is before line_start=${start}.`);

    const window = windowOf(
      lines,
      start,
      end,
      context.outputLimit - NOTE_ROOM,
      args['line_numbers'] === true,
    );
    const notes: string[] = [];
    if (read.note && window.last === lines.length) notes.push(read.note);
    if (window.cutLine)
      notes.push(
        `line ${window.last} has ${lines[window.last - 1]!.length} characters, only its beginning is shown; use shell_execute (cut -c) for the rest`,
      );
    if (start > 1 || window.last < lines.length)
      notes.push(
        `showing lines ${start}–${window.last} of ${lines.length}` +
          (window.last < lines.length ? `; continue with line_start=${window.last + 1}` : ''),
      );
    const note = notes.length > 0 ? `\n[${notes.join('; ')}]` : '';
    return success(window.text + note, {
      data: {
        ...data,
        line_start: start,
        line_end: window.last,
        truncated: window.last < end || window.cutLine || data['truncated'] === true,
      },
      reads,
      ...(images.length > 0 ? { images } : {}),
    });
  },
};
