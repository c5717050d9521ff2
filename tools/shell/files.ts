/** Programs that write, move, pack and remove files: where these stand among their arguments, and what is lost. */

import { dirname } from 'node:path';
import { REGENERABLE } from './commands.ts';
import type { Call, Findings } from './findings.ts';
import { holdsSomething, isInside, isTemporary, leadsOut, looksOutside, wipes } from './paths.ts';
import { literal, type Word } from './words.ts';

/** Value of `-o VALUE`, `-oVALUE`, `--name VALUE` or `--name=VALUE`. */
export function valuesOf(args: Word[], short: string | null, ...long: string[]): Word[] {
  return args.flatMap((arg, i) => {
    const next = args[i + 1];
    if (long.includes(arg.text) || (short !== null && arg.text === short)) return next ? [next] : [];
    const name = long.find(one => arg.text.startsWith(`${one}=`));
    if (name) return [{ ...arg, text: arg.text.slice(name.length + 1) }];
    const glued = short !== null && arg.text.startsWith(short) && !arg.text.startsWith('--');
    return glued ? [{ ...arg, text: arg.text.slice(short.length) }] : [];
  });
}

/** Something is written to these paths. */
export function writes(findings: Findings, name: string, targets: Word[]): void {
  const { place } = findings;
  const away = targets.find(word => !word.dynamic && looksOutside(word, place) && !isTemporary(word));
  if (away) findings.destroy(`${name} changes ${away.text}, outside the workspace`);
  const link = targets.find(word => leadsOut(word, place));
  if (link) findings.destroy(`${name} changes ${link.text}, which a link leads out of the workspace`);
  if (targets.some(word => runByGit(word.text))) findings.destroy('changes what git runs');
  if (targets.some(word => word.dynamic))
    findings.doubt(`${name} changes files that are known only at run time`);
  else findings.write(`${name} changes files`);
}

/** What stands there runs as code, outside any sandbox, at the user's next git command. */
export const runByGit = (path: string): boolean =>
  /(^|\/)\.git\/(hooks|config|modules|info\/attributes)(\/|$)/i.test(path);

/** Only looks at these files. */
export function reads(findings: Findings, files: Word[]): void {
  if (files.some(word => word.dynamic)) findings.doubt('has arguments known only at run time');
  if (files.some(word => looksOutside(word, findings.place))) findings.doubt('reads outside the workspace');
}

/** Stands in, or is, a folder that tools make anew. */
function isRegenerable(path: string): boolean {
  const parts = path.split('/');
  return !parts.includes('..') && parts.some(part => REGENERABLE.has(part));
}

export function remove({ args, operands }: Call, findings: Findings): boolean {
  const { place } = findings;
  findings.write('deletes files');
  const end = args.findIndex(arg => arg.text === '--');
  const options = args.filter((arg, i) => arg.text.startsWith('-') && (end < 0 || i < end));
  const caches = operands.every(arg => !arg.glob && isInside(arg, place) && isRegenerable(arg.text));
  if (operands.length > 0 && caches) return true;
  const recursive = options.some(({ text }) => /^-[a-zA-Z]*[rR]|^--r/.test(text));
  const root = operands.find(arg => wipes(arg, place));
  if (recursive && root) findings.ruin(`rm -r of ${root.text}`);
  const forced = options.some(({ text }) => /^-[a-zA-Z]*[rRf]/.test(text) || /^--(r|f)/.test(text));
  const loose = [...options, ...operands].some(arg => arg.glob || arg.dynamic);
  const away = operands.find(arg => !isInside(arg, place) || leadsOut(literal(dirname(arg.text)), place));
  if (forced) findings.destroy('rm -r or -f removes without looking');
  else if (loose) findings.destroy('rm of files that are known only at run time');
  else if (away) findings.destroy(`rm of ${away.text}, outside the workspace`);
  else if (operands.some(arg => runByGit(arg.text))) findings.destroy('changes what git runs');
  return true;
}

const COMPRESSORS = /^(gzip|pigz|bzip2|pbzip2|lbzip2|xz|pixz|zstd(mt)?( -T?\d+)*|lz4|lzip|brotli)$/;

