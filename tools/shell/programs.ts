/** What known programs do with the arguments they are given: networks, and other programs that they start. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { awkEffect, dangerOf, NAMES_DANGER, reachesOut, sedEffect } from './code.ts';
import { ALWAYS_NETWORK, DOCKER_LOOKS, LOSES_ROWS, NETWORK_SUBCOMMANDS } from './commands.ts';
import { reads, remove, tar, unpack, valuesOf, writer, writes } from './files.ts';
import type { Call, Findings, Rule } from './findings.ts';
import { canDestroy, judgeGit } from './git-rules.ts';
import { exists, looksOutside, type Place } from './paths.ts';
import { JOB, literal, type Word } from './words.ts';

const ANYTHING: Word = { text: '\0', dynamic: true, glob: true };

async function find(call: Call, findings: Findings): Promise<boolean> {
  const { args } = call;
  if (args.some(arg => arg.text === '-delete')) findings.destroy('find -delete removes without looking');
  for (const [i, arg] of args.entries()) {
    if (/^-f(ls|printf?|print0)$/.test(arg.text)) writes(findings, 'find', args.slice(i + 1, i + 2));
    if (!/^-(exec|execdir|ok|okdir)$/.test(arg.text)) continue;
    const end = args.findIndex((other, j) => j > i && /^(;|\+)$/.test(other.text));
    const inner = args
      .slice(i + 1, end < 0 ? undefined : end)
      .map(word => (word.text.includes('{}') ? { ...word, text: '\0', dynamic: true } : word));
    if (inner.length > 0) await findings.run(inner, call);
  }
  return false;
}

async function fd(call: Call, findings: Findings): Promise<boolean> {
  const at = call.texts.findIndex(text => /^(-x|-X|--exec|--exec-batch)$/.test(text));
  if (at >= 0) await findings.run([...call.args.slice(at + 1), ANYTHING], call);
  return false;
}

function kill({ texts, args }: Call, findings: Findings): boolean {
  const operands = args.filter(
    ({ text }, i) => !(i === 0 && /^-[A-Za-z0-9]+$/.test(text) && args.length > 1) && text !== '-s',
  );
  const broad = operands.some(
    ({ text, dynamic }) => /^-?\d+$/.test(text) || (dynamic && text !== JOB && !/^%/.test(text)),
  );
  if (broad && !(texts[0] === '-l' || texts[0] === '-L'))
    findings.destroy('kills processes that this command did not start');
  return false;
}

function sed({ args, texts, operands }: Call, findings: Findings): boolean {
  if (texts.some(text => /^(-[a-zA-Z]*f|--file)/.test(text))) return false;
  const given = valuesOf(args, '-e', '--expression');
  const scripts = given.length > 0 ? given : operands.slice(0, 1);
  if (scripts.some(word => word.dynamic)) {
    findings.doubt('sed with a script known only at run time');
    return false;
  }
  const effect = sedEffect(scripts.map(word => word.text).join('\n'));
  if (effect.kind === 'exec') {
    findings.destroy('sed with a script that may start programs');
    return true;
  }
  const named = given.length > 0 ? operands : operands.slice(1);
  const files = given.length > 0 ? named.filter(word => !given.includes(word)) : named;
  if (effect.kind === 'write') writes(findings, 'sed', effect.files.map(literal));
  if (texts.some(text => /^(-[nErsuz]*i|--in-place)/.test(text))) writes(findings, 'sed -i', files);
  reads(findings, files);
  return true;
}

function awk({ args, texts, operands }: Call, findings: Findings): boolean {
  if (texts.some(text => /^-[filE]|^--(file|include|load|exec)/.test(text))) return false;
  const values = [...valuesOf(args, '-F'), ...valuesOf(args, '-v')];
  const [program, ...files] = operands.filter(word => !values.includes(word));
  if (!program || program.dynamic) {
    findings.doubt('awk with a program known only at run time');
    return false;
  }
  const effect = awkEffect(program.text);
  if (effect === 'exec') findings.destroy('awk starts other programs');
  if (effect === 'write') {
    const named = [...program.text.matchAll(/>\s*"([^"]*)"/g)].map(found => literal(found[1]!));
    writes(findings, 'awk', named.length > 0 ? named : [ANYTHING]);
  }
  reads(findings, files);
  return true;
}

function sort({ args, texts }: Call, findings: Findings): boolean {
  if (texts.some(text => text.startsWith('--compress-program')))
    findings.destroy('sort starts another program');
  const outputs = valuesOf(args, '-o', '--output');
  if (outputs.length === 0) return false;
  writes(findings, 'sort', outputs);
  return true;
}

const LOCAL = /^(\w+:\/\/)?(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)(:\d+)?([/?]|$)/;

/** curl, wget and the like: to this machine alone, or out. */
function client({ name, args, texts, operands }: Call, findings: Findings): boolean {
  const files = [
    ...valuesOf(args, '-o', '--output'),
    ...(name === 'wget' ? valuesOf(args, '-O', '--output-document') : []),
  ];
  const targets = operands.filter(word => /[.:]|localhost/.test(word.text) && !files.includes(word));
  const named = (text: string) => /^\w+:\/\//.test(text) || /^[\w-]+(\.[\w-]+)+(:\d+)?(\/|$)/.test(text);
  const local =
    !args.some(arg => arg.dynamic) &&
    targets.some(({ text }) => LOCAL.test(text)) &&
    targets.every(({ text }) => LOCAL.test(text) || !named(text)) &&
    !texts.some(
      text =>
        /^(-x|-K|-L|--(proxy|config|resolve|connect-to|location|preproxy|socks\S*))$/.test(text) ||
        /^-[a-zA-Z]*L/.test(text),
    );
  if (/^(nc|ncat|netcat)$/.test(name) && texts.some(text => /^-\w*[ec]/.test(text)))
    findings.destroy(`${name} starts another program`);
  if (files.length > 0)
    writes(
      findings,
      name,
      files.filter(word => word.text !== '-'),
    );
  else if (name === 'wget' || texts.some(text => /^-[a-zA-Z]*[OJ]|^--remote-name/.test(text)))
    findings.write(`${name} saves a file`);
  if (local) findings.local(`${name} speaks to this machine`);
  else findings.reach(`${name} reaches the network`);
  return local;
}

