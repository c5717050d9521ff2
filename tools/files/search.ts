/** Searches file contents with ripgrep: a true limit on all matches, results in the order of their paths, each line bounded. */

import { isSecretPath, refusal, success } from '../result.ts';
import type { ToolContext, ToolResult } from '../tool.ts';
import { globMatcher } from './glob.ts';
import { plainPath, type RgRun, ripgrep } from './rg.ts';

export const DEFAULT_MATCHES = 200;
/** Longer lines (minified code) are cut. Characters. */
const MAX_LINE = 300;

export interface Search {
  /** Name of the tool, for errors. */
  tool: string;
  /** Regular expression; ripgrep's take linear time, whatever the pattern. */
  pattern: string;
  /** Where to look, as the caller wrote it. */
  path: string;
  /** Names of files to look into; `!` leaves out. */
  glob?: string | undefined;
  type?: string | undefined;
  /** Lines around each match. */
  around?: number;
  ignoreCase?: boolean;
  filesOnly?: boolean;
  limit?: number;
}

interface Found {
  file: string;
  line: number;
  match: boolean;
  text: string;
}

/** What one pass found: up to the limit, and whether there was more. */
interface Pass {
  found: Found[];
  matches: number;
  more: boolean;
  run: RgRun;
}

/** A pattern of names alone can be given to ripgrep without bringing ignored files back, as --glob would. */
const namesOnly = (glob: string): boolean => !/[/!\\]/.test(glob);

function argsOf(search: Search, sorted: boolean): string[] {
  const { glob } = search;
  return [
    ...(search.filesOnly
      ? ['--files-with-matches']
      : [
          '--line-number',
          '--no-heading',
          '--with-filename',
          `--max-columns=${MAX_LINE}`,
          '--max-columns-preview',
        ]),
    '--null',
    ...(search.ignoreCase ? ['-i'] : []),
    ...(search.around && !search.filesOnly ? ['-C', String(search.around)] : []),
    ...(search.type ? ['-t', search.type] : []),
    ...(glob?.startsWith('!') ? ['-g', glob] : []),
    ...(glob && !search.type && namesOnly(glob) ? ['--type-add', `wanted:${glob}`, '-t', 'wanted'] : []),
    // Sorting makes ripgrep use one thread only.
    ...(sorted ? ['--sort=path'] : []),
    '-e',
    search.pattern,
  ];
}

/** How ripgrep marks a line that it cut. */
const CUT = / \[\.\.\. (omitted end of long line|\d+ more match(es)?)\]$/;

/** `path NUL line : text`, with `-` in place of `:` for lines around a match. */
function foundIn(record: string): Found | null {
  const [, file, line, mark, text] = /^([^\0]*)\0(\d+)([:-])(.*)$/s.exec(record) ?? [];
  if (file === undefined) return null;
  const shown = text!.replace(/\r$/, '').replace(CUT, '…');
  return { file: plainPath(file), line: Number(line), match: mark === ':', text: shown };
}

async function pass(search: Search, path: string, sorted: boolean, context: ToolContext): Promise<Pass> {
  const { root } = context.workspace;
  const { glob, filesOnly = false, limit = DEFAULT_MATCHES } = search;
  const named = glob && !glob.startsWith('!') ? await globMatcher(root, '.', glob) : () => true;
  // Keys do not turn up in a search by accident: whoever names such a file is asked for it.
  const secrets = isSecretPath(path);
  const found: Found[] = [];
  let matches = 0;
  let more = false;
  const run = await ripgrep(
    root,
    argsOf(search, sorted),
    path,
    filesOnly ? '\0' : '\n',
    context.signal,
    record => {
      const one = filesOnly ? { file: plainPath(record), line: 0, match: true, text: '' } : foundIn(record);
      if (!one || !named(one.file) || (!secrets && isSecretPath(one.file))) return true;
      if (one.match && matches >= limit) {
        more = true;
        return false;
      }
      if (one.match) matches++;
      found.push(one);
      return true;
    },
  );
  return { found, matches, more, run };
}

const byPlace = (a: Found, b: Found): number =>
  a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1;

function linesOf(found: Found[], { filesOnly, around }: Search): string[] {
  if (filesOnly) return found.map(({ file }) => file);
  const lines: string[] = [];
  let last: Found | null = null;
  for (const one of found) {
    if (around && last && (last.file !== one.file || one.line > last.line + 1)) lines.push('--');
    const mark = one.match ? ':' : '-';
    lines.push(`${one.file}${mark}${one.line}${mark}${one.text}`);
    last = one;
  }
  return lines;
}

/**
 * What one search finds, as text and with honest counts: `match_count`, `file_count`, `truncated`.
 * @throws LoomError `bad_pattern`, `search_failed`, and those of `Workspace.resolve`
 */
export async function searchContents(search: Search, context: ToolContext): Promise<ToolResult> {
  const path = await context.workspace.resolve(search.path, { mustExist: true });
  const { limit = DEFAULT_MATCHES, filesOnly } = search;
  // All at once is fastest. Where that is too much, the first in order are wanted, which is quick because it ends early.
  let { found, matches, more, run } = await pass(search, path, false, context);
  if (more) ({ found, matches, more, run } = await pass(search, path, true, context));
  if (run.exitCode === 2 && found.length === 0) {
    const bad = /regex parse error|unrecognized file type|not supported|invalid glob/i.test(run.stderr);
    throw refusal(
      bad ? 'bad_pattern' : 'search_failed',
      `${search.tool} failed: ${run.stderr.slice(0, 600)}${bad ? '\nEscape special characters with \\\\ to search for them literally.' : ''}`,
    );
  }
  const lines = linesOf(found.sort(byPlace), search);
  const files = new Set(found.filter(one => one.match).map(one => one.file));
  if (more)
    lines.push(
      `... more than ${limit} ${filesOnly ? 'files' : 'matches'}; narrow the search or raise the limit`,
    );
  return success(lines.length > 0 ? lines.join('\n') : `No matches for ${search.pattern}.`, {
    data: { ...(filesOnly ? {} : { match_count: matches }), file_count: files.size, truncated: more },
  });
}
