/** write_file: whole contents of a new or existing file; an existing text file keeps its encoding, BOM and line ends. */

import { applyChanges } from '../changes.ts';
import { entryOf, sha256 } from '../disk.ts';
import { CONTENT, PATH } from '../parameters.ts';
import { changed, refusal, success } from '../result.ts';
import { decodeText, encodeText, withEol } from '../text.ts';
import type { Tool } from '../tool.ts';

/** Contents in the style of what stands there; line ends the model wrote on purpose are left alone. */
async function inStyleOf(old: Uint8Array | null, content: string): Promise<{ bytes: Buffer; note: string }> {
  const style = old && old.length > 0 ? await decodeText(old) : null;
  if (!style) return { bytes: Buffer.from(content, 'utf8'), note: '' };
  const text = content.replace(/^\ufeff/, '');
  const ownEnds = text.includes('\r') || style.eol === '\n';
  const { bytes, encoding } = await encodeText(ownEnds ? text : withEol(text, style.eol), style);
  const note =
    encoding === style.encoding ? '' : ` It is UTF-8 now: ${style.encoding} cannot hold the new text.`;
  return { bytes, note };
}

export const writeFile: Tool = {
  name: 'write_file',
  description: 'Create a file (and its folders) or replace its whole contents. Read an existing file first.',
  category: 'files',
  keywords: ['create', 'new', 'save'],
  parameters: {
    type: 'object',
    properties: { path: PATH, content: CONTENT },
    required: ['path', 'content'],
    additionalProperties: false,
  },
  effects: 'write',
  paths: ['path'],
  timeoutMs: 10_000,

  async run(args, context) {
    const asked = args['path'] as string;
    const content = args['content'] as string;
    if (/[/\\]$/.test(asked))
      throw refusal('path_invalid', `${asked} names a folder; write_file needs a file name.`);
    const path = await context.workspace.resolve(asked, { access: 'write' });
    let bytes: Buffer = Buffer.alloc(0);
    let note = '';
    const records = await applyChanges(async () => {
      const current = await entryOf(context.workspace.root, path);
      ({ bytes, note } = await inStyleOf(current.kind === 'file' ? current.content : null, content));
      return [{ operation: 'write', path, content: bytes, guard: 'read' }];
    }, context);
    const record = records.find(one => one.kind !== 'directory');
    if (!record)
      return success(`${path} already has exactly this content.`, {
        data: { path, diff: '' },
        reads: { [path]: sha256(bytes) },
      });
    const size = record.after_ref?.size ?? bytes.length;
    const verb = record.operation === 'create' ? 'Created' : 'Replaced';
    return changed(`${verb} ${path} (${size} bytes).${note}`, records, context, { path, size });
  },
};
