/** Programs that run code: a shell's is judged like the command itself, that of other languages by what it names. */

import { INLINE_CODE, readsOnly, SHELLS } from './commands.ts';
import type { Call, Findings } from './findings.ts';
import { foreign, reach } from './programs.ts';

/** Shells and other languages: code in an argument, from a pipe, or in a file. */
export async function interpret(call: Call, findings: Findings): Promise<void> {
  const { name, args, texts, command, depth } = call;
  if (texts.length === 1 && readsOnly(name, texts)) return;
  findings.doubt(`runs ${name}`);
  const shell = SHELLS.has(name);
  const at = texts.findIndex(text =>
    (shell ? /^([-+][a-zA-Z]*c[a-zA-Z]*|--command(=|$))$/ : INLINE_CODE).test(text),
  );
  if (at >= 0 && shell) {
    const code = args[at + 1];
    if (!code || code.dynamic) return findings.destroy('runs code that is known only at run time');
    return findings.script(code.text, depth + 1);
  }
  if (at >= 0 && args.slice(at, at + 2).some(arg => arg.dynamic))
    return findings.destroy('runs code that is known only at run time');
  for (const text of texts.filter(one => /[\s(;`'"$]/.test(one))) foreign(name, text, findings);
  if (/^python/.test(name) && texts[0] === '-m') return reach(texts[1] ?? '', texts.slice(2), findings);
  if (name === 'bun' || name === 'deno') reach(name, texts, findings);
  const script = at >= 0 ? undefined : args.find(arg => !arg.text.startsWith('-') || arg.text === '-');
  if (script) findings.written(script);
  const fromInput =
    at < 0 &&
    (!script || script.text === '-' || /^\/dev\/(stdin|fd\/)/.test(script.text) || script.text === '\0');
  if (!fromInput || !command.fed) return;
  if (command.input === null || command.input.includes('\0'))
    return findings.destroy(`${name} runs what another command prints`);
  if (shell) return findings.script(command.input, depth + 1);
  foreign(name, command.input, findings);
}
