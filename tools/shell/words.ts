/** Words of a shell command as the shell would see them, and the variables whose value the command itself fixes. */

import { homedir } from 'node:os';
import { basename } from 'node:path';
import type { Node as TreeNode } from 'web-tree-sitter';

export interface Word {
  /** As the shell would see it; what is known only at run time is `\0`. */
  text: string;
  /** Some of it is known only at run time. */
  dynamic: boolean;
  /** The shell may replace it by several words. */
  glob: boolean;
}

/** The tree as plain objects: every look at the grammar's own nodes is a call into WebAssembly. */
export interface Node {
  type: string;
  text: string;
  /** Where the text begins in the source. */
  start: number;
  isNamed: boolean;
  parent: Node | null;
  children: Node[];
}

export function copyOf(from: TreeNode, source: string, parent: Node | null): Node {
  const node: Node = {
    type: from.type,
    text: source.slice(from.startIndex, from.endIndex),
    start: from.startIndex,
    isNamed: from.isNamed,
    parent,
    children: [],
  };
  node.children = from.children.filter(child => child !== null).map(child => copyOf(child, source, node));
  return node;
}

export const namedOf = (node: Node): Node[] => node.children.filter(child => child.isNamed);

const UNKNOWN = '\0';
/** The process id of a background job of the same command. */
export const JOB = '\0!';

export const literal = (text: string): Word => ({ text, dynamic: false, glob: false });

/** What variables hold, as far as the command itself says so. */
export interface Scope {
  root: string;
  /** How often each variable is given a value; only those with exactly one assignment are followed. */
  assigned: Map<string, number>;
  values: Map<string, Word>;
}