export function tar({ args, texts }: Call, findings: Findings): boolean {
  const flags = (texts[0] ?? '').replace(/^-*/, '') + texts.filter(text => /^-\w/.test(text)).join('');
  const started = [
    ...valuesOf(args, '-I', '--use-compress-program'),
    ...valuesOf(args, '-F', '--to-command', '--info-script', '--new-volume-script', '--rsh-command'),
    ...args.filter(arg => /^--checkpoint-action=exec/.test(arg.text)),
  ].find(word => !COMPRESSORS.test(word.text));
  if (started) findings.destroy('tar starts another program');
  if (texts.includes('--remove-files')) findings.destroy('tar removes what it packs');
  const extracts = /x/.test(flags) || texts.some(text => /^--(extract|get)$/.test(text));
  if (extracts && (texts.includes('--absolute-names') || /P/.test(flags)))
    findings.destroy('tar unpacks to wherever the archive says');
  const lists = !extracts && (/^[a-zA-Z]*t/.test(flags) || texts.includes('--list'));
  if (lists) return started === undefined;
  const folders = valuesOf(args, '-C', '--directory');
  const files = valuesOf(args, '-f', '--file').concat(
    /^-?\w*f$/.test(texts[0] ?? '') ? args.slice(1, 2) : [],
  );
  writes(findings, 'tar', extracts ? folders : files.filter(word => word.text !== '-'));
  return true;
}

export function unpack({ name, args, texts, operands }: Call, findings: Findings): boolean {
  if (texts.some(text => /^-[a-zA-Z]*[lZtpcv]/.test(text)) && name === 'unzip') return true;
  if (name === 'zip' && texts.some(text => /^-m|^--move|^-TT|^--unzip-command/.test(text)))
    findings.destroy('zip removes what it packs, or starts another program');
  writes(findings, name, name === 'zip' ? operands.slice(0, 1) : valuesOf(args, '-d'));
  return true;
}

/** Where the written file or folder stands among the arguments. */
function targetsOf({ name, args, operands }: Call): Word[] {
  if (name === 'split' || name === 'csplit') return operands.length > 1 ? operands.slice(-1) : [];
  if (name === 'patch')
    return [
      ...operands.slice(0, 1),
      ...valuesOf(args, '-d', '--directory'),
      ...valuesOf(args, '-o', '--output'),
    ];
  if (!['cp', 'ln', 'install', 'rsync'].includes(name)) return operands;
  const folder = name === 'rsync' ? [] : valuesOf(args, '-t', '--target-directory');
  return folder.length > 0 ? folder : operands.slice(-1);
}

export function writer(call: Call, findings: Findings): boolean {
  const { name, texts, operands } = call;
  const targets = targetsOf(call).filter(
    word => !(name === 'tee' && /^\/dev\/(null|std(out|err)|tty)$/.test(word.text)),
  );
  const last = operands.at(-1);
  if (name === 'mv' && last?.text.startsWith('/dev/')) findings.destroy('mv to a device');
  // The sandbox's /tmp ends with the command.
  const kept = operands.slice(0, -1).some(word => !isTemporary(word));
  if (name === 'mv' && last && isTemporary(last) && !isInside(last, findings.place) && kept)
    findings.destroy(`moves files to ${last.text}, where nothing is kept`);
  if (name === 'cp' && operands[0]?.text === '/dev/null' && last && holdsSomething(last, findings.place))
    findings.destroy(`empties ${last.text}`);
  const replaces = name === 'ln' && texts.some(text => /^-\w*f|^--force/.test(text));
  if (replaces && last && holdsSomething(last, findings.place))
    findings.destroy(`replaces ${last.text} by a link`);
  if (/^(chmod|chown|chgrp)$/.test(name) && texts.some(text => /^-[a-zA-Z]*R|^--recursive$/.test(text)))
    findings.destroy(`${name} of a whole tree`);
  if (/^c?split$/.test(name) && texts.some(text => text.startsWith('--filter')))
    findings.destroy('split starts another program');
  if (name === 'rsync') {
    if (texts.some(text => /^--(delete|remove-source)/.test(text))) findings.destroy('rsync deletes files');
    if (texts.some(text => /^(-\w*e|--rsh)/.test(text))) findings.destroy('rsync starts another program');
    if (operands.some(word => /^[^/]+:/.test(word.text))) findings.reach('rsync reaches the network');
  }
  // Compressors print with -c, look with -l and -t.
  if (
    /^(gzip|gunzip|bzip2|bunzip2|xz|unxz|zstd)$/.test(name) &&
    texts.some(text => /^-[a-z]*[clt]/.test(text))
  )
    return false;
  writes(findings, name, targets);
  reads(
    findings,
    operands.filter(word => !targets.includes(word)),
  );
  return true;
}
