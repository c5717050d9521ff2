/** What files of the workspace keep secret does not reach a model by the way: a search or a script that comes across such a
 *  file shows where something was found, and not the words. Who is allowed to read the file itself reads all of it. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSecretPath } from './result.ts';
import type { ToolResult } from './tool.ts';

/** Bounds of the look for such files; deeper ones belong to what was installed or built. */
const MAX_ENTRIES = 2_000;
const MAX_DEPTH = 3;
const MAX_BYTES = 64 * 1024;
const MAX_VALUES = 500;
/** Shorter words, and those that mean something everywhere, are no secrets. */
const SHORTEST = 8;
const COMMON =
  /^(true|false|null|none|localhost|development|production|staging|[\d.:,-]+|https?:\/\/[^/@]*\/?)$/i;
const SKIPPED = new Set(['node_modules', '.git', '.loom', 'vendor', 'target', 'dist', 'build', '.venv']);

function secretFiles(root: string): string[] {
  const found: string[] = [];
  let seen = 0;
  const look = (folder: string, depth: number): void => {
    if (depth > MAX_DEPTH || seen > MAX_ENTRIES) return;
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (++seen > MAX_ENTRIES) return;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) look(path, depth + 1);
      } else if (entry.isFile() && isSecretPath(path)) found.push(path);
    }
  };
  try {
    look('', 0);
  } catch {
    // A folder that cannot be listed shows nothing to a command, either.
  }
  return found;
}

/** The words of a file that are worth hiding: values behind `=` and `:`, and lines of keys. */
function valuesOf(text: string): string[] {
  return text.split('\n').flatMap(line => {
    const assigned = /^\s*(?:export\s+)?["']?[\w.-]+["']?\s*[=:]\s*(.+?)[\s,]*$/.exec(line)?.[1];
    const value = (assigned ?? line).trim().replace(/^(["'])(.*)\1$/, '$2');
    const isKey = assigned === undefined && !/^[\w+/=-]{20,}$/.test(value);
    return value.length < SHORTEST || isKey || COMMON.test(value) ? [] : [value];
  });
}

const kept = new Map<string, { stamp: string; values: string[] }>();

function valuesIn(file: string): string[] {
  try {
    const { size, mtimeMs } = statSync(file);
    if (size > MAX_BYTES) return [];
    const stamp = `${size} ${mtimeMs}`;
    const known = kept.get(file);
    if (known?.stamp === stamp) return known.values;
    const values = valuesOf(readFileSync(file, 'utf8'));
    if (kept.size > 100) kept.clear();
    kept.set(file, { stamp, values });
    return values;
  } catch {
    return [];
  }
}

/** A secret and the file it stands in. */
type Secrets = Map<string, string>;

/** The secrets of the workspace's own files as they are now. Look before a call, too: it may take the file away. */
export function secretsIn(root: string): Secrets {
  const all = secretFiles(root).flatMap(path =>
    valuesIn(join(root, path)).map(value => [value, path] as const),
  );
  return new Map(all.slice(0, MAX_VALUES));
}

/** A text without them, each named by its file. */
export function hideSecrets(text: string, secrets: Secrets): string {
  let hidden = text;
  for (const [value, path] of secrets)
    if (hidden.includes(value)) hidden = hidden.replaceAll(value, `[secret of ${path}, not shown]`);
  return hidden;
}

/** What a model, a reviewer and the journal read of a call that was not let read secrets. */
export function withoutSecrets(result: ToolResult, secrets: Secrets): ToolResult {
  const { diff } = result.data;
  return {
    ...result,
    output: hideSecrets(result.output, secrets),
    data: typeof diff === 'string' ? { ...result.data, diff: hideSecrets(diff, secrets) } : result.data,
  };
}
