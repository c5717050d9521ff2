/** Syntax errors of source text, and which of them a change brought in. */

import { basename, extname } from 'node:path';
import type { Node } from 'web-tree-sitter';
import { parserFor } from './grammar.ts';
import { languageOf } from './languages.ts';

export interface SyntaxProblem {
  /** From 1. */
  line: number;
  message: string;
  /** The line itself, trimmed. */
  text: string;
}

/** Larger files are not parsed after every change. Characters. */
const MAX_TEXT = 400_000;
const MAX_PROBLEMS = 20;
/** JSON in which comments are allowed. */
const LENIENT_JSON =
  /^([tj]sconfig.*|\.?eslintrc.*|devcontainer|settings|launch|tasks|extensions|biome)\.json$/i;

const one = (text: string): string =>
  (text.length > 40 ? `${text.slice(0, 40)}…` : text).replace(/\s+/g, ' ');

function problemsIn(root: Node, lines: string[]): SyntaxProblem[] {
  const found: SyntaxProblem[] = [];
  const visit = (node: Node): void => {
    if (found.length >= MAX_PROBLEMS) return;
    const line = node.startPosition.row + 1;
    const text = (lines[line - 1] ?? '').trim().slice(0, 200);
    if (node.isMissing) found.push({ line, message: `missing ${JSON.stringify(node.type)}`, text });
    else if (node.isError)
      found.push({ line, message: `unexpected ${JSON.stringify(one(node.text))}`, text });
    else if (node.hasError) for (const child of node.children) if (child) visit(child);
  };
  visit(root);
  return found;
}

/** Whether Babel can read a script: it knows newer syntax than the grammar. */
async function readByBabel(text: string, path: string): Promise<boolean> {
  const { parse } = await import('@babel/parser');
  const typescript = /\.[mc]?tsx?$/.test(path);
  try {
    parse(text, {
      sourceType: 'unambiguous',
      allowReturnOutsideFunction: true,
      errorRecovery: true,
      allowAwaitOutsideFunction: true,
      allowImportExportEverywhere: true,
      allowUndeclaredExports: true,
      plugins: [
        ...(typescript ? (['typescript', 'decorators-legacy'] as const) : (['decorators-legacy'] as const)),
        ...(/x$|\.[mc]?js$/.test(path) ? (['jsx'] as const) : []),
      ],
    });
    return true;
  } catch {
    return false;
  }
}

function jsonProblems(text: string): SyntaxProblem[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const message = (error as Error).message;
    const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length);
    const line = text.slice(0, at).split('\n').length;
    return [{ line, message, text: (text.split('\n')[line - 1] ?? '').trim().slice(0, 200) }];
  }
}

/** Problems of a text by the name of its file; [] for what parses, null for what nobody here can parse. */
export async function syntaxProblems(text: string, path: string): Promise<SyntaxProblem[] | null> {
  if (text.length > MAX_TEXT) return null;
  if (extname(path) === '.json') return LENIENT_JSON.test(basename(path)) ? null : jsonProblems(text);
  const language = languageOf(path);
  if (!language) return null;
  const parser = await parserFor(language.grammar);
  const tree = parser.parse(text);
  if (!tree) return null;
  try {
    if (!tree.rootNode.hasError) return [];
    if (/script|tsx/.test(language.name) && (await readByBabel(text, path))) return [];
    return problemsIn(tree.rootNode, text.split('\n'));
  } finally {
    tree.delete();
  }
}

/**
 * Problems that a change brought into a file: those of the new text that the old one did not have.
 * @param before null for a file that was not there
 */
export async function introducedProblems(
  path: string,
  before: string | null,
  after: string,
): Promise<SyntaxProblem[]> {
  const now = await syntaxProblems(after, path);
  if (!now || now.length === 0) return [];
  const old = before === null ? [] : ((await syntaxProblems(before, path)) ?? []);
  if (old.length >= now.length) return [];
  const known = old.map(({ message, text }) => `${message}\n${text}`);
  return now.filter(({ message, text }) => {
    const at = known.indexOf(`${message}\n${text}`);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}
