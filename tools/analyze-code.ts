/** analyze_code: imports, definitions with signatures and lines, syntax errors of a source file; of a folder a map. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodeSymbol } from './code/outline.ts';
import { entryOf } from './disk.ts';
import { PATH } from './parameters.ts';
import { refusal, success } from './result.ts';
import { decodeText } from './text.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';

const MAX_SOURCE = 2 * 1024 * 1024;
/** Characters of a folder's map, unless there is less room. */
const MAP_BUDGET = 12_000;

function linesOf(symbols: CodeSymbol[], indent = '  '): string[] {
  return symbols.flatMap(({ kind, signature, name, start, end, exported, children }) => {
    const lines = start === end ? `${start}` : `${start}-${end}`;
    const shown = signature === '' ? name : signature;
    return [
      `${indent}${lines} ${kind}${exported ? ' (exported)' : ''}: ${shown}`,
      ...linesOf(children, `${indent}  `),
    ];
  });
}

const countOf = (symbols: CodeSymbol[]): number =>
  symbols.reduce((sum, symbol) => sum + 1 + countOf(symbol.children), 0);

async function analyzeFile(path: string, context: ToolContext): Promise<ToolResult> {
  const [{ languageNames, languageOf }, { outlineOf }, { syntaxProblems }] = await Promise.all([
    import('./code/languages.ts'),
    import('./code/outline.ts'),
    import('./code/syntax.ts'),
  ]);
  const language = languageOf(path);
  if (!language)
    throw refusal(
      'unknown_language',
      `analyze_code does not know the language of ${path}; it reads ${languageNames.join(', ')}. Use read_file.`,
      { fields: ['path'] },
    );
  const entry = await entryOf(context.workspace.root, path);
  if (entry.kind !== 'file') throw refusal('not_found', `File not found: ${path}`, { fields: ['path'] });
  if (entry.size > MAX_SOURCE)
    throw refusal(
      'too_large',
      `${path} has ${entry.size} bytes; sources are read up to ${MAX_SOURCE} bytes.`,
    );
  const decoded = await decodeText(entry.content);
  if (!decoded) throw refusal('binary_file', `${path} is not a text file.`);
  const { imports, symbols, broken } = await outlineOf(decoded.text, language);
  const problems = broken ? ((await syntaxProblems(decoded.text, path)) ?? []) : [];
  const lines = decoded.text === '' ? 0 : decoded.text.replace(/\n$/, '').split('\n').length;
  const output = [
    `${path}: ${language.name}, ${lines} lines`,
    ...(imports.length > 0 ? [`Imports: ${imports.join(', ')}`] : []),
    ...(symbols.length > 0 ? ['Definitions, by lines:', ...linesOf(symbols)] : ['No definitions.']),
    ...problems.map(({ line, message, text }) => `Syntax error in line ${line}: ${message}: ${text}`),
  ];
  return success(output.join('\n'), {
    data: {
      path,
      language: language.name,
      lines,
      imports,
      symbols,
      symbol_count: countOf(symbols),
      syntax_errors: problems,
    },
    // An outline is not enough to replace the file: it does not count as read.
  });
}

export const analyzeCode: Tool = {
  name: 'analyze_code',
  description: 'Outline of a source file: imports, definitions, lines; of a folder: a map.',
  category: 'code',
  keywords: ['structure', 'outline', 'functions', 'classes', 'overview', 'map'],
  parameters: {
    type: 'object',
    properties: { path: PATH },
    required: ['path'],
    additionalProperties: false,
  },
  effects: 'read',
  paths: ['path'],
  timeoutMs: 15_000,

  async run(args, context) {
    const path = await context.workspace.resolve(args['path'] as string, { mustExist: true });
    if (!(await stat(join(context.workspace.root, path))).isDirectory()) return analyzeFile(path, context);
    const { mapDirectory } = await import('./code/map.ts');
    const { text, files, outlined } = await mapDirectory(context.workspace.root, {
      path,
      budget: Math.min(MAP_BUDGET, context.outputLimit),
      signal: context.signal,
    });
    return success(text, { data: { path, files, outlined } });
  },
};
