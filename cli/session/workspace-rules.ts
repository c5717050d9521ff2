/** Rules that hold for every session in a workspace: `$LOOM_HOME/rules.toml`. They stand in the home and not in the workspace,
 *  because a folder that was fetched from somewhere must not allow itself anything. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';

export interface WorkspaceRules {
  list(): string[];
  add(rule: string): Promise<void>;
  /** False: there was none. */
  remove(rule: string): Promise<boolean>;
}

interface RulesFile {
  workspaces: Record<string, { allow: string[] }>;
}

/** Throws LoomError-free: an unreadable file counts as empty, and is never written over. */
export function workspaceRules(home: string, workspace: string): WorkspaceRules {
  const file = join(home, 'rules.toml');

  function read(): RulesFile {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      return { workspaces: {} };
    }
    const { workspaces = {} } = parse(text) as Partial<RulesFile>;
    return { workspaces };
  }

  const listed = (): string[] => {
    try {
      return read().workspaces[workspace]?.allow ?? [];
    } catch {
      return [];
    }
  };

  async function write(allow: string[]): Promise<void> {
    const all = read();
    all.workspaces[workspace] = { allow };
    await mkdir(home, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, stringify(all), { mode: 0o600 });
    await rename(temporary, file);
  }

  return {
    list: listed,
    add: rule => write([...new Set([...listed(), rule])]),
    async remove(rule) {
      const rest = listed().filter(one => one !== rule);
      if (rest.length === listed().length) return false;
      await write(rest);
      return true;
    },
  };
}
