/** What a person approves, in full: the command, or the text that would be written or replaced. */
import type { StoreReader } from '../store/store.ts';
import { messageKey, type StoredMessage } from './effects/rows.ts';

const MAX_LINES = 60;
const MAX_CHARS = 6_000;

const clip = (text: string): string => {
  const lines = text.slice(0, MAX_CHARS).split('\n');
  const cut = lines.length > MAX_LINES || text.length > MAX_CHARS;
  return lines.slice(0, MAX_LINES).join('\n') + (cut ? '\n… (cut)' : '');
};

const marked = (text: unknown, mark: string): string =>
  String(text ?? '')
    .replace(/\n$/, '')
    .split('\n')
    .map(line => `${mark}${line}`)
    .join('\n');

function describe(name: string, args: Record<string, unknown>): string {
  if (name === 'shell_execute') return String(args['command'] ?? '');
  if (name === 'write_file') return marked(args['content'], '+');
  if (name === 'edit_file') {
    const edits = Array.isArray(args['edits']) ? (args['edits'] as Record<string, unknown>[]) : [args];
    return edits.map(edit => `${marked(edit['old_str'], '-')}\n${marked(edit['new_str'], '+')}`).join('\n\n');
  }
  return JSON.stringify(args, null, 1);
}

/** `call` is `<thread>.<iteration>.<n>`; '' when there is nothing stored to show. */
export async function questionDetail(
  store: Pick<StoreReader, 'get'>,
  run: string,
  call: string,
): Promise<string> {
  const found = /^(.+)\.(\d+)\.(\d+)$/.exec(call);
  if (!found) return '';
  const answer = await store.get<StoredMessage>(run, messageKey.answer(found[1]!, Number(found[2])));
  const stored = answer?.calls?.[Number(found[3])];
  return stored ? clip(describe(stored.name, stored.arguments)) : '';
}
