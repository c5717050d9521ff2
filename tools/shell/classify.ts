/** Judges a shell command before it runs. Conservative: read-only must be proven, everything else counts as `exec`,
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

import { basename } from 'node:path';
import type { Risk } from '../../machines/approval.ts';
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
import { canDestroy, judgeGit } from './git-rules.ts';
import { type Command, parseScript, type Word } from './parse.ts';
import { isHarmless, isInside, isTemporary, looksOutside, namesSecret, type Place, wipes } from './paths.ts';

export interface Classification {
  risks: Risk[];
  /** False only when proven read-only. */
  mutates: boolean;
  network: boolean;
  destructive: boolean;
  background: boolean;
  /** Would wipe the system, the home or a disk; refused whoever allowed it. */
  catastrophic: string | null;
  /** Why it is more than a read, for the person who is asked. */
  reasons: string[];
}

const MAX_DEPTH = 4;
const SYSTEM_BIN = /^\/(usr\/(local\/)?)?s?bin\//;
/** What stands there runs as code, outside any sandbox, at the user's next git command. */
const RUN_BY_GIT = /(^|\/)\.git\/(hooks|config|modules|info\/attributes)(\/|$)/i;
const isSystemProgram = (name: string): boolean => !name.includes('/') || SYSTEM_BIN.test(name);
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
  catastrophic: string | null = null;
  background = false;
  readonly #place: Place;

  constructor(root: string) {
    this.#root = root;
    this.#place = { root, relative: 'root' };
  }

  destroy(reason: string): void {
    this.destructive = true;
    this.doubt(reason);
  }

  /** Nobody means this; no permission makes it run. */
  ruin(reason: string): void {
    this.catastrophic = reason;
    this.destroy(reason);
  }

  doubt(reason: string): void {
    this.proven = false;
    this.reasons.add(reason);
  }

  reach(reason: string): void {
    this.network = true;
    this.doubt(reason);
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
    if (script.forkBomb) this.ruin('a function that starts itself without end');
    if (script.unusual.length > 0) this.doubt(`uses ${[...new Set(script.unusual)].join(', ')}`);
    for (const { words } of script.commands) this.#move(words);
    for (const { operator, target } of script.redirects) this.#redirect(operator, target);
    for (const command of script.commands) await this.#command(command, depth);
  }

  #move([program, target]: Word[]): void {
    if (!/^(cd|pushd|popd)$/.test(program?.text ?? '')) return;
    const stays = target && isInside(target, this.#place);
    if (!stays) this.#place.relative = 'elsewhere';
    else if (this.#place.relative === 'root') this.#place.relative = 'below';
  }

  #redirect(operator: string, target: Word): void {
    this.#secrets([target]);
    if (/^\/dev\/(tcp|udp)\//.test(target.text)) this.reach('opens a network connection');
    const duplicates = /&$/.test(operator) && /^(\d+-?|-)$/.test(target.text);
    if (duplicates || /^\/dev\/(null|stdout|stderr|fd\/\d+)$/.test(target.text)) return;
    if (operator.startsWith('<')) {
      if (!isHarmless(target, this.#place)) this.doubt('reads outside the workspace');
      return;
    }
    this.doubt('writes a file');
    if (RUN_BY_GIT.test(target.text)) this.destroy('changes what git runs');
    if (/^\/dev\/(sd|hd|vd|nvme|mmcblk|disk|mem)/.test(target.text)) this.ruin('writes to a device');
    if (!target.dynamic && !isHarmless(target, this.#place) && !isTemporary(target))
      this.destroy(`writes ${target.text}, outside the workspace`);
  }

  #secrets(words: Word[]): void {
    if (!words.some(word => namesSecret(word, this.#place))) return;
    this.secret = true;
    this.doubt('touches secrets');
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
      if (!wrapper || words[0]!.dynamic || !isSystemProgram(words[0]!.text)) return words;
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
    const name = basename(first.text);
    if (!PRINTS.has(name)) this.#secrets(args);
    if (!isSystemProgram(first.text)) this.doubt(`runs ${first.text.slice(0, 60)}`);
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
    if (/^(mkfs|mke2fs|wipefs|blkdiscard)/.test(name)) return this.ruin(`${name} erases a disk`);
    if (name === 'dd' && texts.some(text => /^of=\/dev\/(?!null|stdout|stderr|zero)/.test(text)))
      return this.ruin('dd writes to a device');
    if (ALWAYS_DESTRUCTIVE.has(name)) {
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
    if (!readsOnly(name, texts)) return this.doubt(`runs ${first.text.slice(0, 60)}`);
    if (!PRINTS.has(name) && args.some(arg => arg.dynamic))
      return this.doubt('has arguments known only at run time');
    if (!PRINTS.has(name) && args.some(arg => looksOutside(arg, this.#place)))
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
    if (verdict.refused && verdict.subcommand === 'config') this.destroy(verdict.refused);
    if (canDestroy(verdict.subcommand) && args.some(arg => arg.text.startsWith('\0')))
      this.destroy(`git ${verdict.subcommand} with arguments known only at run time`);
    if (args[0]?.dynamic) this.destroy('git with a sub-command known only at run time');
    else if (!verdict.readOnly || dynamic) this.doubt(`runs git ${verdict.subcommand}`);
    if (args.some(arg => looksOutside(arg, this.#place))) this.doubt('reads outside the workspace');
  }

  #remove(args: Word[]): void {
    this.doubt('deletes files');
    const end = args.findIndex(arg => arg.text === '--');
    const options = args.filter((arg, i) => arg.text.startsWith('-') && (end < 0 || i < end));
    const targets = args.filter((arg, i) => !arg.text.startsWith('-') || (end >= 0 && i > end));
    const caches = targets.every(
      arg => !arg.glob && isInside(arg, this.#place) && REGENERABLE.has(basename(arg.text)),
    );
    if (targets.length > 0 && caches) return;
    const recursive = options.some(({ text }) => /^-[a-zA-Z]*[rR]|^--r/.test(text));
    const root = targets.find(arg => wipes(arg, this.#place));
    if (recursive && root) this.ruin(`rm -r of ${root.text}`);
    const forced = options.some(({ text }) => /^-[a-zA-Z]*[rRf]/.test(text) || /^--(r|f)/.test(text));
    const loose = targets.find(arg => arg.glob || arg.dynamic);
    const away = targets.find(arg => !isInside(arg, this.#place));
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
    const away = targets.find(arg => !arg.dynamic && looksOutside(arg, this.#place) && !isTemporary(arg));
    const toDevice = name === 'mv' && operands.at(-1)?.text.startsWith('/dev/');
    if (toDevice) this.destroy('mv to a device');
    if (operands.some(arg => RUN_BY_GIT.test(arg.text))) this.destroy('changes what git runs');
    if (away && !(name === 'tee' && away.text === '/dev/null'))
      this.destroy(`${name} changes ${away.text}, outside the workspace`);
  }
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
    catastrophic: judge.catastrophic,
    reasons: [...judge.reasons],
  };
}
