/** What a source file defines and imports: names, kinds, signatures, line ranges, nested as they stand. */

import type { Node } from 'web-tree-sitter';
import { parserFor } from './grammar.ts';
import type { CodeLanguage, SymbolKind } from './languages.ts';

export interface CodeSymbol {
  kind: SymbolKind;
  name: string;
  /** Up to the body, in one line. */
  signature: string;
  /** Lines, from 1, both inclusive. */
  start: number;
  end: number;
  exported: boolean;
  children: CodeSymbol[];
}

export interface Outline {
  imports: string[];
  symbols: CodeSymbol[];
  /** There are parts that the grammar cannot read. */
  broken: boolean;
}

const MAX_SIGNATURE = 160;
const MAX_SYMBOLS = 2_000;
const MAX_DEPTH = 200;
/** In these a function is a method. */
const OWNERS: SymbolKind[] = ['class', 'interface', 'struct', 'trait', 'impl', 'enum'];
/** Kinds that are noise among the locals of a function. */
const LOCAL: SymbolKind[] = ['constant', 'variable', 'property'];
const FUNCTION_VALUES = /^(arrow_function|function_expression|function|generator_function)$/;

function nameOf(node: Node): string {
  if (node.type === 'impl_item') {
    const [trait, type] = [node.childForFieldName('trait')?.text, node.childForFieldName('type')?.text ?? ''];
    return trait ? `${trait} for ${type}` : type;
  }
  const named =
    node.childForFieldName('name') ?? node.childForFieldName('property') ?? node.childForFieldName('left');
  if (named)
    return /^(object_pattern|array_pattern|pattern_list|subscript|attribute|tuple_pattern)$/.test(named.type)
      ? ''
      : named.text;
  return node.childForFieldName('declarator')?.childForFieldName('name')?.text ?? '';
}

/** What a name is bound to, where that is what matters: `const f = () => …`, `type S struct`. */
function boundTo(node: Node): Node | null {
  return node.childForFieldName('value') ?? node.childForFieldName('type');
}

function kindOf(node: Node, declared: SymbolKind, owner: CodeSymbol | null): SymbolKind {
  const value = boundTo(node);
  if (value && FUNCTION_VALUES.test(value.type))
    return owner && OWNERS.includes(owner.kind) ? 'method' : 'function';
  if (value?.type === 'class') return 'class';
  if (declared === 'type' && value?.type === 'struct_type') return 'struct';
  if (declared === 'type' && value?.type === 'interface_type') return 'interface';
  return declared === 'function' && owner && OWNERS.includes(owner.kind) ? 'method' : declared;
}

/** Where the body begins, as an index into the text; null for what has none. */
function bodyOf(node: Node): Node | null {
  const value = boundTo(node);
  return (
    node.childForFieldName('body') ??
    value?.childForFieldName('body') ??
    value?.namedChildren.find(child => child?.type === 'field_declaration_list') ??
    null
  );
}

function signatureOf(node: Node, text: string): string {
  const body = bodyOf(node);
  const whole = body ? text.slice(node.startIndex, body.startIndex) : node.text;
  const line = (body ? whole : whole.split(/\{|\n/)[0]!).replace(/\s+/g, ' ').trim();
  const plain = line.replace(/\s*(\{|:|=>|;)$/, '').trim();
  return plain.length > MAX_SIGNATURE ? `${plain.slice(0, MAX_SIGNATURE)}…` : plain;
}

/**
 * @param text UTF-16, as it was decoded; lines count from 1
 * @throws Error when the grammar cannot be loaded
 */
export async function outlineOf(text: string, language: CodeLanguage): Promise<Outline> {
  const parser = await parserFor(language.grammar);
  const tree = parser.parse(text);
  if (!tree) return { imports: [], symbols: [], broken: true };
  const imports = new Set<string>();
  let count = 0;

  function symbolOf(node: Node, owner: CodeSymbol | null): CodeSymbol | null {
    const declared = language.symbols[node.type];
    if (!declared || count >= MAX_SYMBOLS) return null;
    const name = nameOf(node);
    if (name === '') return null;
    const kind = kindOf(node, declared, owner);
    const local = owner && !OWNERS.includes(owner.kind) && owner.kind !== 'namespace';
    if (local && LOCAL.includes(kind)) return null;
    count++;
    return {
      kind,
      name,
      signature: signatureOf(node, text),
      start: node.startPosition.row + 1,
      end: node.endPosition.row + 1,
      exported: language.exported(node, name),
      children: [],
    };
  }

  function visit(node: Node, into: CodeSymbol[], owner: CodeSymbol | null, depth: number): void {
    for (const found of language.imports[node.type]?.(node) ?? []) imports.add(found);
    const symbol = symbolOf(node, owner);
    if (symbol) into.push(symbol);
    if (depth >= MAX_DEPTH) return;
    for (const child of node.namedChildren)
      if (child) visit(child, symbol?.children ?? into, symbol ?? owner, depth + 1);
  }

  try {
    const symbols: CodeSymbol[] = [];
    visit(tree.rootNode, symbols, null, 0);
    return { imports: [...imports], symbols, broken: tree.rootNode.hasError };
  } finally {
    tree.delete();
  }
}
