/** ripgrep_search: lines that match a regular expression, as `path:line:text`. */

import { FOLDER, PATTERN } from '../parameters.ts';
import { isSecretPath, refusal, success } from '../result.ts';
import type { Args, Tool } from '../tool.ts';
import { globMatcher } from './glob.ts';
import { plainPath, ripgrep } from './rg.ts';

const DEFAULT_MATCHES = 200;
/** Longer lines (minified code) are cut. Characters. */
const MAX_LINE = 300;

type Text = { text: string } | { bytes: string };
interface RgMessage {
  type: 'begin' | 'match' | 'context' | 'end' | 'summary';
  data: { path?: Text; lines?: Text; line_number?: number | null };
}

const textOf = (value: Text | undefined): string =>
  value === undefined
    ? ''
    : 'text' in value
      ? value.text
      : Buffer.from(value.bytes, 'base64').toString('latin1');

function searchArgs(args: Args): string[] {
  const pattern = args['pattern'] as string;
  const glob = args['glob'] as string | undefined;
  return [
    ...(args['files_only'] ? ['--files-with-matches', '--null'] : ['--json']),
    ...(args['case_insensitive'] ? ['-i'] : []),
    ...(args['context'] && !args['files_only'] ? ['-C', String(args['context'])] : []),
    ...(args['type'] ? ['-t', String(args['type'])] : []),
    // A positive --glob would bring ignored files back, so that one is matched here.
    ...(glob?.startsWith('!') ? ['-g', glob] : []),
    '--sort=path',
    '-e',
    pattern,
  ];
}

export const ripgrepSearch: Tool = {
  name: 'ripgrep_search',
  description: 'Search file contents by regular expression.',
  category: 'search',
  keywords: ['find', 'grep', 'where'],
  parameters: {
    type: 'object',
    properties: {
      pattern: PATTERN,
      path: FOLDER,
      glob: { type: 'string', maxLength: 2_000, description: 'e.g. *.{js,ts}' },
      type: { type: 'string', maxLength: 40, description: 'e.g. py' },
      context: { type: 'integer', minimum: 0, maximum: 20, default: 0, description: 'lines around' },
      case_insensitive: { type: 'boolean', default: false },
      files_only: { type: 'boolean', default: false },
      max_matches: { type: 'integer', minimum: 1, maximum: 2000, default: DEFAULT_MATCHES },
    },
    required: ['pattern'],
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 30_000,

  async run(args, context) {
    const { root } = context.workspace;
    const path = await context.workspace.resolve((args['path'] as string | undefined) ?? '.', {
      mustExist: true,
    });
    const limit = (args['max_matches'] as number | undefined) ?? DEFAULT_MATCHES;
    const glob = args['glob'] as string | undefined;
    const named = glob && !glob.startsWith('!') ? await globMatcher(root, '.', glob) : () => true;
    // Keys do not turn up in a search by accident: whoever names such a file is asked for it.
    const secrets = isSecretPath(path);
    const wanted = (file: string) => named(file) && (secrets || !isSecretPath(file));
    const lines: string[] = [];
    const files = new Set<string>();
    let matches = 0;
    let more = false;
    let last: { file: string; line: number } | null = null;

    const onFile = (record: string): boolean => {
      const file = plainPath(record);
      if (!wanted(file)) return true;
      if (files.size >= limit) {
        more = true;
        return false;
      }
      files.add(file);
      lines.push(file);
      return true;
    };
    const onMessage = (record: string): boolean => {
      if (record === '') return true;
      const { type, data } = JSON.parse(record) as RgMessage;
      if (type !== 'match' && type !== 'context') return true;
      const file = plainPath(textOf(data.path));
      if (!wanted(file)) return true;
      if (type === 'match' && matches >= limit) {
        more = true;
        return false;
      }
      const line = data.line_number ?? 0;
      if (args['context'] && last && (last.file !== file || line > last.line + 1)) lines.push('--');
      last = { file, line };
      const text = textOf(data.lines).replace(/\r?\n$/, '');
      const shown = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}… (${text.length} characters)` : text;
      const mark = type === 'match' ? ':' : '-';
      lines.push(`${file}${mark}${line}${mark}${shown}`);
      if (type === 'match') {
        matches++;
        files.add(file);
      }
      return true;
    };

    const filesOnly = args['files_only'] === true;
    const run = await ripgrep(
      root,
      searchArgs(args),
      path,
      filesOnly ? '\0' : '\n',
      context.signal,
      filesOnly ? onFile : onMessage,
    );
    if (run.exitCode === 2 && files.size === 0) {
      const bad = /regex parse error|unrecognized file type/.test(run.stderr);
      throw refusal(
        bad ? 'bad_pattern' : 'search_failed',
        `ripgrep_search failed: ${run.stderr.slice(0, 600)}${bad ? '\nEscape special characters with \\\\ to search for them literally.' : ''}`,
      );
    }
    if (more)
      lines.push(
        `... more than ${limit} ${filesOnly ? 'files' : 'matches'}; narrow the search or raise max_matches`,
      );
    const data = { ...(filesOnly ? {} : { match_count: matches }), file_count: files.size, truncated: more };
    return success(lines.length > 0 ? lines.join('\n') : `No matches for ${args['pattern']}.`, { data });
  },
};
