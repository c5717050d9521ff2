/** What each language calls its definitions and imports. A further language is one more row, and its grammar in `grammar.ts`. */

import { extname } from 'node:path';
import type { Node } from 'web-tree-sitter';
import type { Grammar } from './grammar.ts';

export type SymbolKind =
  | 'class'
  | 'interface'
  | 'struct'
  | 'trait'
  | 'enum'
  | 'type'
  | 'namespace'
  | 'impl'
  | 'function'
  | 'method'
  | 'property'
  | 'constant'
  | 'variable'
  | 'macro';

export interface CodeLanguage {
  name: string;
  grammar: Grammar;
  extensions: string[];
  /** Node type → kind. A function inside a class, struct, trait or impl is a method. */
  symbols: Record<string, SymbolKind>;
  /** Node type → what it imports; [] when it imports nothing after all. */
  imports: Record<string, (node: Node) => string[]>;
  /** Whether a definition is visible outside its file. */
  exported(node: Node, name: string): boolean;
}

const unquoted = (text: string): string => text.replace(/^["'`<]+|["'`>]+$/g, '');
const field = (node: Node, name: string): string => node.childForFieldName(name)?.text ?? '';
const children = (node: Node, ...types: string[]): Node[] =>
  node.namedChildren.filter((child): child is Node => child !== null && types.includes(child.type));

const source = (node: Node): string[] => {
  const from = field(node, 'source');
  return from === '' ? [] : [unquoted(from)];
};

/** `require('x')` and `import('x')`. */
const called = (node: Node): string[] => {
  const callee = field(node, 'function');
  const [first] = node.childForFieldName('arguments')?.namedChildren ?? [];
  return (callee === 'require' || callee === 'import') && first?.type === 'string'
    ? [unquoted(first.text)]
    : [];
};

const modifiedBy = (node: Node, word: string): boolean =>
  children(node, 'modifiers', 'visibility_modifier').some(child =>
    child.text.split(/\s+/).some(one => one.startsWith(word)),
  );

const ecmascript = {
  imports: { import_statement: source, export_statement: source, call_expression: called },
  exported: (node: Node): boolean => {
    for (let above = node.parent; above; above = above.parent) {
      if (above.type === 'export_statement') return true;
      if (!/^(lexical_declaration|variable_declaration)$/.test(above.type)) return false;
    }
    return false;
  },
};

const JAVASCRIPT: Record<string, SymbolKind> = {
  function_declaration: 'function',
  generator_function_declaration: 'function',
  class_declaration: 'class',
  method_definition: 'method',
  field_definition: 'property',
  variable_declarator: 'constant',
};

const TYPESCRIPT: Record<string, SymbolKind> = {
  ...JAVASCRIPT,
  abstract_class_declaration: 'class',
  interface_declaration: 'interface',
  type_alias_declaration: 'type',
  enum_declaration: 'enum',
  internal_module: 'namespace',
  module: 'namespace',
  function_signature: 'function',
  method_signature: 'method',
  abstract_method_signature: 'method',
  property_signature: 'property',
  public_field_definition: 'property',
};

const LANGUAGES: CodeLanguage[] = [
  {
    name: 'typescript',
    grammar: 'typescript',
    extensions: ['.ts', '.mts', '.cts'],
    symbols: TYPESCRIPT,
    ...ecmascript,
  },
  { name: 'tsx', grammar: 'tsx', extensions: ['.tsx'], symbols: TYPESCRIPT, ...ecmascript },
  {
    name: 'javascript',
    grammar: 'javascript',
    extensions: ['.js', '.jsx', '.mjs', '.cjs'],
    symbols: JAVASCRIPT,
    ...ecmascript,
  },
  {
    name: 'python',
    grammar: 'python',
    extensions: ['.py', '.pyi'],
    symbols: { function_definition: 'function', class_definition: 'class', assignment: 'variable' },
    imports: {
      import_statement: node =>
        children(node, 'dotted_name', 'aliased_import').map(name => field(name, 'name') || name.text),
      import_from_statement: node => [field(node, 'module_name')].filter(Boolean),
    },
    exported: (_, name) => !name.startsWith('_') || /^__\w+__$/.test(name),
  },
  {
    name: 'go',
    grammar: 'go',
    extensions: ['.go'],
    symbols: {
      function_declaration: 'function',
      method_declaration: 'method',
      type_spec: 'type',
      type_alias: 'type',
      const_spec: 'constant',
      var_spec: 'variable',
      method_elem: 'method',
    },
    imports: { import_spec: node => [unquoted(field(node, 'path'))] },
    exported: (_, name) => /^\p{Lu}/u.test(name),
  },
  {
    name: 'rust',
    grammar: 'rust',
    extensions: ['.rs'],
    symbols: {
      function_item: 'function',
      function_signature_item: 'function',
      struct_item: 'struct',
      union_item: 'struct',
      enum_item: 'enum',
      trait_item: 'trait',
      impl_item: 'impl',
      mod_item: 'namespace',
      type_item: 'type',
      const_item: 'constant',
      static_item: 'variable',
      macro_definition: 'macro',
    },
    imports: {
      use_declaration: node => [field(node, 'argument')],
      extern_crate_declaration: node => [field(node, 'name')],
    },
    exported: node => modifiedBy(node, 'pub'),
  },
  {
    name: 'java',
    grammar: 'java',
    extensions: ['.java'],
    symbols: {
      class_declaration: 'class',
      record_declaration: 'class',
      interface_declaration: 'interface',
      annotation_type_declaration: 'interface',
      enum_declaration: 'enum',
      method_declaration: 'method',
      constructor_declaration: 'method',
      field_declaration: 'property',
    },
    imports: { import_declaration: node => [node.text.replace(/^import\s+(static\s+)?|\s*;$/g, '')] },
    exported: node => modifiedBy(node, 'public'),
  },
  {
    name: 'bash',
    grammar: 'bash',
    extensions: ['.sh', '.bash'],
    symbols: { function_definition: 'function' },
    imports: {
      command: node =>
        /^(source|\.)$/.test(field(node, 'name'))
          ? children(node, 'word', 'string', 'raw_string', 'concatenation')
              .slice(0, 1)
              .map(word => unquoted(word.text))
          : [],
    },
    exported: () => true,
  },
];

const BY_EXTENSION = new Map(
  LANGUAGES.flatMap(language => language.extensions.map(extension => [extension, language])),
);

export const languageNames = LANGUAGES.map(language => language.name);

/** Whether `syntaxProblems` looks at such a file at all. */
export const isParsable = (path: string): boolean =>
  extname(path).toLowerCase() === '.json' || languageOf(path) !== undefined;

export const languageOf = (path: string): CodeLanguage | undefined =>
  BY_EXTENSION.get(extname(path).toLowerCase());
