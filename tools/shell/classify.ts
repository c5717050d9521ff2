/**
 * Judges a shell command before it runs. Conservative: read-only must be proven, everything else counts as `exec`,
 * and what hides its meaning (eval, dynamic names, code from a pipe) counts as destructive, so that a person is asked.
 *
 * | what                                             | class       |
 * |--------------------------------------------------|-------------|
 * | known readers on paths inside the workspace      | read        |
 * | known readers on paths outside                   | exec        |
 * | `rm FILE`, literal, inside                       | exec        |
 * | `rm` with -r, -f, a glob, a variable, or outside | destructive |
 * | `rm -rf node_modules` and other caches           | exec        |
 * | writers (cp, mv, tee, `>`) aimed outside         | destructive |
 * | loopback URLs                                    | exec        |
 * | invalid bash                                     | exec        |
 */

import { homedir } from 'node:os';
import { basename, isAbsolute, resolve, sep } from 'node:path';
import type { Risk } from '../../machines/approval.ts';
import { isSecretPath } from '../result.ts';
import {
  ALWAYS_DESTRUCTIVE,
  ALWAYS_NETWORK,
  DESTROYING_CODE,
  DESTRUCTIVE_SUBCOMMANDS,
  HARMLESS_VARIABLE,
  INLINE_CODE,
  INTERPRETERS,
  NETWORK_SUBCOMMANDS,
  PRINTS,
  REGENERABLE,
  readsOnly,
  SHELLS,
  WRAPPERS,
  WRITERS,
} from './commands.ts';
import { judgeGit } from './git-rules.ts';
import { type Command, parseScript, type Word } from './parse.ts';

export interface Classification {
  risks: Risk[];
  /** False only when proven read-only. */
  mutates: boolean;
  network: boolean;
  destructive: boolean;
  background: boolean;
  /** Why it is more than a read, for the person who is asked. */
  reasons: string[];
}

const MAX_DEPTH = 4;
const SYSTEM_BIN = /^\/(usr\/(local\/)?)?s?bin\//;
/** Programs that find and hide what a parse error hides from us. */
const RAW_DANGER = /\b(rm|dd|mkfs\S*|sudo|shred|truncate|killall|pkill)\b|\bcurl\b.*\|\s*(ba|z|da)?sh\b/;
const RAW_NETWORK = /\b(curl|wget|ssh|scp|nc|ncat|telnet|ping|rsync)\b|\/dev\/(tcp|udp)\//;

class Judge {
  readonly #root: string;
  readonly reasons = new Set<string>();
  proven = true;
  network = false;
  destructive = false;
  secret = false;
  background = false;
  /** `cd` was seen: relative paths may begin anywhere below. */
  #moved = false;

  constructor(root: string) {
    this.#root = root;
  }

  destroy(reason: string): void {
    this.destructive = true;
    this.doubt(reason);
  }

  doubt(reason: string): void {
    this.proven = false;
    this.reasons.add(reason);
  }

  reach(reason: string): void {
    this.network = true;
    this.doubt(reason);
  }

  /** Inside the workspace by its text; what is dynamic is not. */
  #inside(word: Word): boolean {
    if (word.dynamic) return false;
    if (this.#moved && !isAbsolute(word.text)) return !word.text.split('/').includes('..');
    const full = resolve(this.#root, word.text);
    return full === this.#root || full.startsWith(this.#root + sep);
  }

  #harmlessPath(word: Word): boolean {
    return this.#inside(word) || /^\/dev\/(null|zero|u?random|std(in|out|err)|fd\/\d+|tty)$/.test(word.text);
  }

