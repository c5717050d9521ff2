/** Walks through all commands of a script and gathers what they would do. */

import { basename, resolve } from 'node:path';
import { dangerOf, NAMES_DANGER } from './code.ts';
import {
  ALWAYS_DESTRUCTIVE,
  CODE_VARIABLE,
  DESTRUCTIVE_SUBCOMMANDS,
  HARMLESS_VARIABLE,
  INTERPRETERS,
  PRINTS,
  RESETS_DATABASE,
  RUNNERS,
  readsOnly,
  SHELLS,
  SPECIAL_VARIABLE,
} from './commands.ts';
import { runByGit } from './files.ts';
import type { Call, Findings } from './findings.ts';
import { interpret } from './interpreters.ts';
import { type Command, parseScript, type Script } from './parse.ts';
import {
  exists,
  holdsSomething,
  isHarmless,
  isInside,
  isTemporary,
  leadsOut,
  looksOutside,
  namesSecret,
  type Place,
} from './paths.ts';
import { git, RULES, reach, runner } from './programs.ts';
import type { Word } from './words.ts';
import { isSystemProgram, unwrap } from './wrappers.ts';

const MAX_DEPTH = 4;
/** Characters; no command that a person could check is longer, and parsing stays below 50 ms. */
const MAX_LENGTH = 200_000;
/** Programs that a parse error hides from us. */
const RAW_NETWORK = /\b(curl|wget|ssh|scp|nc|ncat|telnet|ping|rsync)\b|\/dev\/(tcp|udp)\//;
/** Words of the language: as the name of a command they show that the grammar has lost its way. */
const RESERVED =
  /^(\{|\}|if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|!|\[\[|\]\])$/;
/** First operands that are names of sub-commands, not of programs. */
const PACKAGE_MANAGERS = /^(npm|pnpm|yarn|bun|cargo|uv|pip3?|go|conda|poetry|pdm|docker|git-lfs|dvc|gh)$/;

export class Judge implements Findings {
  readonly reasons = new Set<string>();
  /** Those of them for which a person is asked. */
  readonly alarms = new Set<string>();
  readonly place: Place;
  #source = '';
  unknown = false;
  wrote = false;
  network = false;
  speaks = false;
  destructive = false;
  secret = false;
  catastrophic: string | null = null;
  background = false;
  git = false;
  /** Something else than git is not understood, which must not get what git gets. */
  mixed = false;
  #inGit = false;

  constructor(root: string) {
    this.place = { root, relative: 'root', cwd: root };
  }

  destroy(reason: string): void {
    this.destructive = true;
    this.alarms.add(reason);
    this.doubt(reason);
  }

  ruin(reason: string): void {
    this.catastrophic = reason;
    this.destroy(reason);
  }

  doubt(reason: string): void {
    this.unknown = true;
    if (!this.#inGit) this.mixed = true;
    this.reasons.add(reason);
  }

  write(reason: string): void {
    this.wrote = true;
    this.reasons.add(reason);
  }

  reach(reason: string): void {
    this.network = true;
    this.alarms.add(reason);
    this.doubt(reason);
  }

  local(reason: string): void {
    this.speaks = true;
    this.reasons.add(reason);
  }

  run(words: Word[], call: Call): Promise<void> {
    return this.#command({ ...call.command, words, assigns: [] }, call.depth + 1);
  }

  async script(source: string, depth = 0): Promise<void> {
    if (depth > MAX_DEPTH) return this.destroy('code within code');
    if (source.length > MAX_LENGTH) return this.destroy('too long to be judged');
    if (depth === 0) this.#source = source;
    const script = await parseScript(source, this.place.root);
    if (!script.valid) {
      // The grammar does not know all of bash, and bash runs the lines before an error.
      this.destroy('cannot be read for sure as bash');
      if (RAW_NETWORK.test(source)) this.reach('names a network program');
    }
    if (script.background) {
      this.background = true;
      this.doubt('starts a background job');
    }
    if (script.hidden) this.destroy('hides code in a text');
    if (script.forkBomb) this.ruin('a function that starts itself without end');
    if (script.unusual.length > 0) this.doubt(`uses ${[...new Set(script.unusual)].join(', ')}`);
    this.#moves(script.commands);
    for (const redirect of script.redirects) this.#redirect(redirect);
    for (const command of script.commands) await this.#command(command, depth);
  }

  /** Follows one `cd` at the beginning; several, or later ones, leave it open where relative paths begin. */
  #moves(commands: Command[]): void {
    const moves = commands.filter(command => /^(cd|pushd|popd)$/.test(command.words[0]?.text ?? ''));
    for (const { words } of moves) {
      const target = words[1];
      const stays = target && isInside(target, this.place);
      if (!stays) this.place.relative = 'elsewhere';
      else if (this.place.relative === 'root') this.place.relative = 'below';
    }
    if (moves.length === 0) return;
    const [move] = moves;
    const single = moves.length === 1 && move === commands[0] && move!.top && this.place.relative === 'below';
    const target = single ? move!.words[1] : undefined;
    const known = target && this.place.cwd !== null && exists(target, this.place);
    this.place.cwd = known ? resolve(this.place.cwd!, target.text) : null;
  }

