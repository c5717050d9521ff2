/** What the Tab key offers: commands, files after `@` or where a path stands, ids. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Sources {
  /** Names after `/`, aliases included. */
  commands: { name: string; takes: 'path' | 'run' | 'session' | 'nothing' | string[] }[];
  workspace: string;
  runs(): Promise<string[]>;
  sessions(): Promise<string[]>;
}

/** Folders nobody names by hand. */
const HIDDEN = /^(\.git|node_modules|__pycache__|\.venv|\.loom)$/;
const MOST = 60;

/** Completions of a line up to the cursor, and the part of it they replace: what readline wants. */
export async function complete(line: string, sources: Sources): Promise<[string[], string]> {
  const command = /^\/([\w-]*)$/.exec(line);
  if (command) {
    const names = sources.commands.map(({ name }) => `/${name} `);
    return [names.filter(name => name.startsWith(line.toLowerCase())).sort(), line];
  }
  const word = /(?:^|\s)(\S*)$/.exec(line)?.[1] ?? '';
  if (word.startsWith('@')) return [await paths(word.slice(1), sources.workspace, '@'), word];
  const name = /^\/([\w-]+)\s/.exec(line)?.[1];
  const takes = sources.commands.find(one => one.name === name)?.takes ?? 'nothing';
  if (takes === 'nothing') return [[], line];
  if (takes === 'path') return [await paths(word, sources.workspace, ''), word];
  const words =
    takes === 'run' ? await sources.runs() : takes === 'session' ? await sources.sessions() : takes;
  return [words.filter(one => one.startsWith(word)).map(one => `${one} `), word];
}

/** Files and folders that begin with what was typed; a folder is not finished, so no space follows it. */
async function paths(typed: string, workspace: string, before: string): Promise<string[]> {
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  const inside =
    folder === '.' && !typed.startsWith('./') ? '' : folder.endsWith('/') ? folder : `${folder}/`;
  const entries = await readdir(join(workspace, folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter(entry => !HIDDEN.test(entry.name))
    .map(entry => `${inside}${entry.name}${entry.isDirectory() ? '/' : ' '}`)
    .filter(path => path.startsWith(typed))
    .sort()
    .slice(0, MOST)
    .map(path => before + path);
}