  #looksOutside(word: Word): boolean {
    const value = word.text.startsWith('-') ? word.text.replace(/^--?[\w-]+=?/, '') : word.text;
    const pathLike = value.startsWith('/') || value.split('/').includes('..') || value.startsWith(homedir());
    return pathLike && !this.#harmlessPath({ ...word, text: value, dynamic: false });
  }

  async script(source: string, depth = 0): Promise<void> {
    if (depth > MAX_DEPTH) return this.destroy('code within code');
    const script = await parseScript(source, this.#root);
    if (!script.valid) {
      this.doubt('not valid bash');
      if (RAW_DANGER.test(source)) this.destroy('cannot be read for sure, and names a dangerous program');
      if (RAW_NETWORK.test(source)) this.reach('names a network program');
    }
    if (script.background) {
      this.background = true;
      this.doubt('starts a background job');
    }
    if (script.recursive) this.destroy('a function that calls itself');
    if (script.unusual.length > 0) this.doubt(`uses ${[...new Set(script.unusual)].join(', ')}`);
    if (script.commands.some(({ words }) => /^(cd|pushd|popd)$/.test(words[0]?.text ?? '')))
      this.#moved = true;
    for (const { operator, target } of script.redirects) this.#redirect(operator, target);
    for (const command of script.commands) await this.#command(command, depth);
  }

  #redirect(operator: string, target: Word): void {
    this.#secrets([target]);
    if (/^\/dev\/(tcp|udp)\//.test(target.text)) this.reach('opens a network connection');
    const duplicates = /&$/.test(operator) && /^(\d+-?|-)$/.test(target.text);
    if (duplicates || /^\/dev\/(null|stdout|stderr|fd\/\d+)$/.test(target.text)) return;
    if (operator.startsWith('<')) {
      if (!this.#harmlessPath(target)) this.doubt('reads outside the workspace');
      return;
    }
    this.doubt('writes a file');
    if (!target.dynamic && !this.#harmlessPath(target) && !this.#temporary(target))
      this.destroy(`writes ${target.text}, outside the workspace`);
  }

  #temporary(word: Word): boolean {
    return !word.dynamic && /^\/tmp\/[^/.]/.test(word.text) && !word.text.includes('..');
  }

  #secrets(words: Word[]): void {
    for (const { text, glob } of words) {
      const value = text.replace(/^--?[\w-]+=/, '').replace(/^@/, '');
      const hidden =
        glob &&
        value
          .split('/')
          .some(
            part =>
              /^\.[^/]*[*?[]/.test(part) &&
              globCouldBe(part, ['.env', '.netrc', '.npmrc', '.ssh', '.aws', '.gnupg']),
          );
      const system =
        /^\/(etc\/(shadow|gshadow|sudoers|ssl\/private)|proc\/[^/]+\/(environ|mem)|root\/)/.test(value) &&
        !this.#inside({ text: value, dynamic: false, glob: false });
      const loomHome = value.startsWith(`${homedir()}/.loom`);
      const cloud =
        /(^|\/)\.(config\/(gh|gcloud|op)|password-store|mozilla|docker\/config\.json|bash_history|zsh_history|vault-token|terraform\.d|azure)(\/|$)/.test(
          value,
        );
      if (!hidden && !system && !loomHome && !cloud && !isSecretPath(value)) continue;
      this.secret = true;
      this.doubt('touches secrets');
    }
  }

  async #command(command: Command, depth: number): Promise<void> {
    const odd = command.assigns.find(name => !HARMLESS_VARIABLE.test(name));
    if (odd) this.doubt(`sets ${odd}`);
    if (command.words.length === 0) return;
    const words = await this.#unwrap(command.words, command, depth);
    if (words) await this.#program(words, command, depth);
  }

  /** Takes `timeout 5`, `env A=1`, `xargs -n 1` and the like off; null when nothing is left to judge. */
  async #unwrap(all: Word[], command: Command, depth: number): Promise<Word[] | null> {
    let words = all;
    for (let round = 0; round < 6; round++) {
      const name = basename(words[0]?.text ?? '');
      const wrapper = WRAPPERS[name];
      if (!wrapper || words[0]!.dynamic) return words;
      if (name === 'command' && /^-[vV]$/.test(words[1]?.text ?? '')) return null;
      if (!['time', 'timeout', 'command', 'builtin', 'env'].includes(name)) this.doubt(`uses ${name}`);
      if (name === 'nohup' || name === 'setsid') this.background = true;
      let rest = words.slice(1);
      while (rest[0]?.text.startsWith('-')) {
        if (name === 'env' && /^(-S|--split-string)/.test(rest[0].text)) {
          await this.script(
            rest.map(word => word.text.replace(/^(-S|--split-string=?)/, '')).join(' '),
            depth + 1,
          );
          return null;
        }
        rest = rest.slice(wrapper.valued.test(rest[0].text) ? 2 : 1);
      }
      while (name === 'env' && /^\w+=/.test(rest[0]?.text ?? '')) {
        if (!HARMLESS_VARIABLE.test(rest[0]!.text.split('=')[0]!)) this.doubt('sets variables');
        rest = rest.slice(1);
      }
      words = rest.slice(wrapper.operands);
      if (name === 'xargs' && words.length > 0) words = [...words, { text: '\0', dynamic: true, glob: true }];
      if (words.length === 0) {
        if (name === 'env') this.doubt('prints the environment');
        return null;
      }
    }
    this.destroy('hides the program behind many wrappers');
    return command.words;
  }

  async #program(words: Word[], command: Command, depth: number): Promise<void> {
    const [first, ...args] = words as [Word, ...Word[]];
    const texts = args.map(arg => arg.text);
    const known = !first.text.includes('/') || SYSTEM_BIN.test(first.text);
    const name = basename(first.text);
    if (!PRINTS.has(name)) this.#secrets(args);
    if (first.dynamic) return this.destroy('runs a program whose name is known only at run time');
    if (name === 'eval' || name === 'trap')
      return this.#code(args.slice(0, name === 'trap' ? 1 : undefined), depth);
    if (name === 'source' || name === '.') {
      if (command.fed) return this.destroy('runs code from another command');
      return this.doubt('runs a script');
    }
    if (SHELLS.has(name) || INTERPRETERS.test(name)) return this.#interpreter(name, args, command, depth);
    if (name === 'git') return this.#git(args);
    if (name === 'rm' || name === 'unlink') return this.#remove(args);
    if (name === 'find') await this.#find(args, command, depth);
    if (name === 'kill') this.#kill(texts);
    if (ALWAYS_DESTRUCTIVE.has(name) || name.startsWith('mkfs.')) {
      if (name === 'crontab' && texts[0] === '-l') return this.doubt('reads the crontab');
      return this.destroy(`runs ${name}`);
    }
    this.#reach(name, args);
    const line = texts.join(' ');
    if (DESTRUCTIVE_SUBCOMMANDS[name]?.test(line)) this.destroy(`${name} deletes or publishes`);
    if (/^(chmod|chown|chgrp)$/.test(name) && texts.some(text => /^-[a-zA-Z]*R|^--recursive$/.test(text)))
      this.destroy(`${name} of a whole tree`);
    if (name === 'rsync' && /--(delete|remove-source)/.test(line)) this.destroy('rsync deletes files');
    if (WRITERS.has(name)) this.#writer(name, args);
    if (!known || !readsOnly(name, texts)) return this.doubt(`runs ${first.text.slice(0, 60)}`);
    if (!PRINTS.has(name) && args.some(arg => arg.dynamic))
      return this.doubt('has arguments known only at run time');
    if (!PRINTS.has(name) && args.some(arg => this.#looksOutside(arg)))
      this.doubt('reads outside the workspace');
  }

  async #code(args: Word[], depth: number): Promise<void> {
    this.doubt('runs code from a text');
    if (args.some(arg => arg.dynamic)) return this.destroy('runs code that is known only at run time');
    await this.script(args.map(arg => arg.text).join(' '), depth + 1);
  }

  async #interpreter(name: string, args: Word[], command: Command, depth: number): Promise<void> {
    const texts = args.map(arg => arg.text);
    if (texts.length === 1 && readsOnly(name, texts)) return;
    this.doubt(`runs ${name}`);
    const shell = SHELLS.has(name);
    const at = texts.findIndex(text => (shell ? /^-[a-zA-Z]*c$/ : INLINE_CODE).test(text));
    const script = args.find(arg => !arg.text.startsWith('-') || arg.text === '-');
    if (at >= 0 && (shell || script === args[at + 1])) {
      const code = args[at + 1];
      if (!code || code.dynamic) return this.destroy('runs code that is known only at run time');
      if (shell) return this.script(code.text, depth + 1);
      if (DESTROYING_CODE.test(code.text)) this.destroy(`${name} code that deletes`);
      return;
    }
    if (/^python/.test(name) && texts[0] === '-m') return this.#reach(texts[1] ?? '', args.slice(2));
    if (name === 'bun' || name === 'deno') this.#reach(name, args);
    const fromInput =
      !script || script.text === '-' || /^\/dev\/(stdin|fd\/)/.test(script.text) || script.text === '\0';
    if (!fromInput || !command.fed) return;
    if (command.input === null || command.input.includes('\0'))
      return this.destroy(`${name} runs what another command prints`);
    if (shell) return this.script(command.input, depth + 1);
    if (DESTROYING_CODE.test(command.input)) this.destroy(`${name} code that deletes`);
  }

  #git(args: Word[]): void {
    const dynamic = args.some(arg => arg.dynamic);
    const verdict = judgeGit(args.map(arg => arg.text));
    if (verdict.network) this.reach(`git ${verdict.subcommand} reaches the network`);
    if (verdict.destructive) this.destroy(`git ${verdict.subcommand} ${verdict.destructive}`);
    if (verdict.refused) this.doubt(verdict.refused);
    if (args[0]?.dynamic) this.destroy('git with a sub-command known only at run time');
    else if (!verdict.readOnly || dynamic) this.doubt(`runs git ${verdict.subcommand}`);
    if (args.some(arg => this.#looksOutside(arg))) this.doubt('reads outside the workspace');
  }

  #remove(args: Word[]): void {
    this.doubt('deletes files');
    const end = args.findIndex(arg => arg.text === '--');
    const options = args.filter((arg, i) => arg.text.startsWith('-') && (end < 0 || i < end));
    const targets = args.filter((arg, i) => !arg.text.startsWith('-') || (end >= 0 && i > end));
    const caches = targets.every(
      arg => !arg.glob && this.#inside(arg) && REGENERABLE.has(basename(arg.text)),
    );
    if (targets.length > 0 && caches) return;
    const forced = options.some(({ text }) => /^-[a-zA-Z]*[rRf]/.test(text) || /^--(r|f)/.test(text));
    const loose = targets.find(arg => arg.glob || arg.dynamic);
    const away = targets.find(arg => !this.#inside(arg));
    if (forced) this.destroy('rm -r or -f cannot be undone');
    else if (loose) this.destroy('rm of files that are known only at run time');
    else if (away) this.destroy(`rm of ${away.text}, outside the workspace`);
  }

  async #find(args: Word[], command: Command, depth: number): Promise<void> {
    if (args.some(arg => arg.text === '-delete')) this.destroy('find -delete cannot be undone');
    if (args.some(arg => /^-f(ls|printf?|print0)$/.test(arg.text))) this.doubt('find writes a file');
    for (const [i, arg] of args.entries()) {
      if (!/^-(exec|execdir|ok|okdir)$/.test(arg.text)) continue;
      const end = args.findIndex((other, j) => j > i && /^(;|\+)$/.test(other.text));
      const inner = args
        .slice(i + 1, end < 0 ? undefined : end)
        .map(word => (word.text.includes('{}') ? { ...word, dynamic: true } : word));
      if (inner.length > 0) await this.#command({ ...command, words: inner, assigns: [] }, depth + 1);
    }
  }

  #kill(args: string[]): void {
    const operands = args.filter(
      (arg, i) => !(i === 0 && /^-[A-Za-z0-9]+$/.test(arg) && args.length > 1) && arg !== '-s',
    );
    const broad = operands.some(
      operand => /^-?1$/.test(operand) || /^-\d+$/.test(operand) || /^\d+$/.test(operand),
    );
    if (broad) this.destroy('kills processes that this command did not start');
  }

  #reach(name: string, args: Word[]): void {
    const operands = args.filter(arg => !arg.text.startsWith('-')).map(arg => arg.text);
    const sub = operands[0] ?? '';
    if (ALWAYS_NETWORK.has(name)) {
      const targets = operands.filter(operand => /[.:]|localhost/.test(operand));
      const local = /^(\w+:\/\/)?(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)(:\d+)?(\/|$)/;
      const loopback =
        /^(curl|wget|nc|telnet|ping)$/.test(name) &&
        !args.some(arg => arg.dynamic) &&
        targets.some(target => local.test(target)) &&
        targets.every(
          target =>
            local.test(target) ||
            (!/^\w+:\/\//.test(target) && !/^[\w-]+(\.[\w-]+)+(:\d+)?(\/|$)/.test(target)),
        );
      if (!loopback) this.reach(`${name} reaches the network`);
    }
    if (NETWORK_SUBCOMMANDS[name]?.test(sub)) this.reach(`${name} ${sub} reaches the network`);
    if (name === 'yarn' && operands.length === 0) this.reach('yarn reaches the network');
    if (name === 'rsync' && operands.some(operand => /^[^/]+:/.test(operand)))
      this.reach('rsync reaches the network');
  }

  #writer(name: string, args: Word[]): void {
    const operands = args.filter(arg => !arg.text.startsWith('-'));
    const source = name === 'cp' || name === 'ln' || name === 'tar' || name === 'unzip' || name === 'sed';
    const targets = source ? operands.slice(-1) : operands;
    const away = targets.find(arg => !arg.dynamic && this.#looksOutside(arg) && !this.#temporary(arg));
    const toDevice = name === 'mv' && operands.at(-1)?.text.startsWith('/dev/');
    if (toDevice) this.destroy('mv to a device');
    if (away && !(name === 'tee' && away.text === '/dev/null'))
      this.destroy(`${name} changes ${away.text}, outside the workspace`);
  }
}

function globCouldBe(pattern: string, names: string[]): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
    .replace(/\[[^\]]*\]?/g, '.');
  return names.some(name => new RegExp(`^${source}$`).test(name));
}

/** @param root workspace that paths are judged against */
export async function classify(source: string, root: string): Promise<Classification> {
  const judge = new Judge(root);
  await judge.script(source);
  const risks: Risk[] = judge.proven ? ['read'] : ['exec'];
  if (judge.network) risks.push('network');
  if (judge.secret) risks.push('secret');
  if (judge.destructive) risks.push('destructive');
  return {
    risks,
    mutates: !judge.proven,
    network: judge.network,
    destructive: judge.destructive,
    background: judge.background,
    reasons: [...judge.reasons],
  };
}