  #redirect({ operator, target, by }: Script['redirects'][number]): void {
    const { place } = this;
    this.#secrets([target]);
    if (/^\/dev\/(tcp|udp)\//.test(target.text)) this.reach('opens a network connection');
    const duplicates = /&$/.test(operator) && /^(\d+-?|-)$/.test(target.text);
    if (duplicates || /^\/dev\/(null|stdout|stderr|tty|fd\/\d+)$/.test(target.text)) return;
    if (operator === '<') {
      if (!isHarmless(target, place)) this.doubt('reads outside the workspace');
      return;
    }
    if (operator.startsWith('<') && !operator.includes('>')) return;
    this.write('writes a file');
    if (target.dynamic) this.doubt('writes a file that is known only at run time');
    if (runByGit(target.text)) this.destroy('changes what git runs');
    if (/^\/dev\/(sd|hd|vd|nvme|mmcblk|disk|mem)/.test(target.text)) this.ruin('writes to a device');
    if (target.text.startsWith('\0')) this.destroy('writes to a place that is known only at run time');
    else if (leadsOut(target, place))
      this.destroy(`writes ${target.text}, which a link leads out of the workspace`);
    else if (!isHarmless({ ...target, dynamic: false }, place) && !isTemporary({ ...target, dynamic: false }))
      this.destroy(`writes ${target.text.replaceAll('\0', '…')}, outside the workspace`);
    if (!/^>[|&]?$/.test(operator) || by === undefined || !holdsSomething(target, place)) return;
    if (writesNothing(by)) this.destroy(`empties ${target.text}`);
    // The shell empties it before the command begins to read.
    else if (
      !PRINTS.has(by?.words[0]?.text ?? '') &&
      by?.words.some((word, i) => i > 0 && word.text === target.text)
    )
      this.destroy(`empties ${target.text}, which it reads`);
  }