/** Value of `$NAME` where it is fixed. */
function variable(name: string, scope: Scope): Word | null {
  if (name === 'HOME' && !scope.assigned.has(name)) return literal(homedir());
  if (name === 'PWD' && !scope.assigned.has(name)) return literal(scope.root);
  if (name === '!') return { text: JOB, dynamic: true, glob: false };
  if (/^[$?#]$/.test(name)) return literal('0');
  return scope.values.get(name) ?? null;
}

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** `$'…'`; null when it holds an escape that is not followed here. */
function decoded(body: string): string | null {
  let known = true;
  const text = body.replace(/\\(x[\da-fA-F]{1,2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (code[0] === 'x' && code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    if (!(code in ESCAPES)) known = false;
    return ESCAPES[code] ?? '';
  });
  return known && !text.includes('\0') ? text : null;
}

export function wordOf(node: Node, scope: Scope): Word {
  const { type, text } = node;
  if (type === 'word' || type === 'number') {
    if (namedOf(node).length > 0) return joined(namedOf(node), scope);
    const expanded = text === '~' || text.startsWith('~/') ? homedir() + text.slice(1) : text;
    const bare = expanded.replace(/\\\n/g, '');
    // Another user's home, or a brace list, becomes something else at run time.
    const dynamic = /^~[^/]/.test(text);
    return { text: bare.replace(/\\(.)/gs, '$1'), dynamic, glob: /(?<!\\)[*?[]/.test(bare) };
  }
  if (type === 'raw_string') return literal(text.slice(1, -1));
  if (type === 'ansi_c_string') {
    const known = decoded(text.slice(2, -1));
    if (known !== null) return literal(known);
  }
  if (type === 'string_content') return quoted(text);
  if (type === 'string') {
    const all = together(partsOf(node, scope));
    // Several values in turn, as in a loop: the shell splits nothing here, but more than one word is meant.
    return { ...all, glob: all.glob && !all.dynamic };
  }
  if (type === 'command_name' || type === 'concatenation') {
    const parts = joined(namedOf(node), scope);
    const braces = type === 'concatenation' && /(^|[^$\\])\{/.test(text) && /[,.]/.test(text);
    return braces ? { ...parts, dynamic: true } : parts;
  }
  if (type === 'simple_expansion' || type === 'expansion') {
    const name = /^\$\{?(\w+|[!$?#])\}?$/.exec(text)?.[1];
    const value = name === undefined ? null : variable(name, scope);
    if (value !== null) return value;
    // What is left of a known value when its end, or all up to its last slash, is taken off.
    const cut = /^\$\{(\w+)(%%?[^}$`]*|##\*\/)\}$/.exec(text);
    const whole = cut ? variable(cut[1]!, scope) : null;
    if (whole && !whole.dynamic)
      return { ...whole, text: cut![2] === '##*/' ? basename(whole.text) : whole.text };
  }
  // A pipe of its own, with a name below /dev/fd.
  if (type === 'process_substitution') return literal('/dev/fd/63');
  if (type === 'command_substitution' && /^(\$\(|`)\s*mktemp(\s+-d)?\s*[)`]$/.test(text))
    return literal('/tmp/mktemp');
  return { text: UNKNOWN, dynamic: true, glob: type !== 'arithmetic_expansion' };
}

/** Text between double quotes. */
const quoted = (text: string): Word =>
  literal(text.replace(/\\([$`"\\\n])/g, (_, c) => (c === '\n' ? '' : c)));

/** Parts of a double-quoted string; line ends and blanks beside an expansion have no node of their own. */
function partsOf(node: Node, scope: Scope): Word[] {
  const parts: Word[] = [];
  let at = 1;
  for (const part of namedOf(node)) {
    const from = part.start - node.start;
    parts.push(quoted(node.text.slice(at, from)), wordOf(part, scope));
    at = from + part.text.length;
  }
  return [...parts, quoted(node.text.slice(at, -1))];
}

const joined = (nodes: Node[], scope: Scope): Word => together(nodes.map(node => wordOf(node, scope)));

function together(parts: Word[]): Word {
  return {
    text: parts.map(part => part.text).join(''),
    dynamic: parts.some(part => part.dynamic),
    glob: parts.some(part => part.glob),
  };
}

/** Builtins that give variables a value without an assignment. */
const ASSIGNING = /^(read|mapfile|readarray|getopts|printf|unset|local|declare|typeset|export|readonly|let)$/;
const NAME = /^[A-Za-z_]\w*/;

/** In how many places of the script each variable gets a value; what code or input sets counts twice. */
export function assignments(root: Node): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (text: string, by: number) => {
    const name = NAME.exec(text)?.[0];
    if (name) counts.set(name, (counts.get(name) ?? 0) + by);
  };
  let opaque = false;
  const look = (node: Node): void => {
    if (node.type === 'variable_assignment') count(node.text, node.text.includes('+=') ? 2 : 1);
    if (node.type === 'for_statement') count(namedOf(node)[0]?.text ?? '', 1);
    if (node.type === 'expansion' && /:?=/.test(node.text)) count(node.text.slice(2), 2);
    if (/^(command|declaration_command|unset_command)$/.test(node.type)) {
      const name = node.children[0]?.text ?? '';
      if (/^(eval|source|\.)$/.test(name)) opaque = true;
      if (/^(cd|pushd|popd)$/.test(name)) count('PWD', 2);
      if (ASSIGNING.test(name))
        for (const part of namedOf(node).slice(node.type === 'command' ? 1 : 0))
          if (part.type !== 'variable_assignment') count(part.text, 2);
    }
    for (const child of node.children) look(child);
  };
  look(root);
  // What code sets is not seen, so nothing is known of any of them.
  if (opaque) for (const name of [...counts.keys(), 'HOME', 'PWD']) count(name, 2);
  return counts;
}

/** One word and nothing that the shell would split or expand where the variable stands unquoted. */
const PLAIN = /^[\w@%+=:,./-]*$/;

/** `X=1 &` sets X nowhere else. */
function runsAside(node: Node, holder: Node): boolean {
  const at = holder.children.findIndex(child => child === node || child === node.parent);
  return holder.children[at + 1]?.type === '&';
}

/** Remembers what an assignment or a loop says of its variable. */
export function remember(node: Node, scope: Scope): void {
  const [target, ...values] = namedOf(node);
  const name = NAME.exec(target?.text ?? '')?.[0];
  if (!name || scope.assigned.get(name) !== 1) return;
  if (node.type === 'for_statement') {
    const words = values.filter(value => value.type !== 'do_group').map(value => wordOf(value, scope));
    const known =
      words.length > 0 && words.every(word => !word.dynamic && /^[\w@%+=:,./*?[\]-]*$/.test(word.text));
    if (!known || words.some(word => word.text.startsWith('-'))) return;
    // What is judged is the worst of them: the one that leads away or is hidden.
    const worst = words.find(word => /^[/.~]|(^|\/)\.\.?/.test(word.text)) ?? words[0]!;
    scope.values.set(name, { ...worst, glob: words.length > 1 || worst.glob });
    return;
  }
  // An assignment that may not happen, or only for one command, says nothing.
  const holder = node.parent?.type === 'declaration_command' ? node.parent.parent : node.parent;
  if (holder?.type !== 'program' || target!.type === 'subscript' || runsAside(node, holder)) return;
  const value = values[0] ? wordOf(values[0], scope) : literal('');
  if (value.text === JOB || (!value.dynamic && !value.glob && PLAIN.test(value.text)))
    scope.values.set(name, value);
}
