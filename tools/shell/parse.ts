/** A shell command as the list of simple commands that it would run, wherever they hide: pipes, substitutions, loops. */

import { homedir } from 'node:os';
import type { Node as TreeNode } from 'web-tree-sitter';
import { parserFor } from '../code/grammar.ts';

export interface Word {
  /** As the shell would see it; what is known only at run time is `\0`. */
  text: string;
  /** Some of it is known only at run time. */
  dynamic: boolean;
  /** The shell may replace it by several file names. */
  glob: boolean;
}

export interface Command {
  /** Name and arguments; empty for a bare assignment or redirect. */
  words: Word[];
  /** Names assigned in front of it. */
  assigns: string[];
  /** Reads what another command, a here-document or a process substitution writes. */
  fed: boolean;
  /** Contents of a here-document or here-string, when it is literal. */
  input: string | null;
}

export interface Script {
  commands: Command[];
  redirects: { operator: string; target: Word }[];
  /** False: not valid bash; nothing here may be relied on. */
  valid: boolean;
  /** A job is left running with `&`. */
  background: boolean;
  /** Constructs beyond what a read-only proof understands (functions, odd expansions). */
  unusual: string[];
  /** A function that calls itself in the background or more than once. */
  forkBomb: boolean;
}

/** Node types whose meaning is fully given by the commands, words and redirects in them. */
const UNDERSTOOD = new Set(
  `program list pipeline command command_name word string string_content raw_string ansi_c_string translated_string
  concatenation number file_redirect file_descriptor redirected_statement subshell compound_statement negated_command
  comment simple_expansion variable_name special_variable_name command_substitution test_command unary_expression
  binary_expression parenthesized_expression negation_expression test_operator for_statement do_group if_statement
  elif_clause else_clause while_statement case_statement case_item arithmetic_expansion extglob_pattern regex
  variable_assignment heredoc_redirect heredoc_start heredoc_body heredoc_content heredoc_end herestring_redirect
  array brace_expression`.split(/\s+/),
);

/** The tree as plain objects: every look at the grammar's own nodes is a call into WebAssembly. */
interface Node {
  type: string;
  text: string;
  isNamed: boolean;
  parent: Node | null;
  children: Node[];
}

function copyOf(from: TreeNode, source: string, parent: Node | null): Node {
  const node: Node = {
    type: from.type,
    text: source.slice(from.startIndex, from.endIndex),
    isNamed: from.isNamed,
    parent,
    children: [],
  };
  node.children = from.children.filter(child => child !== null).map(child => copyOf(child, source, node));
  return node;
}

const namedOf = (node: Node): Node[] => node.children.filter(child => child.isNamed);
const allOf = (node: Node, type: string): Node[] => [
  ...(node.type === type ? [node] : []),
  ...node.children.flatMap(child => allOf(child, type)),
];

const UNKNOWN = '\0';

/** Value of `$NAME` where it is fixed. */
const fixedVariable = (name: string, root: string): string | null =>
  name === 'HOME' ? homedir() : name === 'PWD' ? root : null;

