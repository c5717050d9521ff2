/** One parser per kind of file. Each accepts whatever some reader of the format accepts; all are loaded when needed. */
import { extname } from 'node:path';
import { parserFor } from '../../../tools/code/grammar.ts';

interface Problem {
  /** Where and what, one line. */
  message: string;
  /** false: readers of the format differ, so it may be meant. */
  sure?: false;
}

/** null: nothing wrong with it. */
export type Parser = (text: string, path: string) => Promise<Problem | null>;

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!;

/** A parser from a function that throws. */
const throwing =
  (parse: (text: string, path: string) => unknown): Parser =>
  async (text, path) => {
    try {
      await parse(text, path);
      return null;
    } catch (error) {
      return { message: firstLine(error) };
    }
  };

const json = throwing(text => JSON.parse(text));

const jsonLines: Parser = async text => {
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const problem = line.trim() === '' ? null : await json(line, '');
    if (problem) return { message: `line ${at + 1}: ${problem.message}` };
  }
  return null;
};

const jsonWithComments = throwing(async text => (await import('@babel/parser')).parseExpression(text));

const yaml: Parser = async text => {
  const { parseAllDocuments } = await import('yaml');
  const documents = [parseAllDocuments(text)].flat();
  const broken = documents.flatMap(document => ('errors' in document ? document.errors : []))[0];
  return broken ? { message: firstLine(broken) } : null;
};

const toml = throwing(async text => (await import('smol-toml')).parse(text));

/** JavaScript and TypeScript by Babel's parser: only what it cannot recover from is wrong, so that questions of meaning
 *  (a name declared twice, `await` outside a function) are left to others. */
const script: Parser = async (text, path) => {
  const { parse } = await import('@babel/parser');
  const extension = extname(path).toLowerCase();
  const typed = /^\.[cm]?tsx?$/.test(extension);
  const base: Plugins[] = typed
    ? [
        [
          ['typescript', { dts: /\.d\.[cm]?ts$/.test(path) }],
          ...(extension === '.tsx' ? (['jsx'] as const) : []),
        ],
      ]
    : [['jsx'], ['jsx', 'flow']];
  // Decorators of parameters exist in the older proposal only.
  const dialects = base.flatMap(plugins => [
    [...plugins, 'decorators' as const],
    ...(text.includes('@') ? [[...plugins, 'decorators-legacy' as const]] : []),
  ]);
  let problem: Problem | null = null;
  for (const dialect of dialects) {
    problem = await throwing(() =>
      parse(text, {
        sourceType: 'unambiguous',
        errorRecovery: true,
        allowReturnOutsideFunction: true,
        allowAwaitOutsideFunction: true,
        allowNewTargetOutsideFunction: true,
        allowUndeclaredExports: true,
        allowImportExportEverywhere: true,
        allowSuperOutsideMethod: true,
        plugins: [...dialect, 'decoratorAutoAccessors', 'explicitResourceManagement'],
      }),
    )(text, path);
    if (!problem) return null;
  }
  return problem;
};

type Plugins = NonNullable<import('@babel/parser').ParserOptions['plugins']>;

/** Python by its tree-sitter grammar, which needs no interpreter and knows the versions 2 and 3. */
const python: Parser = async text => {
  const tree = (await parserFor('python')).parse(text);
  if (!tree) return null;
  try {
    if (!tree.rootNode.hasError) return null;
    const [first] = tree.rootNode.descendantsOfType('ERROR');
    const missing = first ? null : firstMissing(tree.rootNode);
    const row = (first ?? missing ?? tree.rootNode).startPosition.row;
    return { message: `invalid syntax near line ${row + 1}${missing ? `: ${missing.type} is missing` : ''}` };
  } finally {
    tree.delete();
  }
};

function firstMissing(node: import('web-tree-sitter').Node): import('web-tree-sitter').Node | null {
  if (node.isMissing) return node;
  for (const child of node.children) {
    const found = child?.hasError ? firstMissing(child) : null;
    if (found) return found;
  }
  return null;
}

/** A browser reads everything; wrong is only a file that ends in the middle of something. */
const CUT_OFF = new Set([
  'eof-in-tag',
  'eof-before-tag-name',
  'eof-in-comment',
  'eof-in-cdata',
  'eof-in-script-html-comment-like-text',
  'eof-in-element-that-can-contain-only-text',
]);

const html: Parser = async text => {
  const { parse } = await import('parse5');
  const errors: { code: string; startLine: number }[] = [];
  parse(text, { onParseError: error => errors.push(error), sourceCodeLocationInfo: true });
  const cut = errors.find(error => CUT_OFF.has(error.code));
  if (cut) return { message: `it ends in the middle of something (${cut.code}, line ${cut.startLine})` };
  const left = errors.find(error => error.code === 'open-elements-left-after-eof');
  if (left) return { message: 'elements are left open at its end', sure: false };
  return /<[a-z!]/i.test(text) ? null : { message: 'it has no element', sure: false };
};

/** The delimiter that the first line uses most. */
const delimiterOf = (text: string): string => {
  const head = text.split(/\r?\n/).find(line => line.trim() !== '') ?? '';
  const counted = [',', ';', '\t', '|'].map(mark => ({ mark, count: head.split(mark).length }));
  return counted.reduce((best, each) => (each.count > best.count ? each : best)).mark;
};

const csv: Parser = async (text, path) => {
  const { parse } = await import('csv-parse/sync');
  const options = { delimiter: /\.tsv$/i.test(path) ? '\t' : delimiterOf(text), relax_column_count: true };
  let rows: string[][];
  try {
    rows = parse(text, { ...options, relax_quotes: true, skip_empty_lines: true, info: false });
  } catch (error) {
    return { message: firstLine(error) };
  }
  const width = rows[0]?.length ?? 0;
  const odd = rows.findIndex(row => row.length !== width);
  if (odd < 0) return null;
  const message = `row ${odd + 1} has ${rows[odd]!.length} columns, the first has ${width}`;
  // Remarks before the table and empty cells left out at the end of a row are customs of some programs.
  return { message, sure: false };
};

export const PARSERS: Record<string, Parser> = {
  '.json': json,
  '.jsonc': jsonWithComments,
  '.jsonl': jsonLines,
  '.ndjson': jsonLines,
  '.yaml': yaml,
  '.yml': yaml,
  '.toml': toml,
  '.csv': csv,
  '.tsv': csv,
  '.html': html,
  '.htm': html,
  '.py': python,
  '.js': script,
  '.mjs': script,
  '.cjs': script,
  '.jsx': script,
  '.ts': script,
  '.mts': script,
  '.cts': script,
  '.tsx': script,
};