  #secrets(words: Word[]): void {
    const found = words.find(word => namesSecret(word, this.place));
    if (!found) return;
    this.secret = true;
    const reason = `touches secrets: ${found.text.replaceAll('\0', '…').slice(0, 80)}`;
    this.alarms.add(reason);
    this.doubt(reason);
  }

  async #command(command: Command, depth: number): Promise<void> {
    const alone = command.words.length === 0;
    for (const { name, value } of command.assigns) await this.assign(name, value, depth, alone);
    if (command.words.length === 0) return;
    const words = await unwrap(command, depth, this);
    if (words) await this.#program(words, command, depth);
  }

  async assign(name: string, value: Word, depth: number, alone = false): Promise<void> {
    this.#secrets([value]);
    if (CODE_VARIABLE.test(name)) {
      if (value.dynamic) this.destroy(`sets ${name} to what is known only at run time`);
      else await this.script(value.text, depth + 1);
    }
    // A variable of the command's own goes to no other program.
    const harmless = HARMLESS_VARIABLE.test(name) || (alone && !SPECIAL_VARIABLE.test(name));
    if (!harmless) this.doubt(`sets ${name}`);
  }

  async #program(words: Word[], command: Command, depth: number): Promise<void> {
    const [first, ...args] = words as [Word, ...Word[]];
    const texts = args.map(arg => arg.text);
    const name = basename(first.text);
    const alone = PRINTS.has(name) && !/xargs|parallel|\$\(|`/.test(this.#source);
    if (!alone) this.#secrets(args);
    if (!isSystemProgram(first.text)) {
      this.doubt(`runs ${first.text.slice(0, 60)}`);
      this.written(first);
    }
    if (RESERVED.test(first.text)) return this.destroy('cannot be read for sure as bash');
    if (first.dynamic || first.glob)
      return this.destroy('runs a program whose name is known only at run time');
    if (name === 'eval' || name === 'trap')
      return void (await this.code(args.slice(0, name === 'trap' ? 1 : undefined), depth));
    if (name === 'source' || name === '.') {
      if (args[0]) this.written(args[0]);
      if (command.fed || /^\/dev\/(stdin|fd\/)/.test(texts[0] ?? ''))
        return this.destroy('runs code from another command');
      return this.doubt('runs a script');
    }
    const end = texts.indexOf('--');
    const operands = args.filter((arg, i) => !arg.text.startsWith('-') || (end >= 0 && i > end));
    const call: Call = { name, args, texts, operands, command, depth };
    const runs = RUNNERS[name];
    const through = runs !== undefined && (runs === null || runs.test(operands[0]?.text ?? ''));
    if (through && (await runner(call, this, runs))) return;
    if (RESETS_DATABASE.test(texts.join(' '))) this.destroy(`${name} resets a database`);
    if (SHELLS.has(name) || INTERPRETERS.test(name)) return interpret(call, this);
    if (name === 'git') {
      this.#inGit = true;
      git(call, this);
      this.#inGit = false;
      return;
    }
    if (/^(mkfs|mke2fs|wipefs|blkdiscard)/.test(name)) return this.ruin(`${name} erases a disk`);
    if (name === 'dd' && texts.some(text => /^of=\/dev\/(?!null|stdout|stderr|zero)/.test(text)))
      return this.ruin('dd writes to a device');
    if (ALWAYS_DESTRUCTIVE.has(name)) {
      if (name === 'crontab' && texts[0] === '-l') return this.doubt('reads the crontab');
      return this.destroy(`runs ${name}`);
    }
    if (DESTRUCTIVE_SUBCOMMANDS[name]?.test(texts.join(' '))) this.destroy(`${name} deletes or publishes`);
    if (await RULES.get(name)?.(call, this)) return;
    reach(
      name,
      operands.map(arg => arg.text),
      this,
    );
    if (!readsOnly(name, texts)) return this.#stranger(first.text, call);
    if (PRINTS.has(name)) return;
    if (args.some(arg => arg.dynamic)) this.doubt('has arguments known only at run time');
    if (args.some(arg => looksOutside(arg, this.place))) this.doubt('reads outside the workspace');
  }

  /** Nothing is known of this program; it may be one that starts what it is told. */
  #stranger(program: string, { name, texts }: Call): void {
    this.doubt(`runs ${program.slice(0, 60)}`);
    const told = PACKAGE_MANAGERS.test(name) ? texts.slice(1) : texts;
    const danger = told.some(
      (text, i) =>
        NAMES_DANGER.test(text) ||
        (/^(\/\S*\/)?(rm|shred|dd|sudo|truncate|kill)$/.test(text) && told.length > i + 1),
    );
    if (danger) this.destroy(`${name} is told to start a dangerous program`);
  }

  /** A script that this very command has written: what was written there is judged by its text. */
  written(script: Word): void {
    const file = basename(script.text);
    if (
      file.length < 2 ||
      !new RegExp(`(>|\\btee\\b|-o)[^\\n|;]*${file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(
        this.#source,
      )
    )
      return;
    if (NAMES_DANGER.test(this.#source) || dangerOf(this.#source))
      this.destroy('runs a script that it writes itself, with code that deletes');
    if (/\b(base64|xxd|openssl|uudecode|curl|wget)\b/.test(this.#source))
      this.destroy('runs a script that another program makes');
  }

  async code(args: Word[], depth: number): Promise<null> {
    this.doubt('runs code from a text');
    if (args.some(arg => arg.dynamic)) this.destroy('runs code that is known only at run time');
    else await this.script(args.map(arg => arg.text).join(' '), depth + 1);
    return null;
  }
}

/** The file behind its `>` ends up empty. */
function writesNothing(by: Command | null): boolean {
  if (by === null) return true;
  const [first, ...rest] = by.words.map(word => word.text);
  if (first === undefined || first === ':' || first === 'true') return !by.fed;
  // Without a file or a pipe it reads stdin, which is empty here.
  if (first === 'cat' && rest.length === 0) return !by.fed;
  if (first === 'cat') return rest.length === 1 && rest[0] === '/dev/null';
  return (first === 'echo' && /^(-n)?$/.test(rest.join(''))) || (first === 'printf' && rest.join('') === '');
}
