/** A line of the prompt in its words, as a shell would split it. */

/** Quotes group, a backslash takes the next character as it is; what is left open ends with the line. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && /["\\]/.test(line[i + 1] ?? '')) word += line[++i]!;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === '\\' && i + 1 < line.length) word = (word ?? '') + line[++i]!;
    else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}

export type Entry =
  | { kind: 'command'; name: string; args: string[]; rest: string }
  /** Said to the model; `attachments` are the paths named with `@`. */
  | { kind: 'text'; text: string; attachments: string[] }
  /** Said to the turn that runs. */
  | { kind: 'steer'; text: string }
  | { kind: 'nothing' };

/** A path after `@`, at the start or after white space: letters, digits and what paths are made of; quoted with "…". */
const ATTACHED = /(?:^|\s)@(?:"([^"]+)"|([^\s"]*[^\s".,;:!?)\]}]))/g;

/** What an entry asks for. A line that begins with `/` and a path is text; `//` begins a text with a slash. */
export function readEntry(entry: string): Entry {
  const text = entry.trim();
  if (text === '') return { kind: 'nothing' };
  const [, name, rest = ''] = /^\/([A-Za-z][\w-]*)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (name) return { kind: 'command', name: name.toLowerCase(), args: splitWords(rest), rest: rest.trim() };
  if (/^![^!]/.test(text)) return { kind: 'steer', text: text.slice(1).trim() };
  const said = text.replace(/^\/\//, '/');
  const attachments = [...said.matchAll(ATTACHED)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  return { kind: 'text', text: said, attachments: [...new Set(attachments)].filter(Boolean) };
}
