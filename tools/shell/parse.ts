/** A shell command as the list of simple commands that it would run, wherever they hide: pipes, substitutions, loops. */

import { parserFor } from '../code/grammar.ts';
import {
  assignments,
  copyOf,
  literal,
  type Node,
  namedOf,
  remember,
  type Scope,
  type Word,
  wordOf,
} from './words.ts';

export interface Command {
  /** Name and arguments; empty for a bare assignment or redirect. */
  words: Word[];
  /** Set in front of it. */
  assigns: { name: string; value: Word }[];
  /** Reads what another command, a here-document or a process substitution writes. */
  fed: boolean;
  /** Contents of a here-document or here-string, when it is literal. */
  input: string | null;
  /** Runs in the shell itself, in any case: not in a subshell, a loop, a function or the background. */
  top: boolean;
}

interface Redirect {
  operator: string;
  target: Word;
  /** What writes there: null nothing at all, undefined more than a simple command. */
  by: Command | null | undefined;
}

export interface Script {
  commands: Command[];
  redirects: Redirect[];
  /** False: not valid bash; nothing here may be relied on. */
  valid: boolean;
  /** A job is left running with `&`. */
  background: boolean;
  /** Constructs beyond what a read-only proof understands (functions, odd expansions). */
  unusual: string[];
  /** A function that calls itself in the background or more than once. */
  forkBomb: boolean;
  /** The shell would run code that stands where the grammar sees plain text. */
  hidden: boolean;
}

/** Node types whose meaning is fully given by the commands, words and redirects in them. */
const UNDERSTOOD = new Set(
  `program list pipeline command command_name word string string_content raw_string ansi_c_string translated_string
  concatenation number file_redirect file_descriptor redirected_statement subshell compound_statement negated_command
  comment simple_expansion variable_name special_variable_name command_substitution test_command unary_expression
  binary_expression parenthesized_expression negation_expression test_operator for_statement do_group if_statement
  elif_clause else_clause while_statement case_statement case_item arithmetic_expansion extglob_pattern regex
  variable_assignment heredoc_redirect heredoc_start heredoc_body heredoc_content heredoc_end herestring_redirect
  array brace_expression declaration_command unset_command expansion process_substitution`.split(/\s+/),
);

const allOf = (node: Node, type: string): Node[] => [
  ...(node.type === type ? [node] : []),
  ...node.children.flatMap(child => allOf(child, type)),
];

function within(node: Node, types: RegExp): Node | null {
  for (let at = node.parent; at; at = at.parent) if (types.test(at.type)) return at;
  return null;
}

/** The statement whose redirects are those of this command: the grammar puts `a && b > f` around the whole list. */
function statementOf(command: Node): Node {
  let at = command;
  while (/^(list|pipeline)$/.test(at.parent?.type ?? '') && namedOf(at.parent!).at(-1) === at)
    at = at.parent!;
  return at.parent?.type === 'redirected_statement' ? at.parent : command;
}

/** The command that writes through a redirect around `body`. */
function writerOf(body: Node): Node {
  return /^(list|pipeline)$/.test(body.type) ? writerOf(namedOf(body).at(-1) ?? body) : body;
}

function isTop(command: Node): boolean {
  for (let at = command; at.parent; at = at.parent) {
    const { children, type } = at.parent;
    if (!/^(program|list|redirected_statement)$/.test(type)) return false;
    if (children[children.indexOf(at) + 1]?.type === '&') return false;
  }
  return true;
}

function isFed(command: Node): boolean {
  const statement = command.parent?.type === 'redirected_statement' ? command.parent : command;
  const pipe = statement.parent;
  if (pipe?.type !== 'pipeline') return false;
  // `cat <<EOF | sh`: the pipe stands inside the here-document.
  return pipe.parent?.type === 'heredoc_redirect' || namedOf(pipe)[0] !== statement;
}

/** Literal text fed by a here-document or here-string; '\0' stands for what is not literal. */
function inputOf(command: Node, scope: Scope): string | null {
  const statement = statementOf(command);
  for (const child of [...namedOf(command), ...(statement === command ? [] : namedOf(statement))]) {
    if (child.type === 'herestring_redirect')
      return namedOf(child)
        .map(part => wordOf(part, scope).text)
        .join('');
    if (child.type !== 'heredoc_redirect') continue;
    const body = namedOf(child).find(part => part.type === 'heredoc_body');
    if (!body) return '';
    const plain = namedOf(body).every(part => part.type === 'heredoc_content');
    return plain ? body.text : '\0';
  }
  return null;
}

const assignmentOf = (node: Node, scope: Scope): Command['assigns'][number] => ({
  name: node.text.split(/\+?=/)[0]!,
  value: namedOf(node)[1] ? wordOf(namedOf(node)[1]!, scope) : literal(''),
});

/** `cmd > file -x` and `cmd <<EOF -x`: the grammar takes what follows for more of the redirect, the shell for arguments. */
function strayWords(command: Node): Node[] {
  const statement = statementOf(command);
  if (statement === command) return [];
  return namedOf(statement).flatMap(redirect => {
    const parts = namedOf(redirect);
    if (redirect.type === 'file_redirect')
      return parts.filter(part => part.type !== 'file_descriptor' && part.type !== 'ERROR').slice(1);
    if (redirect.type !== 'heredoc_redirect') return [];
    const other =
      /^(file_descriptor|heredoc_\w+|file_redirect|herestring_redirect|pipeline|list|ERROR|.*_command|command|subshell|\w+_statement)$/;
    return parts.filter(part => !other.test(part.type));
  });
}

