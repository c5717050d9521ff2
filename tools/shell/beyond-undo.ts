/** Names, before any command runs, what commands could change in a workspace without a way back. */

import { walk } from './contents.ts';
import { LARGEST_KEPT, unkeptIn } from './unkept.ts';

/** Entries looked at for large files; a look at more would hold up the start of a run. */
const LOOKED_AT = 20_000;
const NAMED = 5;

const listed = (paths: string[]): string =>
  `${paths.slice(0, NAMED).join(', ')}${paths.length > NAMED ? ` and ${paths.length - NAMED} more` : ''}`;

/** One line for a person; null when everything that is there can be undone. Ignored folders by git's own word, large files among the first 20,000 entries. */
export async function beyondUndo(root: string, scratch: string): Promise<string | null> {
  const unkept = await unkeptIn(root, scratch);
  const { index } = await walk(root, unkept, LOOKED_AT);
  const folders = unkept.ignored.map(folder => `${folder}/`);
  const large = [...index].filter(([, mark]) => mark.size > LARGEST_KEPT).map(([path]) => path);
  const parts = [
    ...(folders.length > 0 ? [`${listed(folders)} (ignored by git)`] : []),
    ...(large.length > 0 ? [`${listed(large)} (over ${LARGEST_KEPT / 1024 / 1024} MB)`] : []),
  ];
  return parts.length === 0 ? null : `Commands can change these without a way back: ${parts.join('; ')}.`;
}
