/** Programs that run another: `timeout 5 CMD`, `env A=1 CMD`, `xargs CMD`. */

import { basename } from 'node:path';
import { WRAPPERS } from './commands.ts';
import type { Findings } from './findings.ts';
import type { Command } from './parse.ts';
import { literal, type Word } from './words.ts';

const SYSTEM_BIN = /^\/(usr\/(local\/)?)?s?bin\//;

/** Found by its name where the system keeps its programs, not a file of the workspace. */
export const isSystemProgram = (name: string): boolean => !name.includes('/') || SYSTEM_BIN.test(name);

/** Takes `timeout 5`, `env A=1`, `xargs -n 1` and the like off; null when nothing is left to judge. */
export async function unwrap(command: Command, depth: number, findings: Findings): Promise<Word[] | null> {
  const all = command.words;
  let words = all;
  for (let round = 0; round < 6; round++) {
    const name = basename(words[0]?.text ?? '');
    const wrapper = WRAPPERS[name];
    if (!wrapper || words[0]!.dynamic || !isSystemProgram(words[0]!.text)) return words;
    if (name === 'command' && /^-[vV]$/.test(words[1]?.text ?? '')) return null;
    if (!['time', 'timeout', 'command', 'builtin', 'env'].includes(name)) findings.doubt(`uses ${name}`);
    if (name === 'nohup' || name === 'setsid') findings.background = true;
    let rest = words.slice(1);
    while (rest[0]?.text.startsWith('-')) {
      const option = rest[0].text;
      if (name === 'env' && /^(-[a-z]*S|--split-string)/.test(option)) {
        await findings.script(
          rest.map(word => word.text.replace(/^(-[a-z]*S|--split-string=?)/, '')).join(' '),
          depth + 1,
        );
        return null;
      }
      if (name === 'flock' && /^(-c|--command)$/.test(option)) return findings.code(rest.slice(1), depth);
      rest = rest.slice(option !== '--' && wrapper.valued.test(option) ? 2 : 1);
    }
    while (/^(env|cross-env|dotenv)$/.test(name) && /^\w+=/.test(rest[0]?.text ?? '')) {
      const { text, dynamic } = rest[0]!;
      const at = text.indexOf('=');
      await findings.assign(text.slice(0, at), { ...literal(text.slice(at + 1)), dynamic }, depth);
      rest = rest.slice(1);
    }
    words = rest.slice(wrapper.operands);
    const last = words.at(-1);
    if (name === 'flock' && words[0]?.text === '-c') return findings.code(words.slice(1), depth);
    // These hand one text to a shell, and put words of their own into it.
    if (/^(watch|parallel|coproc)$/.test(name) && (/\s/.test(words[0]?.text ?? '') || last?.text === '}'))
      return findings.code(words, depth);
    if (name === 'parallel' && words.length === 0) findings.destroy('runs what another command prints');
    if (/^(xargs|parallel)$/.test(name) && words.length > 0) words = withInput(all, words);
    if (words.length === 0) {
      if (name === 'env') findings.doubt('prints the environment');
      return null;
    }
  }
  findings.destroy('hides the program behind many wrappers');
  return all;
}

/** Words read from a pipe stand behind the others, or in the place of a name. */
function withInput(all: Word[], words: Word[]): Word[] {
  const at = all.findIndex(word => /^-I/.test(word.text));
  const name = at < 0 ? '{}' : all[at]!.text.slice(2) || (all[at + 1]?.text ?? '{}');
  const put = words.map(word =>
    word.text.includes(name)
      ? { ...word, text: word.text.replaceAll(name, '"$X"'), dynamic: !/\s/.test(word.text) }
      : word,
  );
  return [...put, { text: '\0', dynamic: true, glob: true }];
}
