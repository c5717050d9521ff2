/** Code in other languages and little scripts inside commands: what they may destroy, reach or start. Not proofs, but
 * refusals to look away: whoever hides from these patterns still meets the sandbox. */

/** Removes data, or starts a program that does. */
const DESTROYS =
  /rmtree|removedirs|rmdir|rmSync|rm_rf|rm_r\b|remove_(entry|dir|tree|file)|removeSync|remove_dir_all|unlink|\bfs\.rm\b|\.rm\(|\brm\s*\(|\b(os|Deno|fs|File|FileUtils)\.(remove|rm|delete|truncate)|delete-(file|directory)|file delete|\bdelete\(|\brm\s+-[a-zA-Z]*[rf]|['"`]rm['"`]\s*,|shutil\.move|truncate|mkfs|\bdd\s+if=|Remove-Item|os\.kill|process\.kill/;
/** `import {rm} from 'fs/promises'` and `from os import remove`. */
const IMPORTS_REMOVAL = /\bimport\b[^;\n]*\b(rm|rmdir|remove|unlink|rename)\b/;
const STARTS =
  /\b(system|exec\w*|popen|spawn\w*|subprocess|check_(call|output)|child_process|shell_exec|passthru|do shell script|Bun\.\$)\b|`[^`]*`/;
const STARTED_DANGER = /\b(rm|dd|shred|mkfs\w*|sudo|kill(all)?|git\s+(push|reset|clean))\b/;
const RUNS_TEXT = /\b(exec|eval|Function|system|compile|subprocess|child_process|vm)\b/;
const DECODES =
  /b64decode|base64|fromhex|fromCharCode|atob|unhexlify|rot_?13|\bchr\(|codecs|\bpack\(|unescape/;
/** Names put together at run time. */
const EVADES =
  /__import__|getattr\s*\(\s*\w+\s*,\s*[^'")]*['"][^'"]*['"]\s*\+|globals\(\)\s*\[|__builtins__|mainModule|process\.binding|require\(\s*['"][^'"]*['"]\s*\+|\[\s*['"]\w+['"]\s*\+/;
/** Writes to a literal path outside. */
const WRITES_OUT =
  /(open|writeFile\w*|File\.write|file_put_contents)\s*\(\s*['"](\/(?!tmp\/|dev\/null)|~|\.\.\/)[^'"]*['"]\s*,(?!\s*['"]r)/;
const NETWORKS =
  /\burllib|\brequests\.|\bhttpx|\baiohttp|\bsocket\b|\bsmtplib|\bftplib|\bfetch\s*\(|XMLHttpRequest|\bhttps?\.(get|request)|net\.(connect|createConnection)|Net::HTTP|\bLWP\b|IO::Socket|TCPSocket|open-uri|curl_exec|fsockopen|\b(curl|wget|ssh|scp)\s/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/;

/** What a piece of code would do beyond computing; null where nothing was found. */
export function dangerOf(code: string): string | null {
  if (DESTROYS.test(code) || IMPORTS_REMOVAL.test(code)) return 'code that deletes';
  if (STARTS.test(code) && STARTED_DANGER.test(code)) return 'code that starts a dangerous program';
  if (EVADES.test(code) || (RUNS_TEXT.test(code) && DECODES.test(code)))
    return 'code that hides what it does';
  return WRITES_OUT.test(code) ? 'code that writes outside the workspace' : null;
}

/** Names a way to other machines, and not only this one. */
export function reachesOut(code: string): boolean {
  if (!NETWORKS.test(code)) return false;
  const hosts = [...code.matchAll(/\w+:\/\/([^\s/:'"`)]+|\[[^\]]*\])/g)].map(found => found[1]!);
  return hosts.length === 0 || !hosts.every(host => LOOPBACK.test(host));
}

/** A word or text that would make another program remove something. */
export const NAMES_DANGER =
  /(^|[\s;&|!(`'"{:=])(\/(usr\/)?s?bin\/)?((rm|rmdir|shred|unlink)\s+\S|dd\s+(if|of)=|mkfs|truncate\s+-|sudo\s|git\s+(push|reset|clean)\s)/;

/** What an awk program does besides printing: starts programs, or writes files. */
export function awkEffect(program: string): 'read' | 'write' | 'exec' {
  const bare = program
    .replace(/"(\\.|[^"\\])*"/g, '""')
    .replace(/(^|[~!(,{;&|\s])\/(\\.|[^/\\\n])+\//g, '$1 0 ');
  if (/\bsystem\s*\(|\||\bgetline\b|@(include|load)|\bclose\s*\(/.test(bare.replace(/\|\|/g, ' ')))
    return 'exec';
  return /\b(print|printf)\b[^;}\n]*>/.test(bare) ? 'write' : 'read';
}

type SedEffect = { kind: 'read' } | { kind: 'write'; files: string[] } | { kind: 'exec' };

/** An address: a line, the end, `first~step`, or a pattern. */
const ADDRESS = /^(\d+(~\d+)?|\$|\/(\\.|[^/\\\n])*\/[IM]*|\\(.)(\\.|(?!\4)[^\\\n])*\4[IM]*)/;

/** What a sed script does besides printing. Scripts beyond the usual commands count as `exec`. */
export function sedEffect(script: string): SedEffect {
  const files: string[] = [];
  let rest = script;
  const done = (): SedEffect => (files.length > 0 ? { kind: 'write', files } : { kind: 'read' });
  while (rest !== '') {
    rest = rest.replace(/^[\s;{}]+/, '');
    for (const separator of ['', ',']) {
      if (!rest.startsWith(separator)) break;
      const address =
        ADDRESS.exec(rest.slice(separator.length)) ?? (separator ? /^[+~]\d+/.exec(rest.slice(1)) : null);
      if (address) rest = rest.slice(separator.length + address[0].length).trimStart();
    }
    rest = rest.replace(/^!\s*/, '');
    if (rest === '' || rest[0] === '#') rest = rest.replace(/^#[^\n]*/, '');
    else if (/^[{}]/.test(rest)) {
      rest = rest.slice(1);
      continue;
    } else if (/^[dpDPgGhHnNxlzF=]/.test(rest)) rest = rest.slice(1);
    else if (/^[qQ]\d*/.test(rest)) rest = rest.replace(/^[qQ]\s*\d*/, '');
    else if (/^[aic]/.test(rest)) rest = rest.replace(/^[aic][^\n]*(\\\n[^\n]*)*/, '');
    else if (/^[btT:]/.test(rest)) rest = rest.replace(/^[btT:]\s*[\w.-]*/, '');
    else if (/^[sy]/.test(rest)) {
      const mark = rest[1]!.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      const found = new RegExp(
        `^[sy]${mark}(\\\\[\\s\\S]|(?!${mark})[^\\\\])*${mark}(\\\\[\\s\\S]|(?!${mark})[^\\\\])*${mark}([gpiImM\\d]*)(e?)(w\\s*([^\\n]+))?`,
      ).exec(rest);
      if (!found || found[4] === 'e') return { kind: 'exec' };
      if (found[6]) files.push(found[6].trim());
      rest = rest.slice(found[0].length);
    } else if (/^[wW]\s*[^\n]+/.test(rest)) {
      files.push(/^[wW]\s*([^\n]+)/.exec(rest)![1]!.trim());
      rest = rest.replace(/^[^\n]+/, '');
    } else return { kind: 'exec' };
    if (rest !== '' && !/^[\s;{}]/.test(rest)) return { kind: 'exec' };
  }
  return done();
}
