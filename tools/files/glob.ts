/** Glob patterns as models write them, matched against workspace paths. */

import { isAbsolute, relative } from 'node:path';
import { refusal } from '../result.ts';

/**
 * A pattern without `/` matches names at any depth, another one the path below `base`.
 * @param base canonical folder that patterns are relative to
 * @throws LoomError `path_outside` when the pattern leads out of the workspace
 */
export async function globMatcher(
  root: string,
  base: string,
  pattern: string,
): Promise<(path: string) => boolean> {
  const { default: picomatch } = await import('picomatch');
  let wanted = pattern.replace(/^(\.\/)+/, '');
  if (isAbsolute(wanted)) wanted = relative(root, wanted);
  else if (base !== '.' && wanted.includes('/'))
    wanted = `${base.replace(/[\\*?[\]{}()!+@]/g, '\\$&')}/${wanted}`;
  if (wanted.split('/').includes('..'))
    throw refusal('path_outside', `The pattern ${pattern} leads out of the workspace.`);
  return picomatch(wanted, { dot: true, basename: !wanted.includes('/') });
}