function commandOf(node: Node, scope: Scope): Command {
  const parts = [...namedOf(node), ...strayWords(node)];
  const words = parts
    .filter(part => !['variable_assignment', 'herestring_redirect', 'file_redirect'].includes(part.type))
    // `time ( … )`: what stands in it is judged by itself.
    .filter(part => part.type !== 'subshell' || namedOf(node)[0]?.text !== 'time')
    .map(part => wordOf(part, scope));
  const input = inputOf(node, scope);
  return {
    words: node.type === 'command' ? words : [literal(node.children[0]?.text ?? ''), ...words],
    assigns: parts.filter(part => part.type === 'variable_assignment').map(part => assignmentOf(part, scope)),
    fed: input !== null || isFed(node) || parts.some(part => part.type === 'process_substitution'),
    input,
    top: isTop(node),
  };
}

const substitutions = (text: string): number => (text.match(/(?<!\\)(\$\(|`)/g) ?? []).length;

/** A here-document that the shell expands, in which the grammar sees fewer substitutions than there are. */
function hidesInDocument(body: Node): boolean {
  const start = namedOf(body.parent ?? body).find(part => part.type === 'heredoc_start');
  if (!start || /['"\\]/.test(start.text)) return false;
  const seen = namedOf(body).filter(part => part.type !== 'heredoc_content');
  return substitutions(body.text) > seen.reduce((sum, part) => sum + substitutions(part.text), 0);
}

/** Nodes in which a line may end without ending the command. */
const SPANNING =
  /^(string|raw_string|ansi_c_string|translated_string|command_substitution|process_substitution|expansion|arithmetic_expansion|array|subshell|heredoc_\w+)$/;

/** Source of a node without what stands inside quotes and brackets. */
function bare(node: Node): string {
  if (SPANNING.test(node.type)) return '';
  if (node.children.length === 0) return node.text;
  let at = 0;
  let text = '';
  for (const child of node.children) {
    text += node.text.slice(at, child.start - node.start) + bare(child);
    at = child.start - node.start + child.text.length;
  }
  return text + node.text.slice(at);
}

/** Arithmetic evaluates subscripts, and backquotes are read twice: text there may be code once more. */
function hidesCode(node: Node): boolean {
  const { type, text } = node;
  if (type === 'heredoc_body') return hidesInDocument(node);
  // A line ends a command, which the grammar overlooks in front of a backslash.
  if (type === 'command' && /(^|[^\\])\n/.test(bare(node))) return true;
  if (type === 'word' && /(^|[^\\])\n/.test(text)) return true;
  if (type === 'command_substitution') return text.startsWith('`') && /\\[$`\\]/.test(text);
  if (/^(word|regex|string_content|raw_string)$/.test(type) && node.children.length === 0) {
    if (type !== 'raw_string' && text.includes('`') && within(node, /^(command_substitution|expansion)$/))
      return true;
    const subscript = /\w\[.*(\$\(|`)/s.test(text);
    return (
      subscript &&
      within(
        node,
        /^(test_command|arithmetic_expansion|subscript|binary_expression|variable_assignment)$/,
      ) !== null
    );
  }
  return false;
}

function redirectOf(node: Node, script: Script, scope: Scope, made: Map<Node, Command>): void {
  const target = namedOf(node).find(part => part.type !== 'file_descriptor' && part.type !== 'ERROR');
  if (!target) return;
  const operator = node.children.find(part => !part.isNamed)?.type ?? '>';
  const body = node.parent?.type === 'redirected_statement' ? namedOf(node.parent)[0] : node.parent;
  const by = body === node || !body ? null : made.get(writerOf(body));
  script.redirects.push({ operator, target: wordOf(target, scope), by });
}

function visit(node: Node, script: Script, scope: Scope, made: Map<Node, Command>): void {
  if (node.isNamed && !UNDERSTOOD.has(node.type)) script.unusual.push(node.type);
  if (node.type === '&' && node.parent?.type !== 'binary_expression') script.background = true;
  if (hidesCode(node)) script.hidden = true;
  if (node.type === 'command' || node.type === 'declaration_command' || node.type === 'unset_command') {
    const command = commandOf(node, scope);
    made.set(node, command);
    script.commands.push(command);
  } else if (node.type === 'variable_assignment') {
    if (node.parent?.type !== 'command' && node.parent?.type !== 'declaration_command')
      script.commands.push({
        words: [],
        assigns: [assignmentOf(node, scope)],
        fed: false,
        input: null,
        top: false,
      });
    remember(node, scope);
  } else if (node.type === 'for_statement') remember(node, scope);
  if (node.type === 'file_redirect') redirectOf(node, script, scope, made);
  if (node.type === 'function_definition') {
    const name = namedOf(node)[0]?.text ?? '';
    const calls = allOf(node, 'command_name').filter(call => call.text === name).length;
    if (calls > 1 || (calls === 1 && node.text.includes('&'))) script.forkBomb = true;
  }
  for (const child of node.children) visit(child, script, scope, made);
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
    hidden: false,
  };
  if (!tree) return script;
  try {
    const top = copyOf(tree.rootNode, source, null);
    visit(top, script, { root, assigned: assignments(top), values: new Map() }, new Map());
  } finally {
    tree.delete();
  }
  return script;
}