function docker({ name, texts }: Call, findings: Findings): boolean {
  if (!DOCKER_LOOKS.test(texts.join(' '))) return false;
  findings.local(`${name} looks at containers`);
  return true;
}

function database({ name, texts, command }: Call, findings: Findings): boolean {
  const code = [...texts, command.input ?? ''].filter(text => !/^-\w$/.test(text)).join(' ');
  if (LOSES_ROWS.test(code)) findings.destroy(`${name} with statements that may lose data`);
  else if (command.fed && (command.input ?? '\0').includes('\0'))
    findings.destroy(`${name} runs what another command prints`);
  return false;
}

/** Editors, pagers and debuggers, whose own commands can start others. */
function editor({ name, texts, command }: Call, findings: Findings): boolean {
  const code = [...texts, command.input ?? ''].join('\n');
  const speaks = texts.some(text =>
    /^(-\w*[cePSsx]|--(cmd|eval|command|batch\w*|pager)|-ex|-s|\+)/.test(text),
  );
  if (/!|\b(system|shell|delete|spawn|pipe|call)\b|delete-/.test(code) && (speaks || command.fed))
    findings.destroy(`${name} with commands that may start programs`);
  else if (command.fed && command.input === null && /^(ex|ed|vim?|gdb|expect)$/.test(name))
    findings.destroy(`${name} runs what another command prints`);
  return false;
}

function make({ name, texts, command }: Call, findings: Findings): boolean {
  if (!texts.some(text => /^(-f|--file=?|--makefile=?)-?$/.test(text)) || !command.fed) return false;
  if (command.input === null || NAMES_DANGER.test(command.input))
    findings.destroy(`${name} runs what it is fed`);
  return false;
}

