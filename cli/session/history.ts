/** What was typed in earlier sessions: `$LOOM_HOME/history`, one entry a line, the newest last. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { NEWLINE } from './paste.ts';

const MOST = 500;
/** Longer texts are pasted again, not looked for in a history. */
const LONGEST = 2_000;

export interface TypedHistory {
  /** The newest first. */
  read(): string[];
  add(text: string): void;
  close(): void;
}

/** A home that cannot be written to costs the history, nothing else. */
export function historyFile({ io }: Pick<Context, 'io'>): TypedHistory {
  const file = join(resolve(io.env['LOOM_HOME'] ?? join(homedir(), '.loom')), 'history');
  let entries: string[] = [];
  try {
    entries = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    // The first session.
  }
  const quietly = (write: () => void) => {
    try {
      write();
    } catch {
      // Nobody stops working because of this.
    }
  };
  return {
    read: () => entries.slice(-MOST).reverse(),
    add(text) {
      const line = text.trim().replaceAll('\n', NEWLINE);
      if (line === '' || line.length > LONGEST || line === entries.at(-1)) return;
      entries.push(line);
      quietly(() => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        appendFileSync(file, `${line}\n`, { mode: 0o600 });
      });
    },
    close() {
      if (entries.length > MOST * 2)
        quietly(() => writeFileSync(file, `${entries.slice(-MOST).join('\n')}\n`, { mode: 0o600 }));
    },
  };
}
