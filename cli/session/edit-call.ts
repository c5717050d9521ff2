/** A call in the person's own editor before it is allowed: a command or a text as it is, other arguments as JSON. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../../actors/loom.ts';
import { SlashError } from './app.ts';

type Args = Record<string, unknown>;

/** The argument that a person edits as it is, and the name of the file, by which editors choose their colours. */
const PLAIN: Record<string, { field: string; file(args: Args): string }> = {
  shell_execute: { field: 'command', file: () => 'command.sh' },
  write_file: {
    field: 'content',
    file: args =>
      String(args['path'] ?? '')
        .split('/')
        .at(-1) || 'content',
  },
};

async function edited(text: string, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loom-edit-'));
  const file = join(folder, name);
  try {
    await writeFile(file, text, { mode: 0o600 });
    const editor = env['VISUAL'] || env['EDITOR'] || 'vi';
    const code = await new Promise<number | null>((resolve, reject) => {
      // As git does: the variable may hold options, so a shell reads it.
      const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env });
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (code !== 0)
      throw new SlashError(`the editor (${editor}) ended with ${code}; EDITOR names another one`);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The arguments as the person left them; null where they changed nothing. Throws SlashError. */
export async function changedCall(
  session: Session,
  question: string,
  env: NodeJS.ProcessEnv,
): Promise<Args | null> {
  const asked = await session.asked(question);
  if (!asked) throw new SlashError('there is nothing to edit in this question');
  const plain = PLAIN[asked.tool];
  const before = plain
    ? String(asked.arguments[plain.field] ?? '')
    : `${JSON.stringify(asked.arguments, null, 2)}\n`;
  const after = await edited(before, plain ? plain.file(asked.arguments) : `${asked.tool}.json`, env);
  if (after === before) return null;
  // Editors end a file with a line break, which is no part of a command.
  if (plain)
    return {
      ...asked.arguments,
      [plain.field]: plain.field === 'command' ? after.replace(/\n+$/, '') : after,
    };
  try {
    return JSON.parse(after) as Args;
  } catch (error) {
    throw new SlashError(`this is no JSON any more: ${(error as Error).message}`);
  }
}