function wordOf(node: Node, root: string): Word {
  const { type, text } = node;
  if (type === 'word' || type === 'number') {
    if (namedOf(node).length > 0) return join(namedOf(node), root);
    const expanded = text === '~' || text.startsWith('~/') ? homedir() + text.slice(1) : text;
    const bare = expanded.replace(/\\\n/g, '');
    // Another user's home, or a brace list, becomes something else at run time.
    const dynamic = /^~[^/]/.test(text);
    return { text: bare.replace(/\\(.)/gs, '$1'), dynamic, glob: /(?<!\\)[*?[]/.test(bare) };
  }
  if (type === 'raw_string') return { text: text.slice(1, -1), dynamic: false, glob: false };
  if (type === 'string_content')
    return {
      text: text.replace(/\\([$`"\\\n])/g, (_, c) => (c === '\n' ? '' : c)),
      dynamic: false,
      glob: false,
    };
  if (type === 'string') {
    const parts = namedOf(node);
    const whole = { ...join(parts, root), glob: false };
    // Whitespace next to an expansion has no node of its own; where it stands does not matter to anybody here.
    return parts.length === 0 ? { ...whole, text: text.slice(1, -1) } : whole;
  }
  if (type === 'command_name' || type === 'concatenation') {
    const parts = join(namedOf(node), root);
    const braces = type === 'concatenation' && /^\{|[^$\\]\{/.test(text) && /[,.]/.test(text);
    return braces ? { ...parts, dynamic: true } : parts;
  }
  if (type === 'simple_expansion' || type === 'expansion') {
    const name = /^\$\{?(\w+)\}?$/.exec(text)?.[1];
    const value = name === undefined ? null : fixedVariable(name, root);
    if (value !== null) return { text: value, dynamic: false, glob: false };
  }
  return { text: UNKNOWN, dynamic: true, glob: type !== 'arithmetic_expansion' };
}

function join(nodes: Node[], root: string): Word {
  const parts = nodes.map(node => wordOf(node, root));
  return {
    text: parts.map(part => part.text).join(''),
    dynamic: parts.some(part => part.dynamic),
    glob: parts.some(part => part.glob),
  };
}

function isFed(command: Node): boolean {
  const statement = command.parent?.type === 'redirected_statement' ? command.parent : command;
  const pipe = statement.parent;
  return pipe?.type === 'pipeline' && namedOf(pipe)[0] !== statement;
}

/** Literal text fed by a here-document or here-string; '\0' stands for what is not literal. */
function inputOf(command: Node, root: string): string | null {
  const holders = [command, ...(command.parent?.type === 'redirected_statement' ? [command.parent] : [])];
  for (const child of holders.flatMap(namedOf)) {
    if (child.type === 'herestring_redirect')
      return namedOf(child)
        .map(part => wordOf(part, root).text)
        .join('');
    if (child.type !== 'heredoc_redirect') continue;
    const body = namedOf(child).find(part => part.type === 'heredoc_body');
    if (!body) return '';
    const literal = namedOf(body).every(part => part.type === 'heredoc_content');
    return literal ? body.text : UNKNOWN;
  }
  return null;
}

function visit(node: Node, script: Script, root: string): void {
  if (node.isNamed && !UNDERSTOOD.has(node.type) && !['declaration_command', 'expansion'].includes(node.type))
    script.unusual.push(node.type);
  if (node.type === '&' && node.parent?.type !== 'binary_expression') script.background = true;
  if (node.type === 'command' || node.type === 'declaration_command' || node.type === 'unset_command') {
    const parts = namedOf(node);
    const words = parts
      .filter(part => !['variable_assignment', 'herestring_redirect', 'file_redirect'].includes(part.type))
      .map(part => wordOf(part, root));
    const input = inputOf(node, root);
    script.commands.push({
      words:
        node.type === 'command'
          ? words
          : [{ text: node.children[0]?.text ?? '', dynamic: false, glob: false }, ...words],
      assigns: parts
        .filter(part => part.type === 'variable_assignment')
        .map(part => part.text.split(/\+?=/)[0]!),
      fed: input !== null || isFed(node) || parts.some(part => part.type === 'process_substitution'),
      input,
    });
  } else if (
    node.type === 'variable_assignment' &&
    node.parent?.type !== 'command' &&
    node.parent?.type !== 'declaration_command'
  ) {
    script.commands.push({ words: [], assigns: [node.text.split(/\+?=/)[0]!], fed: false, input: null });
  }
  if (node.type === 'file_redirect') {
    const target = namedOf(node).find(part => part.type !== 'file_descriptor');
    const operator = node.children.find(part => !part.isNamed)?.type ?? '>';
    if (target) script.redirects.push({ operator, target: wordOf(target, root) });
  }
  if (node.type === 'function_definition') {
    const name = namedOf(node)[0]?.text ?? '';
    const calls = allOf(node, 'command_name').filter(call => call.text === name).length;
    if (calls > 1 || (calls === 1 && node.text.includes('&'))) script.forkBomb = true;
  }
  for (const child of node.children) visit(child, script, root);
}

/** @param root workspace, the value of `$PWD` */
export async function parseScript(source: string, root: string): Promise<Script> {
  const tree = (await parserFor('bash')).parse(source);
  const script: Script = {
    commands: [],
    redirects: [],
    valid: tree !== null && !tree.rootNode.hasError,
    background: false,
    unusual: [],
    forkBomb: false,
  };
  if (!tree) return script;
  try {
    visit(copyOf(tree.rootNode, source, null), script, root);
  } finally {
    tree.delete();
  }
  return script;
}
