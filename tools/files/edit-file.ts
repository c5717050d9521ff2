/** edit_file: replaces text in a file, one place or several, all or nothing. */

import { applyChanges } from '../changes.ts';
import { entryOf } from '../disk.ts';
import { CONTENT, PATH } from '../parameters.ts';
import { changed, refusal } from '../result.ts';
import { decodeText, encodeText } from '../text.ts';
import type { Args, Tool } from '../tool.ts';
import { LEVELS } from './edit-align.ts';
import { type Applied, applyEdit, type Edit } from './edit-match.ts';

function editsOf(args: Args): Edit[] {
  const edits = args['edits'] as Edit[] | undefined;
  const single = args['old_str'] as string | undefined;
  if (edits && edits.length > 0) {
    if (single) throw refusal('invalid_edit', 'Give either old_str and new_str or edits, not both.');
    return edits;
  }
  if (single === undefined || args['new_str'] === undefined)
    throw refusal('invalid_edit', 'Give old_str and new_str, or edits with at least one of both.');
  return [{ old_str: single, new_str: args['new_str'] as string }];
}

/** More would be a new file. */
const MAX_EDITS = 100;

export const editFile: Tool = {
  name: 'edit_file',
  description:
    'Replace old_str, which must occur once, by new_str; or several edits in order, all or nothing.',
  category: 'files',
  keywords: ['change', 'fix', 'rename', 'update', 'refactor', 'add'],
  parameters: {
    type: 'object',
    properties: {
      path: PATH,
      old_str: CONTENT,
      new_str: CONTENT,
      edits: {
        type: 'array',
        maxItems: MAX_EDITS,
        items: {
          type: 'object',
          properties: { old_str: CONTENT, new_str: CONTENT },
          required: ['old_str', 'new_str'],
          additionalProperties: false,
        },
      },
    },
    required: ['path'],
    additionalProperties: false,
  },
  effects: 'write',
  paths: ['path'],
  timeoutMs: 10_000,

  async run(args, context) {
    const edits = editsOf(args);
    const path = await context.workspace.resolve(args['path'] as string, { access: 'write' });
    let applied: Applied[] = [];
    const records = await applyChanges(async () => {
      const current = await entryOf(context.workspace.root, path);
      if (current.kind === 'missing')
        throw refusal('not_found', `${path} does not exist; use write_file to create it.`);
      if (current.kind !== 'file') throw refusal('is_directory', `${path} is a folder, not a file.`);
      const decoded = await decodeText(current.content);
      if (!decoded) throw refusal('binary_file', `${path} is not a text file; edit_file cannot change it.`);
      applied = [];
      let text = decoded.text;
      for (const [i, edit] of edits.entries()) {
        const one = applyOne(path, text, edit, edits.length > 1 ? i : null);
        text = one.text;
        applied.push(one);
      }
      const { bytes, encoding } = await encodeText(text, decoded);
      if (encoding !== decoded.encoding)
        throw refusal(
          'encoding',
          `${path} is ${decoded.encoding}, which cannot hold all characters of new_str; nothing was changed. Leave them out, or replace the whole file with write_file, which makes it UTF-8.`,
        );
      return [{ operation: 'write', path, content: bytes, guard: 'fresh' }];
    }, context);
    if (records.length === 0)
      throw refusal('invalid_edit', `The edits cancel each other out; ${path} is as it was.`);
    const count = edits.length === 1 ? '' : `, ${edits.length} edits`;
    // After a crash the edit was found done; how it had matched is not known any more.
    const data = applied.length > 0 ? matchOf(applied) : { recovered: true };
    const how =
      'match' in data && data.match !== 'exact' ? ` (match: ${data.match}, ratio ${data.ratio})` : '';
    return changed(`Edited ${path}${count}${how}.`, records, context, { path, ...data });
  },
};

/** How old_str stood for what was replaced; of several edits the least exact. */
function matchOf(applied: Applied[]) {
  const rank = (one: Applied) => LEVELS.indexOf(one.match);
  const match = LEVELS[Math.max(...applied.map(rank))]!;
  const ratio = Math.min(...applied.map(one => one.ratio));
  return applied.length === 1
    ? { match, ratio }
    : { match, ratio, matches: applied.map(one => one.match), ratios: applied.map(one => one.ratio) };
}

function applyOne(path: string, text: string, edit: Edit, index: number | null) {
  try {
    return applyEdit(path, text, edit);
  } catch (error) {
    if (index === null || !(error instanceof Error) || !('failure' in error)) throw error;
    const { code, message, detail } = (error as ReturnType<typeof refusal>).failure;
    throw refusal(code, `edits[${index}]: ${message}\nNone of the edits was applied.`, {
      ...detail,
      edit: index,
    });
  }
}
