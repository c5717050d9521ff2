/** `$LOOM_HOME/logs/<task>.events.jsonl`: the journal for tools that read files; a view, the store is the truth. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreReader } from '../store/store.ts';
import type { JournalEvent } from './loom.ts';

export interface EventLog {
  append(event: JournalEvent): void;
  /** Resolves when everything appended so far is in the file. */
  flush(): Promise<void>;
}

/** Opens the log and, after a crash, adds the lines that the store has and the file lacks. */
export async function openEventLog(home: string, run: string, store: StoreReader): Promise<EventLog> {
  const folder = join(home, 'logs');
  const file = join(folder, `${run}.events.jsonl`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const present = await readFile(file, 'utf8').catch(() => '');
  const whole = present.slice(0, present.lastIndexOf('\n') + 1);
  if (whole.length !== present.length) await writeFile(file, whole);
  const lines = whole.split('\n').length - 1;
  const stored = await store.range<JournalEvent>(run, 'j/');
  const missing = stored.slice(lines).map(row => `${JSON.stringify(row.value)}\n`);
  if (missing.length > 0) await appendFile(file, missing.join(''), { mode: 0o600 });
  let waiting = '';
  let writing: Promise<void> | null = null;
  // The log is a copy: a full disk shows up at the next commit, where it counts.
  const write = async (): Promise<void> => {
    while (waiting !== '') {
      const lines = waiting;
      waiting = '';
      await appendFile(file, lines, { mode: 0o600 }).catch(() => {});
    }
    writing = null;
  };
  return {
    append(event) {
      waiting += `${JSON.stringify(event)}\n`;
      writing ??= write();
    },
    flush: async () => {
      await writing;
    },
  };
}