/** Builtins that take code or evaluate names. */
async function builtin(call: Call, findings: Findings): Promise<boolean> {
  const { name, texts, depth } = call;
  if (name === 'alias')
    for (const text of texts.filter(one => one.includes('=')))
      await findings.script(text.slice(text.indexOf('=') + 1), depth + 1);
  const code = {
    hash: /^-p$/,
    compgen: /^-[CF]$/,
    complete: /^-[CF]$/,
    mapfile: /^-C$/,
    readarray: /^-C$/,
    enable: /^-f$/,
  }[name];
  if (code && texts.some(text => code.test(text))) findings.destroy(`${name} gives names another meaning`);
  const names = name === 'printf' ? valuesOf(call.args, '-v').map(word => word.text) : texts;
  if (name !== 'alias' && names.some(text => /\[.*(\$\(|`)/s.test(text)))
    findings.destroy('runs code that stands in a subscript');
  return false;
}

/** npx, poetry run and the like: the program behind them, downloaded where it is not installed. */
export async function runner(call: Call, findings: Findings, first: RegExp | null): Promise<boolean> {
  let rest = call.args;
  const skip = () => {
    while (rest[0]?.text.startsWith('-')) {
      const option = rest[0].text;
      if (option === '--') return void (rest = rest.slice(1));
      rest = rest.slice(/^(-p|--package|--with|--python|-c|--call|--prefix|-C)$/.test(option) ? 2 : 1);
    }
  };
  const code = valuesOf(call.args, '-c', '--call');
  for (const word of code) {
    if (word.dynamic) findings.destroy('runs code that is known only at run time');
    else await findings.script(word.text, call.depth + 1);
  }
  skip();
  if (first) rest = rest.slice(1);
  skip();
  const [program] = rest;
  if (!program) return code.length > 0;
  const downloads = /^(npx|bunx|npm|pnpm|yarn|bun)$/.test(call.name) && call.texts[0] !== '--no-install';
  if ((downloads && !isInstalled(program, findings.place)) || call.texts.some(text => /^--with/.test(text)))
    findings.reach(`${call.name} may download ${program.text}`);
  const [, ...args] = rest;
  // Some join their arguments to one command line for a shell.
  if (/\s/.test(program.text)) await findings.script(program.text, call.depth + 1);
  else
    await findings.run([{ ...program, text: program.text.replace(/(?<=.)@[\w.^~-]+$/, '') }, ...args], call);
  findings.doubt(`runs ${call.name}`);
  return true;
}

function isInstalled(program: Word, { root, cwd }: Place): boolean {
  if (program.dynamic || !/^[\w.-]+$/.test(program.text)) return false;
  for (let folder = cwd ?? root; folder.startsWith(root); folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules/.bin', program.text))) return true;
    if (folder === root) break;
  }
  return false;
}

/** Programs that always, or with these sub-commands, reach other machines. */
export function reach(name: string, operands: string[], findings: Findings): void {
  const sub = operands[0] ?? '';
  if (ALWAYS_NETWORK.has(name)) findings.reach(`${name} reaches the network`);
  if (NETWORK_SUBCOMMANDS[name]?.test(sub)) findings.reach(`${name} ${sub} reaches the network`);
  if (name === 'yarn' && operands.length === 0) findings.reach('yarn reaches the network');
}

/** Code in another language. */
export function foreign(name: string, code: string, findings: Findings): void {
  const danger = dangerOf(code);
  if (danger) findings.destroy(`${name} ${danger}`);
  if (reachesOut(code)) findings.reach(`${name} code that reaches the network`);
}

export function git({ args, texts }: Call, findings: Findings): void {
  const { place } = findings;
  const dynamic = args.some(arg => arg.dynamic);
  const verdict = judgeGit(texts, path => exists(literal(path), place));
  if (verdict.network) findings.reach(`git ${verdict.subcommand} reaches the network`);
  if (verdict.destructive) findings.destroy(`git ${verdict.subcommand} ${verdict.destructive}`);
  if (verdict.refused && !verdict.readOnly) findings.doubt(verdict.refused);
  if (verdict.startsPrograms) findings.destroy(`git ${verdict.subcommand}: ${verdict.refused}`);
  if (canDestroy(verdict.subcommand) && args.some(arg => arg.text.startsWith('\0')))
    findings.destroy(`git ${verdict.subcommand} with arguments known only at run time`);
  if (args[0]?.dynamic) findings.destroy('git with a sub-command known only at run time');
  else if (!verdict.readOnly || dynamic) findings.doubt(`runs git ${verdict.subcommand}`);
  if (!verdict.readOnly) findings.git = true;
  if (args.some(arg => looksOutside(arg, place))) findings.doubt('reads outside the workspace');
}

const named = (names: string, rule: Rule): [string, Rule][] => names.split(' ').map(name => [name, rule]);

export const RULES = new Map<string, Rule>([
  ...named('rm unlink', remove),
  ...named('rimraf del-cli trash', (call, findings) =>
    remove({ ...call, args: [literal('-rf'), ...call.args] }, findings),
  ),
  ...named('find gfind', find),
  ...named('fd fdfind', fd),
  ...named('kill', kill),
  ...named('tar bsdtar gtar', tar),
  ...named('zip unzip', unpack),
  ...named('sed gsed', sed),
  ...named('awk gawk mawk nawk', awk),
  ...named('sort', sort),
  ...named(
    'mktemp cp mv ln tee touch mkdir rmdir install rsync patch chmod chown chgrp split csplit mkfifo gzip gunzip bzip2 bunzip2 xz unxz zstd',
    writer,
  ),
  ...named('curl wget nc ncat netcat telnet ping ping6 http https xh', client),
  ...named('docker podman', docker),
  ...named(
    'psql mysql mariadb sqlite3 sqlite duckdb mongo mongosh redis-cli valkey-cli cqlsh sqlcmd clickhouse clickhouse-client influx',
    database,
  ),
  ...named('vi vim nvim view ex ed emacs emacsclient nano gdb lldb less more man expect screen tmux', editor),
  ...named('make gmake bmake', make),
  ...named(
    'alias hash compgen complete mapfile readarray enable let declare typeset local export readonly test [ printf read unset wait',
    builtin,
  ),
]);
